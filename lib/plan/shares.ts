import type { SharePlan } from '../plans.js'
import type { GuardStatus } from './pool-guard.js'
import { ShareGuard, type ShareGuardOptions } from './share-guard.js'
import { SharePlanner, type SharePlannerOptions, type ShareView } from './share-planner.js'

/** The shares of a pool: who plans them, and who stands behind him. */
export class Shares {
  readonly #planner: SharePlanner
  readonly #guard: ShareGuard

  constructor(options: SharePlannerOptions & ShareGuardOptions) {
    this.#planner = new SharePlanner(options)
    this.#guard = new ShareGuard(options)
  }

  came(time: number, tier: number, amount: number): void {
    this.#planner.came(tier, amount)
    this.#guard.came(time, tier, amount)
  }

  /** @param time ms, when it came */
  ended(time: number, tier: number, waited: number, duration: number): void {
    this.#guard.ended(time, tier, waited, duration)
  }

  /**
   * Once a period.
   *
   * @param allows whether one that is wanted is to be written, for a request of so many units
   * @returns what is to be written
   */
  plan(view: ShareView, allows: (plan: SharePlan, amount: number) => boolean): readonly SharePlan[] {
    const wanted = this.#planner.plan(view).filter(plan => allows(plan, this.#planner.amount(plan)))
    return this.#guard.pass(wanted, view.now)
  }

  status(): GuardStatus {
    return this.#guard.status()
  }
}
