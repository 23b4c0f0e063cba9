import { booked } from './booker.js'
import { callback, onlyKnown, optionsObject } from './checks.js'
import type { Element } from './element.js'
import { bookerAround, callEnclosed, enclosingGrants, isEnclosed } from './enclosing.js'
import { findElement, LOOKUPS_MAX, writeRequest, writeWait } from './enter.js'
import { CorruptError } from './errors/index.js'
import { Grant, grantBits, grants } from './grant.js'
import { At, Code, Kind, RequestBit, Time } from './native/binding.js'
import { quote } from './native/codes.js'
import { LockRequest } from './request.js'
import { writeNames } from './request-names.js'
import type { Session } from './session.js'
import type { ShadowAnswer } from './shadow/answer.js'
import { countDry, runsDry, type WouldBe } from './shadow/dry.js'
import { LOCK_SHADOW_KNOWN, type LockShadowOptions, readShadow, type ShadowAsk, shadowOfLock } from './shadow/options.js'
import { dryPlace, lonePlace } from './shadow/places.js'
import { lockShadow } from './shadow/request.js'
import { type AcquireOptions, REQUEST_KNOWN, readDefaults, readTerms, type Terms, TRY_KNOWN, type TryOptions } from './terms.js'
import { grantChannel, refusalChannel, traceGrant, traceRefusal } from './traces.js'
import { NS_PER_MS } from './units.js'
import { IN_COHORT, timedOut, Wait } from './wait.js'

/** The grant that the addon has just answered with. */
function takeGrant(scratch: Int32Array, element: Element, terms: Terms, enclosing: readonly Grant[] | undefined): Grant {
  const grant = new Grant(element, scratch[At.OutSeqLow], scratch[At.OutWaiter], grantBits(terms.request, scratch[At.OutGrant]), enclosing)
  if (grantChannel.hasSubscribers) traceGrant(grant, terms.names, 0)
  return grant
}

const itself = (grant: Grant): Grant => grant

/** What the other faces may do with a lock, and users may not. */
export interface LockInternals {
  isLock(value: unknown): value is Lock
  sessionOf(lock: Lock): Session
  defaultsOf(lock: Lock): Terms
  shadowOf(lock: Lock, ask: ShadowAsk): ShadowAnswer
  /** Where it is, if all there is to a request of it is a tier and it was looked up before. */
  plainly(lock: Lock): Element | undefined
  /** Takes the lock if it is free. */
  attempt(lock: Lock, terms: Terms, enclosing: readonly Grant[] | undefined): Grant | null
  /** Takes the lock or queues for it, counting from an arrival in ns on the arena clock (0: now). */
  enter(lock: Lock, terms: Terms, enclosing: readonly Grant[] | undefined, arrival: number): Grant | Wait
}
export let locks: LockInternals

/** A lock by name, exclusive or shared, for every thread and process that opens the arena. Cheap to make: see {@link Governor.lock}. */
export class Lock {
  private readonly session: Session
  readonly name: string
  private readonly terms: Terms
  /** whether the terms need no more than the addon's answer: no ttl, no names, and a wait is allowed */
  private readonly plain: boolean
  private element: Element | undefined
  /** its name in the arena */
  private readonly place: string
  /** it runs dry: what there is of it really, apart from all that is enforced */
  private readonly twin: Lock | undefined

  /** @internal */
  constructor(session: Session, name: string, defaults: object | undefined, place?: string) {
    this.session = session
    this.name = name
    this.terms = defaults === undefined ? session.plainTerms : readDefaults(defaults, session)
    const dry = place === undefined && runsDry(session, defaults)
    this.plain = this.terms.ttl === 0 && this.terms.timeout !== 0 && this.terms.names === undefined && !dry
    this.element = undefined
    this.place = place ?? name
    this.twin = dry ? new Lock(session, name, undefined, dryPlace(name)) : undefined
  }

  /**
   * Waits for the lock. FIFO within a tier, higher tiers first, with ageing.
   *
   * @returns rejected with `signal.reason`, a TimeoutError, DeadlockError, ClosedError, CapacityError, MemoryError, NameError,
   *   CorruptError, RetiredError or ArgumentError
   */
  acquire(options?: AcquireOptions): Promise<Grant> {
    const element = this.element
    if (options !== undefined || element === undefined || !this.isQuick()) return this.acquireSlowly(options)
    const session = this.session
    if (session.cohorts.active !== 0) {
      const waits = this.behind(element)
      if (waits !== undefined) return waits
    }
    const { scratch } = session
    const terms = this.terms
    writeRequest(scratch, element, terms)
    writeWait(session, terms, 0)
    session.lock()
    const code = scratch[At.OutCode]
    if (code === Code.Ok && scratch[At.OutSettled] === 0) return Promise.resolve(takeGrant(scratch, element, terms, undefined))
    return this.settled(code, element)
  }

  /**
   * Takes the lock if nobody holds it and nobody waits for it; else null. It may also answer null while a hand-off is in flight.
   *
   * @throws the errors of {@link acquire} that do not come of waiting
   */
  tryAcquire(options?: TryOptions): Grant | null {
    const element = this.element
    if (options !== undefined || element === undefined || !this.isQuick()) return this.tryAcquireSlowly(options)
    const session = this.session
    const { scratch } = session
    const terms = this.terms
    writeRequest(scratch, element, terms)
    session.tryLock()
    const code = scratch[At.OutCode]
    if (code === Code.Ok && scratch[At.OutSettled] === 0) return takeGrant(scratch, element, terms, undefined)
    return this.tried(code, element)
  }

  /**
   * What would become of a request, if it were made; takes nothing, and leaves nothing in the arena.
   *
   * @throws ArgumentError, ClosedError, CorruptError, RetiredError, MemoryError
   */
  shadow(options?: LockShadowOptions): ShadowAnswer {
    const { session, name } = this
    const ask = readShadow(session, options, LOCK_SHADOW_KNOWN, 'shadow()', shadowOfLock(session, this.terms))
    return lockShadow(session, name, ask, (this.twin ?? this).place)
  }

  /**
   * Like {@link acquire}, but what it returns can be moved to a higher tier, or given up, while it waits. Errors come through
   * `granted`.
   */
  request(options?: AcquireOptions): LockRequest {
    try {
      const terms = this.read(options)
      const answer = this.begin(terms)
      const wait = answer instanceof Grant ? undefined : answer
      const granted = answer instanceof Grant ? Promise.resolve(answer) : answer.promise
      return new LockRequest(this.session, booked(terms.booker, 'lock', this.name, granted, itself), wait)
    } catch (error) {
      if (this.session === undefined) throw error // a borrowed method: no lock, no request
      return new LockRequest(this.session, Promise.reject(error), undefined)
    }
  }

  /**
   * Holds the lock while `fn` runs: released when what it returns has settled, also when it throws. Where the governor encloses
   * automatically, what `fn` waits for belongs to this grant.
   *
   * @returns what `fn` returns; rejected as {@link acquire}, or with what `fn` throws
   */
  with<T>(fn: (grant: Grant) => T | PromiseLike<T>): Promise<T>
  with<T>(options: AcquireOptions | undefined, fn: (grant: Grant) => T | PromiseLike<T>): Promise<T>
  async with<T>(first: unknown, second?: unknown): Promise<T> {
    const [options, fn] = typeof first === 'function' ? [undefined, first] : [first, second]
    callback(fn, 'fn')
    const grant = await this.acquire(options as AcquireOptions | undefined)
    let done = false
    try {
      const result = await callEnclosed(this.session, grant, fn as (grant: Grant) => T | PromiseLike<T>)
      done = true
      return result
    } finally {
      if (done) grant.success()
      else grant.ignore()
    }
  }

  /** Whether a request without options has nothing to it but the plain terms of this lock. */
  private isQuick(): boolean {
    const session = this.session
    return this.plain && session.open && !(session.encloses && isEnclosed())
  }

  /** A quick acquire of a lock that others of this environment wait for already, or while some wait within a grant. */
  private behind(element: Element): Promise<Grant> | undefined {
    const { cohorts } = this.session
    const terms = this.terms
    if (cohorts.enclosed || (terms.request & RequestBit.Cohort) === 0) return this.acquireSlowly(undefined)
    return cohorts.has(element.index) ? this.joins(element, terms).promise : undefined
  }

  /** What is left of a quick acquire that was not granted at once. */
  private settled(code: number, element: Element): Promise<Grant> {
    try {
      const answer = this.entered(code, element, this.terms, undefined) ?? this.begin(this.terms)
      return answer instanceof Grant ? Promise.resolve(answer) : answer.promise
    } catch (error) {
      return Promise.reject(error)
    }
  }

  private acquireSlowly(options: unknown): Promise<Grant> {
    try {
      const terms = this.read(options)
      const answer = this.begin(terms)
      return booked(terms.booker, 'lock', this.name, answer instanceof Grant ? Promise.resolve(answer) : answer.promise, itself)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** What is left of a quick try that was not granted at once. */
  private tried(code: number, element: Element): Grant | null {
    const answer = this.attempted(code, element, this.terms, undefined, 0)
    return answer === undefined ? this.attempt(this.terms, undefined) : answer
  }

  private tryAcquireSlowly(options: unknown): Grant | null {
    const terms = this.read(options, TRY_KNOWN, 'tryAcquire()')
    const grant = this.attempt(terms, enclosingGrants(this.session, terms.within, terms.booker))
    terms.booker?.book('lock', this.name, 0, grant ?? undefined)
    return grant
  }

  private read(options: unknown, known: readonly string[] = REQUEST_KNOWN, what = 'a request for a lock'): Terms {
    const given = optionsObject(options, 'options')
    if (given === undefined && bookerAround(this.session) === undefined) return this.terms
    if (given !== undefined) onlyKnown(given, known, what)
    return readTerms(given ?? {}, this.terms, this.session)
  }

  private begin(terms: Terms): Grant | Wait {
    if (terms.signal?.aborted) throw terms.signal.reason
    const enclosing = enclosingGrants(this.session, terms.within, terms.booker)
    if (terms.timeout !== 0) return this.enter(terms, enclosing, 0)
    const grant = this.attempt(terms, enclosing)
    if (grant === null) throw timedOut(this.name, 0)
    return grant
  }

  private attempt(terms: Terms, enclosing: readonly Grant[] | undefined): Grant | null {
    const session = this.session
    session.mustBeOpen(this.name)
    if (this.twin !== undefined) return this.grantDry(this.twin, terms, enclosing, 'refusals')
    // A ttl counts from the grant; a time before it will do, since it only tells an end by ttl from a theft.
    const arrival = terms.ttl > 0 ? session.binding.now() : 0
    for (let lookups = 0; lookups < LOOKUPS_MAX; lookups++) {
      const element = this.element ?? this.find()
      if ((terms.request & RequestBit.Steal) !== 0) session.cohorts.dissolve(element.index)
      writeRequest(session.scratch, element, terms)
      writeNames(session.scratch, terms.names)
      session.tryLock()
      const answer = this.attempted(session.scratch[At.OutCode], element, terms, enclosing, arrival)
      if (answer !== undefined) return answer
    }
    throw this.neverFound()
  }

  private enter(terms: Terms, enclosing: readonly Grant[] | undefined, arrival: number): Grant | Wait {
    const session = this.session
    session.mustBeOpen(this.name)
    if (this.twin !== undefined) return this.grantDry(this.twin, terms, enclosing, 'waits')
    const { scratch, cohorts } = session
    const plain = (terms.request & RequestBit.Cohort) !== 0 && arrival === 0 && enclosing === undefined && !cohorts.enclosed
    if (enclosing !== undefined) cohorts.dissolveAll()
    for (let lookups = 0; lookups < LOOKUPS_MAX; lookups++) {
      const element = this.element ?? this.find()
      if (cohorts.active !== 0 && cohorts.has(element.index)) {
        if (plain) return this.joins(element, terms)
        cohorts.dissolve(element.index)
      }
      writeRequest(scratch, element, terms)
      if (!plain) scratch[At.Request] &= ~RequestBit.Cohort
      writeNames(scratch, terms.names)
      writeWait(session, terms, arrival)
      if (enclosing !== undefined) grants.writeEnclosing(enclosing, scratch)
      session.lock()
      const answer = this.entered(scratch[At.OutCode], element, terms, enclosing)
      if (answer !== undefined) return answer
    }
    throw this.neverFound()
  }

  /** Really, if that can be at once; else alone, so that the grant is all that a grant is and stands in nobody's way. */
  private grantDry(twin: Lock, terms: Terms, enclosing: readonly Grant[] | undefined, otherwise: WouldBe): Grant {
    const { session, name } = this
    const granted = twin.attempt(terms, enclosing)
    countDry(session, 'lock', name, granted === null ? otherwise : 'grants')
    if (granted !== null) return granted
    const alone = new Lock(session, name, undefined, lonePlace(name)).attempt(terms, enclosing)
    if (alone === null) throw new CorruptError(`lock ${quote(name)}: a name that nobody else knows is held`, {})
    return alone
  }

  /** Reads the answer of tryLock. Undefined: the element was recycled, and the name is to be looked up again. */
  private attempted(
    code: number,
    element: Element,
    terms: Terms,
    enclosing: readonly Grant[] | undefined,
    arrival: number
  ): Grant | null | undefined {
    if (code === Code.Ok) return this.granted(element, terms, enclosing, arrival)
    this.session.waiting.settle()
    if (code === Code.Busy) {
      if (refusalChannel.hasSubscribers) traceRefusal(element, terms, 'busy', 0)
      return null
    }
    return this.recycled(code)
  }

  /** Reads the answer of lock. Undefined: as above. */
  private entered(code: number, element: Element, terms: Terms, enclosing: readonly Grant[] | undefined): Grant | Wait | undefined {
    const arrival = this.session.times[Time.Arrival]
    if (code === Code.Ok) return this.granted(element, terms, enclosing, arrival)
    if (code === Code.Wait) return this.waits(element, terms, enclosing, arrival)
    if (code === Code.Own) return this.joins(element, terms)
    this.session.waiting.settle()
    return this.recycled(code)
  }

  private granted(element: Element, terms: Terms, enclosing: readonly Grant[] | undefined, arrival: number): Grant {
    const { scratch, waiting } = this.session
    const grant = takeGrant(scratch, element, terms, enclosing)
    waiting.settle()
    // The addon rings other environments of what was taken from them; whether it was taken from this one is ours to ask.
    if ((terms.request & RequestBit.Steal) !== 0) queueMicrotask(() => waiting.drain())
    if (terms.ttl > 0) grants.endsAfter(grant, arrival + terms.ttl * NS_PER_MS)
    return grant
  }

  private waits(element: Element, terms: Terms, enclosing: readonly Grant[] | undefined, arrival: number): Wait {
    const { scratch, waiting } = this.session
    const wait = new Wait(element, scratch[At.OutWaiter], terms, enclosing, arrival)
    waiting.settle()
    if (terms.signal !== undefined) wait.listen(terms.signal)
    return wait
  }

  /** Waits behind a grant of this very environment, as long as nobody else does. */
  private joins(element: Element, terms: Terms): Wait {
    const { cohorts } = this.session
    const wait = new Wait(element, IN_COHORT, terms, undefined, cohorts.time())
    cohorts.add(element.index, wait)
    if (terms.signal !== undefined) wait.listen(terms.signal)
    return wait
  }

  private recycled(code: number): undefined {
    if (code !== Code.Stale) throw this.session.failure(code, this.name)
    this.element = undefined
    return undefined
  }

  private find(): Element {
    this.element = findElement(this.session, this.name, Kind.Lock, this.place)
    return this.element
  }

  private neverFound(): CorruptError {
    return new CorruptError(`lock ${quote(this.name)} was recycled ${LOOKUPS_MAX} times while it was looked up`, {})
  }

  static {
    locks = {
      isLock: (value): value is Lock => value instanceof Lock && 'session' in value,
      sessionOf: lock => lock.session,
      defaultsOf: lock => lock.terms,
      shadowOf: (lock, ask) => lockShadow(lock.session, lock.name, ask, (lock.twin ?? lock).place),
      plainly: lock => (lock.plain && (lock.terms.request & RequestBit.Shared) === 0 ? lock.element : undefined),
      attempt: (lock, terms, enclosing) => lock.attempt(terms, enclosing),
      enter: (lock, terms, enclosing, arrival) => lock.enter(terms, enclosing, arrival)
    }
  }
}
