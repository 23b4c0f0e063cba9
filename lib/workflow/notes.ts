import type { Session } from '../session.js'
import { NOTE_BYTES_MAX } from '../telemetry/record.js'
import type { RunRecord } from './record.js'

/** The kinds of notes by which runs and their actions reach whoever observes. */
export const RUN_NOTE = 'forelock:run'
export const ACTIONS_NOTE = 'forelock:actions'

const CUT_UNITS = 128
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The actions of a run whose note has no room for them. */
export interface ActionsNote extends Pick<RunRecord, 'workflow' | 'tenant' | 'start' | 'actions'> {
  readonly run: string
}

/** A run whose actions are in notes of their own. */
interface CutRun extends RunRecord {
  readonly cut: true
}

/** Tells those who observe the arena of a run that is over; in several notes, if one has no room for its actions. */
export function noteRun(session: Session, record: RunRecord): void {
  if (!session.joined || !session.binding.isObserved()) return
  const whole = encoder.encode(JSON.stringify(record))
  if (whole.byteLength <= NOTE_BYTES_MAX) {
    write(session, RUN_NOTE, whole)
    return
  }
  const { actions, ...run } = record
  write(session, RUN_NOTE, bareNote(run))
  const { id, workflow, tenant, start } = run
  noteActions(session, { run: id, workflow, tenant, start, actions })
}

/** As much of a run as one note has room for: of what tells how it went, its curve is the first to go. */
function bareNote({ curve, ...run }: Omit<RunRecord, 'actions'>): Uint8Array {
  for (const told of [{ ...run, curve }, run]) {
    const bytes = encoder.encode(JSON.stringify({ ...told, actions: [], cut: true }))
    if (bytes.byteLength <= NOTE_BYTES_MAX) return bytes
  }
  return encoder.encode(JSON.stringify(shortened(run)))
}

/** Of what may be of any length, the beginning, or nothing: the rest of what happened is still told. */
function shortened(run: Omit<RunRecord, 'actions' | 'curve'>): CutRun {
  const cut = (name: string | undefined) => name?.slice(0, CUT_UNITS)
  return {
    ...run,
    workflow: run.workflow.slice(0, CUT_UNITS),
    type: run.type.slice(0, CUT_UNITS),
    tenant: cut(run.tenant),
    client: cut(run.client),
    input: {},
    events: [],
    actions: [],
    cut: true
  }
}

function noteActions(session: Session, note: ActionsNote): void {
  const { actions } = note
  if (actions.length === 0) return
  const bytes = encoder.encode(JSON.stringify(note))
  if (bytes.byteLength <= NOTE_BYTES_MAX || actions.length === 1) {
    write(session, ACTIONS_NOTE, bytes)
    return
  }
  const half = actions.length >> 1
  noteActions(session, { ...note, actions: actions.slice(0, half) })
  noteActions(session, { ...note, actions: actions.slice(half) })
}

function write(session: Session, kind: string, bytes: Uint8Array): void {
  session.binding.note(session.waiting.names.of(kind), bytes)
}

/** Reads what {@link noteRun} wrote; undefined: it is none of it. */
export function decodeRunNote(kind: string, bytes: Uint8Array): RunRecord | ActionsNote | undefined {
  if (kind !== RUN_NOTE && kind !== ACTIONS_NOTE) return undefined
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes))
  } catch {
    return undefined // a note of that name by somebody else
  }
  if (typeof value !== 'object' || value === null || !Array.isArray((value as { actions?: unknown }).actions)) return undefined
  return value as RunRecord
}
