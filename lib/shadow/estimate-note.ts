import type { Session } from '../session.js'
import { decodeNote, fieldsOf, isText, tellNote } from '../telemetry/json-note.js'
import type { Estimate } from './estimate.js'

/** The kind of notes by which estimates reach the recorder. */
export const ESTIMATE_NOTE = 'forelock:estimate'

/** Tells those who observe the arena; nothing of what has a name too long for a note, by which nobody would find its truth either. */
export function noteEstimate(session: Session, estimate: Estimate): void {
  tellNote(session, ESTIMATE_NOTE, estimate)
}

/** Reads what {@link noteEstimate} wrote; undefined: it is none of it. */
export function decodeEstimateNote(kind: string, bytes: Uint8Array): Estimate | undefined {
  const value = decodeNote(kind, ESTIMATE_NOTE, bytes)
  return isEstimate(value) ? value : undefined
}

function isEstimate(value: unknown): value is Estimate {
  const { id, made, due, kind, name, tier, value: told } = fieldsOf(value)
  const { contention, p50 = 0, p95 = 0 } = fieldsOf(told)
  return [id, kind, name, tier].every(isText) && [made, due].every(Number.isFinite) && [contention, p50, p95].every(isScorable)
}

/** A number, and so are the squares and sums that scores are made of. */
const isScorable = (value: unknown) => typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER
