import type { Session } from '../session.js'
import type { PastRun } from './course.js'
import { pinball } from './estimates.js'
import type { ForecastPoint, Quantiles90, RunForecast } from './forecast.js'
import type { Running } from './running.js'

/** What was said of a run at one point, and what it did then. */
export interface PredictedPoint extends Pick<ForecastPoint, 'over' | 'between' | 'actions'> {
  /** ms since the Unix epoch that it is about */
  readonly due: number
  /** names of the actions that it was in; none: it was between them, or over */
  readonly came: readonly string[]
  readonly cameOver: boolean
}

/** What a forecast or a replica said of a run, with what came; told when the run is over. */
export interface Prediction {
  /** unique on the host */
  readonly id: string
  /** ms since the Unix epoch */
  readonly made: number
  /** id of the run */
  readonly run: string
  readonly workflow: string
  readonly tenant: string | undefined
  readonly points: readonly PredictedPoint[]
  /** ms from `made` until it would be over; undefined: nothing was known */
  readonly remaining: Quantiles90 | undefined
  /** ms after which it was over */
  readonly cameAfter: number
  readonly score: PredictionScore
}

/** Each 0 at best. */
export interface PredictionScore {
  /** squared error of the probabilities of each action, of being in none and of being over, added up (Brier, 1950); the mean over the points */
  readonly brier: number
  /** pinball loss in ms of the quantiles of the remaining time (Koenker and Bassett, 1978) */
  readonly remaining: Quantiles90 | undefined
}

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

/** It was said of a run, so many ms after its beginning. */
export function note(session: Session, run: Running, elapsed: number, forecast: Said['forecast']): void {
  if ((listeners.get(session)?.size ?? 0) === 0) return
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
