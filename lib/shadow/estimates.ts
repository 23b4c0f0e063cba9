import type { Session } from '../session.js'
import type { ShadowAdmission, ShadowAnswer } from './answer.js'
import type { Estimate } from './estimate.js'
import { noteEstimate } from './estimate-note.js'

export type EstimateListener = (estimate: Estimate) => void

/** How good an estimate was, each 0 at best. */
export interface EstimateScore {
  /** squared error of the contention (Brier, 1950) */
  readonly brier: number
  /** pinball loss in ms of the quantiles of the wait (Koenker and Bassett, 1978); undefined: there were none */
  readonly p50: number | undefined
  readonly p95: number | undefined
}

const NOBODY: ReadonlySet<EstimateListener> = new Set()
const listeners = new WeakMap<Session, Set<EstimateListener>>()
/** How many asked that they are kept. */
const kept = new WeakMap<Session, number>()
const NAMES_JOINED = ' + '
let made = 0

/** Calls back with each estimate of this governor, until what is returned is called. */
export function listen(session: Session, listener: EstimateListener): () => void {
  const all = listeners.get(session) ?? new Set()
  listeners.set(session, all)
  // A function of its own each time: the same listener may be added twice, and each is taken away by itself.
  const one: EstimateListener = estimate => listener(estimate)
  all.add(one)
  return () => {
    all.delete(one)
  }
}

/** Leaves a note of each estimate of this governor for the recorder of the arena, until what is returned is called. */
export function keep(session: Session): () => void {
  kept.set(session, (kept.get(session) ?? 0) + 1)
  let ended = false
  return () => {
    if (!ended) kept.set(session, (kept.get(session) ?? 0) - 1)
    ended = true
  }
}

export function nextId(session: Session): string {
  made++
  return `${session.binding.client}:${made}`
}

export function tell(session: Session, answer: ShadowAnswer, comes: number): void {
  const { id, kind, name, tier } = answer
  tellOf(session, { id, kind, name, tier }, answer, comes)
}

export function tellAdmission(session: Session, answer: ShadowAdmission, tier: string, comes: number): void {
  const name = answer.parts.map(part => part.name).join(NAMES_JOINED)
  tellOf(session, { id: answer.id, kind: 'admission', name, tier }, answer, comes)
}

function tellOf(
  session: Session,
  about: Pick<Estimate, 'id' | 'kind' | 'name' | 'tier'>,
  { verdict, contention, wait }: Pick<ShadowAnswer, 'verdict' | 'contention' | 'wait'>,
  comes: number
): void {
  const all = listeners.get(session) ?? NOBODY
  const isKept = (kept.get(session) ?? 0) > 0
  if (all.size === 0 && !isKept) return
  const now = session.binding.wallClock(session.binding.now())
  const estimate = { ...about, made: now, due: now + comes, what: 'wait', value: { verdict, contention, ...wait } } as const
  // At once: the record of the request that it is about is not to come before it.
  if (isKept) noteEstimate(session, estimate)
  // Not from here: one that throws must keep neither the others nor the caller from their answer.
  for (const listener of [...all]) queueMicrotask(() => listener(estimate))
}

/**
 * Scores an estimate by what became of the request.
 *
 * @param waitedMs ms from the request to its grant; 0: it was granted at once
 */
export function scoreEstimate({ value }: Estimate, waitedMs: number): EstimateScore {
  const waited = waitedMs > 0 ? 1 : 0
  const { contention, p50, p95 } = value
  return {
    brier: (contention - waited) ** 2,
    p50: p50 === undefined ? undefined : pinball(p50, waitedMs, 0.5),
    p95: p95 === undefined ? undefined : pinball(p95, waitedMs, 0.95)
  }
}

export function pinball(quantile: number, truth: number, share: number): number {
  return truth >= quantile ? share * (truth - quantile) : (1 - share) * (quantile - truth)
}
