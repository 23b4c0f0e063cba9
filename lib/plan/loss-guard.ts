import { Account, type Benefit } from './account.js'

/** Between two looks at the account, ms. */
const SETTLE_MS = 1_000

/** What has become of a source of plans so far; all of it since ever. */
export interface Course {
  /** ms for which its plans kept a lock, or tokens, from somebody: the core counts it */
  readonly lostMs: number
  /** what it saved, in request seconds by their costs */
  readonly saved: number
  /** what requests of lower tiers have waited, in request seconds by their costs */
  readonly lowerCost: number
}

/** Seconds that a source may cost that was put out, and is tried again. */
const PROBE_SECONDS = 0.1

/**
 * Lets the plans of a source through as long as its {@link Account} is not overdrawn, by what the core counts as its loss; and no more at once than it could
 * pay for, if each of them kept somebody waiting for all of its time.
 */
export class LossGuard {
  readonly #account: Account
  readonly #priceOf: () => number
  /** what a second costs those who lose, as last looked at */
  #price: number
  #lost = 0
  /** as last looked at; what was lost before the first look was none of ours */
  #lostMs: number | undefined
  #settled = Number.NEGATIVE_INFINITY
  /** of plans of which it is not known yet what they cost: until when */
  #open: number[] = []
  #atStake = 0

  /**
   * @param lowest what waiting costs in the lowest tier, a request and second
   * @param priceOf the same of those who lose, now: the core does not say of which tiers they are. Default: they are of the lowest
   */
  constructor(lowest: number, priceOf: () => number = () => lowest) {
    this.#priceOf = priceOf
    this.#price = priceOf()
    this.#account = new Account(lowest, PROBE_SECONDS * lowest)
  }

  /** Once a period. @param course is asked for now and then @returns whether plans may be written now */
  passes(now: number, course: () => Course): boolean {
    if (now - this.#settled >= SETTLE_MS) {
      this.#settled = now
      const { lostMs, saved, lowerCost } = course()
      this.#price = this.#priceOf()
      this.#lost += ((lostMs - (this.#lostMs ?? lostMs)) / 1000) * this.#price
      this.#lostMs = lostMs
      // What it lost is among what the lower tiers waited.
      this.#account.settle(now, saved - this.#lost, Math.max(0, lowerCost - this.#lost))
      // What those cost that are over is counted by now.
      this.#open = this.#open.filter(until => until > now)
      this.#atStake = this.#open.reduce((all, until) => all + ((until - now) / 1000) * this.#price, 0)
    }
    return this.#account.isOn
  }

  /** Whether one more may be written, that keeps something for so long. @param ms from now */
  admits(ms: number): boolean {
    return this.#account.isOn && this.#atStake + this.#cost(ms) <= this.#account.balance
  }

  /** One that it {@link admits} is written. */
  begun(now: number, ms: number): void {
    this.#atStake += this.#cost(ms)
    this.#open.push(now + ms)
  }

  #cost(ms: number): number {
    return (ms / 1000) * this.#price
  }

  status(): { readonly on: boolean; readonly proven: boolean; readonly benefit: Benefit; readonly balance: number } {
    const { isOn, isProven, balance } = this.#account
    return { on: isOn, proven: isProven, benefit: this.#account.benefit(), balance }
  }
}
