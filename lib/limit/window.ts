import type { Sample } from './limit.js'

/** Samples of a stretch of time, summed up to one: single latencies are noise. */
export class SampleWindow {
  private successes = 0
  private drops = 0
  private successMs = 0
  private dropMs = 0
  private peak = 0

  get samples(): number {
    return this.successes + this.drops
  }

  add(rttMs: number, inFlight: number, dropped: boolean): void {
    if (dropped) {
      this.drops++
      this.dropMs += rttMs
    } else {
      this.successes++
      this.successMs += rttMs
    }
    this.peak = Math.max(this.peak, inFlight)
  }

  /** The mean of what succeeded (of what was dropped, if nothing did), the most in flight, and whether there was a drop; not for an empty one. */
  summary(): Sample {
    const rttMs = this.successes > 0 ? this.successMs / this.successes : this.dropMs / this.drops
    return { rttMs, inFlight: this.peak, dropped: this.drops > 0 }
  }
}
