import { buckets } from './bucket.js'
import { count, duration, onlyKnown, optionsObject, refuse, text, tierIndex } from './checks.js'
import { findElement } from './enter.js'
import { ArgumentError, CapacityError, NotFoundError } from './errors/index.js'
import { locks } from './lock.js'
import { At, Code, Kind, PlanKind, Time } from './native/binding.js'
import { quote } from './native/codes.js'
import { pools } from './pool.js'
import { type NameOption, readName } from './request-names.js'
import type { Session } from './session.js'

interface PlanTimes {
  /** ms from now at which the plan ends by itself */
  until: number
  /** who plans: 0 to 63, by which losses and hits are counted; default 0 */
  source?: number | undefined
}

/**
 * A lock is kept for requests of a tier: one of a lower tier waits unless it will be done before the expected one comes, or has aged into the
 * tier. It ends when it is used.
 */
export interface HoldPlan extends PlanTimes {
  kind: 'hold'
  /** a lock, or its name */
  lock: unknown
  /** the tier for which it is kept */
  tier: string
  /** of whose requests the expected one is; default: any of the tier */
  workflow?: string | undefined
  /** ms from now at which it is expected; default 0: any time from now on */
  from?: number | undefined
  /** ms for which others hold the lock, as learnt, where they do not say; default: unknown, and they wait */
  hold?: number | undefined
}

/** Tokens that the full bucket would discard are kept apart, up to `amount`, for the requests of a workflow or a tenant. */
export interface ReservePlan extends PlanTimes {
  kind: 'reserve'
  bucket: unknown
  /** tokens */
  amount: number
  workflow?: string | undefined
  tenant?: string | undefined
}

/** The share of a tier, or the weight of a tenant, in a pool. */
export interface SharePlan extends PlanTimes {
  kind: 'share'
  pool: unknown
  /** whose share: with `amount` from 0 to 1, of each dimension */
  tier?: string | undefined
  /** whose weight */
  tenant?: string | undefined
  amount: number
}

/** Requests of a workflow count as of a higher tier. */
export interface EscalationPlan extends PlanTimes {
  kind: 'escalation'
  workflow: string
  tier: string
}

/**
 * A part of a pool is kept free for a tier, or of what a full bucket holds: requests of lower ones are granted what is beyond it, unless they have
 * aged into the tier. Unlike a share it is not lent while it is idle, and unlike a reserve it is taken from what there is for all.
 */
export interface KeepPlan extends PlanTimes {
  kind: 'keep'
  /** a pool, or its name; or else a `bucket` */
  pool?: unknown
  bucket?: unknown
  /** the tier for which it is kept, and those above it */
  tier: string
  /** of each dimension, or of the burst, 0 to 1; all keeps together at most the arena's `maxReserve` */
  amount: number
}

export type Plan = HoldPlan | ReservePlan | SharePlan | EscalationPlan | KeepPlan

/** A plan that holds now. */
export interface PlanView {
  readonly id: string
  readonly kind: Plan['kind']
  /** name of the lock, bucket or pool; empty for an escalation */
  readonly what: string
  /** name of the workflow or tenant; empty for any */
  readonly who: string
  readonly tier: string
  readonly source: number
  readonly amount: number
  /** ms from now */
  readonly from: number
  readonly until: number
}

/** What the plans of one source came to. */
export interface PlanScore {
  readonly source: number
  /** requests that only its plans kept waiting */
  readonly waits: number
  /** ms for which its plans kept a free lock, units of a pool, or tokens, from somebody */
  readonly waitedMs: number
  /** uses: plans that the expected request used, reserves drawn on, and grants of units or tokens that were kept */
  readonly hits: number
  readonly written: number
}

const SOURCES = 64
const NUMBERS_PER_SOURCE = 4
const KINDS = {
  hold: PlanKind.Hold,
  reserve: PlanKind.Reserve,
  share: PlanKind.Share,
  escalation: PlanKind.Escalation,
  keep: PlanKind.Keep
} as const
const KNOWN = {
  hold: ['kind', 'lock', 'tier', 'workflow', 'from', 'hold', 'until', 'source'],
  reserve: ['kind', 'bucket', 'amount', 'workflow', 'tenant', 'until', 'source'],
  share: ['kind', 'pool', 'tier', 'tenant', 'amount', 'until', 'source'],
  escalation: ['kind', 'workflow', 'tier', 'until', 'source'],
  keep: ['kind', 'pool', 'bucket', 'tier', 'amount', 'until', 'source']
} as const

/** A plan in numbers. */
interface ReadPlan {
  readonly kind: PlanKind
  /** of the lock, bucket or pool */
  readonly name: string
  readonly index: number
  readonly tier: number
  readonly who: number
  readonly amount: number
  readonly from: number
}

/**
 * What is to be kept ready, and for whom: see {@link Governor.plans}. A plan can make others wait within the arena's `maxReserve`, until its
 * deadline, and can do nothing else; whoever writes it may be wrong, or die.
 */
export class PlanBook {
  readonly #session: Session

  /** @internal */
  constructor(session: Session) {
    this.#session = session
  }

  /**
   * Writes a plan; one of the same kind, thing, tier, workflow and source is replaced.
   *
   * @returns its id, for {@link withdraw}
   * @throws CapacityError if the thing has too many plans (16), or the arena no room for the name of whom it is for; NotFoundError if nobody
   *   has made the bucket or pool; ArgumentError, NameError, MemoryError, ClosedError, CorruptError
   */
  write(plan: Plan): string {
    const session = this.#session
    session.mustBeOpen()
    const given = optionsObject(plan, 'plan')
    if (given === undefined) throw refuse('plan', 'an object', plan)
    const kind = readKind((given as { kind?: unknown }).kind)
    onlyKnown(given, KNOWN[kind], `a plan of kind ${kind}`)
    const { until, source } = given as { until?: unknown; source?: unknown }
    const ends = duration(until, 'until')
    if (!(ends > 0) || !Number.isFinite(ends)) throw refuse('until', 'a finite number of milliseconds > 0', until)
    const from = source === undefined ? 0 : count(source, 'source', 0, SOURCES - 1)
    const read = READERS[kind](given as never, session)
    if (read.from > ends) throw refuse('from', `at most until (${ends})`, read.from)
    return this.#put(read, ends, from)
  }

  /** Takes a plan back. False when it had ended, or was used or replaced. */
  withdraw(id: string): boolean {
    const session = this.#session
    session.mustBeOpen()
    const match = /^(\d{1,4})\.(\d{1,10})$/.exec(text(id, 'id'))
    if (match === null) throw refuse('id', 'what write() returned', id)
    session.scratch[At.Waiter] = Number(match[1])
    session.scratch[At.SeqLow] = Number(match[2])
    const code = session.binding.withdrawPlan()
    session.waiting.settle()
    session.check(code)
    return code === Code.Ok
  }

  /** The plans that hold now, of all who write them. */
  list(): PlanView[] {
    const session = this.#session
    session.mustBeJoined()
    const kinds = Object.keys(KINDS) as Plan['kind'][]
    return session.binding.listPlans().map(plan => ({
      id: `${plan.entry}.${plan.version}`,
      kind: kinds.find(kind => KINDS[kind] === plan.kind) ?? 'hold',
      what: plan.what,
      who: plan.who,
      tier: session.tiers[plan.tier] ?? '',
      source: plan.source,
      amount: plan.amount,
      from: plan.from,
      until: plan.until
    }))
  }

  /** What the plans of each source that has written any came to. */
  scores(): PlanScore[] {
    this.#session.mustBeJoined()
    const numbers = this.#session.binding.planLosses()
    const scores: PlanScore[] = []
    for (let source = 0; NUMBERS_PER_SOURCE * source < numbers.length; source++) {
      const [waits = 0, waitedMs = 0, hits = 0, written = 0] = numbers.slice(NUMBERS_PER_SOURCE * source)
      if (written > 0) scores.push({ source, waits, waitedMs, hits, written })
    }
    return scores
  }

  #put({ kind, name, index, tier, who, amount, from }: ReadPlan, until: number, source: number): string {
    const { scratch, times, binding, waiting } = this.#session
    scratch[At.Request] = kind
    scratch[At.Index] = index
    scratch[At.Tier] = tier
    scratch[At.Workflow] = who
    scratch[At.Waiter] = source
    times[Time.Amounts] = amount
    times[Time.Amounts + 1] = from
    times[Time.Amounts + 2] = until
    const code = binding.writePlan()
    const id = `${scratch[At.OutWaiter] >>> 0}.${scratch[At.OutSeqLow] >>> 0}`
    waiting.settle()
    if (code === Code.Busy) {
      throw new CapacityError('there is no place for another plan of this thing; withdraw one, or let one end', {
        option: 'plans',
        limit: 16
      })
    }
    // All else was looked at before: its thing is no more than a name.
    if (code === Code.BadArgument) {
      throw new NotFoundError(`there is no bucket or pool ${quote(name)} to plan for: nobody has made it`, { resource: name })
    }
    this.#session.check(code)
    return id
  }
}

function readKind(kind: unknown): Plan['kind'] {
  if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind))
    throw refuse('kind', "'hold', 'reserve', 'share', 'escalation' or 'keep'", kind)
  return kind as Plan['kind']
}

const READERS: { [K in Plan['kind']]: (plan: { [P in keyof Extract<Plan, { kind: K }>]: unknown }, session: Session) => ReadPlan } = {
  hold({ lock, tier, workflow, from, hold }, session) {
    const name = locks.isLock(lock) ? ownName(session, lock, locks.sessionOf(lock), 'lock') : text(lock, 'lock')
    return {
      kind: PlanKind.Hold,
      tier: tierIndex(tier, session.tiers, 'tier'),
      who: named(session, workflow, 'workflow'),
      amount: hold === undefined ? 0 : finite(hold, 'hold'),
      from: from === undefined ? 0 : finite(from, 'from'),
      name,
      index: findElement(session, name).index
    }
  },
  reserve({ bucket, amount, workflow, tenant }, session) {
    if (workflow !== undefined && tenant !== undefined) {
      throw new ArgumentError('a reserve is for a workflow or for a tenant, not for both', { option: 'tenant', given: tenant })
    }
    if (typeof amount !== 'number' || !(amount > 0) || !(amount <= 1e15)) throw refuse('amount', 'a number of tokens > 0', amount)
    const who = workflow === undefined ? named(session, tenant, 'tenant') : named(session, workflow, 'workflow')
    return { kind: PlanKind.Reserve, tier: 0, who, amount, from: 0, ...found(session, bucket, Kind.Bucket) }
  },
  share({ pool, tier, tenant, amount }, session) {
    if ((tier === undefined) === (tenant === undefined)) {
      throw new ArgumentError('a share is of a tier or of a tenant', { option: 'tier', given: tier })
    }
    const most = tenant === undefined ? 1 : 1e6
    if (typeof amount !== 'number' || !(amount >= 0 && amount <= most)) throw refuse('amount', `a number from 0 to ${most}`, amount)
    const whose =
      tenant === undefined ? { tier: tierIndex(tier, session.tiers, 'tier'), who: 0 } : { tier: 0, who: named(session, tenant, 'tenant') }
    return { kind: PlanKind.Share, ...whose, amount, from: 0, ...found(session, pool, Kind.Pool) }
  },
  escalation({ workflow, tier }, session) {
    if (workflow === undefined) throw refuse('workflow', 'a name', workflow)
    const who = named(session, workflow, 'workflow')
    return { kind: PlanKind.Escalation, tier: tierIndex(tier, session.tiers, 'tier'), who, amount: 0, from: 0, name: '', index: -1 }
  },
  keep({ pool, bucket, tier, amount }, session) {
    if ((pool === undefined) === (bucket === undefined)) {
      throw new ArgumentError('a keep is of a pool or of a bucket', { option: 'pool', given: pool })
    }
    if (typeof amount !== 'number' || !(amount >= 0 && amount <= 1)) throw refuse('amount', 'a number from 0 to 1', amount)
    const read = tierIndex(tier, session.tiers, 'tier')
    const of = bucket === undefined ? found(session, pool, Kind.Pool) : found(session, bucket, Kind.Bucket)
    return { kind: PlanKind.Keep, tier: read, who: 0, amount, from: 0, ...of }
  }
}

function found(session: Session, thing: unknown, kind: Kind.Bucket | Kind.Pool): { readonly name: string; readonly index: number } {
  const name = nameOf(session, thing, kind === Kind.Bucket ? 'bucket' : 'pool')
  return { name, index: findElement(session, name, kind).index }
}

function nameOf(session: Session, thing: unknown, option: 'bucket' | 'pool'): string {
  if (buckets.isBucket(thing) && option === 'bucket') return ownName(session, thing, buckets.sessionOf(thing), option)
  if (pools.isPool(thing) && option === 'pool') return ownName(session, thing, pools.sessionOf(thing), option)
  return text(thing, option)
}

/** A name says nothing of the arena that it is from. */
function ownName(session: Session, { name }: { readonly name: string }, its: Session, option: string): string {
  if (its.binding === session.binding) return name
  throw new ArgumentError(`${option}: what is given belongs to another arena`, { option, given: name })
}

/** The number of whom it is for. It must have one: 0 is anybody, for whom the plan was not meant. */
function named(session: Session, given: unknown, option: NameOption): number {
  const name = readName(given, option)
  if (name === undefined) return 0
  const id = session.waiting.names.of(name)
  if (id !== 0) return id
  const limit = session.binding.capacity.elements
  throw new CapacityError(
    `${option}: there is no room for the name ${quote(name)}; raise capacity.elements, or names, in open({ capacity })`,
    {
      option: 'capacity.elements',
      limit
    }
  )
}

function finite(value: unknown, option: string): number {
  const ms = duration(value, option)
  if (!Number.isFinite(ms)) throw refuse(option, 'a finite number of milliseconds', value)
  return ms
}
