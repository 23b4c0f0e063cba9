import { BusyError } from '../errors/index.js'
import type { Grant } from '../grant.js'
import { Lock } from '../lock.js'
import type { Session } from '../session.js'
import { fieldsOf } from '../telemetry/json-note.js'
import { RecordNames } from '../telemetry/names.js'
import { decodeNotes } from '../telemetry/record.js'
import { makeTelemetry, noTelemetry, type Telemetry } from '../telemetry.js'
import { NS_PER_MS } from '../units.js'
import { forgettingOf } from '../workflow/forgetting.js'
import { addLearner } from '../workflow/learners.js'
import { decodeRunNote } from '../workflow/notes.js'
import type { RunRecord } from '../workflow/record.js'
import { FOLLOWER_LOCK, TELL_EVERY_MS } from './announcer.js'
import type { Course, HeldSpan, PresentCourse } from './course.js'
import { Courses } from './courses.js'
import { scorePredictions } from './predictions.js'
import { type Running, runningOf } from './running.js'
import { decodeRunningNote, isAction, type RunningNote } from './running-note.js'

/** ms between two looks at the notes, which a lane has room for a few of. */
const LOOK_EVERY_MS = 250
/** ms after which a run that is told of no more is over: its process ended, or does nothing else. */
const SILENT_MS = 4 * TELL_EVERY_MS
const NOTES_BYTES = 1 << 18
/** Workflows whose past is remembered; of more those that ran last. */
const WORKFLOWS_MAX = 256

/** The runs of all others in an arena, by what they tell: see {@link Replica}. */
export class Follower {
  readonly #session: Session
  readonly #own: Session
  readonly #telemetry: Telemetry
  readonly #names: RecordNames
  readonly #grant: Grant
  readonly #notes = new Uint8Array(NOTES_BYTES)
  readonly #runs = new Map<string, FollowedRun>()
  readonly #past = new Map<string, Courses<RunRecord>>()
  readonly #timer: NodeJS.Timeout
  #isOver = false
  #failure: unknown

  /** @throws CapacityError, ClosedError; BusyError if the lock that followers share is somebody's alone */
  constructor(session: Session) {
    session.mustBeOpen()
    if (session.binding.capacity.telemetry === 0) throw noTelemetry()
    this.#session = session
    // Another account on the same arena: it reads by itself, and what it holds keeps no close({ drain }) waiting.
    this.#own = session.beside()
    this.#telemetry = makeTelemetry(this.#own)
    this.#names = new RecordNames(this.#own, place => place)
    this.#telemetry.attach()
    const grant = new Lock(this.#own, FOLLOWER_LOCK, undefined, FOLLOWER_LOCK).tryAcquire({ mode: 'shared' })
    if (grant === null) {
      this.#telemetry.detach()
      throw new BusyError(`the lock ${FOLLOWER_LOCK} of the arena, which replicas share, is held by somebody alone`, {
        resource: FOLLOWER_LOCK
      })
    }
    this.#grant = grant
    addLearner(session, this)
    this.#timer = setInterval(() => this.#lookLater(), LOOK_EVERY_MS).unref()
    session.leaving.push(() => this.close())
  }

  get closed(): boolean {
    return this.#isOver
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearInterval(this.#timer)
    this.#grant.release()
    this.#telemetry.detach()
    this.#own.open = false
    this.#own.joined = false
    this.#runs.clear()
    this.#past.clear()
  }

  /** Those that go on as far as is known now, in the order in which they began, without those of this governor. */
  runs(): readonly Running[] {
    if (this.#failure !== undefined) throw this.#failure
    this.#look()
    forgettingOf(this.#session).look()
    const here = new Set([...runningOf(this.#session)].map(({ id }) => id))
    return [...this.#runs.values()].filter(({ id }) => !here.has(id)).sort((a, b) => a.began - b.began)
  }

  /** How runs of a workflow went that ended since it follows. */
  coursesOf(workflow: string): readonly Course[] {
    return this.#past.get(workflow)?.all ?? []
  }

  /** @internal as a learner */
  forget(tenant: string): void {
    for (const courses of this.#past.values()) courses.forget(tenant)
  }

  /** Nobody is there to be told; whoever asks next is. */
  #lookLater(): void {
    try {
      this.#look()
    } catch (error) {
      this.#failure = error
      clearInterval(this.#timer)
    }
  }

  #look(): void {
    const now = performance.now()
    for (;;) {
      const bytes = this.#telemetry.drainNotes(this.#notes)
      if (bytes === 0) break
      for (const note of decodeNotes(this.#notes, bytes)) this.#hear(this.#names.name(note.kind) ?? '', note.bytes, now)
    }
    for (const [id, run] of this.#runs) if (now - run.heard > SILENT_MS) this.#runs.delete(id)
  }

  #hear(kind: string, bytes: Uint8Array, now: number): void {
    const told = decodeRunningNote(kind, bytes)
    if (told !== undefined) {
      const known = this.#runs.get(told.id)
      if (known === undefined) this.#runs.set(told.id, new FollowedRun(this.#session, this, told, now))
      else known.hear(told, now)
      return
    }
    const over = decodeRunNote(kind, bytes)
    if (isRun(over)) this.#ended(over)
  }

  #ended(record: RunRecord): void {
    const run = this.#runs.get(record.id)
    this.#runs.delete(record.id)
    if (run !== undefined) scorePredictions(this.#session, run, record)
    const { workflow, tenant } = record
    if (tenant !== undefined) forgettingOf(this.#session).learnt(tenant)
    const courses = this.#past.get(workflow) ?? new Courses<RunRecord>()
    this.#past.delete(workflow)
    this.#past.set(workflow, courses)
    courses.add(record, run?.heldSpans() ?? [], record.start + record.duration)
    for (const oldest of this.#past.keys()) if (this.#past.size > WORKFLOWS_MAX) this.#past.delete(oldest)
  }
}

/** Whether it is a whole run, as {@link noteRun} writes it: anybody may write notes. */
function isRun(value: unknown): value is RunRecord {
  const { id, workflow, tenant = '', start, duration, usage, actions, cut } = fieldsOf(value)
  if (cut === true || ![id, workflow, tenant].every(text => typeof text === 'string')) return false
  if (![start, duration].every(Number.isFinite) || !isUsage(usage) || !Array.isArray(actions)) return false
  return actions.every(action => isAction(action) && action.duration !== undefined && isUsage(fieldsOf(action).usage))
}

const isUsage = (value: unknown) => typeof value === 'object' && value !== null && Object.values(value).every(Number.isFinite)

class FollowedRun implements Running {
  readonly id: string
  readonly workflow: string
  readonly tenant: string | undefined
  readonly tier: string
  readonly began: number
  heard: number
  readonly #session: Session
  readonly #follower: Follower
  #told: RunningNote

  constructor(session: Session, follower: Follower, told: RunningNote, heard: number) {
    this.#session = session
    this.#follower = follower
    this.id = told.id
    this.workflow = told.workflow
    this.tenant = told.tenant
    this.tier = told.tier
    this.began = told.began
    this.#told = told
    this.heard = heard
  }

  hear(told: RunningNote, heard: number): void {
    this.#told = told
    this.heard = heard
  }

  heldSpans(): readonly HeldSpan[] {
    return this.#told.holds
  }

  present(): PresentCourse {
    const elapsed = Math.max(0, this.#session.binding.now() / NS_PER_MS - this.began)
    return { elapsed, actions: this.#told.actions, holds: this.#told.holds.filter(({ until }) => until === undefined) }
  }

  courses(): readonly Course[] {
    return this.#follower.coursesOf(this.workflow)
  }
}
