import { Account, type Benefit } from './account.js'

/** Between two looks at the account, ms. */
const SETTLE_MS = 1_000

/** What has become of a source of plans so far; all of it since ever. */
export interface Course {
  /** ms for which its plans kept a lock, or tokens, from somebody: the core counts it */
  readonly lostMs: number
  /** what it saved, in request seconds by their costs */
  readonly saved: number
  /** ms that requests of lower tiers waited */
  readonly lowerMs: number
}

/** Seconds that a source may cost that was put out, and is tried again. */
const PROBE_SECONDS = 0.1

/**
 * Lets the plans of a source through as long as its {@link Account} is not overdrawn, by what the core counts as its loss; and no more at once than it could
 * pay for, if each of them kept somebody waiting for all of its time.
 */
export class LossGuard {
  readonly #account: Account
  readonly #cost: number
  #settled = Number.NEGATIVE_INFINITY
  /** of plans of which it is not known yet what they cost: until when */
  #open: number[] = []
  #atStake = 0

  /** @param lowerCost what waiting costs those who lose, a request and second */
  constructor(lowerCost: number) {
    this.#cost = lowerCost
    this.#account = new Account(lowerCost, PROBE_SECONDS * lowerCost)
  }

  /** Once a period. @param course is asked for now and then @returns whether plans may be written now */
  passes(now: number, course: () => Course): boolean {
    if (now - this.#settled >= SETTLE_MS) {
      this.#settled = now
      const { lostMs, saved, lowerMs } = course()
      // What it lost is among what the lower tiers waited.
      const lost = (lostMs / 1000) * this.#cost
      this.#account.settle(now, saved - lost, Math.max(0, (lowerMs / 1000) * this.#cost - lost))
      // What those cost that are over is counted by now.
      this.#open = this.#open.filter(until => until > now)
      this.#atStake = this.#open.reduce((all, until) => all + ((until - now) / 1000) * this.#cost, 0)
    }
    return this.#account.isOn
  }

  /** Whether one more may be written, that keeps something for so long. @param ms from now */
  admits(now: number, ms: number): boolean {
    const cost = (ms / 1000) * this.#cost
    if (!this.#account.isOn || this.#atStake + cost > this.#account.balance) return false
    this.#atStake += cost
    this.#open.push(now + ms)
    return true
  }

  status(): { readonly on: boolean; readonly proven: boolean; readonly benefit: Benefit; readonly balance: number } {
    const { isOn, isProven, balance } = this.#account
    return { on: isOn, proven: isProven, benefit: this.#account.benefit(), balance }
  }
}
