import { Ends } from '../ends.js'
import { CapacityError, TimeoutError } from '../errors/index.js'
import type { KeepPlan, Plan, PlanScore } from '../plans.js'
import { NS_PER_MS } from '../units.js'
import { IDLE_COST, WAIT_COSTS } from '../wait-costs.js'
import { Flight } from './flight.js'
import { Lookahead } from './lookahead.js'
import type { Arrival, Ended, Policy, View } from './policy.js'
import type { PoolAccount } from './pool-account.js'
import { Stage } from './stage.js'
import { Tally, type TierResult } from './tally.js'
import type { Thing } from './thing.js'
import type { PoolTerms, TraceRequest, Workload } from './trace.js'

/** Between two looks of a policy; an agent's period by default. */
export const PERIOD_MS = 100
/** The default of open(). */
const MAX_RESERVE = 0.25
/** The whole trace. */
const ALWAYS_MS = 1e10
/**
 * A hold may let a waiter go at a time that only the core knows, when it has kept the lock for as long as it may. While one is kept waiting, the
 * clock moves no further than this at a time: so exact are those waits, and all others to the nanosecond.
 */
const KEPT_STEP_NS = 1e6
/** A bucket's wait is told in doubles: where rounding put it a little early, it is looked at again so much later. */
const DUE_STEP_NS = 1e3
/** Nothing waits so long behind nothing. */
const STUCK_NS = 3_600_000 * NS_PER_MS
const REPORT_EVERY = 8192

export interface ReplayOptions {
  readonly workload: Workload
  readonly policy: Policy
  /** ms */
  readonly period?: number | undefined
  /** called now and then with the requests that came so far */
  readonly progress?: ((requests: number) => void) | undefined
}

/** What a policy came to on a workload. */
export interface ReplayResult {
  readonly policy: string
  /** lowest first */
  readonly tiers: readonly TierResult[]
  readonly requests: number
  /** ms until the last request came, and until the last one ended */
  readonly horizon: number
  readonly makespan: number
  /** part of what there is, over time, that nobody had; undefined where nothing is held in units */
  readonly idle: number | undefined
  /** unit seconds that were kept from somebody who waited for them, and that locks were */
  readonly kept: number
  /** plans that were used, and written; what keeps units counts by the requests that were granted at once while lower ones waited */
  readonly hits: number
  readonly written: number
  /** plans for which the core had no place */
  readonly refused: number
  /** what waiting and idling cost together */
  readonly cost: number
  /** of a workload that is sized: allocated by used, over time; and tries that had too little, by requests */
  readonly waste: number | undefined
  readonly under: number | undefined
  /** ms of this machine, which do not belong to what is the same each time */
  readonly took: number
}

/**
 * Plays a workload through the real core in virtual time, under a policy. The same each time: nothing in it depends on the clock on the wall.
 *
 * @throws TraceError, ArgumentError, and what the core throws that is no refusal
 */
export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const engine = new Engine(options)
  try {
    return await engine.run()
  } finally {
    await engine.close()
  }
}

interface Later {
  readonly at: number
  readonly plan: Plan
}

interface Moment {
  readonly ends: number
  readonly number: number
  /** what is over then, where it is the engine's to end */
  readonly keep: KeepPlan | undefined
}

class Engine implements View {
  readonly workload: Workload
  readonly period: number
  readonly maxReserve: number
  private readonly policy: Policy
  private readonly stage: Stage
  private readonly ahead: Lookahead
  private readonly flights = new Ends<Flight>()
  private readonly moments = new Ends<Moment>()
  private readonly later: Later[] = []
  private readonly tallies: Tally[]
  private readonly tierAt: ReadonlyMap<string, number>
  private readonly accounts: readonly PoolAccount[]
  private readonly accountsByName: ReadonlyMap<string, PoolAccount>
  /** buckets with somebody who waits */
  private readonly busy: Thing[] = []
  /** locks with a hold on them and somebody who waits */
  private readonly kept = new Set<Thing>()
  private readonly keeps = new Map<string, KeepPlan>()
  private time = 0
  private periodAt: number
  private count = 0
  private waitingNow = 0
  private numbers = 0
  private plansRefused = 0
  private horizon = 0
  private isOpen = true
  private lastMove = 0
  private underAllocated = 0
  private allocated = 0
  private usedReally = 0
  /** Of a workload that is sized: those whose turn has not come, from `turn` on. */
  private readonly unsized: { readonly request: TraceRequest; readonly asked: number }[] = []
  private turn = 0

  constructor(private readonly options: ReplayOptions) {
    const { workload, policy, period = PERIOD_MS } = options
    this.workload = workload
    this.policy = policy
    this.period = period
    this.maxReserve = policy.maxReserve ?? MAX_RESERVE
    this.stage = new Stage(workload, this.maxReserve)
    this.ahead = new Lookahead(workload.batches())
    const { tiers } = this.stage.gov
    this.tierAt = new Map(tiers.map((tier, i) => [tier, i]))
    this.tallies = tiers.map(tier => new Tally(tier))
    this.periodAt = policy.onPeriod === undefined ? Number.POSITIVE_INFINITY : 0
    this.accounts = [...this.stage.pools].map(({ account }) => account as PoolAccount)
    this.accountsByName = new Map(this.accounts.map(account => [account.name, account]))
  }

  get now(): number {
    return this.time / NS_PER_MS
  }

  async run(): Promise<ReplayResult> {
    const began = performance.now()
    this.configure()
    const aheadMs = this.policy.ahead ?? 0
    do {
      if (this.isOpen && !this.ahead.reaches(this.now + aheadMs)) await this.ahead.fill(this.now + aheadMs)
    } while (this.play(aheadMs))
    return this.result(performance.now() - began)
  }

  /** Goes on as far as requests are here. @param aheadMs for which the policy knows what comes @returns whether there is more */
  private play(aheadMs: number): boolean {
    do {
      const next = this.nextTime()
      if (next === Number.POSITIVE_INFINITY) return false
      this.advance(next)
      this.step()
    } while (!this.isOpen || this.ahead.reaches(this.now + aheadMs))
    return true
  }

  /** All that happens now. */
  private step(): void {
    const { time, flights, moments, later } = this
    this.settle()
    while (flights.next <= time) {
      this.end(flights.pop() as Flight)
      this.settle()
    }
    while (moments.next <= time) this.expire(moments.pop() as Moment)
    while (later[0] !== undefined && later[0].at <= time) this.enforce((later.shift() as Later).plan)
    if (this.periodAt <= time) this.atPeriod()
    this.settle()
    for (const bucket of this.busy) if (bucket.due <= time) this.lookWhenDue(bucket)
    this.comeNow()
    // A look at a thing may have let somebody go.
    this.settle()
    if (this.workload.sized) this.takeTurns()
  }

  private comeNow(): void {
    const { ahead, time } = this
    for (let request = ahead.next; request !== undefined && toNs(request.time) <= time; request = ahead.next) {
      ahead.take()
      this.arrive(request)
    }
  }

  async close(): Promise<void> {
    await this.ahead.close()
    await this.stage.close()
  }

  write(plan: Plan): void {
    const lag = this.policy.lag ?? 1
    if (lag === 0) this.enforce(plan)
    else this.later.push({ at: this.time + lag * toNs(this.period), plan })
  }

  used(pool: string, tier?: string): number {
    const used = this.accountsByName.get(pool)?.used
    if (used === undefined) return 0
    if (tier !== undefined) return used[this.tierOf(tier)] as number
    let all = 0
    for (let at = 0; at < used.length; at++) all += used[at] as number
    return all
  }

  waiting(thing: string, tier: string): number {
    return this.stage.waiting(thing, this.tierOf(tier))
  }

  lost(source: number): number {
    return this.stage.gov.plans.scores().find(score => score.source === source)?.waitedMs ?? 0
  }

  coming(): Iterable<Arrival> {
    return this.ahead.until(this.now + (this.policy.ahead ?? 0))
  }

  // ---- time

  /** ns of the next thing that happens; Infinity: all is over. */
  private nextTime(): number {
    const arrival = this.ahead.next
    if (this.isOpen && arrival === undefined) this.closeDoors()
    const arrives = arrival === undefined ? Number.POSITIVE_INFINITY : toNs(arrival.time)
    const event = Math.min(arrives, this.flights.next)
    if (event === Number.POSITIVE_INFINITY && this.waitingNow === 0) return event
    const planned = this.later[0]?.at ?? Number.POSITIVE_INFINITY
    const next = Math.min(event, this.periodAt, planned, this.moments.next, this.nextDue())
    if (next - this.lastMove > STUCK_NS && event === Number.POSITIVE_INFINITY) {
      throw new TimeoutError(`${this.waitingNow} requests are never granted`, { resource: this.workload.trace, waitedMs: this.now })
    }
    return next
  }

  /** When a bucket has tokens for somebody who waits, or a lock may be kept no longer. */
  private nextDue(): number {
    let next = Number.POSITIVE_INFINITY
    for (const bucket of this.busy) if (bucket.due < next) next = bucket.due
    if (this.kept.size > 0) next = Math.min(next, this.nextLetGo())
    return next
  }

  private nextLetGo(): number {
    for (const lock of this.kept) {
      if (lock.heldUntil > this.time) return this.time + KEPT_STEP_NS
      this.kept.delete(lock)
    }
    return Number.POSITIVE_INFINITY
  }

  private advance(to: number): void {
    if (to <= this.time) return
    this.stage.advance(to - this.time)
    this.time = to
  }

  /** Goes on with those of whose waits the core has told the end. */
  private settle(): void {
    const { granted, refused } = this.stage
    if (granted.length > 0) {
      for (const flight of granted) {
        this.waits(flight, -1)
        this.grant(flight)
        if (flight.thing.kind === 'bucket') this.lookWhenDue(flight.thing)
      }
      granted.length = 0
    }
    if (refused.length > 0) {
      for (const flight of refused) {
        this.waits(flight, -1)
        this.refuse(flight)
      }
      refused.length = 0
    }
  }

  /** The last request has come: what is done by then is done in the time of the trace. */
  private closeDoors(): void {
    this.isOpen = false
    // Where all come at once that time is none, and counts until the last one ends.
    if (this.horizon > 0) for (const account of this.accounts) account.at(this.horizon)
  }

  private isInTime(): boolean {
    return this.isOpen || this.horizon === 0 || this.time <= this.horizon
  }

  private accountTime(): number {
    return this.isOpen || this.horizon === 0 ? this.time : Math.min(this.time, this.horizon)
  }

  // ---- requests

  private arrive(request: TraceRequest): void {
    const { policy } = this
    const { tier } = this.stage.askingOf(request.who)
    this.count++
    this.horizon = this.time
    if (this.count % REPORT_EVERY === 0) this.options.progress?.(this.count)
    ;(this.tallies[tier] as Tally).requests++
    policy.onArrival?.(request, this)
    if (this.workload.sized) {
      this.unsized.push({ request, asked: this.time })
      this.takeTurns()
    } else {
      this.ask(this.flightOf(request, request.amounts))
    }
  }

  /** First come, first served: how much one asks for is said when it is its turn and there is room, by what was learnt until then. */
  private takeTurns(): void {
    const { unsized, policy } = this
    while (this.turn < unsized.length && this.waitingNow === 0) {
      const { request, asked } = unsized[this.turn] as (typeof unsized)[number]
      const flight = this.flightOf(request, policy.size?.(request) ?? request.amounts)
      if (!hasRoom(flight)) return
      this.turn++
      this.ask(flight, asked)
    }
  }

  private flightOf(request: TraceRequest, amounts: readonly number[]): Flight {
    const thing = this.stage.thingOf(request)
    return new Flight(this.stage, request, thing, this.numbers++, this.stage.askingOf(request.who), this.time, amounts)
  }

  private ask(flight: Flight, asked = this.time): void {
    flight.asked = asked
    switch (this.stage.ask(flight)) {
      case 'granted':
        this.grant(flight)
        break
      case 'waits':
        this.waits(flight, 1)
        if (flight.thing.kind === 'bucket') this.lookWhenDue(flight.thing)
        break
      default:
        this.refuse(flight)
    }
  }

  private waits({ thing, amounts, tier }: Flight, more: 1 | -1): void {
    this.waitingNow += more
    thing.account?.wait(this.accountTime(), tier, more)
    thing.waiting[tier] = (thing.waiting[tier] as number) + more
    thing.queued += more
    if (thing.kind === 'bucket') {
      thing.ask(amounts[0] as number, more)
      if (thing.queued === 0) this.busy.splice(this.busy.indexOf(thing), 1)
      else if (thing.queued === 1 && more === 1) this.busy.push(thing)
    } else if (thing.kind === 'lock') {
      if (thing.queued === 0) this.kept.delete(thing)
      else if (thing.heldUntil > this.time) this.kept.add(thing)
    }
  }

  private lookWhenDue(bucket: Thing): void {
    if (bucket.queued === 0) return
    // Who asks for less may have to wait for somebody before it who asks for more: only what is not there yet will come.
    let soonest = Number.POSITIVE_INFINITY
    for (const tokens of bucket.asked.keys()) {
      soonest = Math.min(soonest, this.dueIn(bucket, tokens))
      for (const kept of bucket.tokensKept.values()) {
        if (kept.tokens > 0 && kept.until > this.time) soonest = Math.min(soonest, this.dueIn(bucket, tokens + kept.tokens))
      }
    }
    bucket.due = this.time + (soonest === Number.POSITIVE_INFINITY ? DUE_STEP_NS : soonest)
  }

  /** ns until there are so many tokens, or as many as a full bucket has; Infinity: they are there. */
  private dueIn(bucket: Thing, tokens: number): number {
    const ms = this.stage.due(bucket, Math.min(bucket.burst, tokens))
    return ms > 0 ? Math.ceil(ms * NS_PER_MS) : Number.POSITIVE_INFINITY
  }

  private grant(flight: Flight): void {
    const { request, thing, amounts, tier } = flight
    thing.account?.take(this.accountTime(), tier, amounts[0] as number)
    this.lastMove = this.time
    ;(this.tallies[tier] as Tally).grant((this.time - flight.asked) / NS_PER_MS, unitsOf(flight))
    flight.ends = this.time + toNs(request.duration)
    if (request.kind === 'bucket') this.done(tier)
    if (request.kind !== 'bucket' || this.policy.onEnd !== undefined) this.flights.push(flight)
  }

  private end(flight: Flight): void {
    const { request, thing, amounts, tier } = flight
    this.lastMove = this.time
    this.stage.release(flight)
    thing.account?.take(this.accountTime(), tier, -(amounts[0] as number))
    if (request.peak !== undefined) {
      const used = request.peak[0] as number
      this.allocated += (amounts[0] as number) * request.duration
      if (request.peak.some((peak, d) => peak > (amounts[d] ?? 0))) {
        this.underAllocated++
        flight.amounts = this.doubled(request.thing, amounts)
        this.ask(flight)
        return
      }
      this.usedReally += used * request.duration
    }
    if (request.kind !== 'bucket') this.done(tier)
    this.policy.onEnd?.(endedOf(flight), this)
  }

  private done(tier: number): void {
    if (this.isInTime()) (this.tallies[tier] as Tally).done++
  }

  private refuse(flight: Flight): void {
    this.lastMove = this.time
    ;(this.tallies[flight.tier] as Tally).refusals++
  }

  /** Twice as much, and no more than there is. */
  private doubled(pool: string, amounts: readonly number[]): readonly number[] {
    const { capacity } = this.workload.pools.find(({ name }) => name === pool) as PoolTerms
    const names = Object.keys(capacity).sort()
    return amounts.map((amount, d) => Math.min(2 * amount, capacity[names[d] ?? ''] ?? 0))
  }

  // ---- plans

  /** What is kept all the time, before anything comes. */
  private configure(): void {
    const tier = this.workload.tiers.at(-1) as string
    for (const [pool, units] of this.policy.reserves?.(this.workload) ?? []) {
      const amount = Math.min(1, units / this.accountOf(pool).capacity)
      this.enforce({ kind: 'keep', pool, tier, amount, until: ALWAYS_MS })
    }
  }

  private atPeriod(): void {
    this.policy.onPeriod?.(this)
    this.periodAt = this.time + toNs(this.period)
  }

  private enforce(plan: Plan): void {
    const ends = this.time + toNs(plan.until)
    if (!this.writeToCore(plan)) return
    if (plan.kind === 'hold') this.holds(this.stage.lockOf(plan.lock as string), ends)
    const keep = plan.kind === 'keep' ? plan : undefined
    if (keep?.bucket !== undefined) this.keepTokens(keep, ends)
    else if (keep !== undefined) this.keep(keep)
    if (plan.kind !== 'escalation') this.moments.push({ ends, number: this.numbers++, keep })
  }

  private holds(lock: Thing, until: number): void {
    lock.heldUntil = until
    if (lock.queued > 0) this.kept.add(lock)
  }

  /** False when there is no place for another plan: a policy is to know, and the replay goes on without it. */
  private writeToCore(plan: Plan): boolean {
    try {
      this.stage.write(plan)
      return true
    } catch (error) {
      if (!(error instanceof CapacityError)) throw error
      this.plansRefused++
      return false
    }
  }

  private keep(plan: KeepPlan): void {
    const pool = plan.pool as string
    const { capacity } = this.accountOf(pool)
    this.keeps.set(keyOf(plan), plan)
    this.setKeep(pool, this.tierOf(plan.tier), Math.floor(Math.min(plan.amount, this.maxReserve) * capacity))
  }

  /** The core keeps them; this is when somebody may go. */
  private keepTokens({ bucket, tier, amount }: KeepPlan, until: number): void {
    const thing = this.stage.bucket(bucket as string)
    thing.tokensKept.set(this.tierOf(tier), { tokens: Math.min(amount, this.maxReserve) * thing.burst, until })
    thing.due = this.time
  }

  private expire({ keep }: Moment): void {
    if (keep?.bucket !== undefined) {
      this.stage.bucket(keep.bucket as string).due = this.time
      return
    }
    // Another one may have taken its place.
    if (keep === undefined || this.keeps.get(keyOf(keep)) !== keep) return
    this.keeps.delete(keyOf(keep))
    this.setKeep(keep.pool as string, this.tierOf(keep.tier), 0)
  }

  /** For the account of what was idle; what is kept is the core's to keep. */
  private setKeep(pool: string, tier: number, units: number): void {
    const account = this.accountOf(pool)
    account.at(this.accountTime())
    account.keeps[tier] = units
  }

  // ---- results

  private result(took: number): ReplayResult {
    const horizon = this.horizon > 0 ? this.horizon : this.time
    const { tiers } = this.workload
    const results = tiers.map(tier => {
      const at = this.tierOf(tier)
      return (this.tallies[at] as Tally).result(horizon / NS_PER_MS, WAIT_COSTS[at] as number)
    })
    const idles = [...this.stage.pools].map(({ unit, account }) => ({ unit, ...(account as PoolAccount).idle() }))
    const scores: readonly PlanScore[] = this.stage.gov.plans.scores()
    const sum = (of: (score: PlanScore) => number) => scores.reduce((all, score) => all + of(score), 0)
    // Of pools the accounts know how many units were kept, too.
    const keptFree = this.accounts.length > 0 ? 0 : sum(({ waitedMs }) => waitedMs) / 1000
    const perSecond = 1000 * NS_PER_MS
    const idleCost = idles.reduce((all, { idle, unit }) => all + idle / unit / perSecond, keptFree) * IDLE_COST
    const sized = this.workload.sized && this.usedReally > 0
    return {
      policy: this.policy.name,
      tiers: results,
      requests: this.count,
      horizon: horizon / NS_PER_MS,
      makespan: this.lastMove / NS_PER_MS,
      idle: idles.length === 0 ? undefined : idles.reduce((all, { part }) => all + part, 0) / idles.length,
      kept: idles.reduce((all, { kept, unit }) => all + kept / unit / perSecond, keptFree),
      hits: sum(({ hits }) => hits),
      written: sum(({ written }) => written),
      refused: this.plansRefused,
      cost: idleCost + results.reduce((all, { waitCost }) => all + waitCost, 0),
      waste: sized ? this.allocated / this.usedReally : undefined,
      under: sized ? this.underAllocated / this.count : undefined,
      took
    }
  }

  private accountOf(pool: string): PoolAccount {
    return this.stage.pool(pool).account as PoolAccount
  }

  private tierOf(tier: string): number {
    return this.tierAt.get(tier) ?? 0
  }
}

/** Written out: to spread a request costs more than all else that its end does. */
function endedOf({ request, asked, ends, amounts }: Flight): Ended {
  const { time, who, kind, thing, shared, duration, input, peak } = request
  const waited = (ends - toNs(duration) - asked) / NS_PER_MS
  return { time, who, kind, thing, amounts: request.amounts, shared, duration, input, peak, waited, granted: amounts }
}

function unitsOf({ thing, amounts }: Flight): number {
  return thing.kind === 'lock' ? 1 : (amounts[0] as number) / thing.unit
}

/** Whether a pool has so many units free; what has no account is for the core to say. */
function hasRoom({ thing: { account }, amounts }: Flight): boolean {
  if (account === undefined || account.usedNow === 0) return true
  return account.usedNow + (amounts[0] as number) <= account.capacity
}

function keyOf({ pool, tier }: KeepPlan): string {
  return `${pool}\0${tier}`
}

/** Whole nanoseconds, so that no sum of them drifts. */
function toNs(ms: number): number {
  return Math.round(ms * NS_PER_MS)
}
