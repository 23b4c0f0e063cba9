import { AbortHub } from './abort-hub.js'
import type { Element } from './element.js'
import { findElement, LOOKUPS_MAX, writeRequest, writeWait } from './enter.js'
import { CorruptError, DeadlockError, type ForelockError, TimeoutError } from './errors/index.js'
import { Grant, grantBits, grants } from './grant.js'
import { At, Code, Outcome, RequestBit } from './native/binding.js'
import { closed, corrupt, quote, retired } from './native/codes.js'
import type { Mate } from './native/cohorts.js'
import type { Waiter } from './native/waiting.js'
import { type RequestNames, writeNames } from './request-names.js'
import { type Terms, TIER_MASK } from './terms.js'
import { abortChannel, grantChannel, refusalChannel, requestChannel, traceAbort, traceGrant, traceRefusal, traceRequest } from './traces.js'
import { NS_PER_MS } from './units.js'

const NOT_WAITING = -1
/** In place of a waiter's id: it waits behind a grant of its own environment, see native/cohorts.ts. */
export const IN_COHORT = -2

// The functions of the promise that was made last: one executor for all promises, instead of a closure for each.
let resolveLast: (grant: Grant) => void
let rejectLast: (reason: unknown) => void
function executor(resolve: (grant: Grant) => void, reject: (reason: unknown) => void): void {
  resolveLast = resolve
  rejectLast = reject
}

/** How a wait ended, as the addon told it. */
interface Ending {
  readonly outcome: number
  readonly seqLow: number
  readonly grantWord: number
  /** of a deadlock */
  readonly cycle: string
}

const NOT_ENDED: Ending = { outcome: -1, seqLow: 0, grantWord: 0, cycle: '' }

/** A request that waits in the arena, and its promise. Kept small: the garbage collector copies those that wait, twice. */
export class Wait implements Waiter, Mate {
  readonly promise: Promise<Grant>
  next: Mate | undefined = undefined
  private readonly resolve: (grant: Grant) => void
  private readonly reject: (reason: unknown) => void
  private hub: AbortHub | undefined = undefined
  private tier: number
  private ending = NOT_ENDED

  constructor(
    private element: Element,
    private id: number,
    private readonly terms: Terms,
    private readonly enclosing: readonly Grant[] | undefined,
    /** ns on the arena clock */
    readonly arrival: number
  ) {
    this.tier = terms.request & TIER_MASK
    this.promise = new Promise(executor)
    this.resolve = resolveLast
    this.reject = rejectLast
    const { session } = element
    session.queued++
    if (enclosing !== undefined) session.cohorts.enclose(1)
    if (id === IN_COHORT) session.waiting.count()
    else session.waiting.add(id, this)
    if (requestChannel.hasSubscribers) traceRequest(element, terms)
  }

  get owner(): object {
    return this.element.session
  }

  get names(): RequestNames | undefined {
    return this.terms.names
  }

  note(outcome: number, seqLow: number, grantWord: number): void {
    // The addon keeps the cycle until its next drain only; to ask for it leaves the scratch alone.
    const cycle = outcome === Outcome.Deadlock ? this.element.session.binding.cycle(this.id) : ''
    this.ending = { outcome, seqLow, grantWord, cycle }
  }

  finish(): void {
    const { id, ending } = this
    this.end()
    const { outcome, seqLow, grantWord } = ending
    if (outcome === Outcome.Granted) this.give(this.grant(id, seqLow, grantWord))
    else this.refuse(this.failure(ending))
    this.element.session.progress?.()
  }

  close(): void {
    this.cancel(closed(this.element.name))
  }

  /** Ends the wait with this reason; false when it had ended, or its end is under way. */
  cancel(reason: unknown): boolean {
    const { id, element } = this
    const { session } = element
    if (id === NOT_WAITING) return false
    if (id === IN_COHORT) {
      this.leaveCohort()
    } else {
      if (!session.waiting.remove(id, this)) return false
      this.end()
      session.scratch[At.Waiter] = id
      // Whatever it answers, closed or damaged: this wait has ended, for the reason given.
      session.binding.abort()
      session.waiting.settle()
    }
    if (abortChannel.hasSubscribers) traceAbort(element, this.terms, this.waitedMs())
    this.reject(reason)
    session.progress?.()
    return true
  }

  /** Lets the signal end the wait. Apart from the constructor, because a signal's methods may be the user's. */
  listen(signal: AbortSignal): void {
    if (this.id !== NOT_WAITING) this.hub = AbortHub.join(signal, this)
  }

  /** Moves the wait to another tier, by its arrival there; false when it has ended. */
  moveTo(tier: number): boolean {
    const { element } = this
    const { session } = element
    if (this.id === IN_COHORT) session.cohorts.dissolve(element.index)
    const { id } = this
    if (id === NOT_WAITING) return false
    session.scratch[At.Waiter] = id
    session.scratch[At.Tier] = tier
    const code = session.binding.upgrade()
    const moved = code === Code.Ok
    if (moved) this.tier = tier
    session.waiting.settle()
    session.check(code, element.name)
    return moved
  }

  get tierIndex(): number {
    return this.tier
  }

  get inCohort(): boolean {
    return this.id === IN_COHORT
  }

  takeOver(seqLow: number, grantWord: number): void {
    const { session } = this.element
    session.waiting.discount()
    this.end()
    this.give(this.grant(NOT_WAITING, seqLow, grantWord))
    session.progress?.()
  }

  /** The arena may refuse it, for want of room or because it is damaged: then the wait ends so. */
  enterArena(): void {
    const { session, name } = this.element
    const { scratch, waiting } = session
    let grant: Grant | undefined
    let failure: unknown
    try {
      const code = this.queue()
      if (code === Code.Wait) {
        this.id = scratch[At.OutWaiter]
        waiting.add(this.id, this)
      } else if (code === Code.Ok) {
        grant = this.grant(NOT_WAITING, scratch[At.OutSeqLow], scratch[At.OutGrant])
      } else {
        failure = session.failure(code, name)
      }
    } catch (error) {
      failure = error
    }
    waiting.discount()
    if (this.id === IN_COHORT) this.end()
    waiting.settle()
    if (grant !== undefined) this.give(grant)
    else if (failure !== undefined) this.reject(failure)
    session.progress?.()
  }

  /** The answer of the arena. What it waited behind may have been lost, and then the element recycled: it is looked up again. */
  private queue(): number {
    const { session, name } = this.element
    const { scratch } = session
    for (let lookups = 0; ; lookups++) {
      writeRequest(scratch, this.element, this.terms)
      writeNames(scratch, this.terms.names)
      scratch[At.Request] &= ~RequestBit.Cohort
      writeWait(session, this.terms, this.arrival)
      session.lock()
      const code = scratch[At.OutCode]
      if (code !== Code.Stale || lookups === LOOKUPS_MAX) return code
      this.element = findElement(session, name)
    }
  }

  private leaveCohort(): void {
    const { session, index } = this.element
    session.waiting.discount()
    this.end()
    session.cohorts.left(index)
  }

  private end(): void {
    this.id = NOT_WAITING
    const { session } = this.element
    session.queued--
    if (this.enclosing !== undefined) session.cohorts.enclose(-1)
    this.hub?.delete(this)
    this.hub = undefined
  }

  private grant(id: number, seqLow: number, grantWord: number): Grant {
    const { request, ttl } = this.terms
    const shared = request & RequestBit.Shared
    const waiter = shared === 0 ? -1 : id
    const bits = grantBits(this.tier | shared, grantWord)
    const grant = new Grant(this.element, seqLow, waiter, bits, this.enclosing)
    if (ttl > 0) grants.endsAfter(grant, this.arrival + ttl * NS_PER_MS)
    if (grantChannel.hasSubscribers) traceGrant(grant, this.terms.names, this.waitedMs())
    return grant
  }

  private give(grant: Grant): void {
    const { givingBack } = this.element.session
    if (givingBack === undefined) this.resolve(grant)
    else givingBack.push(() => this.giveBack(grant))
  }

  /** Granted while its governor closes, by the end of another of its waits: nobody would hold it. */
  private giveBack(grant: Grant): void {
    try {
      grant.ignore()
      this.reject(closed(this.element.name))
    } catch (error) {
      this.reject(error)
    }
  }

  private refuse(error: ForelockError): void {
    if (refusalChannel.hasSubscribers) traceRefusal(this.element, this.terms, error.code, this.waitedMs())
    this.reject(error)
  }

  private failure({ outcome, cycle }: Ending): ForelockError {
    const resource = this.element.name
    switch (outcome) {
      case Outcome.TimedOut:
        return timedOut(resource, this.waitedMs())
      case Outcome.Deadlock:
        return new DeadlockError(`waiting for lock ${quote(resource)} would be a deadlock: ${cycle}`, {
          resource,
          waitedMs: this.waitedMs(),
          cycle
        })
      case Outcome.Corrupt:
        return corrupt(resource)
      case Outcome.Retired:
        return retired()
      default:
        return new CorruptError(`the addon ended a wait with ${outcome}, which no version of forelock does`, {})
    }
  }

  private waitedMs(): number {
    return Math.max(0, (this.element.session.binding.now() - this.arrival) / NS_PER_MS)
  }
}

export function timedOut(resource: string, waitedMs: number): TimeoutError {
  return new TimeoutError(`lock ${quote(resource)} was not granted within ${Math.round(waitedMs)} ms`, { resource, waitedMs })
}
