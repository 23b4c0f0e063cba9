import type { HoldPlan, KeepPlan, Plan, SharePlan } from '../plans.js'
import { BucketGuard } from './bucket-guard.js'
import { BucketKeepPlanner } from './bucket-keep-planner.js'
import type { TokenLevel } from './bucket-outlook.js'
import { BucketPlanner } from './bucket-planner.js'
import { type Checker, type CheckStatus, Checks } from './checks.js'
import type { EscalationStatus } from './escalation-guard.js'
import type { WantedEscalation } from './escalation-planner.js'
import { Escalations } from './escalations.js'
import type { Expectation } from './expected.js'
import type { Extra } from './extra.js'
import { Foretold, type Work } from './foretold.js'
import { type KeyScores, LockPlanner, type LockPlans } from './lock-planner.js'
import { LossGuard } from './loss-guard.js'
import { LowerTiers } from './lower-tiers.js'
import { PoolGuard } from './pool-guard.js'
import { type Foreseen, PoolPlanner, type PoolView } from './pool-planner.js'
import type { TierUnits } from './pool-world.js'
import { ReserveHabits } from './reserve-habits.js'
import type { SavedSequels } from './saved-sequels.js'
import type { SequelsStatus } from './sequels.js'
import type { ShareView } from './share-planner.js'
import { type ShareGate, Shares } from './shares.js'
import type { GuardStatus } from './tiers-guard.js'
import type { Gate } from './trial-guard.js'
import { type Likely, WarmPlanner, type WarmPlans, type WarmTerms, type WarmUp } from './warm-planner.js'

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
  /** who says what pools will be asked for; default: what was seen of them, and what workflows raise */
  readonly foreseer?: Foreseer | undefined
  /** when more of a pool is kept, and how much; default: what the costs say, all the time */
  readonly extra?: Extra | undefined
  /** what waiting costs a request and second of workflows that are not to count as their tiers, by name */
  readonly workflowCosts?: ReadonlyMap<string, number> | undefined
  /** undefined: nothing is warmed up */
  readonly warm?: PlannerWarm | undefined
  /** whether it is planned for what a workflow raises when that one begins; default true */
  readonly triggers?: boolean | undefined
  /** whether {@link Planner.collisions} is asked for, which takes learning of its own; default true */
  readonly collisions?: boolean | undefined
  /** Told of pools and buckets that are forgotten, as nobody asks for them any more: there they are when {@link Planner.pool} says so again. Undefined: none is */
  readonly forgot?: ((kind: 'pool' | 'bucket', name: string) => void) | undefined
}

/** A predictor of what pools will be asked for. */
export interface Foreseer {
  /** All that a tier will ask a pool for within so many ms, in units; at least one. @param tier index */
  expected(pool: string, tier: number, ms: number): readonly Expectation[]
}

export interface PlannerWarm extends WarmTerms {
  /** Things that are likely to be asked for by anybody, and are {@link WarmTerms.cold}. @param now ms @param least probability @param most how many */
  likely(now: number, least: number, most: number): readonly Likely[]
}

/** What a planner sees of the arena, and what it may do to it. */
export interface Arena extends Checker {
  /** ms */
  readonly now: number
  /** units of a pool that all hold together */
  used(pool: string): number
  /** units of it that a tier holds */
  usedBy(pool: string, tier: string): number
  /** requests of a tier that wait at a thing */
  waiting(thing: string, tier: string): number
  /** What stands for how much of a pool is in use, and by whom, and who waits: the same as long as that is the same. Left out: it may be another each period */
  use?(pool: string): object | undefined
  /** tokens that a bucket has now; undefined: not known, and nothing is foretold to be late */
  tokens?(bucket: string): TokenLevel | undefined
  /** ms for which the plans of a source kept something from somebody, since ever */
  lost(source: number): number
  write(plan: Plan): void
  /** undefined: nothing is warmed up */
  warm?(warmUp: WarmUp): void
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
  /** what stands for the thing, as a Numbered takes it; undefined: there is none */
  readonly hint?: number | undefined
  /** the same for the workflow */
  readonly workflowHint?: number | undefined
  /** whether it was refused at once, and so waits for nothing; default false */
  readonly isRefused?: boolean | undefined
}

/** A request that is over; of a bucket, that has its tokens. */
export interface Over {
  readonly kind: 'pool' | 'bucket' | 'lock'
  readonly thing: string
  readonly tier: number
  /** ms, when it came */
  readonly time: number
  /** ms */
  readonly waited: number
  readonly held: number
  readonly workflow?: string | undefined
  /** as of {@link Asked} */
  readonly hint?: number | undefined
}

export interface PlannerStatus {
  readonly pools: ReadonlyMap<string, GuardStatus>
  /** of what is kept of buckets; of those of which anything may be */
  readonly buckets: ReadonlyMap<string, GuardStatus>
  /** of pools with shares */
  readonly shares: ReadonlyMap<string, GuardStatus>
  /** of plans that were to begin, by shadow requests */
  readonly checks: CheckStatus
  /** undefined: no workflow has costs of its own */
  readonly escalations: EscalationStatus | undefined
  readonly locks: LockPlans & ReturnType<LossGuard['status']>
  /** undefined: nothing is warmed up */
  readonly warm: WarmPlans | undefined
  /** undefined: it is not planned for what workflows raise */
  readonly triggers: SequelsStatus | undefined
}

/** By which the core counts what plans came to. */
export const SOURCES = { keep: 1, hold: 2, reserve: 3, escalation: 4, share: 5, bucketKeep: 6 } as const

/** That a tier will ask for more than there is for it. */
export interface Collision extends Foreseen {
  readonly kind: 'pool' | 'lock' | 'bucket'
  readonly what: string
  /** index */
  readonly tier: number
  readonly probability: number
  /** ms */
  readonly within: number
  /** units that are kept for it */
  readonly kept: number
  /** as {@link ContentionNotice} has them; undefined: of pools */
  readonly held?: number
  readonly refill?: number
  readonly users?: Readonly<Record<string, number>>
}

interface PoolPlans {
  /** what its planner is told, of the arena that is planned for */
  readonly view: ArenaView
  /** the last door of its plans */
  readonly gate: PoolGate
  readonly planner: PoolPlanner
  readonly guard: PoolGuard
  /** undefined: no tier has a share of it */
  readonly shares: Shares | undefined
  /** by tier, whether a collision was told of that is not over */
  readonly told: boolean[]
  /** ms, when somebody last asked for it */
  seen: number
}

interface BucketPlans {
  readonly planner: BucketPlanner
  /** undefined: nothing may be kept of it for a tier */
  readonly keeps: { readonly planner: BucketKeepPlanner; readonly guard: BucketGuard } | undefined
  /** tokens a second */
  readonly rate: number
  /** ms, when somebody last asked for it */
  seen: number
}

/** Things that are known at most; of more, those that were asked for last. Where three tiers ask for it a pool of 1,000 units takes some 270 KiB, and a bucket 15. */
const POOLS_MOST = 256
const BUCKETS_MOST = 1_024
/** What nobody has asked for in so long is forgotten, ms, which is looked at so often. */
const FORGET_MS = 3_600_000
const FORGET_EVERY_MS = 60_000

/** Things that are looked at, whether to warm them up. */
const LIKELY_MOST = 1_024

/**
 * Makes room before it is asked for: told what happens in an arena, it writes plans once a period, each kind by the newsvendor's rule and each behind a
 * guard that knows what it brings. It is the same in an agent and in a replay.
 */
export class Planner {
  readonly #options: PlannerOptions
  readonly #pools = new Map<string, PoolPlans>()
  readonly #buckets = new Map<string, BucketPlans>()
  readonly #habits: ReserveHabits
  readonly #locks: LockPlanner | undefined
  readonly #lockGuard: LossGuard
  readonly #escalations: Escalations | undefined
  readonly #checks = new Checks()
  readonly #warm: WarmPlanner | undefined
  readonly #foretold: Foretold | undefined
  readonly #foreseer: Foreseer | undefined
  readonly #lower: LowerTiers
  /** ms: of the latest that it was told of, and when it looked last what to forget */
  #now = Number.NEGATIVE_INFINITY
  #forgot = Number.NEGATIVE_INFINITY

  constructor(options: PlannerOptions) {
    this.#options = options
    this.#habits = new ReserveHabits(options.period)
    this.#lower = new LowerTiers(options.waitCosts)
    this.#lockGuard = new LossGuard(options.waitCosts[0] ?? 1, () => this.#lower.price)
    const { tiers, waitCosts, idleCost, ageing, period, control, seed, within, collisions } = options
    const { workflowCosts = new Map(), scores, warm } = options
    const lag = options.lag * period
    this.#foretold = options.triggers === false ? undefined : new Foretold()
    this.#foreseer = options.foreseer ?? this.#foretold
    // Written out, here and below: of options that are spread each object has a shape of its own, and whoever looks at one waits for that.
    if (scores !== undefined) {
      const terms = { tiers, waitCosts, idleCost, within, control, seed, collisions }
      this.#locks = new LockPlanner(terms, scoresWith(scores, this.#foretold, within))
    }
    if (workflowCosts.size > 0) {
      this.#escalations = new Escalations({ tiers, waitCosts, workflowCosts, ageing, period, lag, control, seed })
    }
    this.#warm = warm === undefined ? undefined : new WarmPlanner({ waitCosts, idleCost, warm, control, seed })
  }

  /**
   * There is a pool.
   *
   * @param capacity units of it
   * @param unit in whole numbers of which they are asked for; 0: in any parts
   * @param parts what each tier may have; default: anything
   */
  pool(name: string, capacity: number, unit: number, parts?: readonly TierUnits[]): void {
    const { tiers, waitCosts, idleCost, maxReserve, ageing, period, lag, control, seed, extra, collisions } = this.#options
    const planner = new PoolPlanner({
      pool: name,
      capacity,
      unit,
      tiers,
      waitCosts,
      idleCost,
      maxReserve,
      period,
      lag,
      extra,
      collisions
    })
    const delay = lag * period
    const guard = new PoolGuard({ capacity, tiers, waitCosts, ageing, lag: delay, control, seed, parts })
    const shares = hasShares(parts)
      ? new Shares({ pool: name, capacity, parts, maxReserve, period, tiers, waitCosts, ageing, lag: delay, control, seed })
      : undefined
    const view = new ArenaView(name, tiers, this.#foreseer)
    const gate = new PoolGate(name, tiers, planner, capacity, this.#checks)
    this.#makeRoom('pool', this.#pools, name, POOLS_MOST)
    this.#pools.set(name, { view, gate, planner, guard, shares, told: [], seen: this.#now })
    this.#escalations?.pool(name, planner, capacity, parts)
  }

  /** There is a bucket. @param rate tokens a second @param burst tokens of a full one */
  bucket(name: string, rate: number, burst?: number): void {
    this.#makeRoom('bucket', this.#buckets, name, BUCKETS_MOST)
    const { waitCosts, workflowCosts, maxReserve, period, collisions } = this.#options
    const planner = new BucketPlanner({ bucket: name, rate, burst, waitCosts, workflowCosts, maxReserve, period, collisions }, this.#habits)
    this.#buckets.set(name, { planner, keeps: this.#keepsOf(name, rate, burst, planner.most), rate, seen: this.#now })
  }

  /** What is kept of a bucket by tier. */
  #keepsOf(bucket: string, rate: number, burst = Math.max(1, Math.ceil(rate)), reserve: number): BucketPlans['keeps'] {
    const { tiers, waitCosts, maxReserve, ageing, period, lag, control, seed } = this.#options
    if (!(maxReserve > 0 && burst > 1)) return undefined
    return {
      planner: new BucketKeepPlanner({ bucket, rate, burst, reserve, tiers, waitCosts, maxReserve, period, lag }),
      guard: new BucketGuard({ rate, burst, reserve, tiers, waitCosts, ageing, lag: lag * period, control, seed })
    }
  }

  /** What a tenant has asked for, as far as it is told apart. */
  forget(tenant: string): void {
    this.#habits.forget(tenant)
    for (const { planner } of this.#buckets.values()) planner.forget(tenant)
  }

  knows(kind: 'pool' | 'bucket', name: string): boolean {
    return kind === 'pool' ? this.#pools.has(name) : this.#buckets.has(name)
  }

  came(asked: Asked): void {
    const { kind, thing, tier, amount, time, workflow, hint, workflowHint } = asked
    this.#now = Math.max(this.#now, time)
    this.#warm?.came(kind, thing, tier, time, hint)
    const isForetold = this.worked(workflow, tier, time, asked, workflowHint) || this.#options.foreseer !== undefined
    if (kind === 'lock') {
      this.#locks?.came(thing, tier, time, workflow, hint)
    } else if (kind === 'bucket') {
      const plans = this.#buckets.get(thing)
      if (plans === undefined) return
      plans.seen = this.#now
      this.#cameToBucket(plans, asked)
    } else {
      const plans = this.#pools.get(thing)
      if (plans === undefined) return
      plans.seen = this.#now
      plans.planner.came(tier, amount, isForetold)
      plans.guard.came(time, tier, amount)
      plans.shares?.came(time, tier, amount)
      this.#escalations?.came(asked)
    }
  }

  #cameToBucket({ planner, keeps }: BucketPlans, { tier, amount, time, workflow, tenant, isRefused = false }: Asked): void {
    const isReserved = planner.came({ workflow, tenant }, tier, amount, time)
    if (keeps === undefined || isRefused) return
    const request = { time, tier, tokens: amount, isReserved }
    keeps.planner.came(request)
    keeps.guard.came(request)
  }

  /** A workflow has asked for something, which may be of no kind that is planned for. @param hint as of {@link Asked} @returns whether that was foretold */
  worked(workflow: string | undefined, tier: number, time: number, work?: Work, hint?: number): boolean {
    if (workflow === undefined) return false
    this.#warm?.came('workflow', workflow, tier, time, hint)
    // Of buckets alone nothing can be foretold: as much as can be is kept of them anyway.
    if (this.#pools.size === 0 && this.#locks === undefined && this.#warm === undefined) return false
    return this.#foretold?.came(workflow, time, work) ?? false
  }

  ended(over: Over): void {
    const { kind, thing, tier, time, waited, held, hint } = over
    if (kind === 'bucket') {
      this.#buckets.get(thing)?.keeps?.guard.waited(time, tier, waited)
      return
    }
    this.#warm?.ended(kind, thing, time, waited, held, hint)
    if (kind === 'lock') {
      this.#locks?.ended(thing, tier, time, waited, held, hint)
      this.#lower.ended(tier, waited)
    } else {
      const plans = this.#pools.get(thing)
      plans?.planner.ended(tier, waited)
      plans?.guard.ended(time, tier, waited, held)
      plans?.shares?.ended(time, tier, waited, held)
      this.#escalations?.ended(over)
    }
  }

  /** Once a period: writes what is to be in force from now on. */
  plan(arena: Arena): void {
    const { now } = arena
    this.#now = Math.max(this.#now, now)
    this.#forgetOld()
    this.#checks.begin(now)
    this.#foretold?.advance(now)
    for (const plans of this.#pools.values()) this.#planPool(arena, plans)
    this.#habits.tick()
    for (const plans of this.#buckets.values()) this.#planBucket(arena, plans)
    this.#hold(arena)
    this.#escalate(arena)
    this.#warmUp(arena)
  }

  /** What it has planned so far nobody has written: from now on it is. */
  begin(): void {
    for (const { planner, keeps } of this.#buckets.values()) {
      planner.begin()
      keeps?.planner.begin()
    }
    this.#checks.forget()
  }

  /** After {@link plan}: collisions that have become likely since the last time; none where they were not to be asked for. */
  collisions(arena: Arena): Collision[] {
    if (this.#options.collisions === false) return []
    return [...this.#poolCollisions(arena), ...this.#lockCollisions(arena), ...this.#bucketCollisions(arena)]
  }

  #poolCollisions(arena: Arena): Collision[] {
    const all: Collision[] = []
    for (const [pool, plans] of this.#pools) {
      const { planner, told } = plans
      if (planner.isAtRest) continue
      const view = plans.view.of(arena)
      let isTold = false
      for (let tier = 1; tier < this.#options.tiers.length; tier++) {
        const collides = planner.collides(tier, view, told[tier] === true)
        if (collides && !told[tier]) {
          const probability = planner.contention(tier, view)
          const [within, kept] = [planner.horizon, planner.kept(tier)]
          all.push({ kind: 'pool', what: pool, tier, probability, within, kept, ...planner.foresees(tier, view) })
        }
        told[tier] = collides
        isTold ||= collides
      }
      if (!isTold) planner.rest(view)
    }
    return all
  }

  /** A lock is one unit, which is either kept or in somebody's way. */
  #lockCollisions(arena: Arena): Collision[] {
    const all = this.#locks?.collisions(arena.now) ?? []
    return all.map(({ lock, isKept, ...collision }) => {
      const units = { capacity: 1, free: 1, expected: 1, usual: 1, kept: isKept ? 1 : 0 }
      return { kind: 'lock', what: lock, ...units, ...collision }
    })
  }

  #bucketCollisions(arena: Arena): Collision[] {
    const all: Collision[] = []
    for (const [bucket, { planner, rate }] of this.#buckets) {
      for (const collision of planner.collisions(arena.now, arena.tokens?.(bucket))) {
        all.push({ kind: 'bucket', what: bucket, refill: rate, ...collision })
      }
    }
    return all
  }

  /** What was learnt of which workflow raises which; undefined: nothing is planned for that. */
  save(): Uint8Array | undefined {
    return this.#foretold?.save()
  }

  /** Goes on from what was saved. */
  load(saved: SavedSequels): void {
    this.#foretold?.load(saved)
  }

  /** What has become of the plans for each thing. */
  status(): PlannerStatus {
    return {
      pools: new Map([...this.#pools].map(([name, { guard }]) => [name, guard.status()])),
      buckets: new Map([...this.#buckets].flatMap(([name, { keeps }]) => (keeps === undefined ? [] : [[name, keeps.guard.status()]]))),
      shares: new Map([...this.#pools].flatMap(([name, { shares }]) => (shares === undefined ? [] : [[name, shares.status()]]))),
      locks: { ...(this.#locks?.status() ?? { written: 0, used: 0, reclaimed: 0 }), ...this.#lockGuard.status() },
      escalations: this.#escalations?.status(),
      checks: this.#checks.status(),
      warm: this.#warm?.status(),
      triggers: this.#foretold?.status()
    }
  }

  /** What nobody has asked for in an hour. */
  #forgetOld(): void {
    if (this.#options.forgot === undefined || this.#now - this.#forgot < FORGET_EVERY_MS) return
    this.#forgot = this.#now
    for (const [pool, plans] of this.#pools) if (this.#isOld(plans)) this.#forget('pool', pool)
    for (const [bucket, plans] of this.#buckets) if (this.#isOld(plans)) this.#forget('bucket', bucket)
  }

  #isOld(plans: { seen: number }): boolean {
    // It was met before anything came.
    if (plans.seen === Number.NEGATIVE_INFINITY) plans.seen = this.#now
    return plans.seen < this.#now - FORGET_MS
  }

  /** For one of this name: of as many as there may be, the one that was asked for longest ago goes. */
  #makeRoom(kind: 'pool' | 'bucket', all: ReadonlyMap<string, { readonly seen: number }>, name: string, most: number): void {
    if (this.#options.forgot === undefined || all.size < most || all.has(name)) return
    let oldest: string | undefined
    let seen = Number.POSITIVE_INFINITY
    for (const [one, plans] of all) {
      if (plans.seen >= seen) continue
      oldest = one
      seen = plans.seen
    }
    if (oldest !== undefined) this.#forget(kind, oldest)
  }

  /** What is planned for it ends by itself. */
  #forget(kind: 'pool' | 'bucket', name: string): void {
    if (kind === 'pool') {
      this.#pools.delete(name)
      this.#escalations?.forget(name)
    } else {
      this.#buckets.get(name)?.planner.end()
      this.#buckets.delete(name)
    }
    this.#options.forgot?.(kind, name)
  }

  #planPool(arena: Arena, plans: PoolPlans): void {
    const { planner, guard, shares } = plans
    const view = plans.view.of(arena)
    const gate = plans.gate.of(arena)
    for (const { kind, pool, tier, amount, until } of guard.keep(planner.plan(view), view.now, view, gate.keeps)) {
      arena.write({ kind, pool, tier, amount, until, source: SOURCES.keep })
    }
    if (shares === undefined) return
    for (const plan of shares.plan(view, gate.shares)) arena.write({ ...plan, source: SOURCES.share })
  }

  #planBucket(arena: Arena, { planner, keeps }: BucketPlans): void {
    const { now } = arena
    for (const plan of planner.plan(now)) arena.write({ ...plan, source: SOURCES.reserve })
    if (keeps === undefined) return
    for (const { kind, bucket, tier, amount, until } of keeps.guard.keep(keeps.planner.plan(now), now, keeps.planner.level)) {
      arena.write({ kind, bucket, tier, amount, until, source: SOURCES.bucketKeep })
    }
  }

  #hold(arena: Arena): void {
    const locks = this.#locks
    if (locks === undefined) return
    const passes = this.#lockGuard.passes(arena.now, () => ({
      lostMs: arena.lost(SOURCES.hold),
      saved: locks.saved,
      lowerCost: this.#lower.cost
    }))
    const { now } = arena
    const { within } = this.#options
    const allows = (plan: HoldPlan) => {
      const { tier, until } = plan
      // While one is in force none is wanted: this one begins, even where the one before was used long before its end.
      this.#checks.ends(plan)
      const expected = { kind: 'lock', thing: plan.lock as string, tier, workflow: undefined, amount: 1, within: until } as const
      return this.#checks.allows(plan, expected, now, arena)
    }
    const gate = { admits: () => this.#lockGuard.admits(within), allows, begun: () => this.#lockGuard.begun(now, within) }
    if (passes) for (const plan of locks.plan(now, gate)) arena.write({ ...plan, source: SOURCES.hold })
  }

  #escalate(arena: Arena): void {
    const escalations = this.#escalations
    if (escalations === undefined) return
    const { tiers } = this.#options
    const allows = ({ plan, pool, tier, amount }: WantedEscalation) => {
      const expected = {
        kind: 'pool',
        thing: pool,
        tier: tiers[tier] as string,
        workflow: plan.workflow,
        amount,
        within: plan.until
      } as const
      return this.#checks.allows(plan, expected, arena.now, arena)
    }
    const viewed = (pool: string) => (this.#pools.get(pool) as PoolPlans).view.of(arena)
    const gate = { allows, ended: ({ plan }: WantedEscalation) => void this.#checks.ends(plan) }
    for (const plan of escalations.plan(arena.now, viewed, gate)) arena.write({ ...plan, source: SOURCES.escalation })
  }

  #warmUp(arena: Arena): void {
    const [warm, terms] = [this.#warm, this.#options.warm]
    if (warm === undefined || terms === undefined || arena.warm === undefined) return
    // What is foretold is near; to look through all that is likely takes longer.
    const foretold = [...(this.#foretold?.likely(terms.within) ?? [])]
    const likely = warm.isDue(arena.now) ? terms.likely(arena.now, warm.least, LIKELY_MOST) : []
    for (const warmUp of warm.plan(arena.now, [...foretold, ...likely])) arena.warm(warmUp)
  }
}

/** A pool of an arena, as its planner sees it: one for all periods, for there are many of them in which nothing happens. */
class ArenaView implements PoolView, ShareView {
  now = 0
  readonly #pool: string
  readonly #tiers: readonly string[]
  readonly #foreseer: Foreseer | undefined
  #arena: Arena | undefined

  constructor(pool: string, tiers: readonly string[], foreseer: Foreseer | undefined) {
    this.#pool = pool
    this.#tiers = tiers
    this.#foreseer = foreseer
  }

  /** As it is now. */
  of(arena: Arena): this {
    this.#arena = arena
    this.now = arena.now
    return this
  }

  used(): number {
    return (this.#arena as Arena).used(this.#pool)
  }

  usedBy(tier: number): number {
    return (this.#arena as Arena).usedBy(this.#pool, this.#tiers[tier] as string)
  }

  waiting(tier: number): number {
    return (this.#arena as Arena).waiting(this.#pool, this.#tiers[tier] as string)
  }

  get state(): object | undefined {
    return this.#arena?.use?.(this.#pool)
  }

  expected(tier: number, ms: number): readonly Expectation[] {
    return this.#foreseer?.expected(this.#pool, tier, ms) ?? NOTHING
  }
}

/** Has plans of a pool checked right before they begin, in an arena as it is now; one for all periods, as its {@link ArenaView}. */
class PoolGate {
  readonly keeps: Gate<KeepPlan> = { allows: plan => this.#allowsKeep(plan), ended: plan => this.#ends(plan) }
  readonly shares: ShareGate = { allows: (plan, amount) => this.#allows(plan, amount), ends: plan => this.#ends(plan) }
  readonly #pool: string
  readonly #tiers: readonly string[]
  readonly #planner: PoolPlanner
  readonly #capacity: number
  readonly #checks: Checks
  #arena: Arena | undefined

  /** @param capacity units */
  constructor(pool: string, tiers: readonly string[], planner: PoolPlanner, capacity: number, checks: Checks) {
    this.#pool = pool
    this.#tiers = tiers
    this.#planner = planner
    this.#capacity = capacity
    this.#checks = checks
  }

  of(arena: Arena): this {
    this.#arena = arena
    return this
  }

  #allowsKeep(plan: KeepPlan): boolean {
    if (plan.amount === 0) return this.#ends(plan)
    const isAllowed = this.#allows(plan, plan.amount * this.#capacity)
    if (!isAllowed) this.#planner.dropped(this.#tiers.indexOf(plan.tier))
    return isAllowed
  }

  #allows(plan: KeepPlan | SharePlan, amount: number): boolean {
    const arena = this.#arena as Arena
    const within = this.#planner.horizon
    const expected = { kind: 'pool', thing: this.#pool, tier: plan.tier ?? '', workflow: undefined, amount, within } as const
    return this.#checks.allows(plan, expected, arena.now, arena)
  }

  #ends(plan: KeepPlan | SharePlan): boolean {
    return this.#checks.ends(plan)
  }
}

const NOTHING: readonly Expectation[] = []

function hasShares(parts: readonly TierUnits[] | undefined): parts is readonly TierUnits[] {
  return parts?.some(({ share }) => share > 0) === true
}

/** What is foretold goes before what is merely likely: it says who comes. */
function scoresWith(scores: KeyScores, foretold: Foretold | undefined, within: number): KeyScores {
  if (foretold === undefined) return scores
  return {
    *likely(now, tier, least, most) {
      yield* foretold.locks(tier, within, least)
      yield* scores.likely(now, tier, least, most)
    }
  }
}
