import type { Session } from '../session.js'
import { decodeNote, fieldsOf, isText, tellNote } from '../telemetry/json-note.js'
import type { DemandOutcome } from './demand-checks.js'

/** The kind of notes by which forecasts of demand reach the recorder, with what came. */
export const DEMAND_NOTE = 'forelock:demand'

export interface DemandNote extends DemandOutcome {
  /** unique on the host */
  readonly id: string
}

let made = 0

/** Tells those who observe the arena; nothing of what has a name too long for a note. */
export function noteDemand(session: Session, outcome: DemandOutcome): void {
  if (!session.joined) return
  made++
  const note: DemandNote = { id: `${session.binding.client}:d${made}`, ...outcome }
  tellNote(session, DEMAND_NOTE, note)
}

/** Reads what {@link noteDemand} wrote; undefined: it is none of it. */
export function decodeDemandNote(kind: string, bytes: Uint8Array): DemandNote | undefined {
  const value = decodeNote(kind, DEMAND_NOTE, bytes)
  return isDemand(value) ? value : undefined
}

function isDemand(value: unknown): value is DemandNote {
  const { id, kind, name, measure, dimension = '', tier = '', low = 0, high = 0, ...numbers } = fieldsOf(value)
  const { made, due, value: said, truth, score } = numbers
  return [id, kind, name, measure, dimension, tier].every(isText) && [made, due, said, low, high, truth, score].every(Number.isFinite)
}
