import { flag } from '../checks.js'
import type { Session } from '../session.js'

/** What a rule that runs dry did, or would have done. */
export interface ShadowedRule {
  readonly kind: 'lock' | 'bucket' | 'buckets' | 'pool' | 'semaphore'
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
