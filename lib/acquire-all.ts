import { Acquisition, type Part } from './acquisition.js'
import { onlyKnown, optionsObject, refuse } from './checks.js'
import { enclosingGrants } from './enclosing.js'
import { ArgumentError } from './errors/index.js'
import { Grant, grants } from './grant.js'
import { GrantSet } from './grant-set.js'
import { type Lock, locks } from './lock.js'
import { quote } from './native/codes.js'
import type { Session } from './session.js'
import { type AcquireOptions, REQUEST_KNOWN, readTerms, type Terms, type TryOptions } from './terms.js'
import { timedOut } from './wait.js'

/** What one lock of several is asked for. */
export type PartOptions = Pick<TryOptions, 'mode' | 'tier' | 'ttl'>

/** A lock, or a lock with what is to be different about it. */
export type LockPart = Lock | readonly [lock: Lock, options?: PartOptions]

/** Options for all locks together; `waitTimeout` and `signal` are of the whole. */
export type AcquireAllOptions = Omit<AcquireOptions, 'steal'>

/** A lock among several things that are wanted together. */
export class LockWanted implements Part<Grant> {
  constructor(
    readonly lock: Lock,
    readonly terms: Terms
  ) {}

  attempt(enclosing: readonly Grant[]): Grant | undefined {
    return locks.attempt(this.lock, this.terms, enclosing) ?? undefined
  }

  async wait(enclosing: readonly Grant[], timeout: number, arrival: number): Promise<Grant> {
    const answer = locks.enter(this.lock, { ...this.terms, timeout }, enclosing, arrival)
    return answer instanceof Grant ? answer : answer.promise
  }

  giveBack(grant: Grant): void {
    grant.ignore()
  }

  holds(grant: Grant): boolean {
    return grants.holds(grant)
  }

  grantOf(grant: Grant): Grant {
    return grant
  }

  timedOut(waitedMs: number): Error {
    return timedOut(this.lock.name, waitedMs)
  }
}

/** Takes several locks, all or nothing: see {@link Acquisition}. The one order for all is that of the names. */
export async function acquireAll(session: Session, list: unknown, options: unknown): Promise<GrantSet> {
  session.mustBeOpen()
  const parts = readLocks(session, list, readOptions(options))
  const signal = parts[0]?.terms.signal
  if (signal?.aborted) throw signal.reason
  if (parts.length === 0) return new GrantSet([])
  const timeout = Math.min(...parts.map(part => part.terms.timeout))
  const booker = parts[0]?.terms.booker
  const enclosing = enclosingGrants(session, parts[0]?.terms.within, booker) ?? []
  const began = performance.now()
  const held = await new Acquisition(session, parts, byName(parts), { timeout, signal, enclosing }).run()
  // The wait was one for all of them.
  parts.forEach(({ lock }, position) => {
    booker?.book('lock', lock.name, position === 0 ? performance.now() - began : 0, held[position] as Grant)
  })
  return new GrantSet(held)
}

/** Positions of the locks in the order of their names. */
export function byName(parts: readonly LockWanted[]): number[] {
  const name = (position: number) => (parts[position] as LockWanted).lock.name
  return [...parts.keys()].sort((a, b) => (name(a) < name(b) ? -1 : 1))
}

const PART_KNOWN = ['mode', 'tier', 'ttl'] as const
const ALL_KNOWN = REQUEST_KNOWN.filter(known => known !== 'steal')

/** A copy, so that each property is read once however many locks there are. */
function readOptions(options: unknown): AcquireAllOptions {
  const given = optionsObject(options, 'options') ?? {}
  onlyKnown(given, ALL_KNOWN, 'acquireAll()')
  const { mode, tier, waitTimeout, ttl, within, workflow, tenant, client, hold, signal } = given as AcquireAllOptions
  return { mode, tier, waitTimeout, ttl, within, workflow, tenant, client, hold, signal }
}

/** @throws ArgumentError, also when a lock is in the list twice */
export function readLocks(session: Session, list: unknown, options: AcquireAllOptions): LockWanted[] {
  if (!Array.isArray(list)) throw refuse('locks', 'an array of locks', list)
  const parts: LockWanted[] = []
  for (let position = 0; position < list.length; position++) parts.push(readPart(session, list[position], position, options))
  const twice = repeated(parts, part => part.lock.name)
  if (twice !== undefined) throw new ArgumentError(`lock ${quote(twice)} is in the list twice`, { option: 'locks', given: twice })
  return parts
}

/** Lists are short as a rule: then comparing is cheaper than a set of names. */
const FEW = 8

/** The first name that two have, from a position on; undefined: none. */
export function repeated<T>(parts: readonly T[], nameOf: (part: T) => string, from = 0): string | undefined {
  if (parts.length - from <= FEW) {
    for (let i = from + 1; i < parts.length; i++) {
      const name = nameOf(parts[i] as T)
      for (let j = from; j < i; j++) if (nameOf(parts[j] as T) === name) return name
    }
    return undefined
  }
  const names = new Set<string>()
  for (let i = from; i < parts.length; i++) {
    const name = nameOf(parts[i] as T)
    if (names.has(name)) return name
    names.add(name)
  }
  return undefined
}

function readPart(session: Session, entry: unknown, position: number, options: AcquireAllOptions): LockWanted {
  const isPair = Array.isArray(entry)
  const lock = isPair ? entry[0] : entry
  if (!locks.isLock(lock)) throw refuse(`locks[${position}]`, 'a lock, or a lock and its options', lock)
  if (locks.sessionOf(lock).binding !== session.binding) {
    throw new ArgumentError(`locks[${position}]: the lock belongs to another arena`, { option: `locks[${position}]`, given: lock })
  }
  const terms = readTerms(options, locks.defaultsOf(lock), session)
  const own = isPair ? (entry[1] as unknown) : undefined
  if (own === undefined) return new LockWanted(lock, terms)
  const option = `locks[${position}][1]`
  const given = optionsObject(own, option) ?? {}
  onlyKnown(given, PART_KNOWN, option)
  const { mode, tier, ttl } = given as PartOptions
  return new LockWanted(lock, readTerms({ mode, tier, ttl }, terms, session))
}
