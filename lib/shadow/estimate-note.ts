import type { Session } from '../session.js'
import { NOTE_BYTES_MAX } from '../telemetry/record.js'
import type { Estimate } from './estimate.js'

/** The kind of notes by which estimates reach the recorder. */
export const ESTIMATE_NOTE = 'forelock:estimate'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Tells those who observe the arena; nothing of what has a name too long for a note, by which nobody would find its truth either. */
export function noteEstimate(session: Session, estimate: Estimate): void {
  if (!session.joined || !session.binding.isObserved()) return
  const bytes = encoder.encode(JSON.stringify(estimate))
  if (bytes.byteLength <= NOTE_BYTES_MAX) session.binding.note(session.waiting.names.of(ESTIMATE_NOTE), bytes)
}

/** Reads what {@link noteEstimate} wrote; undefined: it is none of it. */
export function decodeEstimateNote(kind: string, bytes: Uint8Array): Estimate | undefined {
  if (kind !== ESTIMATE_NOTE) return undefined
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes))
  } catch {
    return undefined // a note of that name by somebody else
  }
  return isEstimate(value) ? value : undefined
}

function isEstimate(value: unknown): value is Estimate {
  if (typeof value !== 'object' || value === null) return false
  const { id, made, due, kind, name, tier, value: told } = value as Record<string, unknown>
  const texts = [id, kind, name, tier].every(text => typeof text === 'string')
  return texts && Number.isFinite(made) && Number.isFinite(due) && Number.isFinite((told as { contention?: unknown } | null)?.contention)
}
