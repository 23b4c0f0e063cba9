import type { Session } from '../session.js'
import { decodeNote, encodeNote, fieldsOf } from '../telemetry/json-note.js'
import type { RunRecord } from './record.js'

/** The kinds of notes by which runs and their actions reach whoever observes. */
export const RUN_NOTE = 'forelock:run'
export const ACTIONS_NOTE = 'forelock:actions'

const CUT_UNITS = 128

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
  if (tell(session, RUN_NOTE, record)) return
  const { actions, ...run } = record
  tellBare(session, run)
  const { id, workflow, tenant, start } = run
  noteActions(session, { run: id, workflow, tenant, start, actions })
}

/** As much of a run as one note has room for: of what tells how it went, its curve is the first to go. */
function tellBare(session: Session, { curve, ...run }: Omit<RunRecord, 'actions'>): void {
  const cut = { actions: [], cut: true } as const
  if (tell(session, RUN_NOTE, { ...run, curve, ...cut }) || tell(session, RUN_NOTE, { ...run, ...cut })) return
  tell(session, RUN_NOTE, shortened(run))
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
  if (tell(session, ACTIONS_NOTE, note) || actions.length === 1) return
  const half = actions.length >> 1
  noteActions(session, { ...note, actions: actions.slice(0, half) })
  noteActions(session, { ...note, actions: actions.slice(half) })
}

/** @returns whether a note has room for it */
function tell(session: Session, kind: string, value: unknown): boolean {
  const bytes = encodeNote(value)
  if (bytes !== undefined) session.binding.note(session.waiting.names.of(kind), bytes)
  return bytes !== undefined
}

/** Reads what {@link noteRun} wrote; undefined: it is none of it. */
export function decodeRunNote(kind: string, bytes: Uint8Array): RunRecord | ActionsNote | undefined {
  const value = decodeNote(kind, RUN_NOTE, bytes) ?? decodeNote(kind, ACTIONS_NOTE, bytes)
  return Array.isArray(fieldsOf(value).actions) ? (value as RunRecord) : undefined
}
