import { duration, onlyKnown, optionsObject } from '../checks.js'
import type { Grant } from '../grant.js'
import { Lock } from '../lock.js'
import type { Usage, UsageField } from '../metering/counters.js'
import type { Session } from '../session.js'
import { decodeNotes, decodeRecord, RECORD_BYTES, type TelemetryRecord } from '../telemetry/record.js'
import { makeTelemetry, noTelemetry, type Telemetry } from '../telemetry.js'
import { NS_PER_MS } from '../units.js'
import { type ActionsNote, decodeRunNote } from '../workflow/notes.js'
import type { ActionRecord, RunRecord } from '../workflow/record.js'
import { type ActionRow, type EventRow, type RunRow, TABLES } from './rows.js'
import type { HistoryStore } from './store.js'

/** Who holds this lock of the arena is its recorder; the others wait for it, and one of them goes on when that one dies. */
const RECORDER_LOCK = 'forelock:recorder'
/** Records read and written before other work has its turn: about 2 ms. */
const BATCH_RECORDS = 1024
const NOTES_BYTES = 1 << 18
/** Elements whose names are remembered; beyond that the arena is asked again. */
const NAMES_MAX = 65_536

export interface RecorderOptions {
  /** ms between two looks at the lanes; default 100 */
  interval?: number | undefined
}

/** What a recorder has done so far. */
export interface RecorderStatus {
  /** whether it is the one of the arena now; the others wait to take over */
  readonly active: boolean
  readonly events: number
  readonly runs: number
  readonly actions: number
  /** records and notes that were overwritten before they were read */
  readonly lost: number
}

/**
 * Drains what every environment of the arena tells, and writes it into a store. There is one for an arena at a time: it holds a lock of it, and
 * so is followed by the next that waits when it stops or dies.
 */
export class Recorder {
  /** Resolves when it is the recorder of the arena, or will never be: see {@link error}. */
  readonly begun: Promise<void>
  private readonly session: Session
  private readonly store: HistoryStore
  private readonly telemetry: Telemetry
  private readonly interval: number
  private readonly records = new Uint8Array(BATCH_RECORDS * RECORD_BYTES)
  private readonly notes = new Uint8Array(NOTES_BYTES)
  private readonly elements = new Map<number, string>()
  private readonly names = new Map<number, string>()
  private readonly stopping = new AbortController()
  private grant: Grant | undefined = undefined
  private timer: NodeJS.Timeout | undefined = undefined
  private offset = 0
  private events = 0
  private runs = 0
  private actions = 0
  private lost = 0
  private failure: unknown = undefined

  /** @internal */
  constructor(session: Session, store: HistoryStore, options: unknown) {
    session.mustBeOpen()
    const given = optionsObject(options, 'options') ?? {}
    onlyKnown(given, ['interval'], 'record()')
    const { interval = 100 } = given as RecorderOptions
    if (session.binding.capacity.telemetry === 0) throw noTelemetry()
    this.session = session
    this.store = store
    this.telemetry = makeTelemetry(session)
    this.interval = duration(interval, 'interval')
    session.leaving.push(() => this.stop())
    this.begun = new Lock(session, RECORDER_LOCK, undefined).acquire({ signal: this.stopping.signal }).then(
      grant => this.begin(grant),
      error => this.fail(error)
    )
  }

  get status(): RecorderStatus {
    const { grant, events, runs, actions, lost } = this
    return { active: grant !== undefined && !grant.ended, events, runs, actions, lost }
  }

  /** Why it stopped by itself; undefined: it has not. */
  get error(): unknown {
    return this.failure
  }

  /** Reads what there is by now, and has it flushed. */
  async drain(): Promise<void> {
    while (this.grant !== undefined && this.batch()) await turn()
    await this.store.flush()
  }

  /** Reads no more; another goes on. What was read is in the store, which stays open. */
  stop(): void {
    if (this.timer !== undefined) clearTimeout(this.timer)
    this.timer = undefined
    this.stopping.abort()
    const { grant } = this
    this.grant = undefined
    if (grant === undefined) return
    if (this.session.joined) this.telemetry.detach()
    grant.release()
  }

  private begin(grant: Grant): void {
    this.grant = grant
    this.telemetry.attach()
    // The arena's one mapping from monotonic to wall clock, which moves by less than records are told apart by.
    this.offset = this.session.binding.wallClock(0)
    this.next()
  }

  private fail(error: unknown): void {
    if (!this.stopping.signal.aborted) this.failure = error
  }

  private next(): void {
    this.timer = setTimeout(() => void this.round(), this.interval)
    this.timer.unref()
  }

  private async round(): Promise<void> {
    try {
      while (this.grant !== undefined && this.batch()) await turn()
      if (this.grant !== undefined) this.next()
    } catch (error) {
      this.failure = error
      this.stop()
    }
  }

  /** Whether there may be more. */
  private batch(): boolean {
    const { telemetry, records } = this
    const count = telemetry.drain(records)
    const rows: EventRow[] = []
    for (let i = 0; i < count; i++) rows.push(this.row(decodeRecord(records, i * RECORD_BYTES)))
    if (rows.length !== 0) this.store.append('events', rows)
    this.events += rows.length
    const more = this.readNotes()
    this.countLosses()
    return count === BATCH_RECORDS || more
  }

  private readNotes(): boolean {
    const bytes = this.telemetry.drainNotes(this.notes)
    const [runs, actions]: [RunRow[], ActionRow[]] = [[], []]
    for (const note of decodeNotes(this.notes, bytes)) {
      const kind = this.nameOf(note.kind)
      const told = kind === undefined ? undefined : decodeRunNote(kind, note.bytes)
      if (told === undefined) continue
      if ('id' in told) runs.push(runRow(told, String(note.participant)))
      for (const action of told.actions) actions.push(actionRow(told, action))
    }
    if (runs.length !== 0) this.store.append('runs', runs)
    if (actions.length !== 0) this.store.append('actions', actions)
    this.runs += runs.length
    this.actions += actions.length
    return bytes > 0
  }

  private countLosses(): void {
    const { records, notes } = this.telemetry.lost()
    const lost = records + notes
    if (lost === this.lost) return
    const now = Date.now()
    this.store.append('losses', [{ time: now, until: now, reason: 'overwritten before the recorder read it', rows: lost - this.lost }])
    this.lost = lost
  }

  private row(record: TelemetryRecord): EventRow {
    const { tiers } = this.session
    return {
      time: this.offset + record.time / NS_PER_MS,
      event: record.event,
      kind: record.kind,
      element: this.session.privacy.element(this.elementOf(record)),
      tier: tiers[record.tier],
      outcome: record.outcome,
      workflow: this.nameOf(record.workflow),
      tenant: this.nameOf(record.tenant),
      client: this.nameOf(record.client),
      participant: `${record.participant}.${record.incarnation}`,
      amount: record.amount,
      waited: record.waited / NS_PER_MS,
      ...((record.event === 'end' || record.event === 'reclaim') && { held: record.held / NS_PER_MS })
    }
  }

  private elementOf(record: TelemetryRecord): string {
    // One of a place at a time is remembered: generations follow each other.
    const key = record.element * GENERATIONS + (record.generation % GENERATIONS)
    const known = this.elements.get(key)
    if (known !== undefined) return known
    const name = this.telemetry.element(record) ?? ''
    if (this.elements.size >= NAMES_MAX) this.elements.clear()
    this.elements.set(key, name)
    return name
  }

  private nameOf(id: number): string | undefined {
    if (id === 0) return undefined
    const known = this.names.get(id)
    if (known !== undefined) return known
    const name = this.telemetry.names([id]).get(id)
    if (name === undefined) return undefined
    if (this.names.size >= NAMES_MAX) this.names.clear()
    this.names.set(id, name)
    return name
  }
}

const GENERATIONS = 2 ** 20

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** What was measured, as far as a history has columns for it. */
function measured({ usage }: { usage: Partial<Usage> }): Partial<Record<UsageField, number>> {
  const known: Partial<Record<UsageField, number>> = {}
  for (const field in usage) if (Object.hasOwn(TABLES.runs.columns, field)) known[field as UsageField] = usage[field as UsageField]
  return known
}

function runRow(run: RunRecord, participant: string): RunRow {
  return {
    id: run.id,
    workflow: run.workflow,
    tenant: run.tenant,
    tier: run.tier,
    client: run.client,
    start: run.start,
    end: run.start + run.duration,
    outcome: run.outcome,
    waited: run.waited,
    input: run.input,
    ...measured(run),
    cost: run.cost,
    participant
  } as RunRow
}

function actionRow(of: RunRecord | ActionsNote, action: ActionRecord): ActionRow {
  const start = of.start + action.offset
  return {
    run: 'id' in of ? of.id : of.run,
    workflow: of.workflow,
    action: action.name,
    tenant: of.tenant,
    position: action.position,
    start,
    end: start + action.duration,
    outcome: action.outcome,
    ...measured(action),
    cost: action.cost,
    labels: action.certifications
  } as ActionRow
}
