import type { EscalationPlan } from '../plans.js'
import { EscalationGuard, type EscalationGuardOptions, type EscalationStatus } from './escalation-guard.js'
import { EscalationPlanner, type EscalationPlannerOptions, type WantedEscalation } from './escalation-planner.js'
import type { PoolPlanner, PoolView } from './pool-planner.js'
import type { TierUnits } from './pool-world.js'
import type { Gate } from './trial-guard.js'

export type EscalationsOptions = EscalationPlannerOptions & EscalationGuardOptions

/** A request of a pool, as it came. */
interface Came {
  readonly thing: string
  readonly tier: number
  readonly amount: number
  readonly time: number
  readonly workflow?: string | undefined
}

/** One that is over. */
interface Ended {
  readonly thing: string
  readonly tier: number
  readonly time: number
  readonly waited: number
  readonly held: number
  readonly workflow?: string | undefined
}

/** All escalations of an arena: who plans them, and who stands behind him. */
export class Escalations {
  readonly #planner: EscalationPlanner
  readonly #guard: EscalationGuard
  /** as last planned, by workflow: of those with costs of their own */
  readonly #wanted = new Map<string, WantedEscalation>()

  constructor(options: EscalationsOptions) {
    this.#planner = new EscalationPlanner(options)
    this.#guard = new EscalationGuard(options)
  }

  /** There is a pool. @param planner of what is kept of it @param capacity units @param parts what each tier may have; default: anything */
  pool(name: string, planner: PoolPlanner, capacity: number, parts?: readonly TierUnits[]): void {
    this.#planner.pool(name, planner, capacity)
    this.#guard.pool(name, capacity, parts)
  }

  /** It is gone. */
  forget(pool: string): void {
    this.#planner.forget(pool)
    this.#guard.forget(pool)
  }

  came({ thing, tier, amount, time, workflow }: Came): void {
    this.#planner.came(thing, tier, amount, workflow)
    this.#guard.came(thing, time, tier, amount, workflow)
  }

  ended({ thing, tier, time, waited, held, workflow }: Ended): void {
    this.#planner.ended(thing, tier, held, workflow)
    this.#guard.ended(thing, time, tier, waited, held, workflow)
  }

  /** Once a period. @param gate is asked of each that is about to be written @returns what is to be written */
  plan(now: number, viewOf: (pool: string) => PoolView, gate: Gate<WantedEscalation>): readonly EscalationPlan[] {
    const wanted = this.#planner.plan(now, viewOf)
    for (const one of wanted) this.#wanted.set(one.plan.workflow, one)
    return this.#guard.pass(
      wanted.map(({ plan }) => plan),
      now,
      {
        allows: plan => {
          const isAllowed = gate.allows({ ...(this.#wanted.get(plan.workflow) as WantedEscalation), plan })
          if (!isAllowed) this.#planner.dropped(plan.workflow)
          return isAllowed
        },
        ended: plan => gate.ended({ ...(this.#wanted.get(plan.workflow) as WantedEscalation), plan })
      }
    )
  }

  status(): EscalationStatus {
    return this.#guard.status()
  }
}
