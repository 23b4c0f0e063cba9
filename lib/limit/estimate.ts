/** What bounds a limit, and how fast it follows. */
export interface Bounds {
  /** the least, whole, >= 1 */
  readonly floor: number
  /** the most, whole, >= floor */
  readonly ceiling: number
  /** the part of the way to a new target that one step goes, over 0 to 1 */
  readonly smoothing: number
}

/**
 * A limit with its fraction, so that small steps add up: `value += smoothing * (target - value)`, then clamped to `[floor, ceiling]`.
 */
export class Estimate {
  private readonly bounds: Bounds
  value: number

  constructor(bounds: Bounds, initial: number) {
    this.bounds = bounds
    this.value = this.clamped(initial)
  }

  /** The whole number to put in force: rounded down, so that what is asked for is never more than what was learnt. */
  get limit(): number {
    return Math.floor(this.value)
  }

  moveTowards(target: number): void {
    this.value = this.clamped(this.value + this.bounds.smoothing * (target - this.value))
  }

  reset(limit: number): void {
    this.value = this.clamped(limit)
  }

  private clamped(value: number): number {
    return Math.min(this.bounds.ceiling, Math.max(this.bounds.floor, value))
  }
}
