import { bucketOf, type Counts, quantilesOf } from '../history/sketch.js'

const LATE_MS = 100

/** What became of the requests of a tier. Waits in ms; quantiles are within 1 % of the true ones, the mean is exact. */
export interface TierResult {
  readonly tier: string
  readonly requests: number
  readonly waitMean: number
  readonly waitP50: number
  readonly waitP90: number
  readonly waitP99: number
  readonly waitP999: number
  readonly waitMax: number
  /** of those granted, the part that waited at all, and more than 100 ms */
  readonly waited: number
  readonly late: number
  /** ended before the last one came, and so many a second */
  readonly done: number
  readonly throughput: number
  readonly refusals: number
  /** what their waiting costs, as docs/guides/defaults.md has it */
  readonly waitCost: number
}

/** Counts the requests of a tier as they are granted and end; needs no more memory for more of them. */
export class Tally {
  requests = 0
  done = 0
  refusals = 0
  private granted = 0
  private waited = 0
  private late = 0
  private sum = 0
  private unitMs = 0
  private most = 0
  private readonly waits: Counts = new Map()

  constructor(private readonly tier: string) {}

  /** @param ms that it waited, @param units that it waited for */
  grant(ms: number, units: number): void {
    this.granted++
    if (ms <= 0) return
    this.waited++
    this.sum += ms
    this.unitMs += ms * units
    if (ms > LATE_MS) this.late++
    if (ms > this.most) this.most = ms
    const bucket = bucketOf(ms)
    this.waits.set(bucket, (this.waits.get(bucket) ?? 0) + 1)
  }

  /** @param horizon ms until the last one came */
  result(horizon: number, costPerSecond: number): TierResult {
    const { tier, requests, done, refusals, granted } = this
    const none = granted - this.waited
    const counts = none === 0 ? this.waits : new Map(this.waits).set(bucketOf(0), none)
    const [p50 = 0, p90 = 0, p99 = 0, p999 = 0] = granted === 0 ? [] : quantilesOf(counts, [0.5, 0.9, 0.99, 0.999], 0, this.most)
    const part = (count: number) => (granted === 0 ? 0 : count / granted)
    return {
      tier,
      requests,
      waitMean: part(this.sum),
      waitP50: p50,
      waitP90: p90,
      waitP99: p99,
      waitP999: p999,
      waitMax: this.most,
      waited: part(this.waited),
      late: part(this.late),
      done,
      throughput: horizon > 0 ? done / (horizon / 1000) : 0,
      refusals,
      waitCost: (this.unitMs / 1000) * costPerSecond
    }
  }
}
