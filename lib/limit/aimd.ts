import { type Bounds, Estimate } from './estimate.js'
import { type Insight, isUsable, type Limit, type Sample } from './limit.js'

export interface AimdTerms extends Bounds {
  /** the factor after a drop, 0.5 to below 1 */
  readonly backoff: number
  /** ms over which work counts as dropped; Infinity: never */
  readonly timeout: number
}

/**
 * Additive increase, multiplicative decrease: a limit that follows losses, not latency.
 *
 *     dropped, or rtt > timeout      target = limit * backoff
 *     else, inFlight >= limit / 2    target = limit + 1
 *     else                           target = limit
 *     limit += smoothing * (target - limit), clamped to [floor, ceiling]
 *
 * Three states. *Losses*: it falls by a factor with each sample. *Pressed without loss*: it rises by one a sample, so it saws below the point
 * where losses begin. *Not pressed*, by less than half of the limit: success proves nothing about a limit nobody came near, so it stays.
 *
 * Sources: D.-M. Chiu, R. Jain, Analysis of the increase and decrease algorithms for congestion avoidance in computer networks (1989);
 * `AIMDLimit` of Netflix concurrency-limits. Differences: the limit keeps its fraction; smoothing (1: none, as there); no timeout by default.
 */
export class Aimd implements Limit {
  readonly insight: Insight = { gradient: undefined, baselineMs: undefined, probing: false }
  private readonly terms: AimdTerms
  private readonly estimate: Estimate

  constructor(terms: AimdTerms, initial: number) {
    this.terms = terms
    this.estimate = new Estimate(terms, initial)
  }

  get limit(): number {
    return this.estimate.limit
  }

  onSample(sample: Sample): number {
    if (isUsable(sample)) this.learn(sample)
    return this.limit
  }

  reset(limit: number): void {
    this.estimate.reset(limit)
  }

  private learn({ rttMs, inFlight, dropped, limit }: Sample): void {
    const base = limit ?? this.estimate.value
    if (dropped || rttMs > this.terms.timeout) this.estimate.moveTowards(base * this.terms.backoff)
    else if (inFlight >= base / 2) this.estimate.moveTowards(base + 1)
  }
}
