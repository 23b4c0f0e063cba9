import type { KeepPlan } from '../plans.js'
import { PoolTrial, type PoolTrialOptions } from './pool-trial.js'
import { TiersGuard, type TiersGuardOptions } from './tiers-guard.js'
import type { Gate, Guarded } from './trial-guard.js'

export interface PoolGuardOptions extends PoolTrialOptions, TiersGuardOptions {}

/** The guard of plans of one kind for the tiers of a pool. */
export class PoolTiersGuard<P extends { readonly until: number }> extends TiersGuard<P> {
  readonly #trial: PoolTrial

  /** @param guardedOf how plans are told to a trial */
  constructor(options: PoolGuardOptions, guardedOf: (trial: PoolTrial) => Guarded<P>) {
    const trial = new PoolTrial(options)
    super(options, trial, guardedOf(trial))
    this.#trial = trial
  }

  came(time: number, tier: number, amount: number): void {
    this.#trial.came(time, tier, amount)
  }

  /** @param time ms, when it came */
  ended(time: number, tier: number, waited: number, duration: number): void {
    this.#trial.ended(time, tier, duration)
    this.waited(time, tier, waited)
  }

  /** Units that a request asks for, on average; undefined: that is not known yet. */
  protected get usual(): number | undefined {
    return this.#trial.usual
  }
}

/** Who has a pool, and who waits for it. */
export interface PoolUse {
  /** units that all hold together */
  used(): number
  /** units that a tier holds, by its index */
  usedBy(tier: number): number
  /** requests of a tier that wait, by its index */
  waiting(tier: number): number
}

/** The guard of what is kept of a pool. */
export class PoolGuard extends PoolTiersGuard<KeepPlan> {
  readonly #options: PoolGuardOptions

  constructor(options: PoolGuardOptions) {
    const { tiers, capacity } = options
    super({ ...options, idles: true }, trial => ({
      keyOf: ({ tier }) => tier,
      tried: ({ tier, amount }, time, until) => trial.kept({ time, tier: tiers.indexOf(tier), units: amount * capacity, until }),
      emptied: plan => ({ ...plan, amount: 0 })
    }))
    this.#options = options
  }

  /** Once a period, as {@link TrialGuard.pass}. @param use as it is now */
  keep(plans: readonly KeepPlan[], now: number, use: PoolUse, gate?: Gate<KeepPlan>): readonly KeepPlan[] {
    return this.pass(plans, now, gate, inForce => this.#losing(inForce, use))
  }

  /** Those who wait though there is room for them: it is kept for others. */
  #losing(inForce: readonly KeepPlan[], use: PoolUse): number {
    const { tiers, capacity, waitCosts } = this.#options
    const free = capacity - use.used()
    if (!(free > 0)) return 0
    const above = Math.max(0, ...inForce.map(({ tier, amount }) => (amount > 0 ? tiers.indexOf(tier) : 0)))
    let room = this.#requests(free)
    let losing = 0
    for (let tier = above - 1; tier >= 0; tier--) {
      const kept = Math.min(room, this.#requests(this.#roomBeside(tier, use)), use.waiting(tier))
      losing += kept * (waitCosts[tier] ?? 0)
      room -= kept
    }
    return losing
  }

  /** Units that a tier may have yet by its ceiling and the floors of others: for more than that it waits without any plan, too. */
  #roomBeside(tier: number, use: PoolUse): number {
    const { parts } = this.#options
    if (parts === undefined) return Number.POSITIVE_INFINITY
    let free = this.#options.capacity - use.used()
    let ceiling = 0
    parts.forEach((part, other) => {
      if (other === tier) ceiling = part.ceiling - use.usedBy(tier)
      else free -= Math.max(0, part.floor - use.usedBy(other))
    })
    return Math.max(0, Math.min(free, ceiling))
  }

  /** How many requests so many units are enough for. */
  #requests(units: number): number {
    if (!(units > 0)) return 0
    return this.usual === undefined ? Number.POSITIVE_INFINITY : Math.floor(units / this.usual + ROUNDING)
  }
}

/** What sums of parts lose. */
const ROUNDING = 1e-6
