import type { Session } from '../session.js'
import { decodeNote, fieldsOf, isText, tellNote } from '../telemetry/json-note.js'
import type { RemedyRecord } from './remedies.js'

/** The kind of notes by which what came of remedies reaches whoever observes. */
export const REMEDY_NOTE = 'forelock:remedy'

/** Tells those who observe the arena; nothing of what has a name too long for a note. */
export function noteRemedy(session: Session, record: RemedyRecord): void {
  tellNote(session, REMEDY_NOTE, record)
}

/** Reads what {@link noteRemedy} wrote; undefined: it is none of it. */
export function decodeRemedyNote(kind: string, bytes: Uint8Array): RemedyRecord | undefined {
  const value = decodeNote(kind, REMEDY_NOTE, bytes)
  return isRecord(value) ? value : undefined
}

function isRecord(value: unknown): value is RemedyRecord {
  const { id, kind, workflow, of, what, tier, came, control, effect = 0, ...numbers } = fieldsOf(value)
  const { at, probability, known, cost, upperCost } = numbers
  if (![id, kind, workflow, of, what, tier].every(isText) || typeof came !== 'boolean' || typeof control !== 'boolean') return false
  return [at, probability, known, cost, upperCost, effect].every(Number.isFinite)
}
