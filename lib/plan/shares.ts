import type { SharePlan } from '../plans.js'
import { ShareGuard, type ShareGuardOptions } from './share-guard.js'
import { SharePlanner, type SharePlannerOptions, type ShareView } from './share-planner.js'
import type { GuardStatus } from './tiers-guard.js'

export interface ShareGate {
  /** Whether one may be written, for a request of so many units. */
  allows(plan: SharePlan, amount: number): boolean
  /** One is as configured again. @returns whether there is anything to take back */
  ends(plan: SharePlan): boolean
}

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

  /** Once a period. @param gate is asked of each that is about to be written @returns what is to be written */
  plan(view: ShareView, gate: ShareGate): readonly SharePlan[] {
    const planner = this.#planner
    return this.#guard.pass(planner.plan(view), view.now, {
      allows: plan => {
        const isAllowed = planner.isGrown(plan) ? gate.allows(plan, planner.amount(plan)) : gate.ends(plan)
        if (!isAllowed) planner.dropped(plan)
        return isAllowed
      },
      ended: plan => gate.ends(plan)
    })
  }

  status(): GuardStatus {
    return this.#guard.status()
  }
}
