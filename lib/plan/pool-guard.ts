import type { KeepPlan } from '../plans.js'
import { randomsOf } from '../randoms.js'
import { Account, type Benefit } from './account.js'
import { PoolTrial, type PoolTrialOptions } from './pool-trial.js'

export interface PoolGuardOptions extends PoolTrialOptions {
  /** names, lowest first */
  readonly tiers: readonly string[]
  /** ms until a plan that is written now is in force */
  readonly lag: number
  /** part of the time in which nothing is planned, 0 to 1 */
  readonly control: number
  /** of the choice of that time */
  readonly seed: number
}

/** Waits of the requests of a tier. */
export interface GroupWaits {
  readonly tier: string
  readonly requests: number
  /** ms, mean */
  readonly wait: number
}

export interface GuardStatus {
  /** whether its plans are let through */
  readonly on: boolean
  readonly proven: boolean
  /** what it saves a second, in request seconds by their costs, as the trial says */
  readonly benefit: Benefit
  /** what is left of its budget, in the same */
  readonly balance: number
  /** requests that came in times without plans, and in the others */
  readonly control: readonly GroupWaits[]
  readonly planned: readonly GroupWaits[]
}

/** ms in which there are plans, or none. */
const WINDOW_MS = 10_000
/** Between two looks at the account, ms. */
const SETTLE_MS = 1_000
/** Of a plan that takes another back. */
const ENDED_MS = 1
/** 2^32 by the golden ratio: sets the numbers of windows far apart. */
const GOLDEN = 0x9e3779b1

/**
 * Stands between who plans for a pool and the core: lets plans through as long as they are worth it by {@link Account}, and in a random part of the time
 * none, so that there is something to compare with.
 */
export class PoolGuard {
  readonly #options: PoolGuardOptions
  readonly #trial: PoolTrial
  readonly #account: Account
  /** what is wanted, by tier, and until when */
  readonly #wanted = new Map<string, { plan: KeepPlan; until: number }>()
  readonly #groups: { requests: number; waited: number }[][]
  #settled = Number.NEGATIVE_INFINITY
  #passed = true

  constructor(options: PoolGuardOptions) {
    this.#options = options
    this.#trial = new PoolTrial(options)
    this.#account = new Account(options.waitCosts[0] ?? 1)
    this.#groups = [0, 1].map(() => options.tiers.map(() => ({ requests: 0, waited: 0 })))
  }

  came(time: number, tier: number, amount: number): void {
    this.#trial.came(time, tier, amount)
  }

  /** @param time ms, when it came */
  ended(time: number, tier: number, waited: number, duration: number): void {
    this.#trial.ended(time, tier, duration)
    const group = this.#groups[this.#isControl(time) ? 1 : 0]?.[tier] as { requests: number; waited: number }
    group.requests++
    group.waited += waited
  }

  /** Once a period. @param plans what is wanted anew @returns what is to be written */
  pass(plans: readonly KeepPlan[], now: number): readonly KeepPlan[] {
    const { lag, tiers, capacity } = this.#options
    for (const plan of plans) {
      this.#wanted.set(plan.tier, { plan, until: now + plan.until })
      const time = now + lag
      this.#trial.kept({ time, tier: tiers.indexOf(plan.tier), units: plan.amount * capacity, until: time + plan.until })
    }
    this.#look(now)
    const passes = this.#account.isOn && !this.#isControl(now)
    if (passes === this.#passed) return passes ? plans : []
    this.#passed = passes
    return passes ? this.#inForce(now) : this.#ended(now)
  }

  status(): GuardStatus {
    const [planned, control] = this.#groups.map(groups =>
      groups.map(({ requests, waited }, tier) => ({
        tier: this.#options.tiers[tier] as string,
        requests,
        wait: requests === 0 ? 0 : waited / requests
      }))
    )
    const { isOn, isProven, balance } = this.#account
    return {
      on: isOn,
      proven: isProven,
      benefit: this.#account.benefit(),
      balance,
      control: control as GroupWaits[],
      planned: planned as GroupWaits[]
    }
  }

  #look(now: number): void {
    if (now - this.#settled < SETTLE_MS) return
    this.#settled = now
    this.#trial.advance(now)
    this.#account.settle(now, this.#trial.saved, this.#trial.lowerCost)
  }

  /** Drawn anew for each window, the same each time: requests end later than they come. */
  #isControl(time: number): boolean {
    const window = Math.floor(time / WINDOW_MS)
    return randomsOf(this.#options.seed ^ Math.imul(window, GOLDEN))() < this.#options.control
  }

  #inForce(now: number): KeepPlan[] {
    return [...this.#wanted.values()].filter(({ until }) => until > now).map(({ plan, until }) => ({ ...plan, until: until - now }))
  }

  #ended(now: number): KeepPlan[] {
    return this.#inForce(now).map(plan => ({ ...plan, amount: 0, until: ENDED_MS }))
  }
}
