/**
 * A map by name, for those who are told of the same names over and over by somebody who numbers them: small whole numbers, the same for a name as long as it is known there. In a map of
 * ten thousand names a look-up misses the caches of the CPU several times, and who follows what happens has one for each question. With a hint it is an array's element. A hint may be
 * wrong, or none: then it is looked up.
 */
export class HintedMap<T extends { readonly name: string }> {
  readonly #byName = new Map<string, T>()
  #byHint: (T | undefined)[] = []

  get size(): number {
    return this.#byName.size
  }

  get(name: string, hint?: number): T | undefined {
    if (hint === undefined) return this.#byName.get(name)
    const near = this.#byHint[hint]
    if (near !== undefined && near.name === name) return near
    const found = this.#byName.get(name)
    if (found !== undefined) this.#byHint[hint] = found
    return found
  }

  set(one: T, hint?: number): void {
    const before = this.#byName.get(one.name)
    // Other hints may lead to it.
    if (before !== undefined && before !== one) this.#byHint = []
    this.#byName.set(one.name, one)
    if (hint !== undefined) this.#byHint[hint] = one
  }

  values(): IterableIterator<T> {
    return this.#byName.values()
  }

  /**
   * Leaves so many out, those that came first: many at once, for a map is slow at finding its first after each of many is taken out.
   *
   * @param forgotten is called with each
   */
  forgetFirst(count: number, forgotten: (one: T) => void = () => {}): void {
    this.#byHint = []
    let left = count
    for (const [name, one] of this.#byName) {
      if (left-- <= 0) return
      this.#byName.delete(name)
      forgotten(one)
    }
  }
}
