import { refuse } from '../checks.js'

/** The last values of a series, at equal steps, without gaps. */
export class Values {
  private buffer: Float64Array
  private end = 0
  private start = 0
  private least = Number.POSITIVE_INFINITY

  /** @param most how many are kept */
  constructor(private readonly most: number) {
    this.buffer = new Float64Array(Math.min(2 * most, 256))
  }

  /** Values that were kept before, all of them known. */
  static of(values: ArrayLike<number>, most: number, lowest: number | undefined): Values {
    const made = new Values(most)
    made.replace(values)
    if (lowest !== undefined) made.least = Math.min(made.least, lowest)
    return made
  }

  /** All of them, oldest first: a view, good until the next change. */
  get all(): Float64Array {
    return this.buffer.subarray(this.start, this.end)
  }

  get length(): number {
    return this.end - this.start
  }

  /** That there ever was, Infinity of none. */
  get lowest(): number {
    return this.least
  }

  /** None was ever below 0. */
  get neverNegative(): boolean {
    return this.least >= 0
  }

  /** @throws ArgumentError if they are no array of any kind */
  replace(values: ArrayLike<number>): void {
    if (typeof values !== 'object' || values === null || !Number.isInteger(values.length) || values.length < 0)
      throw refuse('values', 'an array of numbers', values)
    this.start = 0
    this.end = 0
    this.least = Number.POSITIVE_INFINITY
    // What comes before the first known value says nothing.
    for (let i = Math.max(0, values.length - this.most); i < values.length; i++) this.push(values[i] as number, values[i + 1])
  }

  /**
   * A missing value becomes the middle between the last known and the next, or the last known; before the first one there is none.
   *
   * @param next the one after it, where it is known
   */
  push(value: number, next?: number): void {
    let known = value
    if (!Number.isFinite(value)) {
      if (this.end === this.start) return
      const last = this.buffer[this.end - 1] as number
      known = next !== undefined && Number.isFinite(next) ? last / 2 + next / 2 : last
    }
    if (this.end === this.buffer.length) this.makeRoom()
    this.buffer[this.end++] = known
    if (this.length > this.most) this.start++
    if (known < this.least) this.least = known
  }

  private makeRoom(): void {
    const kept = this.all
    if (this.start > 0 && 2 * kept.length <= this.buffer.length) {
      this.buffer.copyWithin(0, this.start, this.end)
    } else {
      const larger = new Float64Array(Math.min(2 * this.most, 2 * this.buffer.length))
      larger.set(kept)
      this.buffer = larger
    }
    this.end = kept.length
    this.start = 0
  }
}
