import type { DemandNote } from '../foresight/demand-note.js'
import type { EstimateRow } from './rows.js'

/** Subjects that are elements of the arena, by the names of which events have them. */
const ELEMENTS: readonly string[] = ['bucket', 'pool', 'queue']

/** A forecast of demand, of which the truth is known. Of a tenant the name is in the column for it alone, which is hidden from some. @param element the name by which events have an element */
export function demandRow(note: DemandNote, element: (name: string) => string): EstimateRow {
  const { id, kind, name, dimension, tier, measure, made, due, value, low, high, truth, score } = note
  const recorded = ELEMENTS.includes(kind) ? element(name) : name
  const isNamed = kind !== 'all' && kind !== 'tenant'
  return {
    id,
    kind: `demand:${measure}`,
    made,
    due,
    subject: isNamed ? `${kind}:${recorded}${dimension === undefined ? '' : `/${dimension}`}` : kind,
    tier,
    ...(kind === 'workflow' && { workflow: name }),
    ...(kind === 'tenant' && { tenant: name }),
    value,
    low,
    high,
    truth,
    score
  }
}
