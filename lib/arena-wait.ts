import { AbortHub } from './abort-hub.js'
import { CorruptError, ExceedsError, type ForelockError, TimeoutError } from './errors/index.js'
import { At, Outcome } from './native/binding.js'
import { closed, corrupt, quote, retired } from './native/codes.js'
import type { Waiter } from './native/waiting.js'
import type { Session } from './session.js'
import { NS_PER_MS } from './units.js'

const NOT_WAITING = -1

/** What is waited for: a bucket's tokens, a pool's units, a queue's record or room in it. */
export interface Awaited<T> {
  /** as messages call it, with its name: `bucket "a"` */
  readonly label: string
  readonly name: string
  /** what was asked for, for an error's facts */
  readonly asked: unknown
  /** Makes what the promise is resolved with of the addon's answer; it may throw. */
  granted(waiter: number, seqLow: number, grantWord: number): T
  /** Gives it back: its governor is closing, and nobody would hold it. Without: what was granted is done with. */
  undo?(value: T): void
}

/** A request that waits in the arena for something other than a lock, and its promise. */
export class ArenaWait<T> implements Waiter {
  readonly promise: Promise<T>
  next: object | undefined = undefined
  private resolve!: (value: T) => void
  private reject!: (reason: unknown) => void
  private hub: AbortHub | undefined = undefined
  private outcome = -1
  private seqLow = 0
  private grantWord = 0

  constructor(
    private readonly session: Session,
    private id: number,
    private readonly awaited: Awaited<T>,
    /** ns on the arena clock */
    private readonly arrival: number
  ) {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    session.queued++
    session.waiting.add(id, this)
  }

  get owner(): object {
    return this.session
  }

  note(outcome: number, seqLow: number, grantWord: number): void {
    this.outcome = outcome
    this.seqLow = seqLow
    this.grantWord = grantWord
  }

  finish(): void {
    const { id } = this
    this.end()
    if (this.outcome === Outcome.Granted) this.take(id)
    else this.reject(this.failure())
    this.session.progress?.()
  }

  close(): void {
    this.cancel(closed(this.awaited.name))
  }

  /** Ends the wait with this reason; false when it had ended, or its end is under way. */
  cancel(reason: unknown): boolean {
    const { id, session } = this
    if (id === NOT_WAITING || !session.waiting.remove(id, this)) return false
    this.end()
    session.scratch[At.Waiter] = id
    // Whatever it answers, closed or damaged: this wait has ended, for the reason given.
    session.binding.abort()
    session.waiting.settle()
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
    const { id, session } = this
    if (id === NOT_WAITING) return false
    session.scratch[At.Waiter] = id
    session.scratch[At.Tier] = tier
    const code = session.binding.upgrade()
    session.waiting.settle()
    session.check(code, this.awaited.name)
    return code === 0
  }

  private take(id: number): void {
    try {
      const { awaited, session } = this
      const value = awaited.granted(id, this.seqLow, this.grantWord)
      if (session.givingBack === undefined || awaited.undo === undefined) this.resolve(value)
      else session.givingBack.push(() => this.giveBack(value))
    } catch (error) {
      // Others of the same batch are yet to be settled.
      this.reject(error)
    }
  }

  /** Granted by the end of another wait of a governor that is closing: nobody would hold it. */
  private giveBack(value: T): void {
    try {
      this.awaited.undo?.(value)
      this.reject(closed(this.awaited.name))
    } catch (error) {
      this.reject(error)
    }
  }

  private end(): void {
    this.id = NOT_WAITING
    this.session.queued--
    this.hub?.delete(this)
    this.hub = undefined
  }

  private failure(): ForelockError {
    const { label, name, asked } = this.awaited
    switch (this.outcome) {
      case Outcome.TimedOut:
        return ranOut(label, name, Math.max(0, (this.session.binding.now() - this.arrival) / NS_PER_MS))
      case Outcome.Never:
        return exceeds(label, name, asked)
      case Outcome.Corrupt:
        return corrupt(name)
      case Outcome.Retired:
        return retired()
      default:
        return new CorruptError(`the addon ended a wait with ${this.outcome}, which no version of forelock does`, {})
    }
  }
}

export function ranOut(label: string, resource: string, waitedMs: number): TimeoutError {
  return new TimeoutError(`${label} did not grant the request within ${Math.round(waitedMs)} ms`, { resource, waitedMs })
}

export function exceeds(label: string, resource: string, asked: unknown): ExceedsError {
  return new ExceedsError(`${label} can never give ${beyond(asked)}`, { resource, asked })
}

/** What was asked for, and which limits it is beyond one of. */
function beyond(asked: unknown): string {
  if (typeof asked !== 'object' || asked === null) return `${String(asked)}: at most its burst, and that of each bucket above it`
  const amounts = Object.entries(asked).filter(([, amount]) => amount !== 0)
  const units = amounts.map(([dimension, amount]) => `${dimension} ${amount}`).join(', ')
  return `${units}: at most its capacity without the floors of other tiers, and the ceiling of the tier`
}

/** A kind of thing and its name, as messages have it. */
export function labelled(kind: string, name: string): string {
  return `${kind} ${quote(name)}`
}
