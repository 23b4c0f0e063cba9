import { DeadlockError, TimeoutError } from './errors/index.js'
import { ENCLOSING_MAX, type Grant } from './grant.js'
import type { Session } from './session.js'
import { NS_PER_MS } from './units.js'

/** One of several things that are wanted together: how to get it, and how to give it back. */
export interface Part<Held> {
  /** Takes it if it is there. */
  attempt(enclosing: readonly Grant[]): Held | undefined
  /** Waits for it, for so many ms, counting from an arrival in ns on the arena clock; in the arena the wait belongs to those grants. */
  wait(enclosing: readonly Grant[], timeout: number, arrival: number): Promise<Held>
  giveBack(held: Held): void
  /** Whether it is still held; it may have been lost while others were waited for. */
  holds(held: Held): boolean
  /** Of a lock, the grant that encloses what is waited for meanwhile. */
  grantOf(held: Held): Grant | undefined
  /** The error of a wait whose time is over before it begins. */
  timedOut(waitedMs: number): Error
}

/** Rounds of waiting with empty hands, then the parts are taken one after the other and kept. */
const ROUNDS_MAX = 8

/**
 * With more locks in hand than the arena keeps as enclosing a wait, it cannot see every cycle. So such a wait is cut short
 * after this time, and what is held given back.
 */
const BLIND_WAIT_MS = 1000

export interface AcquisitionTerms {
  /** of the whole, in ms */
  readonly timeout: number
  readonly signal: AbortSignal | undefined
  /** the grants that all of it belongs to */
  readonly enclosing: readonly Grant[]
}

/**
 * Takes several things, all or nothing. It waits with empty hands, in the queue of the part that refused, counting from its first
 * arrival: so it can be in no cycle, and it does not lose its place. Under contention that may never find all parts
 * free; so after some rounds, or when aged, it takes them in the order in which they are given, which must be one for all who ask, and keeps
 * what it has. If that meets somebody who orders differently, the arena finds the cycle, it gives everything back and starts over, older
 * than before.
 */
export class Acquisition<Held> {
  private readonly held: (Held | undefined)[]
  private readonly arrival: number
  private readonly deadline: number
  private rounds = 0

  /** @param order the positions of the parts in the one order for all */
  constructor(
    private readonly session: Session,
    private readonly parts: readonly Part<Held>[],
    private readonly order: readonly number[],
    private readonly terms: AcquisitionTerms
  ) {
    this.held = parts.map(() => undefined)
    this.arrival = session.binding.now()
    this.deadline = this.arrival + terms.timeout * NS_PER_MS
  }

  async run(): Promise<Held[]> {
    try {
      let refusing = this.tryRest()
      while (refusing !== undefined) refusing = await this.round(refusing)
      return this.held as Held[]
    } catch (error) {
      this.giveBack()
      throw error
    }
  }

  /** Waits for the part that refused, with empty hands; goes on to the rest; then, if it is time, in order. Undefined: all are held. */
  private async round(refusing: number): Promise<number | undefined> {
    this.rounds++
    this.held[refusing] = await this.wait(refusing, this.terms.enclosing, Number.POSITIVE_INFINITY)
    const next = this.tryRest()
    return next !== undefined && this.isTimeForOrder() ? this.takeInOrder() : next
  }

  private isTimeForOrder(): boolean {
    const { binding } = this.session
    const aged = binding.ageingMs > 0 && binding.now() - this.arrival > binding.ageingMs * NS_PER_MS
    return aged || this.rounds > ROUNDS_MAX
  }

  /** Takes what is not held yet without waiting; at a refusal gives everything back and names who refused. */
  private tryRest(): number | undefined {
    for (let position = 0; position < this.parts.length; position++) {
      if (this.held[position] !== undefined) continue
      const held = this.part(position).attempt(this.terms.enclosing)
      if (held === undefined) {
        this.giveBack()
        return position
      }
      this.held[position] = held
    }
    return undefined
  }

  /** Takes all in the one order, keeping what it has. Gives everything back and names where it met a cycle. */
  private async takeInOrder(): Promise<number | undefined> {
    for (const position of this.order) {
      const inHand = this.grants()
      const enclosing = [...inHand, ...this.terms.enclosing]
      try {
        this.held[position] = await this.wait(
          position,
          enclosing,
          enclosing.length > ENCLOSING_MAX ? BLIND_WAIT_MS : Number.POSITIVE_INFINITY
        )
      } catch (error) {
        // With empty hands the cycle is of the caller's own making, and giving back would not end it.
        if (inHand.length === 0 || !this.canStartOver(error)) throw error
        this.giveBack()
        return position
      }
    }
    if (this.parts.every((part, position) => part.holds(this.held[position] as Held))) return undefined
    // One of them was lost (by ttl or theft) while others were waited for.
    this.giveBack()
    return 0
  }

  private canStartOver(error: unknown): boolean {
    if (error instanceof DeadlockError) return true
    return error instanceof TimeoutError && this.session.binding.now() < this.deadline
  }

  private async wait(position: number, enclosing: readonly Grant[], limit: number): Promise<Held> {
    const { signal } = this.terms
    const part = this.part(position)
    if (signal?.aborted) throw signal.reason
    const now = this.session.binding.now()
    const left = (this.deadline - now) / NS_PER_MS
    if (left <= 0) throw part.timedOut((now - this.arrival) / NS_PER_MS)
    return part.wait(enclosing, Math.min(left, limit), this.arrival)
  }

  private part(position: number): Part<Held> {
    return this.parts[position] as Part<Held>
  }

  private grants(): Grant[] {
    return this.held.flatMap((held, position) => (held === undefined ? [] : (this.part(position).grantOf(held) ?? [])))
  }

  /** Gives back what is held, every part of it, whatever one of them says. */
  private giveBack(): void {
    const errors: unknown[] = []
    this.held.forEach((held, position) => {
      if (held === undefined) return
      try {
        this.part(position).giveBack(held)
      } catch (error) {
        errors.push(error)
      }
    })
    this.held.fill(undefined)
    if (errors.length > 0) throw errors[0]
  }
}
