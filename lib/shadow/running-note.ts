import type { Session } from '../session.js'
import { decodeNote, encodeNote, fieldsOf, isText } from '../telemetry/json-note.js'
import type { ActionSpan, HeldSpan } from './course.js'
import type { Running } from './running.js'

/** The kind of notes by which others hear of runs that go on. */
export const RUNNING_NOTE = 'forelock:running'

/** A run that goes on, as its process saw it last. Times in ms on the arena's clock, or from the beginning of the run. */
export interface RunningNote {
  readonly id: string
  readonly workflow: string
  readonly tenant?: string | undefined
  readonly tier: string
  readonly began: number
  /** of very many the last ones */
  readonly actions: readonly ActionSpan[]
  /** what it holds, and held */
  readonly holds: readonly HeldSpan[]
}

/** Tells those who observe the arena, as much as a note has room for; nothing of what has a name too long for one. */
export function noteRunning(session: Session, run: Running): void {
  const { id, workflow, tenant, tier, began } = run
  const { actions } = run.present()
  let told: RunningNote = { id, workflow, tenant, tier, began, actions: actions.map(spanOf), holds: run.heldSpans() }
  let bytes = encodeNote(told)
  while (bytes === undefined) {
    if (told.actions.length + told.holds.length === 0) return
    told = told.actions.length < told.holds.length ? { ...told, holds: latter(told.holds) } : { ...told, actions: latter(told.actions) }
    bytes = encodeNote(told)
  }
  session.binding.note(session.waiting.names.of(RUNNING_NOTE), bytes)
}

const spanOf = ({ name, position, offset, duration }: ActionSpan): ActionSpan => ({ name, position, offset, duration })

/** What goes on comes last. */
const latter = <T>(all: readonly T[]): readonly T[] => all.slice(Math.ceil(all.length / 2))

/** Reads what {@link noteRunning} wrote; undefined: it is none of it. */
export function decodeRunningNote(kind: string, bytes: Uint8Array): RunningNote | undefined {
  const value = decodeNote(kind, RUNNING_NOTE, bytes)
  return isRunning(value) ? value : undefined
}

function isRunning(value: unknown): value is RunningNote {
  const { id, workflow, tenant = '', tier, began, actions, holds } = fieldsOf(value)
  if (![id, workflow, tenant, tier].every(isText) || !Number.isFinite(began)) return false
  return Array.isArray(actions) && actions.every(isAction) && Array.isArray(holds) && holds.every(isHold)
}

/** Whether it is an action, over or not, as notes have them. */
export function isAction(value: unknown): value is ActionSpan {
  const { name, position, offset, duration = 0 } = fieldsOf(value)
  return isText(name) && [position, offset, duration].every(Number.isFinite)
}

function isHold(value: unknown): value is HeldSpan {
  const { kind, name, amounts = {}, action = '', ordinal, from, until = 0 } = fieldsOf(value)
  if (kind !== 'lock' && kind !== 'pool') return false
  return [name, action].every(isText) && [ordinal, from, until, ...Object.values(fieldsOf(amounts))].every(Number.isFinite)
}
