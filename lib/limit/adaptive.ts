import type { End } from '../allocation.js'
import { Aimd } from './aimd.js'
import { Gradient2 } from './gradient2.js'
import { isUsable, type Limit, type Sample } from './limit.js'
import { type AdaptTerms, readMode } from './options.js'
import type { AdaptMode, AdaptReport } from './report.js'
import { SampleWindow } from './window.js'

/** What an adaptive limit acts on, and by what it measures. */
export interface Adapted {
  /** ns, of a clock that does not go back */
  now(): number
  /** 0 to below 1 */
  random(): number
  /** permits in force, whoever set them */
  current(): number
  /** puts permits in force; called in mode 'on' only */
  apply(limit: number): void
}

/**
 * Turns the ends of grants into windows, and windows into a limit. It has no timer: a window ends with the first sample after its time that finds
 * enough of them, so where nothing happens nothing changes. It belongs to one thread; where several adapt one semaphore, each goes on from the
 * permits that it finds in force.
 */
export class AdaptiveLimit {
  private readonly terms: AdaptTerms
  private readonly on: Adapted
  private readonly algorithm: Limit
  private mode: AdaptMode
  /** what this one put in force last, or found */
  private known: number
  private window = new SampleWindow()
  private until: number
  private samples = 0
  private drops = 0
  private ignored = 0
  private windows = 0
  private last: Sample | undefined = undefined

  constructor(terms: AdaptTerms, on: Adapted) {
    this.terms = terms
    this.on = on
    this.mode = terms.mode
    this.known = on.current()
    this.algorithm = terms.algorithm === 'aimd' ? new Aimd(terms, this.known) : new Gradient2(terms, this.known)
    this.until = this.nextEnd(on.now())
  }

  /**
   * Tells that a grant has ended.
   *
   * `success` is a sample of latency. `drop` is one of overload. `ignore` is none, and neither is what cannot be measured (a time or a count that
   * is NaN, infinite or negative, a beginning in the future, no time at all): both are counted in the report, and nothing is thrown, because this
   * is called on the way out of a release.
   *
   * @param startNs when it was granted, by `now()`
   * @param inFlight permits that were held then, its own among them
   * @throws what `apply` throws; the window has been learnt then, and the next one applies again
   */
  ended(how: End, startNs: number, inFlight: number): void {
    const now = this.on.now()
    const rttMs = (now - startNs) / 1e6
    if (how === 'ignore' || !isUsable({ rttMs, inFlight })) {
      this.ignored++
      return
    }
    this.samples++
    if (how === 'drop') this.drops++
    this.window.add(rttMs, inFlight, how === 'drop')
    if (now >= this.until && this.window.samples >= this.terms.samples) this.endWindow(now)
  }

  report(): AdaptReport {
    const { algorithm, floor, ceiling } = this.terms
    return {
      algorithm,
      mode: this.mode,
      limit: this.on.current(),
      proposed: this.algorithm.limit,
      floor,
      ceiling,
      samples: this.samples,
      drops: this.drops,
      ignored: this.ignored,
      windows: this.windows,
      rttMs: this.last?.rttMs,
      inFlight: this.last?.inFlight,
      ...this.algorithm.insight
    }
  }

  /**
   * Switches it on, from the permits in force, or back into shadow, where they stay as they are; a probe ends. The change acts with the next window.
   *
   * @throws ArgumentError, and what `apply` throws
   */
  setMode(mode: AdaptMode): void {
    if (readMode(mode) === this.mode) return
    this.endProbe()
    this.mode = mode
    this.known = this.on.current()
    this.algorithm.reset(this.known)
    this.startWindow(this.on.now())
  }

  /** Leaves the permits as learnt, not as lowered for a probe. For the end of the governor. */
  close(): void {
    this.endProbe()
    this.mode = 'shadow'
  }

  private endWindow(now: number): void {
    const sample = this.window.summary()
    this.startWindow(now)
    this.windows++
    this.last = sample
    const before = this.algorithm.limit
    const inForce = this.on.current()
    // 0 permits are a stop that somebody ordered (the floor is 1): there is nothing to learn from what ends after it, and it is not for this to lift.
    if (inForce === 0) return
    if (this.mode === 'on') this.follow(sample, inForce)
    else this.algorithm.onSample({ ...sample, limit: inForce })
    if (this.algorithm.limit !== before || this.on.current() !== inForce) this.tell()
  }

  private follow(sample: Sample, inForce: number): void {
    // Somebody else has changed it: an operator, or another process that adapts. What they chose is where this goes on from.
    if (inForce !== this.known) this.algorithm.reset(inForce)
    this.known = inForce
    this.put(this.algorithm.onSample(sample))
  }

  private put(limit: number): void {
    if (limit === this.known) return
    this.on.apply(limit)
    this.known = limit
  }

  private endProbe(): void {
    if (this.mode === 'on' && this.algorithm.insight.probing && this.on.current() === this.known) this.put(this.algorithm.limit)
  }

  private startWindow(now: number): void {
    this.window = new SampleWindow()
    this.until = this.nextEnd(now)
  }

  private nextEnd(now: number): number {
    return now + this.terms.window * 1e6 * (1 + this.terms.jitter * this.on.random())
  }

  private tell(): void {
    const { onChange } = this.terms
    if (onChange === undefined) return
    const report = this.report()
    queueMicrotask(() => onChange(report))
  }
}
