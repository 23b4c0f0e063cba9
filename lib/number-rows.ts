const ROWS_LEAST = 64

/**
 * Rows of numbers, all of one length, in one array: of many things each of which has some, by their own numbers. Fields of an object that are no small whole numbers, or an array for each,
 * have a place of their own each in memory, and to follow what happens to ten thousand things is then to wait for it.
 */
export class NumberRows {
  readonly #length: number
  /** those of row `n` from `n` times their length on; another array after {@link clear} */
  numbers: Float64Array

  /** @param length of a row @param least rows that there is room for from the beginning */
  constructor(length: number, least = ROWS_LEAST) {
    this.#length = length
    this.numbers = new Float64Array(least * length)
  }

  /** Where a row begins, which is all 0 from now on. */
  clear(row: number): number {
    const at = row * this.#length
    if (at + this.#length > this.numbers.length) {
      const more = new Float64Array(Math.max(at + this.#length, 2 * this.numbers.length))
      more.set(this.numbers)
      this.numbers = more
    }
    this.numbers.fill(0, at, at + this.#length)
    return at
  }
}
