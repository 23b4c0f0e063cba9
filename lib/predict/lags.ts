/** Of lags: {@link Lags.quantiles}. */
export interface LagQuantiles {
  /** ms: a tenth were shorter */
  readonly low: number
  /** ms: half were shorter */
  readonly median: number
  /** ms: nine tenths were shorter */
  readonly high: number
}

export const LAG_BINS = 144
const SHORTEST_MS = 0.01
const BINS_PER_OCTAVE = 4
const FULL = 4_096

/** How long things took, as a histogram of quarter octaves from 0.01 ms to 7 days: quantiles are right within a fifth. Old ones fade. */
export class Lags {
  private readonly bins: Uint16Array
  private together = 0
  /** of each bin and those above it; as of when somebody asked last */
  private sums: Uint32Array | undefined
  private isSummed = false

  constructor(saved?: ArrayLike<number>) {
    // Where many follow many, empty ones are made all the time.
    this.bins = saved === undefined ? new Uint16Array(LAG_BINS) : Uint16Array.from({ length: LAG_BINS }, (_, i) => saved[i] ?? 0)
    for (const bin of this.bins) this.together += bin
  }

  add(ms: number): void {
    const place = Math.floor(BINS_PER_OCTAVE * Math.log2(Math.max(ms, SHORTEST_MS) / SHORTEST_MS))
    const at = Math.min(place, LAG_BINS - 1)
    this.bins[at] = (this.bins[at] as number) + 1
    this.isSummed = false
    if (++this.together >= FULL) this.fade()
  }

  /** How many there are. */
  get count(): number {
    return this.together
  }

  /** How many took longer; within a bin, in proportion. */
  above(ms: number): number {
    const place = BINS_PER_OCTAVE * Math.log2(Math.max(ms, SHORTEST_MS) / SHORTEST_MS)
    const from = Math.min(Math.floor(place), LAG_BINS - 1)
    const sums = this.summed()
    return (this.bins[from] as number) * Math.max(0, 1 - (place - from)) + (sums[from + 1] as number)
  }

  /** Of none: undefined. */
  quantiles(): LagQuantiles | undefined {
    return this.together === 0 ? undefined : { low: this.quantile(0.1), median: this.quantile(0.5), high: this.quantile(0.9) }
  }

  toJSON(): number[] {
    return Array.from(this.bins)
  }

  private quantile(level: number): number {
    let left = level * this.together
    for (let at = 0; at < LAG_BINS; at++) {
      const bin = this.bins[at] as number
      if (left <= bin && bin > 0) return SHORTEST_MS * 2 ** ((at + left / bin) / BINS_PER_OCTAVE)
      left -= bin
    }
    return SHORTEST_MS * 2 ** (LAG_BINS / BINS_PER_OCTAVE)
  }

  private summed(): Uint32Array {
    const sums = this.sums ?? new Uint32Array(LAG_BINS + 1)
    this.sums = sums
    if (this.isSummed) return sums
    for (let at = LAG_BINS - 1; at >= 0; at--) sums[at] = (sums[at + 1] as number) + (this.bins[at] as number)
    this.isSummed = true
    return sums
  }

  private fade(): void {
    this.together = 0
    for (const [at, bin] of this.bins.entries()) this.together += this.bins[at] = bin >> 1
  }
}
