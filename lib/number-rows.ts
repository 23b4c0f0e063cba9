const ROWS_LEAST = 64

/**
 * Rows of numbers, all of one length, in one array: of many things each of which has some. Numbers that are fields of an object, or an array for each, lie in a place of their own each, and
 * to follow what happens to ten thousand things is then to wait for memory.
 */
export class NumberRows {
  readonly #length: number
  readonly #unused: number[] = []
  #rows = 0
  /** those of a row from where {@link take} says; another array after the next row was taken */
  numbers: Float64Array

  /** @param length of a row */
  constructor(length: number) {
    this.#length = length
    this.numbers = new Float64Array(ROWS_LEAST * length)
  }

  /** Where a row begins that is free; it is all 0. */
  take(): number {
    const at = this.#unused.pop() ?? this.#rows++ * this.#length
    if (at + this.#length > this.numbers.length) {
      const more = new Float64Array(2 * this.numbers.length)
      more.set(this.numbers)
      this.numbers = more
    }
    return at
  }

  /** A row is free again. */
  give(at: number): void {
    this.numbers.fill(0, at, at + this.#length)
    this.#unused.push(at)
  }
}
