import { AsyncLocalStorage } from 'node:async_hooks'
import type { Booker } from './booker.js'
import { ENCLOSING_MAX, type Grant, grants } from './grant.js'
import type { Session } from './session.js'

/** What runs around the present code. */
interface Around {
  /** the grants whose callbacks do, nearest first */
  readonly grants: readonly Grant[]
  /** the run of a workflow that does */
  readonly booker: Booker | undefined
}

/**
 * What runs around the present code. Undefined until a governor asks for it: on Node 20 the first
 * use of any AsyncLocalStorage more than doubles the cost of every await in the process, for good (55 → 127 ns on 2 vCPU of an
 * AMD EPYC); from Node 24 on it costs nothing.
 */
let storage: AsyncLocalStorage<Around> | undefined

/** Whether `with` encloses what its callback asks for, where the user does not say. Web Locks never do: their specification
 * lets a deadlock be, and a callback may ask for its own lock without waiting for it. */
export const ENCLOSES_BY_DEFAULT = Number.parseInt(process.versions.node, 10) >= 24

export function enableEnclosing(): void {
  storage ??= new AsyncLocalStorage()
}

/** Whether the present code runs in a callback with a grant, or in a run. */
export function isEnclosed(): boolean {
  return storage !== undefined && storage.getStore() !== undefined
}

/** Calls back with the grant; what the callback waits for belongs to the grant, where the governor is set so. */
export function callEnclosed<T>(session: Session, grant: Grant, fn: (grant: Grant) => T): T {
  if (!session.encloses || storage === undefined) return fn(grant)
  return storage.run({ grants: [grant, ...(grants.enclosingOf(grant) ?? [])], booker: storage.getStore()?.booker }, fn, grant)
}

/** Calls back; what the callback asks for is booked to the run, where the governor is set so. */
export function callBooked<T>(booker: Booker, fn: () => T): T {
  if (!booker.session.encloses || storage === undefined) return fn()
  return storage.run({ grants: storage.getStore()?.grants ?? [], booker }, fn)
}

/** The run that the present code is part of, if it is of this arena. */
export function bookerAround(session: Session): Booker | undefined {
  const booker = session.encloses ? storage?.getStore()?.booker : undefined
  return booker?.session.binding === session.binding ? booker : undefined
}

/** The grants that a request made now belongs to: those named, those around, those of its run, and those that they belong to themselves. */
export function enclosingGrants(
  session: Session,
  within: readonly Grant[] | undefined,
  booker: Booker | undefined
): readonly Grant[] | undefined {
  const around = session.encloses ? storage?.getStore()?.grants : undefined
  if (within === undefined && around === undefined && booker === undefined) return undefined
  const found = new Set<Grant>()
  for (const grant of within ?? []) collect(grant, found)
  for (const grant of around ?? []) collect(grant, found)
  for (const grant of booker?.heldGrants() ?? []) collect(grant, found)
  const mine = [...found].filter(grant => grants.elementOf(grant).session.binding === session.binding)
  return mine.length === 0 ? undefined : mine.slice(0, ENCLOSING_MAX)
}

function collect(grant: Grant, found: Set<Grant>): void {
  if (grant.ended) return
  found.add(grant)
  for (const outer of grants.enclosingOf(grant) ?? []) if (!outer.ended) found.add(outer)
}
