import type { Session } from '../session.js'
import { NOTE_BYTES_MAX } from './record.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The bytes of a note that says a value as JSON; undefined: a note has no room for them. */
export function encodeNote(value: unknown): Uint8Array | undefined {
  const bytes = encoder.encode(JSON.stringify(value))
  return bytes.byteLength <= NOTE_BYTES_MAX ? bytes : undefined
}

/** Tells those who observe the arena; nothing of what has a name too long for a note. */
export function tellNote(session: Session, kind: string, value: unknown): void {
  if (!session.joined || !session.binding.isObserved()) return
  const bytes = encodeNote(value)
  if (bytes !== undefined) session.binding.note(session.waiting.names.of(kind), bytes)
}

/** What {@link encodeNote} was given, if the note is of the kind that is looked for; undefined: it is not, or a note of that name by somebody else. */
export function decodeNote(kind: string, wanted: string, bytes: Uint8Array): unknown {
  if (kind !== wanted) return undefined
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch {
    return undefined
  }
}

/** The fields of what a note says; none, if it is no object. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

export const isText = (value: unknown): value is string => typeof value === 'string'
