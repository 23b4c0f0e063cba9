import type { Session } from '../session.js'
import { decodeNote, fieldsOf, isText, tellNote } from '../telemetry/json-note.js'
import type { PredictedPoint, Prediction } from './prediction.js'

/** The kind of notes by which predictions reach the recorder, with what came. */
export const PREDICTION_NOTE = 'forelock:prediction'

/** A prediction without its points, of which there may be many: what they were worth together. */
export interface PredictionNote extends Omit<Prediction, 'points'> {
  /** ms since the Unix epoch that the last of them is about */
  readonly due: number
  /** the probability that was given to what came, the mean over the points */
  readonly probability: number
}

/** Tells those who observe the arena; nothing of what has a name too long for a note. */
export function notePrediction(session: Session, { points, ...prediction }: Prediction): void {
  const probability = points.reduce((sum, point) => sum + probabilityOf(point), 0) / Math.max(1, points.length)
  const note: PredictionNote = { ...prediction, due: points.at(-1)?.due ?? prediction.made, probability }
  tellNote(session, PREDICTION_NOTE, note)
}

/** That was given to what came: where several actions went on, their mean. */
function probabilityOf({ over, between, actions, came, cameOver }: PredictedPoint): number {
  if (cameOver) return over
  if (came.length === 0) return between
  const given = came.map(name => actions.find(action => action.name === name)?.probability ?? 0)
  return given.reduce((sum, probability) => sum + probability, 0) / given.length
}

/** Reads what {@link notePrediction} wrote; undefined: it is none of it. */
export function decodePredictionNote(kind: string, bytes: Uint8Array): PredictionNote | undefined {
  const value = decodeNote(kind, PREDICTION_NOTE, bytes)
  return isPrediction(value) ? value : undefined
}

function isPrediction(value: unknown): value is PredictionNote {
  const { id, run, workflow, tenant = '', made, due, probability, cameAfter, remaining, score } = fieldsOf(value)
  if (![id, run, workflow, tenant].every(isText)) return false
  const { brier, remaining: losses } = fieldsOf(score)
  if (![made, due, probability, cameAfter, brier].every(Number.isFinite)) return false
  return remaining === undefined || [remaining, losses].every(areQuantiles)
}

function areQuantiles(value: unknown): boolean {
  const { p05, p50, p95 } = fieldsOf(value)
  return [p05, p50, p95].every(Number.isFinite)
}
