import { AbortHub } from './abort-hub.js'
import { refuse } from './checks.js'
import { ClosedError, CorruptError, type ForelockError, TimeoutError } from './errors/index.js'
import { At, Outcome } from './native/binding.js'
import { corrupt, quote, retired } from './native/codes.js'
import type { Waiter } from './native/waiting.js'
import type { Session } from './session.js'
import { NS_PER_MS } from './units.js'

/** A consumer that waits for a record, or a producer that waits for room, and its promise. */
export class QueueWait<T> implements Waiter {
  readonly promise: Promise<T>
  next: object | undefined = undefined
  private resolve!: (value: T) => void
  private reject!: (reason: unknown) => void
  private hub: AbortHub | undefined = undefined
  private waits = true
  private outcome = -1
  private seqLow = 0
  private word = 0
  private readonly since: number

  /** `granted` makes of what was granted what the promise resolves with; it may throw. */
  constructor(
    private readonly session: Session,
    private readonly name: string,
    private readonly id: number,
    private readonly granted: (seqLow: number, word: number) => T
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.since = session.binding.now()
    session.queued++
    session.waiting.add(id, this)
  }

  get owner(): object {
    return this.session
  }

  note(outcome: number, seqLow: number, word: number): void {
    this.outcome = outcome
    this.seqLow = seqLow
    this.word = word
  }

  finish(): void {
    this.end()
    try {
      if (this.outcome === Outcome.Granted) this.resolve(this.granted(this.seqLow, this.word))
      else this.reject(this.failure())
    } catch (error) {
      this.reject(error)
    }
    this.session.progress?.()
  }

  close(): void {
    this.cancel(queueClosed(this.name))
  }

  /** Ends the wait with this reason; false when it had ended, or its end is under way. */
  cancel(reason: unknown): boolean {
    const { id, session } = this
    if (!this.waits || !session.waiting.remove(id, this)) return false
    this.end()
    session.scratch[At.Waiter] = id
    // Whatever it answers, closed or damaged: this wait has ended, for the reason given.
    session.binding.abort()
    session.waiting.settle()
    this.reject(reason)
    session.progress?.()
    return true
  }

  /** Lets the signal end the wait. */
  listen(signal: AbortSignal): void {
    if (!this.waits) return
    const hub = AbortHub.of(signal)
    try {
      hub.add(this)
      this.hub = hub
    } catch {
      this.cancel(refuse('signal', 'an AbortSignal', signal))
    }
  }

  private end(): void {
    this.waits = false
    this.session.queued--
    this.hub?.delete(this)
    this.hub = undefined
  }

  private failure(): ForelockError {
    switch (this.outcome) {
      case Outcome.TimedOut:
        return queueTimedOut(this.name, Math.max(0, (this.session.binding.now() - this.since) / NS_PER_MS))
      case Outcome.Corrupt:
        return corrupt(this.name)
      case Outcome.Retired:
        return retired()
      default:
        return new CorruptError(`the addon ended a wait with ${this.outcome}, which no version of forelock does`, {})
    }
  }
}

export function queueTimedOut(resource: string, waitedMs: number): TimeoutError {
  return new TimeoutError(`queue ${quote(resource)} had nothing for this request within ${Math.round(waitedMs)} ms`, { resource, waitedMs })
}

export function queueClosed(resource: string): ClosedError {
  return new ClosedError(`queue ${quote(resource)}: the governor is closed`, { resource })
}
