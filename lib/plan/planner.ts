import type { Plan } from '../plans.js'
import { type GuardStatus, PoolGuard } from './pool-guard.js'
import { PoolPlanner } from './pool-planner.js'

export interface PlannerOptions {
  /** names, lowest first */
  readonly tiers: readonly string[]
  /** what waiting costs a request and second, by tier */
  readonly waitCosts: readonly number[]
  /** what a unit that nobody has costs a second */
  readonly idleCost: number
  /** the part of things that plans may keep, 0 to 1 */
  readonly maxReserve: number
  /** ms after which who waits rises a tier; 0: never */
  readonly ageing: number
  /** ms between two calls of {@link Planner.plan} */
  readonly period: number
  /** periods from the data to the plan in force */
  readonly lag: number
  /** part of the time, or of the things, in which nothing is planned, 0 to 1 */
  readonly control: number
  /** of what is drawn at random */
  readonly seed: number
}

/** What a planner sees of the arena, and what it may do to it. */
export interface Arena {
  /** ms */
  readonly now: number
  /** units of a pool that all hold together */
  used(pool: string): number
  /** requests of a tier that wait at a thing */
  waiting(thing: string, tier: string): number
  write(plan: Plan): void
}

interface PoolPlans {
  readonly planner: PoolPlanner
  readonly guard: PoolGuard
}

/**
 * Makes room before it is asked for: told what happens in an arena, it writes plans once a period, each kind by the newsvendor's rule and each behind a
 * guard that knows what it brings. It is the same in an agent and in a replay.
 */
export class Planner {
  readonly #options: PlannerOptions
  readonly #pools = new Map<string, PoolPlans>()

  constructor(options: PlannerOptions) {
    this.#options = options
  }

  /** There is a pool. @param capacity units of its first dimension */
  pool(name: string, capacity: number): void {
    const { lag, period } = this.#options
    const planner = new PoolPlanner({ ...this.#options, pool: name, capacity })
    this.#pools.set(name, { planner, guard: new PoolGuard({ ...this.#options, capacity, lag: lag * period }) })
  }

  knowsPool(name: string): boolean {
    return this.#pools.has(name)
  }

  /** A request came to a pool. @param time ms; no less than that of what came before */
  came(pool: string, tier: number, amount: number, time: number): void {
    const plans = this.#pools.get(pool)
    plans?.planner.came(tier, amount)
    plans?.guard.came(time, tier, amount)
  }

  /**
   * One that {@link came} is over.
   *
   * @param time ms, when it came
   * @param waited ms
   * @param held ms
   */
  ended(pool: string, tier: number, time: number, waited: number, held: number): void {
    const plans = this.#pools.get(pool)
    plans?.planner.ended(tier, waited)
    plans?.guard.ended(time, tier, waited, held)
  }

  /** Once a period: writes what is to be in force from now on. */
  plan(arena: Arena): void {
    for (const [pool, { planner, guard }] of this.#pools) {
      const wanted = planner.plan({
        now: arena.now,
        used: () => arena.used(pool),
        waiting: tier => arena.waiting(pool, this.#options.tiers[tier] as string)
      })
      for (const plan of guard.pass(wanted, arena.now)) arena.write(plan)
    }
  }

  /** What has become of the plans for each thing. */
  status(): { readonly pools: ReadonlyMap<string, GuardStatus> } {
    return { pools: new Map([...this.#pools].map(([name, { guard }]) => [name, guard.status()])) }
  }
}
