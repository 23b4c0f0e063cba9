import type { Plan } from '../plans.js'
import { BucketPlanner } from './bucket-planner.js'
import { type KeyScores, LockPlanner, type LockPlans } from './lock-planner.js'
import { LossGuard } from './loss-guard.js'
import { type GuardStatus, PoolGuard } from './pool-guard.js'
import { type Foreseen, PoolPlanner, type PoolView } from './pool-planner.js'

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
  /** part of the time, or of the locks, in which nothing is planned, 0 to 1 */
  readonly control: number
  /** of what is drawn at random */
  readonly seed: number
  /** ms for which the scores of locks are meant */
  readonly within: number
  /** who scores locks; undefined: no lock is held */
  readonly scores: KeyScores | undefined
}

/** What a planner sees of the arena, and what it may do to it. */
export interface Arena {
  /** ms */
  readonly now: number
  /** units of a pool that all hold together */
  used(pool: string): number
  /** requests of a tier that wait at a thing */
  waiting(thing: string, tier: string): number
  /** ms for which the plans of a source kept something from somebody, since ever */
  lost(source: number): number
  write(plan: Plan): void
}

/** A request, as it came. */
export interface Asked {
  readonly kind: 'pool' | 'bucket' | 'lock'
  readonly thing: string
  /** index, lowest first */
  readonly tier: number
  /** units of the first dimension, or tokens */
  readonly amount: number
  /** ms */
  readonly time: number
  readonly workflow: string | undefined
  readonly tenant: string | undefined
}

/** A request that is over. */
export interface Over {
  readonly kind: 'pool' | 'bucket' | 'lock'
  readonly thing: string
  readonly tier: number
  /** ms, when it came */
  readonly time: number
  /** ms */
  readonly waited: number
  readonly held: number
}

export interface PlannerStatus {
  readonly pools: ReadonlyMap<string, GuardStatus>
  readonly locks: LockPlans & ReturnType<LossGuard['status']>
}

/** By which the core counts what plans came to. */
export const SOURCES = { keep: 1, hold: 2, reserve: 3 } as const

/** That a tier will ask a pool for more than is free. */
export interface Collision extends Foreseen {
  readonly pool: string
  /** index */
  readonly tier: number
  readonly probability: number
  /** ms */
  readonly within: number
  /** units that are kept for it */
  readonly kept: number
}

interface PoolPlans {
  readonly planner: PoolPlanner
  readonly guard: PoolGuard
  /** by tier, whether a collision was told of that is not over */
  readonly told: boolean[]
}

/** Told of when it is as likely as not, and over when it is half as likely. */
const LIKELY = 0.5

/**
 * Makes room before it is asked for: told what happens in an arena, it writes plans once a period, each kind by the newsvendor's rule and each behind a
 * guard that knows what it brings. It is the same in an agent and in a replay.
 */
export class Planner {
  readonly #options: PlannerOptions
  readonly #pools = new Map<string, PoolPlans>()
  readonly #buckets = new Map<string, BucketPlanner>()
  readonly #locks: LockPlanner | undefined
  readonly #lockGuard: LossGuard
  #lowerMs = 0

  constructor(options: PlannerOptions) {
    this.#options = options
    this.#lockGuard = new LossGuard(options.waitCosts[0] ?? 1)
    if (options.scores !== undefined) this.#locks = new LockPlanner(options, options.scores)
  }

  /** There is a pool. @param capacity units of it @param unit in whole numbers of which they are asked for; 0: in any parts */
  pool(name: string, capacity: number, unit: number): void {
    const { lag, period } = this.#options
    const planner = new PoolPlanner({ ...this.#options, pool: name, capacity, unit })
    this.#pools.set(name, { planner, guard: new PoolGuard({ ...this.#options, capacity, lag: lag * period }), told: [] })
  }

  /** There is a bucket. @param rate tokens a second */
  bucket(name: string, rate: number): void {
    this.#buckets.set(name, new BucketPlanner({ ...this.#options, bucket: name, rate }))
  }

  knows(kind: 'pool' | 'bucket', name: string): boolean {
    return kind === 'pool' ? this.#pools.has(name) : this.#buckets.has(name)
  }

  came({ kind, thing, tier, amount, time, ...asker }: Asked): void {
    if (kind === 'lock') {
      this.#locks?.came(thing, tier, time)
    } else if (kind === 'bucket') {
      this.#buckets.get(thing)?.came(asker, tier, amount)
    } else {
      const plans = this.#pools.get(thing)
      plans?.planner.came(tier, amount)
      plans?.guard.came(time, tier, amount)
    }
  }

  ended({ kind, thing, tier, time, waited, held }: Over): void {
    if (kind === 'lock') {
      this.#locks?.ended(thing, tier, time, waited, held)
      if (tier === 0) this.#lowerMs += waited
    } else if (kind === 'pool') {
      const plans = this.#pools.get(thing)
      plans?.planner.ended(tier, waited)
      plans?.guard.ended(time, tier, waited, held)
    }
  }

  /** Once a period: writes what is to be in force from now on. */
  plan(arena: Arena): void {
    for (const [pool, { planner, guard }] of this.#pools) {
      const wanted = planner.plan(viewOf(arena, pool, this.#options.tiers))
      for (const plan of guard.pass(wanted, arena.now)) arena.write({ ...plan, source: SOURCES.keep })
    }
    for (const planner of this.#buckets.values()) {
      for (const plan of planner.plan(arena.now)) arena.write({ ...plan, source: SOURCES.reserve })
    }
    this.#hold(arena)
  }

  /** After {@link plan}: collisions that have become likely since the last time. */
  collisions(arena: Arena): Collision[] {
    const all: Collision[] = []
    for (const [pool, { planner, told }] of this.#pools) {
      const view = viewOf(arena, pool, this.#options.tiers)
      for (let tier = 1; tier < this.#options.tiers.length; tier++) {
        const probability = planner.contention(tier, view)
        if (probability >= LIKELY && !told[tier]) {
          all.push({ pool, tier, probability, within: planner.horizon, kept: planner.kept(tier), ...planner.foresees(tier, view) })
        }
        told[tier] = probability >= LIKELY || (told[tier] === true && probability >= LIKELY / 2)
      }
    }
    return all
  }

  /** What has become of the plans for each thing. */
  status(): PlannerStatus {
    return {
      pools: new Map([...this.#pools].map(([name, { guard }]) => [name, guard.status()])),
      locks: { ...(this.#locks?.status() ?? { written: 0, used: 0, reclaimed: 0 }), ...this.#lockGuard.status() }
    }
  }

  #hold(arena: Arena): void {
    const locks = this.#locks
    if (locks === undefined) return
    const passes = this.#lockGuard.passes(arena.now, () => ({
      lostMs: arena.lost(SOURCES.hold),
      saved: locks.saved,
      lowerMs: this.#lowerMs
    }))
    const { now } = arena
    const admits = () => this.#lockGuard.admits(now, this.#options.within)
    if (passes) for (const plan of locks.plan(now, admits)) arena.write({ ...plan, source: SOURCES.hold })
  }
}

function viewOf(arena: Arena, pool: string, tiers: readonly string[]): PoolView {
  return { now: arena.now, used: () => arena.used(pool), waiting: tier => arena.waiting(pool, tiers[tier] as string) }
}
