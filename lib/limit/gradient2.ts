import { type Bounds, Estimate } from './estimate.js'
import { type Insight, isUsable, type Limit, type Sample } from './limit.js'

export interface Gradient2Terms extends Bounds {
  /** how many times the baseline a latency may be before the limit falls, >= 1 */
  readonly tolerance: number
  /** samples that the baseline is averaged over, >= 1 */
  readonly baseline: number
  /** samples between two probes for the baseline; 0: no probes */
  readonly probe: number
}

// The clamp of the published algorithm: no one sample, which may be an outlier, asks for less than half.
const GRADIENT_MIN = 0.5
// As published: the first samples are averaged plainly, and a baseline of more than twice the latency is a remnant of an overload.
const WARM_UP = 10
const REMNANT = 2
const REMNANT_DECAY = 0.95
// A queue of q times the baseline shows in a probe at 1/q of the load; a quarter below the tolerance, so that it shows beyond noise.
const PROBE_DEPTH = 0.75
// What a probe weighs. Half: two probes decide, one outlier does not.
const PROBE_WEIGHT = 0.5
// Samples until it gives up: work that lasts longer than so many windows cannot be measured by windows so short.
const EMPTYING_MAX = 10
// What a sample at the floor weighs. From the floor, a latency 2.5 times the baseline is within a tolerance of 1.5 after six samples.
const FLOOR_WEIGHT = 0.1

interface Probe {
  readonly limit: number
  /** samples in which there was more in flight */
  waited: number
}

/**
 * A limit that follows latency: it rises while work takes as long as it does without a queue, and falls by the ratio when it takes longer.
 *
 *     gradient = min(1, max(0.5, tolerance * baseline / rtt));  0.5 for a sample with drops
 *     target   = gradient < 1 ? limit * gradient : limit + max(1, sqrt(limit))
 *     limit   += smoothing * (target - limit), clamped to [floor, ceiling]
 *
 * Four states. *Steady*: the latency whips around the baseline, the limit around the knee times the tolerance. *Into load*: a queue grows, the
 * latency outruns the baseline, the gradient is below 1 and the limit falls. *Out of load*: the latency is back, the baseline may be a remnant
 * of the load: while it is more than twice the latency it decays by 5 % a sample. *Not pressed*: less than half of the limit is in flight; then
 * latency says nothing about the limit, and it neither rises nor falls (drops excepted).
 *
 * The baseline is the mean of the first 10 samples, then an exponential average over `baseline` samples. Where it probes, that average only
 * falls: at a limit of `tolerance` times the knee it would learn the queue it allows, allow `tolerance` times that, and so on for ever. It rises
 * by what cannot be a queue of this limit: by samples with no more than the floor in flight, and by *probes*: after every `probe` pressed
 * samples the limit is `0.75 / tolerance` of what was in flight, until one sample had no more than that in flight (at most 10 samples).
 * With `probe: 0`, or told a limit in force that is not its own, it averages in both directions.
 *
 * Sources: `Gradient2Limit` of Netflix concurrency-limits (gradient, clamp, averages, smoothing); Envoy's adaptive concurrency filter (headroom
 * sqrt(limit), measuring at a low limit). Differences: the headroom is added at gradient 1 only, since added at 0.8 as well it lets the limit
 * grow under overload (pull request 134 there); drops count; probes as above, and never below the floor.
 */
export class Gradient2 implements Limit {
  private readonly terms: Gradient2Terms
  private readonly estimate: Estimate
  private baselineMs = 0
  private seen = 0
  private gradient: number | undefined = undefined
  private sinceProbe = 0
  private probe: Probe | undefined = undefined

  constructor(terms: Gradient2Terms, initial: number) {
    this.terms = terms
    this.estimate = new Estimate(terms, initial)
  }

  get limit(): number {
    return this.estimate.limit
  }

  get insight(): Insight {
    return {
      gradient: this.gradient,
      baselineMs: this.seen === 0 ? undefined : this.baselineMs,
      probing: this.probe !== undefined
    }
  }

  onSample(sample: Sample): number {
    if (!isUsable(sample)) return this.inForce
    const { limit } = sample
    if (limit !== undefined) this.probe = undefined
    if (sample.dropped) this.backOff(limit)
    else if (this.probe !== undefined) this.measure(this.probe, sample)
    else this.follow(sample)
    return this.inForce
  }

  reset(limit: number): void {
    this.probe = undefined
    this.estimate.reset(limit)
  }

  private get inForce(): number {
    return this.probe?.limit ?? this.limit
  }

  /** How long work took that was given up says nothing about the baseline. */
  private backOff(limit: number | undefined): void {
    this.probe = undefined
    this.gradient = GRADIENT_MIN
    this.estimate.moveTowards((limit ?? this.estimate.value) * GRADIENT_MIN)
  }

  private measure(probe: Probe, { rttMs, inFlight }: Sample): void {
    // Work that began before the probe is still among it: not what is to be measured.
    const isEmptying = inFlight > probe.limit
    if (isEmptying && ++probe.waited < EMPTYING_MAX) return
    this.probe = undefined
    if (!isEmptying) this.average(rttMs, PROBE_WEIGHT)
  }

  private follow(sample: Sample): void {
    const { rttMs, inFlight, limit } = sample
    this.learn(sample)
    const base = limit ?? this.estimate.value
    this.gradient = Math.min(1, Math.max(GRADIENT_MIN, (this.terms.tolerance * this.baselineMs) / rttMs))
    if (inFlight < base / 2) return
    this.estimate.moveTowards(this.gradient < 1 ? base * this.gradient : base + Math.max(1, Math.sqrt(base)))
    if (limit === undefined) this.probeWhenDue(inFlight)
  }

  private learn({ rttMs, inFlight, limit }: Sample): void {
    if (this.seen < WARM_UP) {
      this.seen++
      this.average(rttMs, 1 / this.seen)
      return
    }
    const isOpen = limit !== undefined || this.terms.probe === 0
    const weight = 2 / (this.terms.baseline + 1)
    if (!isOpen && inFlight <= this.terms.floor) this.average(rttMs, Math.max(weight, FLOOR_WEIGHT))
    else if (isOpen || rttMs < this.baselineMs) this.average(rttMs, weight)
    if (this.baselineMs > REMNANT * rttMs) this.baselineMs *= REMNANT_DECAY
  }

  private average(rttMs: number, weight: number): void {
    this.baselineMs += weight * (rttMs - this.baselineMs)
  }

  private probeWhenDue(inFlight: number): void {
    const { probe, floor, tolerance } = this.terms
    if (probe === 0 || ++this.sinceProbe < probe) return
    this.sinceProbe = 0
    const limit = Math.max(floor, Math.floor((Math.min(this.limit, inFlight) * PROBE_DEPTH) / tolerance))
    // At the floor every sample is a probe already.
    if (limit < this.limit) this.probe = { limit, waited: 0 }
  }
}
