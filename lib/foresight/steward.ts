import { Bucket } from '../bucket.js'
import { CapacityError, MemoryError, NotFoundError } from '../errors/index.js'
import { Lock } from '../lock.js'
import { AGENT_LOCK, type Notice, type PlanNotice } from '../notices.js'
import type { TokenLevel } from '../plan/bucket-outlook.js'
import type { Expected, Verdict } from '../plan/checks.js'
import { CollisionBook, followed } from '../plan/collision-book.js'
import type { Extra } from '../plan/extra.js'
import type { Arena, Over, Asked as PlannerAsked, PlannerStatus } from '../plan/planner.js'
import { Planner } from '../plan/planner.js'
import type { SavedSequels } from '../plan/saved-sequels.js'
import type { WarmTerms, WarmUp } from '../plan/warm-planner.js'
import { type Plan, PlanBook } from '../plans.js'
import { Pool, type PoolUsage, pools } from '../pool.js'
import type { AmountsByName } from '../pool-terms.js'
import type { Session } from '../session.js'
import type { Activity, Asked } from './activity.js'
import { type Held, Holdings } from './holdings.js'
import { partsOf } from './pool-parts.js'
import { makeResident } from './resident.js'
import type { LikelyElement, LikelyOptions } from './scores.js'
import { ShadowCheck } from './shadow-check.js'

/** What is to be planned, and how. All of it is checked. */
export interface StewardTerms {
  /** ms between two plans */
  readonly period: number
  /** what waiting costs a request and second, by tier, lowest first */
  readonly waitCosts: readonly number[]
  /** what a unit that nobody has costs a second */
  readonly idleCost: number
  /** part of the time, or of the locks, in which nothing is planned, 0 to 1 */
  readonly control: number
  readonly seed: number
  /** when more of a pool is kept, and how much; default: what the costs say, all the time */
  readonly extra?: Extra | undefined
  /** what waiting costs a request and second of workflows that are not to count as their tiers, by name */
  readonly workflowCosts?: ReadonlyMap<string, number> | undefined
  /** undefined: nothing is warmed up */
  readonly warm?: WarmTerms | undefined
  /** whether it is planned for what a workflow raises when that one begins; default true */
  readonly triggers?: boolean | undefined
}

export interface StewardStatus extends PlannerStatus {
  /** whether it is the one of the arena that writes plans; others learn, and wait */
  readonly active: boolean
  /** plans that were written, and for which there was no place */
  readonly written: number
  readonly refused: number
}

export interface StewardEvents {
  /** it can write no more */
  failed(error: unknown): void
  noticed(notices: readonly Notice[]): void
}

type Written<T> = { -readonly [K in keyof T]: T[K] }

/** A score is meant for so many ms. */
const WITHIN_MS = 500
const LAG = 1
/** Of the places that an arena has for elements, what may be warmed up at once: idle locks that were asked for give theirs to it. */
const WARM_PART = 16
/** Of a pool of several dimensions, parts that are told apart. */
const PARTS = 1000
/** Pools of which it is known what they have handed out: twice as many as are looked at. */
const USAGES_MOST = 512
/** Fewer than any bucket holds: what there are is asked, not whether it is enough. */
const LEAST_TOKENS = 1e-9

/** Collisions that were told of in this thread: no two have the same number, whichever steward tells of them. */
let foretold = 0

/**
 * Tells a planner what happens in an arena, and writes its plans. One of those who do writes at a time: the others learn, and the first of them goes on
 * when that one stops or dies.
 */
export class Steward implements Arena {
  readonly #session: Session
  readonly #terms: StewardTerms
  readonly #planner: Planner
  /** Another account on the same arena: what it holds keeps no close({ drain }) waiting. */
  readonly #own: Session
  readonly #plans: PlanBook
  readonly #shadow: ShadowCheck
  readonly #holdings = new Holdings()
  readonly #usages = new Map<string, PoolUsage>()
  /** units of a pool that a record calls 1 */
  readonly #scales = new Map<string, number>()
  readonly #buckets = new Map<string, Bucket>()
  readonly #stopping = new AbortController()
  readonly #elected: Promise<void>
  readonly #clock: () => number
  readonly #events: StewardEvents
  readonly #collisions = new CollisionBook()
  /** what the planner is told of last, to be written again */
  readonly #came: Written<PlannerAsked> = {
    kind: 'lock',
    thing: '',
    tier: 0,
    amount: 0.5,
    time: 0.5,
    workflow: undefined,
    tenant: undefined,
    hint: 0.5,
    workflowHint: 0.5,
    isRefused: false
  }
  readonly #ended: Written<Over> = {
    kind: 'lock',
    thing: '',
    tier: 0,
    time: 0.5,
    waited: 0.5,
    held: 0.5,
    workflow: undefined,
    hint: 0.5
  }
  #notices: Notice[] = []
  #active = false
  #planned = Number.NEGATIVE_INFINITY
  #written = 0
  #refused = 0
  #lost: ReadonlyMap<number, number> = new Map()

  /**
   * @param now ms, on the clock of what happens
   * @param likely of what foresight knows
   */
  constructor(
    session: Session,
    terms: StewardTerms,
    now: () => number,
    likely: (options: LikelyOptions) => LikelyElement[],
    events: StewardEvents
  ) {
    this.#session = session
    this.#own = session.beside()
    this.#terms = terms
    this.#clock = now
    this.#plans = new PlanBook(session)
    this.#shadow = new ShadowCheck(session, pool => this.#scaleOf(pool))
    const { tiers, binding } = session
    const { warm } = terms
    this.#planner = new Planner({
      ...terms,
      tiers,
      maxReserve: binding.maxReserve,
      ageing: binding.ageingMs,
      lag: LAG,
      within: WITHIN_MS,
      forgot: (kind, name) => this.#forget(kind, name),
      scores: {
        likely: (_, tier, least, most) => likely({ tier: tiers[tier] as string, least, most }).filter(({ kind }) => kind === 'lock')
      },
      warm: warm && {
        ...warm,
        most: Math.max(1, Math.min(warm.most, Math.floor(binding.capacity.elements / WARM_PART))),
        likely: (_, least, most) => likely({ within: warm.within, least, most, idle: warm.cold }).filter(({ kind }) => isPlanned(kind))
      }
    })
    // Refused here, where whoever starts it is told, and not later; from now on it is learnt.
    if (warm !== undefined) likely({ within: warm.within, most: 1 })
    this.#events = events
    this.#elected = this.#wait().catch(error => events.failed(error))
  }

  /** Of the last look: one moment for all that is planned then, so that what is likely is asked about once. */
  get now(): number {
    return this.#planned
  }

  /** What happened, requests in the order of their times. */
  happened(asked: readonly Asked[], activities: readonly Activity[]): void {
    // While close({ drain }) waits nothing begins.
    if (!this.#session.open) return
    for (const { time, activity } of asked) {
      const { kind, name, hint, tier, amount, workflow, workflowHint, tenant, event } = activity
      if (!this.#meets(kind, name)) {
        this.#planner.worked(workflow, tier, time, undefined, workflowHint)
        continue
      }
      const units = kind === 'pool' ? Math.round(amount * this.#scaleOf(name)) : amount
      const came = this.#came
      came.kind = kind
      came.thing = name
      came.tier = tier
      came.amount = units
      came.time = time
      came.workflow = workflow
      came.tenant = tenant
      came.hint = hint
      came.workflowHint = workflowHint
      came.isRefused = event === 'refusal'
      this.#planner.came(came)
      this.#collisions.asked(kind, name, tier, time, units)
    }
    if (this.#collisions.isFollowing) for (const activity of activities) this.#settled(activity)
    for (const activity of activities) {
      if (activity.kind === 'bucket') {
        if (activity.event === 'grant') this.#spent(activity)
        continue
      }
      const over = this.#holdings.of(activity)
      if (over !== undefined) this.#over(activity, over)
    }
  }

  /** To those who follow collisions. */
  #settled(activity: Activity): void {
    const { kind, name, tier } = activity
    if (!isPlanned(kind) || !isSettled(activity)) return
    this.#collisions.waited(kind, name, tier, activity.time - activity.waited, activity.waited)
  }

  /** Tokens are not given back: with its grant a request is over. */
  #spent(activity: Activity): void {
    const { time, waited } = activity
    this.#over(activity, { asked: time - waited, waited, held: 0 })
  }

  #over({ kind, name, hint, tier, workflow }: Activity, { asked, waited, held }: Held): void {
    if (!isPlanned(kind)) return
    const over = this.#ended
    over.kind = kind
    over.thing = name
    over.tier = tier
    over.time = asked
    over.waited = waited
    over.held = held
    over.workflow = workflow
    over.hint = hint
    this.#planner.ended(over)
  }

  forget(tenant: string): void {
    this.#planner.forget(tenant)
  }

  /** What a pool has handed out now. */
  usage(pool: string, usage: PoolUsage): void {
    // The first of the map is the one that was not looked at for longest.
    this.#usages.delete(pool)
    this.#usages.set(pool, usage)
    if (this.#usages.size > USAGES_MOST) this.#usages.delete(this.#usages.keys().next().value as string)
  }

  /** After all that has happened was told. */
  look(): void {
    const now = this.#clock()
    if (now - this.#planned < this.#terms.period) return
    this.#planned = now
    this.#lost = new Map(this.#plans.scores().map(({ source, waitedMs }) => [source, waitedMs]))
    this.#planner.plan(this)
    this.#foretell(now)
    if (this.#notices.length > 0 && this.#active) this.#events.noticed(this.#notices)
    this.#notices = []
  }

  used(pool: string): number {
    const usage = this.#usages.get(pool)
    return usage === undefined ? 0 : partOf(usage, usage.used) * this.#scaleOf(pool)
  }

  usedBy(pool: string, tier: string): number {
    const usage = this.#usages.get(pool)
    return usage === undefined ? 0 : partOf(usage, usage.tiers[tier]?.used ?? {}) * this.#scaleOf(pool)
  }

  waiting(thing: string, tier: string): number {
    return this.#usages.get(thing)?.tiers[tier]?.waiting ?? 0
  }

  use(pool: string): PoolUsage | undefined {
    return this.#usages.get(pool)
  }

  save(): Uint8Array | undefined {
    return this.#planner.save()
  }

  load(saved: SavedSequels): void {
    this.#planner.load(saved)
  }

  tokens(name: string): TokenLevel | undefined {
    try {
      const view = this.#buckets.get(name)?.peek(LEAST_TOKENS)
      return view && { free: view.remaining, reserved: view.reserved }
    } catch (error) {
      // Its place has been given to another since.
      if (!(error instanceof NotFoundError)) throw error
      return undefined
    }
  }

  check(expected: Expected, until: number): Verdict | undefined {
    // What is not written need not be asked about; who waits for his turn learns of what would be.
    return this.#active ? this.#shadow.check(expected, until) : undefined
  }

  lost(source: number): number {
    return this.#lost.get(source) ?? 0
  }

  write(plan: Plan): void {
    // Whoever waits for his turn learns what his plans would bring.
    if (!this.#active) return
    try {
      this.#plans.write(plan)
      this.#written++
      this.#notices.push(noticeOf(plan))
    } catch (error) {
      // There is no place for it, or its thing has gone: a plan is a wish.
      if (!isWithoutPlace(error)) throw error
      this.#refused++
    }
  }

  warm({ kind, name, probability, workflow, until }: WarmUp): void {
    if (!this.#active) return
    try {
      makeResident(this.#session, kind, name)
    } catch (error) {
      // Then it is made when it is asked for, as it would have been.
      if (!isWithoutPlace(error)) throw error
      this.#refused++
      if (error instanceof NotFoundError) return
    }
    this.#notices.push({ event: 'warm', kind, what: name, who: workflow, probability, until })
  }

  /** {@link StewardStatus.active} */
  get isActive(): boolean {
    return this.#active
  }

  status(): StewardStatus {
    return { active: this.#active, written: this.#written, refused: this.#refused, ...this.#planner.status() }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#elected
    this.#own.open = false
    this.#own.joined = false
  }

  async #wait(): Promise<void> {
    const lock = new Lock(this.#own, AGENT_LOCK, undefined, AGENT_LOCK)
    const { signal } = this.#stopping
    try {
      const grant = await lock.acquire({ signal })
      this.#active = true
      this.#planner.begin()
      if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      this.#active = false
      grant.release()
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** What is about to collide, and what has become of what was. */
  #foretell(now: number): void {
    const { tiers, binding } = this.#session
    const { waitCosts: costs } = this.#terms
    for (const { tier, ...collision } of this.#planner.collisions(this)) {
      const id = `${binding.client}:${++foretold}`
      const { kind, what, within, free } = collision
      this.#collisions.tell({ id, kind, what, tier, at: now, within, free })
      this.#notices.push({
        event: 'contention',
        id,
        tier: tiers[tier] as string,
        costs,
        followed: followed(within),
        ...collision
      })
    }
    for (const { tier, ...outcome } of this.#collisions.judge(now)) {
      this.#notices.push({ event: 'outcome', tier: tiers[tier] as string, ...outcome })
    }
  }

  #meets(kind: Activity['kind'], name: string): kind is 'lock' | 'bucket' | 'pool' {
    if (!isPlanned(kind)) return false
    if (kind === 'lock' || this.#planner.knows(kind, name)) return true
    return kind === 'pool' ? this.#meetPool(name) : this.#meetBucket(name)
  }

  /** Records tell the largest part of a dimension's capacity: of one dimension that is a number of its units, of several a part of the whole. */
  #meetPool(name: string): boolean {
    const capacities = Object.values(this.#usages.get(name)?.capacity ?? {})
    // What it has is known with the next look at pools.
    if (capacities.length === 0) return false
    const units = capacities.length === 1 ? (capacities[0] as number) : PARTS
    try {
      const terms = pools.termsOf(new Pool(this.#session, name, undefined, 'pool', false, false))
      this.#scales.set(name, units)
      this.#planner.pool(name, units, 1, partsOf(terms, units))
      return true
    } catch (error) {
      // Its place has been given to another since.
      if (!(error instanceof NotFoundError)) throw error
      return false
    }
  }

  #forget(kind: 'pool' | 'bucket', name: string): void {
    if (kind === 'bucket') {
      this.#buckets.delete(name)
      return
    }
    this.#usages.delete(name)
    this.#scales.delete(name)
  }

  #scaleOf(pool: string): number {
    return this.#scales.get(pool) ?? PARTS
  }

  #meetBucket(name: string): boolean {
    try {
      const bucket = new Bucket(this.#session, name, undefined)
      const { rate, per, burst } = bucket
      this.#buckets.set(name, bucket)
      this.#planner.bucket(name, (rate * 1000) / per, burst)
      return true
    } catch (error) {
      // Its place has been given to another since.
      if (!(error instanceof NotFoundError)) throw error
      return false
    }
  }
}

/** There is no place for what would be made, no memory for it, or it has gone. */
function isWithoutPlace(error: unknown): boolean {
  return [CapacityError, MemoryError, NotFoundError].some(one => error instanceof one)
}

/** Of the scarcest dimension. */
function partOf({ capacity }: PoolUsage, used: AmountsByName): number {
  return Math.max(...Object.entries(capacity).map(([name, units]) => (used[name] ?? 0) / (units || 1)))
}

/** A request waits no more. */
function isSettled({ event }: Activity): boolean {
  return event === 'grant' || event === 'refusal' || event === 'abort'
}

function isPlanned(kind: Activity['kind']): kind is 'lock' | 'bucket' | 'pool' {
  return kind === 'lock' || kind === 'bucket' || kind === 'pool'
}

type NamedBy = 'lock' | 'bucket' | 'pool' | 'tier' | 'workflow' | 'tenant'

/** The planner names what it plans for. */
function noticeOf(plan: Plan): PlanNotice {
  const { lock, bucket, pool, tier, workflow, tenant, amount } = plan as Partial<Record<NamedBy, string>> & { readonly amount?: number }
  return { event: 'plan', kind: plan.kind, what: lock ?? bucket ?? pool ?? '', tier, who: workflow ?? tenant, amount, until: plan.until }
}
