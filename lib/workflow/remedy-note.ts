import type { Session } from '../session.js'
import { encodeNote } from '../telemetry/json-note.js'
import type { RemedyRecord } from './remedies.js'

/** The kind of notes by which what came of remedies reaches whoever observes. */
export const REMEDY_NOTE = 'forelock:remedy'

/** Tells those who observe the arena; nothing of what has a name too long for a note. */
export function noteRemedy(session: Session, record: RemedyRecord): void {
  if (!session.joined || !session.binding.isObserved()) return
  const bytes = encodeNote(record)
  if (bytes !== undefined) session.binding.note(session.waiting.names.of(REMEDY_NOTE), bytes)
}
