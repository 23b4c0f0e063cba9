/** How much larger than before errors have to be on average to count at all, in times of what they were. */
const TOLERATED = 0.5
/** What is over that, added up, in times of what errors were: by chance it comes about once in some 10,000 values of normal errors. */
const ALARM = 12
/** Errors from which it is known how large they are. */
const LEARNT_FROM = 32

/** Tells when errors have become larger than they were: the test of Page and Hinkley (Page, Biometrika 41(1/2), 1954) on errors against their mean. */
export class Drift {
  private count = 0
  private mean = 0
  private over = 0

  /** @returns whether the errors have drifted since it was made */
  saw(error: number): boolean {
    const size = Math.min(Math.abs(error), Number.MAX_VALUE)
    if (this.count < LEARNT_FROM) {
      this.count++
      this.mean += size / this.count - this.mean / this.count
      return false
    }
    // What was exact may become inexact by any amount.
    const times = this.mean > 0 ? Math.min(size / this.mean, ALARM) : size > 0 ? ALARM : 0
    this.over = Math.max(0, this.over + times - 1 - TOLERATED)
    return this.over >= ALARM
  }
}
