/** Names that may have hints at a time, of whoever gives them, and kinds that are told apart. */
export const HINTS_MOST = 2 ** 16
const KINDS_MOST = 16
/** The lower bits of a hint. */
const PLACE = HINTS_MOST - 1
/** There is room for so many from the first on. */
const HINTS_LEAST = 64
/** In the table of hints a place has its hint, and the number that it stands for. */
const ROW = 2
/** As {@link hintOf} gives none: times are from 1 on. */
const NO_HINT = 0

/**
 * A hint for who has a place now.
 *
 * @param place below {@link HINTS_MOST} @param kind below 16
 * @param time another one each time that a place is given away, from 1 on and below 2^33
 */
export function hintOf(place: number, kind: number, time: number): number {
  return (time * KINDS_MOST + kind) * HINTS_MOST + place
}

/**
 * Numbers for names of things of some kinds, from 0 on, so that what is known of them can lie in arrays. Whoever is told of the same names over and over may be told a hint with each, a number
 * that no other name has, nor this one of another kind, as long as whoever tells is there ({@link hintOf}). In a map of ten thousand names a look-up misses the caches of the CPU several times, and each of those who follow what
 * happens has such a map; by a hint a name is found in one line of a small table, and neither it nor its name is looked at. A name may have another hint later, or none: then it is looked up.
 */
export class Numbered<Kind extends string = string> {
  readonly #numbers = new Map<Kind, Map<string, number>>()
  /** by number */
  readonly #kinds: Kind[] = []
  readonly #names: string[] = []
  /** by place */
  #hinted = new Float64Array(0)
  readonly #unused: number[] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @returns -1: it has none */
  find(kind: Kind, name: string, hint = NO_HINT): number {
    const at = ROW * (hint & PLACE)
    if (at < this.#hinted.length && this.#hinted[at] === hint && hint !== NO_HINT) return this.#hinted[at + 1] as number
    const found = this.#numbers.get(kind)?.get(name) ?? -1
    if (found >= 0) this.#hint(hint, found)
    return found
  }

  /** Gives one to a name that has none. */
  add(kind: Kind, name: string, hint = NO_HINT): number {
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
    this.#hinted.fill(NO_HINT)
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
    if (hint === NO_HINT) return
    const at = ROW * (hint & PLACE)
    if (at >= this.#hinted.length) {
      const more = new Float64Array(Math.min(ROW * HINTS_MOST, Math.max(ROW * HINTS_LEAST, 2 * at)))
      more.set(this.#hinted)
      this.#hinted = more
    }
    this.#hinted[at] = hint
    this.#hinted[at + 1] = number
  }
}
