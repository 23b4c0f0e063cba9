/** Far beyond the range, and far from where numbers end. */
const FARTHEST = 1e6

/** Values moved and scaled into [-1, 1], without overflow whatever they are, and the way back. */
export class Scale {
  private constructor(
    readonly middle: number,
    readonly half: number
  ) {}

  /** Undefined: they do not differ, or there are none. */
  static of(values: Float64Array): Scale | undefined {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const value of values) {
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
    return Scale.from(low / 2 + high / 2, high / 2 - low / 2)
  }

  /** Undefined: it is none. */
  static from(middle: unknown, half: unknown): Scale | undefined {
    if (!Number.isFinite(middle) || !Number.isFinite(half) || !((half as number) > 0)) return undefined
    return new Scale(middle as number, half as number)
  }

  /** Within the range and as much again on either side, because a model may explode. */
  near(value: number): number {
    const [low, high] = [this.middle - 3 * this.half, this.middle + 3 * this.half]
    return Math.min(Math.min(Number.MAX_VALUE, high), Math.max(Math.max(-Number.MAX_VALUE, low), value))
  }

  into(value: number): number {
    return (value - this.middle) / this.half
  }

  back(scaled: number): number {
    return this.middle + Math.min(FARTHEST, Math.max(-FARTHEST, scaled)) * this.half
  }
}
