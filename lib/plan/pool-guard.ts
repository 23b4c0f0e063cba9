import type { KeepPlan } from '../plans.js'
import { ControlWindows, type Waits } from './control-windows.js'
import { PoolTrial, type PoolTrialOptions } from './pool-trial.js'
import { type Gate, type Guarded, TrialGuard, type TrialStatus } from './trial-guard.js'

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
export interface GroupWaits extends Waits {
  readonly tier: string
}

export interface GuardStatus extends TrialStatus {
  /** requests that came in times without plans, and in the others */
  readonly control: readonly GroupWaits[]
  readonly planned: readonly GroupWaits[]
}

/** The guard of plans of one kind for the tiers of a pool. */
export class TiersGuard<P extends { readonly until: number }> {
  readonly #tiers: readonly string[]
  readonly #trial: PoolTrial
  readonly #windows: ControlWindows
  readonly #guard: TrialGuard<P>

  /** @param guardedOf how plans are told to a trial */
  constructor(options: PoolGuardOptions, guardedOf: (trial: PoolTrial) => Guarded<P>) {
    const { tiers, control, seed, lag, waitCosts } = options
    this.#tiers = tiers
    this.#trial = new PoolTrial(options)
    this.#windows = new ControlWindows(control, seed, tiers.length)
    this.#guard = new TrialGuard({ lag, lowest: waitCosts[0] ?? 1 }, this.#windows, guardedOf(this.#trial), [this.#trial])
  }

  came(time: number, tier: number, amount: number): void {
    this.#trial.came(time, tier, amount)
  }

  /** @param time ms, when it came */
  ended(time: number, tier: number, waited: number, duration: number): void {
    this.#trial.ended(time, tier, duration)
    this.#windows.count(time, tier, waited)
  }

  /** Once a period, as {@link TrialGuard.pass}. */
  pass(plans: readonly P[], now: number, gate?: Gate<P>): readonly P[] {
    return this.#guard.pass(plans, now, gate)
  }

  status(): GuardStatus {
    const waits = (control: boolean) => this.#tiers.map((tier, t) => ({ tier, ...this.#windows.waits(t, control) }))
    return { ...this.#guard.status(), control: waits(true), planned: waits(false) }
  }
}

/** The guard of what is kept of a pool. */
export class PoolGuard extends TiersGuard<KeepPlan> {
  constructor(options: PoolGuardOptions) {
    const { tiers, capacity } = options
    super(options, trial => ({
      keyOf: ({ tier }) => tier,
      tried: ({ tier, amount }, time, until) => trial.kept({ time, tier: tiers.indexOf(tier), units: amount * capacity, until }),
      emptied: plan => ({ ...plan, amount: 0 })
    }))
  }
}
