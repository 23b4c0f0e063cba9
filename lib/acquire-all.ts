import { optionsObject, refuse } from './checks.js'
import { enclosingGrants } from './enclosing.js'
import { ArgumentError, DeadlockError, TimeoutError } from './errors/index.js'
import { ENCLOSING_MAX, Grant } from './grant.js'
import { allHold, GrantSet } from './grant-set.js'
import { type Lock, locks } from './lock.js'
import { quote } from './native/codes.js'
import type { Session } from './session.js'
import { type AcquireOptions, readTerms, type Terms, type TryOptions } from './terms.js'
import { NS_PER_MS } from './units.js'
import { timedOut } from './wait.js'

/** What one lock of several is asked for. */
export type PartOptions = Pick<TryOptions, 'mode' | 'tier' | 'ttl'>

/** A lock, or a lock with what is to be different about it. */
export type LockPart = Lock | readonly [lock: Lock, options?: PartOptions]

/** Options for all locks together; `waitTimeout` and `signal` are of the whole. */
export type AcquireAllOptions = Omit<AcquireOptions, 'steal'>

interface Part {
  readonly lock: Lock
  readonly terms: Terms
  readonly position: number
}

/** Rounds of waiting with empty hands, then the locks are taken one after the other and kept. */
const ROUNDS_MAX = 8

/**
 * With more locks in hand than the arena keeps as enclosing a wait, it cannot see every cycle. So such a wait is cut short
 * after this time, and what is held given back.
 */
const BLIND_WAIT_MS = 1000

/**
 * Takes several locks, all or nothing. It waits with empty hands, in the queue of the lock that refused, counting from its first
 * arrival: so it can be in no cycle, and it does not lose its place. Under contention that may never find all locks
 * free; so after some rounds, or when aged, it takes them in one global order and keeps what it has. If that meets somebody
 * who orders differently, the arena finds the cycle, it gives everything back and starts over, older than before.
 */
export async function acquireAll(session: Session, list: unknown, options: unknown): Promise<GrantSet> {
  const parts = readParts(session, list, readOptions(options))
  if (parts.length === 0) return new GrantSet([])
  return new Acquisition(session, parts).run()
}

class Acquisition {
  private readonly held: (Grant | undefined)[]
  private readonly ordered: readonly Part[]
  private readonly enclosing: readonly Grant[]
  private readonly arrival: number
  private readonly deadline: number
  private rounds = 0

  constructor(
    private readonly session: Session,
    private readonly parts: readonly Part[]
  ) {
    const timeout = Math.min(...parts.map(part => part.terms.timeout))
    this.held = parts.map(() => undefined)
    this.ordered = [...parts].sort((a, b) => (a.lock.name < b.lock.name ? -1 : 1))
    this.enclosing = enclosingGrants(session, parts[0]?.terms.within) ?? []
    this.arrival = session.binding.now()
    this.deadline = this.arrival + timeout * NS_PER_MS
  }

  async run(): Promise<GrantSet> {
    try {
      let refusing = this.tryRest()
      while (refusing !== undefined) refusing = await this.round(refusing)
      return new GrantSet(this.grants())
    } catch (error) {
      this.giveBack()
      throw error
    }
  }

  /** Waits for the lock that refused, with empty hands; goes on to the rest; then, if it is time, in order. Undefined: all are held. */
  private async round(refusing: Part): Promise<Part | undefined> {
    this.rounds++
    this.held[refusing.position] = await this.wait(refusing, this.enclosing, Number.POSITIVE_INFINITY)
    const next = this.tryRest()
    return next !== undefined && this.isTimeForOrder() ? this.takeInOrder() : next
  }

  private isTimeForOrder(): boolean {
    const { binding } = this.session
    const aged = binding.ageingMs > 0 && binding.now() - this.arrival > binding.ageingMs * NS_PER_MS
    return aged || this.rounds > ROUNDS_MAX
  }

  /** Takes what is not held yet without waiting; at a refusal gives everything back and names who refused. */
  private tryRest(): Part | undefined {
    for (const part of this.parts) {
      if (this.held[part.position] !== undefined) continue
      const grant = locks.attempt(part.lock, part.terms, this.enclosing)
      if (grant === null) {
        this.giveBack()
        return part
      }
      this.held[part.position] = grant
    }
    return undefined
  }

  /** Takes all in the order of their names, keeping what it has. Gives everything back and names where it met a cycle. */
  private async takeInOrder(): Promise<Part | undefined> {
    for (const part of this.ordered) {
      const inHand = this.grants()
      const enclosing = [...inHand, ...this.enclosing]
      try {
        this.held[part.position] = await this.wait(
          part,
          enclosing,
          enclosing.length > ENCLOSING_MAX ? BLIND_WAIT_MS : Number.POSITIVE_INFINITY
        )
      } catch (error) {
        // With empty hands the cycle is of the caller's own making, and giving back would not end it.
        if (inHand.length === 0 || !this.canStartOver(error)) throw error
        this.giveBack()
        return part
      }
    }
    if (allHold(this.grants())) return undefined
    // One of them was lost (by ttl or theft) while others were waited for.
    this.giveBack()
    return this.parts[0]
  }

  private canStartOver(error: unknown): boolean {
    if (error instanceof DeadlockError) return true
    return error instanceof TimeoutError && this.session.binding.now() < this.deadline
  }

  private async wait(part: Part, enclosing: readonly Grant[], limit: number): Promise<Grant> {
    const { terms, lock } = part
    if (terms.signal?.aborted) throw terms.signal.reason
    const now = this.session.binding.now()
    const left = (this.deadline - now) / NS_PER_MS
    if (left <= 0) throw timedOut(lock.name, (now - this.arrival) / NS_PER_MS)
    const answer = locks.enter(lock, { ...terms, timeout: Math.min(left, limit) }, enclosing, this.arrival)
    return answer instanceof Grant ? answer : answer.promise
  }

  private grants(): Grant[] {
    return this.held.filter(grant => grant !== undefined) as Grant[]
  }

  private giveBack(): void {
    const grants = this.grants()
    this.held.fill(undefined)
    new GrantSet(grants).ignore()
  }
}

/** A copy, so that each property is read once however many locks there are. */
function readOptions(options: unknown): AcquireAllOptions {
  const { mode, tier, waitTimeout, ttl, within, signal } = (optionsObject(options, 'options') ?? {}) as AcquireAllOptions
  return { mode, tier, waitTimeout, ttl, within, signal }
}

function readParts(session: Session, list: unknown, options: AcquireAllOptions): Part[] {
  session.mustBeOpen()
  if (!Array.isArray(list)) throw refuse('locks', 'an array of locks', list)
  const parts = Array.from(list as unknown[], (entry, position) => readPart(session, entry, position, options))
  const names = new Set<string>()
  for (const { lock } of parts) {
    if (names.has(lock.name))
      throw new ArgumentError(`lock ${quote(lock.name)} is in the list twice`, { option: 'locks', given: lock.name })
    names.add(lock.name)
  }
  const signal = parts[0]?.terms.signal
  if (signal?.aborted) throw signal.reason
  return parts
}

function readPart(session: Session, entry: unknown, position: number, options: AcquireAllOptions): Part {
  const [lock, own] = Array.isArray(entry) ? entry : [entry, undefined]
  const option = `locks[${position}]`
  if (!locks.isLock(lock)) throw refuse(option, 'a lock, or a lock and its options', lock)
  if (locks.sessionOf(lock).binding !== session.binding) {
    throw new ArgumentError(`${option}: the lock belongs to another arena`, { option, given: lock })
  }
  const terms = readTerms(options, locks.defaultsOf(lock), session)
  const { mode, tier, ttl } = (optionsObject(own, `${option}[1]`) ?? {}) as PartOptions
  return { lock, terms: readTerms({ mode, tier, ttl }, terms, session), position }
}
