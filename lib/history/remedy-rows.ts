import type { RemedyRecord } from '../workflow/remedies.js'
import type { EstimateRow } from './rows.js'

/**
 * Two rows: whether the collision came that was foretold, and what it cost where something was done about it, or was not so that there is something to compare
 * with; `value` is then what those cost on average.
 *
 * @param what the name of what it is about, by which events have it
 */
export function remedyRows(record: RemedyRecord, what: string): EstimateRow[] {
  const { id, kind, workflow, of, tier, at, probability, known, control, came, cost, upperCost, effect } = record
  const about = { subject: `${of}:${what}`, tier, made: at, due: known }
  const truth = came ? 1 : 0
  const total = cost + upperCost
  return [
    // Each workflow that acts tells of the same one.
    { id: `${id}:collision`, kind: 'collision', ...about, value: probability, truth, score: (probability - truth) ** 2 },
    {
      id: `${id}:${workflow}`,
      kind: `${control ? 'control' : 'remedy'}:${kind}`,
      ...about,
      workflow,
      ...(effect !== undefined && { value: total + effect }),
      truth: total
    }
  ]
}
