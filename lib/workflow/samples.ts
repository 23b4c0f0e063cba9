/** How many of the last values a profile is made of. */
const KEPT = 256

/** What is known of a quantity that differs from run to run. */
export interface Spread {
  /** the median of the last 256 */
  readonly expected: number
  readonly p95: number
  /** of all */
  readonly max: number
  /** how many it is known from; 0: it was given */
  readonly samples: number
}

/** The last values of one quantity. */
export class Samples {
  private values = new Float64Array(16)
  private count = 0
  private most = Number.NEGATIVE_INFINITY

  add(value: number): void {
    if (this.count === this.values.length && this.count < KEPT) {
      const grown = new Float64Array(Math.min(KEPT, 2 * this.count))
      grown.set(this.values)
      this.values = grown
    }
    this.values[this.count % this.values.length] = value
    this.count++
    if (value > this.most) this.most = value
  }

  /** Undefined: none yet. */
  spread(): Spread | undefined {
    const { count } = this
    if (count === 0) return undefined
    const sorted = this.values.slice(0, Math.min(count, this.values.length)).sort()
    return { expected: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), max: this.most, samples: count }
  }

  /** The quantile of the last values; undefined: none yet. */
  quantile(q: number): number | undefined {
    if (this.count === 0) return undefined
    return quantile(this.values.slice(0, Math.min(this.count, this.values.length)).sort(), q)
  }
}

/** Of sorted values, the least of which at least this part is not above it (type 1 of Hyndman and Fan, 1996). */
function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] as number
}
