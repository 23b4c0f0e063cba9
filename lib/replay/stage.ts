import { exceeds, labelled } from '../arena-wait.js'
import { buckets } from '../bucket.js'
import type { Element } from '../element.js'
import { findElement, LOOKUPS_MAX } from '../enter.js'
import { ArgumentError, CorruptError } from '../errors/index.js'
import type { Governor } from '../governor.js'
import { locks } from '../lock.js'
import { At, type Binding, Code, Ending, Outcome, RequestBit, Time } from '../native/binding.js'
import { corrupt, retired } from '../native/codes.js'
import { open } from '../open.js'
import type { Plan } from '../plans.js'
import { writeAmounts } from '../pool.js'
import type { Session } from '../session.js'
import { NS_PER_MS } from '../units.js'
import type { Asking, Flight, Landing } from './flight.js'
import { Thing } from './thing.js'
import type { ThingKind, TraceRequest, Who, Workload } from './trace.js'

/** How a request was answered at once. */
export type Answered = 'granted' | 'waits' | 'refused'

/** Requests that may wait at once: an hour of a hundred that come each second and are not served. */
const WAITERS = 2 ** 19
/** Locks are looked up anew when there are more: what is held or waited for keeps its own. */
const LOCKS_MOST = 65_536
const WHOS_MOST = 65_536

/**
 * The real core with the things of a workload, on a clock that stands still between two events. It speaks to the addon as the faces do (pool.ts,
 * bucket.ts, lock.ts), without the promise and the object that these make for each request of a user.
 */
export class Stage implements Landing {
  readonly gov: Governor
  readonly session: Session
  /** requests that were granted after a wait, in the order of their grants, since it was emptied */
  readonly granted: Flight[] = []
  /** those of them that can never be granted after all */
  readonly refused: Flight[] = []
  private readonly things: Readonly<Record<ThingKind, Map<string, Thing>>> = { pool: new Map(), bucket: new Map(), lock: new Map() }
  private readonly asking = new Map<Who, Asking>()
  /** who was asked about last, mostly twice, and what was said */
  private who: Who | undefined = undefined
  private asked: Asking = { tier: 0, workflow: 0, tenant: 0 }
  /** ns, and of those what the clock of the core is behind by */
  private now = 0
  private behind = 0
  private failure: Error | undefined = undefined
  /** what was asked for last, and as the addon has it: mostly it is the same again */
  private amounts: readonly number[] = []
  private padded = padded([])
  // The calls, apart from the binding: see Session.
  private readonly allocate: Binding['allocate']
  private readonly take: Binding['take']
  private readonly peekTokens: Binding['peekTokens']
  private readonly moveClock: Binding['advance']

  /** @param maxReserve of its arena */
  constructor(workload: Workload, maxReserve: number) {
    // The clock looks at each place for a participant when it moves.
    this.gov = open({
      clock: 'virtual',
      autoEnclose: false,
      maxReserve,
      capacity: { participants: 3, waiters: WAITERS, telemetry: 0 },
      ...(workload.ranks !== undefined && { tiers: workload.ranks })
    })
    this.session = locks.sessionOf(this.gov.lock('forelock replay'))
    const { binding, waiting } = this.session
    this.allocate = binding.allocate
    this.take = binding.take
    this.peekTokens = binding.peekTokens
    this.moveClock = binding.advance
    for (const pool of workload.pools) {
      const { name, capacity } = pool
      this.add('pool', name, this.gov.pool(name, { capacity }).element, pool)
    }
    for (const { name, rate } of workload.buckets) {
      const bucket = this.gov.bucket(name, { rate })
      this.add('bucket', name, buckets.elementOf(bucket)).burst = bucket.burst
    }
    // One that always waits: else the event loop would be told at each first and last one.
    waiting.count()
  }

  /** The thing that a request is about. @throws ArgumentError */
  thingOf({ kind, thing }: TraceRequest): Thing {
    const found = this.things[kind].get(thing)
    if (found !== undefined) return found
    if (kind === 'lock') return this.lockOf(thing)
    throw unknown(kind, thing)
  }

  pool(name: string): Thing {
    const found = this.things.pool.get(name)
    if (found === undefined) throw unknown('pool', name)
    return found
  }

  bucket(name: string): Thing {
    const found = this.things.bucket.get(name)
    if (found === undefined) throw unknown('bucket', name)
    return found
  }

  get pools(): Iterable<Thing> {
    return this.things.pool.values()
  }

  lockOf(name: string): Thing {
    const known = this.things.lock
    const found = known.get(name)
    if (found !== undefined) return found
    if (known.size >= LOCKS_MOST) this.forgetLocks()
    return this.add('lock', name, findElement(this.session, name))
  }

  /** Those who wait for what has this name. */
  waiting(name: string, tier: number): number {
    const { pool, bucket, lock } = this.things
    return pool.get(name)?.waiting[tier] ?? (bucket.get(name)?.waiting[tier] ?? 0) + (lock.get(name)?.waiting[tier] ?? 0)
  }

  /** A request that waits for nobody is granted at once; of one that waits {@link granted} tells, or {@link refused}. */
  ask(flight: Flight): Answered {
    this.catchUp()
    const { tier, workflow, tenant } = flight.asking
    const { scratch } = this.session
    scratch[At.Arena] = this.session.arena
    scratch[At.Request] = tier | RequestBit.Named
    scratch[At.Workflow] = workflow
    scratch[At.Tenant] = tenant
    scratch[At.Client] = 0
    switch (flight.thing.kind) {
      case 'pool':
        return this.askUnits(flight)
      case 'bucket':
        return this.askTokens(flight)
      default:
        return this.askLock(flight)
    }
  }

  /** Gives back what is held. */
  release(flight: Flight): void {
    const { kind, element, name } = flight.thing
    if (kind === 'bucket') return
    this.catchUp()
    const { session } = this
    const { scratch } = session
    scratch[At.Arena] = session.arena
    scratch[At.Index] = element.index
    scratch[At.SeqLow] = flight.seqLow
    scratch[At.Grant] = flight.grantWord
    scratch[At.Waiter] = flight.waiter
    scratch[At.Ending] = Ending.Success
    session.release()
    const code = scratch[At.OutCode]
    if (scratch[At.OutSettled] !== 0) session.waiting.settle()
    if (code < 0) throw session.failure(code, name)
  }

  /** ms until the bucket grants so many tokens, to whoever is first. */
  due({ element, name }: Thing, tokens: number): number {
    this.catchUp()
    const { scratch, times } = this.session
    scratch[At.Index] = element.index
    times[Time.Amounts] = tokens
    const code = this.peekTokens()
    if (code === Code.TooMuch) throw exceeds(labelled('bucket', name), name, tokens)
    this.session.check(code, name)
    return code === Code.Ok ? 0 : times[Time.OutReady]
  }

  /** As {@link PlanBook.write}. */
  write(plan: Plan): void {
    this.catchUp()
    this.gov.plans.write(plan)
  }

  /** Moves the clock: that of the core when it is asked for something, for while nobody waits nothing happens there. @throws as {@link catchUp} */
  advance(ns: number): void {
    this.now += ns
    this.behind += ns
    if (this.session.queued > 0) this.catchUp()
  }

  /** @throws also what a wait ended with that is no refusal */
  private catchUp(): void {
    if (this.behind === 0) return
    const { session } = this
    const { scratch, times } = session
    scratch[At.Arena] = session.arena
    times[Time.Timeout] = this.behind / NS_PER_MS
    this.behind = 0
    this.moveClock()
    const code = scratch[At.OutCode]
    if (scratch[At.OutSettled] !== 0) session.waiting.settle()
    session.check(code)
    if (this.failure !== undefined) throw this.failure
  }

  land(flight: Flight): void {
    this.session.queued--
    switch (flight.outcome) {
      case Outcome.Granted:
        this.granted.push(flight)
        break
      case Outcome.Never:
        this.refused.push(flight)
        break
      case Outcome.Corrupt:
        this.failure ??= corrupt(flight.thing.name)
        break
      case Outcome.Retired:
        this.failure ??= retired()
        break
      default:
        this.failure ??= new CorruptError(`the addon ended a wait with ${flight.outcome}, which a replay does not know`, {})
    }
  }

  forget(flight: Flight): void {
    if (this.session.waiting.remove(flight.waiter, flight)) this.session.queued--
  }

  async close(): Promise<void> {
    this.session.waiting.discount()
    await this.gov.close()
  }

  private askUnits(flight: Flight): Answered {
    const { session } = this
    session.scratch[At.Index] = flight.thing.element.index
    if (flight.amounts !== this.amounts) {
      this.amounts = flight.amounts
      this.padded = padded(flight.amounts)
    }
    writeAmounts(session, flight.amounts.length, this.padded)
    this.writeWait()
    this.allocate()
    return this.answered(flight)
  }

  /** Tokens are tried for first, as {@link Bucket.tryTake} does: where a plan keeps some, a try that fails is counted as a use of it. */
  private askTokens(flight: Flight): Answered {
    const { session } = this
    const { scratch, times } = session
    const tokens = flight.amounts[0] as number
    scratch[At.Index] = flight.thing.element.index
    times[Time.Amounts] = tokens
    if (flight.thing.queued === 0) {
      session.tryTake()
      const code = scratch[At.OutCode]
      if (scratch[At.OutSettled] !== 0) session.waiting.settle()
      if (code === Code.Ok) return 'granted'
    }
    this.writeWait()
    this.take()
    return this.answered(flight)
  }

  private askLock(flight: Flight): Answered {
    const { session } = this
    const { scratch } = session
    const { thing, request } = flight
    if (request.shared) scratch[At.Request] |= RequestBit.Shared
    scratch[At.Ttl] = 0
    scratch[At.Hold] = 0
    for (let lookups = 0; ; lookups++) {
      scratch[At.Index] = thing.element.index
      scratch[At.Gen] = thing.element.gen
      scratch[At.EnclosingCount] = 0
      this.writeWait()
      session.lock()
      if (scratch[At.OutCode] !== Code.Stale || lookups === LOOKUPS_MAX) return this.answered(flight)
      // Nobody had it for so long that its place was given to another.
      const request = scratch[At.Request]
      thing.element = findElement(session, thing.name)
      scratch[At.Request] = request
    }
  }

  private writeWait(): void {
    const { times } = this.session
    times[Time.Timeout] = Number.POSITIVE_INFINITY
    times[Time.Arrival] = 0
  }

  /** What the addon has just answered. */
  private answered(flight: Flight): Answered {
    const { session } = this
    const { scratch, waiting } = session
    const code = scratch[At.OutCode]
    flight.waiter = scratch[At.OutWaiter]
    flight.seqLow = scratch[At.OutSeqLow]
    flight.grantWord = scratch[At.OutGrant]
    if (code === Code.Wait) {
      session.queued++
      waiting.add(flight.waiter, flight)
    }
    if (scratch[At.OutSettled] !== 0) waiting.settle()
    if (code === Code.Ok) return 'granted'
    if (code === Code.Wait) return 'waits'
    if (code === Code.TooMuch) return 'refused'
    throw session.failure(code, flight.thing.name)
  }

  private add(kind: ThingKind, name: string, element: Element, pool?: Workload['pools'][number]): Thing {
    const thing = new Thing(name, kind, element, this.session.tiers.length, pool)
    this.things[kind].set(name, thing)
    return thing
  }

  private forgetLocks(): void {
    const known = this.things.lock
    for (const [name, { queued, heldUntil }] of known) if (queued === 0 && heldUntil <= this.now) known.delete(name)
  }

  /** @throws ArgumentError for a tier that there is not */
  askingOf(who: Who): Asking {
    if (who === this.who) return this.asked
    const asking = this.lookUp(who)
    this.who = who
    this.asked = asking
    return asking
  }

  private lookUp(who: Who): Asking {
    const found = this.asking.get(who)
    if (found !== undefined) return found
    const { session } = this
    const { names } = session.waiting
    const tier = session.tiers.indexOf(who.tier)
    if (tier < 0) {
      throw new ArgumentError(`a request of the tier ${JSON.stringify(who.tier)}: there are ${session.tiers.join(', ')}`, {
        option: 'tier',
        given: who.tier
      })
    }
    const asking = { tier, workflow: names.of(who.workflow), tenant: who.tenant === undefined ? 0 : names.of(who.tenant) }
    if (this.asking.size >= WHOS_MOST) this.asking.clear()
    this.asking.set(who, asking)
    return asking
  }
}

/** As the addon has them. */
function padded([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0]: readonly number[]): readonly number[] {
  return [a, b, c, d, e, f]
}

function unknown(kind: string, name: string): ArgumentError {
  return new ArgumentError(`the workload has no ${kind} ${JSON.stringify(name)}`, { option: kind, given: name })
}
