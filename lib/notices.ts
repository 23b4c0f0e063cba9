import type { WarmKind } from './plan/warm-planner.js'
import type { Session } from './session.js'

/** It is likely that a tier will ask a pool for more than is free. */
export interface ContentionNotice {
  readonly event: 'contention'
  readonly pool: string
  /** who will ask, by name of the tier */
  readonly tier: string
  /** that they ask for more than is free now */
  readonly probability: number
  /** ms from now within which */
  readonly within: number
  /** units that are kept for them now */
  readonly kept: number
}

/** A plan was written. */
export interface PlanNotice {
  readonly event: 'plan'
  readonly kind: 'hold' | 'reserve' | 'share' | 'escalation' | 'keep' | 'warm'
  /** name of the lock, bucket or pool, or of the workflow that is warmed up; empty for an escalation */
  readonly what: string
  /** for whom: names of the tier, workflow or tenant */
  readonly tier: string | undefined
  readonly who: string | undefined
  readonly amount: number | undefined
  /** ms from now */
  readonly until: number
}

/** Something is likely to be asked for, or a workflow to begin: whoever has to be ready for it may get ready. */
export interface WarmNotice {
  readonly event: 'warm'
  readonly kind: WarmKind
  /** its name */
  readonly what: string
  /** the workflow that is expected to ask for it, or to begin; undefined: anybody */
  readonly who: string | undefined
  readonly probability: number
  /** ms from now until which */
  readonly until: number
}

/** What an agent tells those whom it concerns. */
export type Notice = ContentionNotice | PlanNotice | WarmNotice

const LISTENERS = new WeakMap<Session, Set<(notice: Notice) => void>>()

/** Tells what an agent of this governor says, until what it returns is called. */
export function onNotice(session: Session, listener: (notice: Notice) => void): () => void {
  const listeners = LISTENERS.get(session) ?? new Set()
  LISTENERS.set(session, listeners)
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export function notify(session: Session, notices: readonly Notice[]): void {
  for (const listener of [...(LISTENERS.get(session) ?? [])]) for (const notice of notices) listener(notice)
}
