import type { Session } from '../session.js'
import type { PastRun } from './course.js'
import { pinball } from './estimates.js'
import type { RunForecast } from './forecast.js'
import type { PredictedPoint, Prediction } from './prediction.js'
import { notePrediction } from './prediction-note.js'
import type { Running } from './running.js'

export type PredictionListener = (prediction: Prediction) => void

interface Said {
  readonly id: string
  readonly made: number
  /** ms from the beginning of the run */
  readonly elapsed: number
  readonly forecast: Pick<RunForecast, 'points' | 'remaining'>
}

/** Of one run; more are not scored. */
const SAID_MAX = 1024
const listeners = new WeakMap<Session, Set<PredictionListener>>()
/** How many asked that they are kept. */
const kept = new WeakMap<Session, number>()
const said = new WeakMap<Running, Said[]>()
let made = 0

/** Calls back with each prediction that comes to be known, until what is returned is called. */
export function listenToPredictions(session: Session, listener: PredictionListener): () => void {
  const all = listeners.get(session) ?? new Set()
  listeners.set(session, all)
  const one: PredictionListener = prediction => listener(prediction)
  all.add(one)
  return () => {
    all.delete(one)
  }
}

/** Leaves a note of each prediction that comes to be known for the recorder of the arena, until what is returned is called. */
export function keepPredictions(session: Session): () => void {
  kept.set(session, (kept.get(session) ?? 0) + 1)
  let ended = false
  return () => {
    if (!ended) kept.set(session, (kept.get(session) ?? 0) - 1)
    ended = true
  }
}

const isKept = (session: Session) => (kept.get(session) ?? 0) > 0

/** It was said of a run, so many ms after its beginning. */
export function note(session: Session, run: Running, elapsed: number, forecast: Said['forecast']): void {
  if ((listeners.get(session)?.size ?? 0) === 0 && !isKept(session)) return
  const all = said.get(run) ?? []
  said.set(run, all)
  if (all.length >= SAID_MAX) return
  made++
  all.push({ id: `${session.binding.client}:p${made}`, made: session.binding.wallClock(session.binding.now()), elapsed, forecast })
}

/** The run is over. */
export function scorePredictions(session: Session, run: Running, record: Pick<PastRun, 'duration' | 'actions'>): void {
  const all = said.get(run)
  if (all === undefined) return
  said.delete(run)
  for (const one of all) {
    const prediction = scored(run, one, record)
    if (isKept(session)) notePrediction(session, prediction)
    // Not from here: one that throws must keep neither the others nor the run from their end.
    for (const listener of listeners.get(session) ?? []) queueMicrotask(() => listener(prediction))
  }
}

function scored(
  { id: run, workflow, tenant }: Running,
  { id, made, elapsed, forecast }: Said,
  record: Pick<PastRun, 'duration' | 'actions'>
): Prediction {
  const { remaining } = forecast
  const points = forecast.points.map(({ in: later, over, between, actions }): PredictedPoint => {
    const at = elapsed + later
    const cameOver = at >= record.duration
    const on = cameOver ? [] : record.actions.filter(({ offset, duration }) => offset <= at && at < offset + duration)
    return { due: made + later, over, between, actions, came: [...new Set(on.map(({ name }) => name))], cameOver }
  })
  const cameAfter = record.duration - elapsed
  const score = {
    brier: points.reduce((sum, point) => sum + brier(point), 0) / Math.max(1, points.length),
    remaining: remaining && {
      p05: pinball(remaining.p05, cameAfter, 0.05),
      p50: pinball(remaining.p50, cameAfter, 0.5),
      p95: pinball(remaining.p95, cameAfter, 0.95)
    }
  }
  return { id, made, run, workflow, tenant, points, remaining, cameAfter, score }
}

function brier({ over, between, actions, came, cameOver }: PredictedPoint): number {
  const error = (probability: number, happened: boolean) => (probability - (happened ? 1 : 0)) ** 2
  const known = new Set(actions.map(({ name }) => name))
  const unknown = came.filter(name => !known.has(name)).length
  const named = actions.reduce((sum, { name, probability }) => sum + error(probability, came.includes(name)), 0)
  return named + unknown + error(over, cameOver) + error(between, !cameOver && came.length === 0)
}
