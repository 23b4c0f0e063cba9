/** Hints beyond it are none: a table of them would be large. */
const HINTS_MOST = 2 ** 20
/** There is room for so many from the first on. */
const HINTS_LEAST = 64

/**
 * Numbers for names of things of some kinds, from 0 on, so that what is known of them can lie in arrays. Whoever is told of the same names over and over may be told a hint with each: another small
 * number, the same for a name as long as whoever tells remembers it. In a map of ten thousand names a look-up misses the caches of the CPU several times, and each of those who follow what
 * happens has such a map; by a hint a name is found in two arrays that are small and always at hand. A hint may be wrong, or none: then it is looked up.
 */
export class Numbered<Kind extends string = string> {
  readonly #numbers = new Map<Kind, Map<string, number>>()
  /** by number */
  readonly #kinds: Kind[] = []
  readonly #names: string[] = []
  /** by hint; -1 none */
  #hinted = new Int32Array(0)
  readonly #unused: number[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @returns -1: it has none */
  find(kind: Kind, name: string, hint = HINTS_MOST): number {
    const near = hint < this.#hinted.length ? (this.#hinted[hint] as number) : -1
    if (near >= 0 && this.#names[near] === name && this.#kinds[near] === kind) return near
    const found = this.#numbers.get(kind)?.get(name) ?? -1
    if (found >= 0) this.#hint(hint, found)
    return found
  }

  /** Gives one to a name that has none. */
  add(kind: Kind, name: string, hint = HINTS_MOST): number {
    const number = this.#unused.pop() ?? this.#names.length
    this.#kinds[number] = kind
    this.#names[number] = name
    const numbers = this.#numbers.get(kind) ?? new Map<string, number>()
    this.#numbers.set(kind, numbers.set(name, number))
    this.#hint(hint, number)
    this.#size++
    return number
  }

  kindOf(number: number): Kind {
    return this.#kinds[number] as Kind
  }

  nameOf(number: number): string {
    return this.#names[number] as string
  }

  /**
   * Leaves half of each kind out, those that came first: many at once, for a map is slow at finding its first after each of many is taken out. Their numbers are given to others.
   *
   * @param forgotten is called with each
   */
  forgetHalf(forgotten: (number: number) => void): void {
    this.#hinted.fill(-1)
    for (const numbers of this.#numbers.values()) {
      let left = Math.ceil(numbers.size / 2)
      for (const [name, number] of numbers) {
        if (left-- <= 0) break
        numbers.delete(name)
        this.#unused.push(number)
        this.#size--
        forgotten(number)
      }
    }
  }

  #hint(hint: number, number: number): void {
    if (hint >= HINTS_MOST) return
    if (hint >= this.#hinted.length) {
      const more = new Int32Array(Math.min(HINTS_MOST, Math.max(HINTS_LEAST, 2 * hint))).fill(-1)
      more.set(this.#hinted)
      this.#hinted = more
    }
    this.#hinted[hint] = number
  }
}
