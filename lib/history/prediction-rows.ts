import type { PredictionNote } from '../shadow/prediction-note.js'
import type { EstimateRow } from './rows.js'

const QUANTILES = 3

/** Two quantities, so two rows, of which the truth is known: what the run did, and when it was over. */
export function predictionRows({
  id,
  made,
  due,
  run,
  workflow,
  tenant,
  probability,
  remaining,
  cameAfter,
  score
}: PredictionNote): EstimateRow[] {
  const about = { subject: workflow, workflow, run, tenant }
  const rows: EstimateRow[] = [
    { id: `${id}:course`, kind: 'course', made, due, ...about, value: probability, truth: 1, score: score.brier }
  ]
  if (remaining === undefined || score.remaining === undefined) return rows
  const { p05, p50, p95 } = score.remaining
  rows.push({
    id: `${id}:remaining`,
    kind: 'remaining',
    made,
    due: made + remaining.p50,
    ...about,
    value: remaining.p50,
    low: remaining.p05,
    high: remaining.p95,
    truth: cameAfter,
    score: (p05 + p50 + p95) / QUANTILES
  })
  return rows
}
