import { flag } from '../checks.js'
import type { Session } from '../session.js'

/** What a rule that runs dry did, or would have done. */
export interface ShadowedRule {
  readonly kind: 'lock' | 'bucket' | 'pool' | 'semaphore'
  readonly name: string
  /** granted, as they would have been */
  readonly grants: number
  /** granted, and would have waited */
  readonly waits: number
  /** granted, and would have been refused: at once, or for ever */
  readonly refusals: number
}

export type WouldBe = 'grants' | 'waits' | 'refusals'
type Counts = { -readonly [K in keyof ShadowedRule]: ShadowedRule[K] }

const counted = new WeakMap<Session, Map<string, Counts>>()

// A rule that runs dry has an element of its own, so that nothing it grants is in the way of what is enforced. No name that somebody thinks
// of begins like this.
const DRY = '\u0000shadow\u0000'
const ALONE = '\u0000alone\u0000'
const mine = Math.random().toString(36).slice(2)
let alone = 0

export function dryPlace(name: string): string {
  return DRY + name
}

/** A place that nobody else asks for. */
export function lonePlace(name: string): string {
  alone++
  return `${ALONE}${process.pid}:${mine}:${alone}\u0000${name}`
}

/** Where units go that there are not. */
export function beyondPlace(name: string): string {
  return `${ALONE}\u0000${name}`
}

/** The name by which users know an element, and whether it is one of a rule that runs dry. */
export function nameOfPlace(place: string): { name: string; shadow: boolean } {
  if (place.startsWith(DRY)) return { name: place.slice(DRY.length), shadow: true }
  if (place.startsWith(ALONE)) return { name: place.slice(place.indexOf('\u0000', ALONE.length) + 1), shadow: true }
  return { name: place, shadow: false }
}

/** @throws ArgumentError */
export function runsDry(session: Session, options: object | undefined): boolean {
  const shadow = (options as { shadow?: unknown } | undefined)?.shadow
  return shadow === undefined ? session.shadow : flag(shadow, 'shadow')
}

export function countDry(session: Session, kind: ShadowedRule['kind'], name: string, what: WouldBe): void {
  const all = counted.get(session) ?? new Map<string, Counts>()
  counted.set(session, all)
  const key = `${kind} ${name}`
  const counts = all.get(key) ?? { kind, name, grants: 0, waits: 0, refusals: 0 }
  all.set(key, counts)
  counts[what]++
}

/** Of this governor, since it was opened. */
export function shadowed(session: Session): ShadowedRule[] {
  return [...(counted.get(session)?.values() ?? [])].map(counts => ({ ...counts }))
}
