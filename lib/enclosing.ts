import { AsyncLocalStorage } from 'node:async_hooks'
import { ENCLOSING_MAX, type Grant, grants } from './grant.js'
import type { Session } from './session.js'

/**
 * The grants whose callbacks run around the present code, nearest first. Undefined until a governor asks for it: on Node 20 the first
 * use of any AsyncLocalStorage more than doubles the cost of every await in the process, for good (55 → 127 ns on 2 vCPU of an
 * AMD EPYC); from Node 24 on it costs nothing.
 */
let storage: AsyncLocalStorage<readonly Grant[]> | undefined

/** Whether `with` encloses what its callback asks for, where the user does not say. Web Locks never do: their specification
 * lets a deadlock be, and a callback may ask for its own lock without waiting for it. */
export const ENCLOSES_BY_DEFAULT = Number.parseInt(process.versions.node, 10) >= 24

export function enableEnclosing(): void {
  storage ??= new AsyncLocalStorage()
}

/** Whether the present code runs in a callback with a grant. */
export function isEnclosed(): boolean {
  return storage !== undefined && storage.getStore() !== undefined
}

/** Calls back with the grant; what the callback waits for belongs to the grant, where the governor is set so. */
export function callEnclosed<T>(session: Session, grant: Grant, fn: (grant: Grant) => T): T {
  if (!session.encloses || storage === undefined) return fn(grant)
  return storage.run([grant, ...(grants.enclosingOf(grant) ?? [])], fn, grant)
}

/** The grants that a request made now belongs to: those named, those around, and those that they belong to themselves. */
export function enclosingGrants(session: Session, within: readonly Grant[] | undefined): readonly Grant[] | undefined {
  const around = session.encloses ? storage?.getStore() : undefined
  if (within === undefined && around === undefined) return undefined
  const found = new Set<Grant>()
  for (const grant of within ?? []) collect(grant, found)
  for (const grant of around ?? []) collect(grant, found)
  const mine = [...found].filter(grant => grants.elementOf(grant).session.binding === session.binding)
  return mine.length === 0 ? undefined : mine.slice(0, ENCLOSING_MAX)
}

function collect(grant: Grant, found: Set<Grant>): void {
  if (grant.ended) return
  found.add(grant)
  for (const outer of grants.enclosingOf(grant) ?? []) if (!outer.ended) found.add(outer)
}
