import type { Ending } from '../ends.js'
import { Outcome } from '../native/binding.js'
import type { Waiter } from '../native/waiting.js'
import type { Thing } from './thing.js'
import type { TraceRequest } from './trace.js'

/** In place of a waiter: what is held is known by its sequence alone. */
const NOBODY = -1

/** Who asks, in the numbers of the addon. */
export interface Asking {
  /** index */
  readonly tier: number
  readonly workflow: number
  readonly tenant: number
}

/** Who is told of the end of a wait. */
export interface Landing {
  /** as the table of waiters has it */
  readonly session: object
  land(flight: Flight): void
  forget(flight: Flight): void
}

/**
 * One request on its way. It is its own entry in the table of those who wait, in place of a promise: a replay goes on when it knows what came of
 * a call, and there is nobody else whom it could keep waiting.
 */
export class Flight implements Waiter, Ending {
  next: object | undefined = undefined
  /** ns */
  ends = 0
  /** what is held, as the addon knows it; while it waits, the waiter */
  waiter = NOBODY
  seqLow = 0
  grantWord = 0
  /** how the wait ended */
  outcome: Outcome = Outcome.Granted

  constructor(
    private readonly landing: Landing,
    readonly request: TraceRequest,
    readonly thing: Thing,
    /** of two that end at once the one with the smaller number ends first */
    readonly number: number,
    readonly asking: Asking,
    /** ns, of this try */
    public asked: number,
    /** what is asked for in this try */
    public amounts: readonly number[]
  ) {}

  /** index */
  get tier(): number {
    return this.asking.tier
  }

  get owner(): object {
    return this.landing.session
  }

  note(outcome: number, seqLow: number, grantWord: number): void {
    this.outcome = outcome
    this.seqLow = seqLow
    this.grantWord = grantWord
    // An exclusive grant is its environment's, not its waiter's.
    if (this.thing.kind === 'lock' && !this.request.shared) this.waiter = NOBODY
  }

  finish(): void {
    this.landing.land(this)
  }

  close(): void {
    this.landing.forget(this)
  }
}
