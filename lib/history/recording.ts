import { ArgumentError } from '../errors/index.js'
import { decodeDemandNote } from '../foresight/demand-note.js'
import type { Grant } from '../grant.js'
import { Lock } from '../lock.js'
import { type HostSample, sampleHost } from '../metering/host.js'
import type { Sampler } from '../metering/sampler.js'
import type { Session } from '../session.js'
import type { Estimate } from '../shadow/estimate.js'
import { decodeEstimateNote } from '../shadow/estimate-note.js'
import { decodePredictionNote } from '../shadow/prediction-note.js'
import { Standing } from '../standing.js'
import { placeOf, RecordNames } from '../telemetry/names.js'
import { blankRecord, decodeNotes, RECORD_BYTES, type RecordFields, readRecord, type TelemetryNote } from '../telemetry/record.js'
import { makeTelemetry, type Telemetry } from '../telemetry.js'
import { NS_PER_MS } from '../units.js'
import { decodeRunNote } from '../workflow/notes.js'
import { decodeRemedyNote } from '../workflow/remedy-note.js'
import { BufferedStore } from './buffered.js'
import { checkRows } from './check-rows.js'
import { demandRow } from './demand-rows.js'
import { BLOCK_ROWS, type EventBlock, eventRows, newBlock, Words } from './event-block.js'
import { hostRow } from './host-rows.js'
import { predictionRows } from './prediction-rows.js'
import { estimateRows, Predictions } from './predictions.js'
import { remedyRows } from './remedy-rows.js'
import type { ActionRow, EstimateRow, RunRow } from './rows.js'
import { actionRow, runRow } from './run-rows.js'
import type { HistoryStore, Retention } from './store.js'

/** Who holds this lock of the arena is its recorder; the others wait for it, and one of them goes on when that one dies. */
const RECORDER_LOCK = 'forelock:recorder'
const NOTES_BYTES = 1 << 18
/** Elements whose names are remembered; beyond that the arena is asked again. */
const NAMES_MAX = 65_536
/** Words of one list: DuckDB is handed the whole list with each flush. */
const WORDS_MAX = 16_384
/** After so many records at once the next look comes ten times as soon, so that lanes need not be as long as an interval. */
const MANY_RECORDS = 512

/** How often, and what else is written. */
export interface RecordingTerms {
  /** ms between two looks at the lanes */
  readonly interval: number
  /** null: everything is kept */
  readonly retention: Retention | null
  /** ms between two times that the rest is removed */
  readonly pruneInterval: number
  /** whether the host is sampled too */
  readonly host: boolean
  /** whether forecasts of demand are written, with what came */
  readonly demand: boolean
}

/** How it comes by its store. */
export interface StoreAccess {
  /** called when it is the recorder, and not before: a file is open in one process at a time */
  open(): Promise<HistoryStore> | HistoryStore
  /** absent: the store is somebody else's, and stays open */
  close?(store: HistoryStore): Promise<void>
}

/** What is told as it happens. */
export interface RecordingEvents {
  /** it has read what there was */
  looked?(): void
  /** another has it: this one waits to take over */
  waiting?(): void
  /** p99 of the delay of the event loop that samples of the host are to tell of, ms; absent, or undefined: of this thread's */
  delay?(): number | undefined
  /** it stopped by itself */
  failed?(error: unknown): void
}

/** Counts since it began. */
export interface RecordingCounts {
  events: number
  runs: number
  actions: number
  /** records and notes that were overwritten before they were read */
  lost: number
}

interface NotedRows {
  readonly runs: readonly RunRow[]
  readonly actions: readonly ActionRow[]
  readonly estimates: readonly EstimateRow[]
}

const NO_ROWS: NotedRows = { runs: [], actions: [], estimates: [] }

/** Drains what every environment of the arena tells, and writes it into a store, while it holds the recorder's lock. */
export class Recording {
  readonly counts: RecordingCounts = { events: 0, runs: 0, actions: 0, lost: 0 }
  /** Resolves when it is the recorder of the arena and the store is open, or will never be. */
  readonly begun: Promise<void>
  readonly #session: Session
  readonly #access: StoreAccess
  readonly #terms: RecordingTerms
  readonly #events: RecordingEvents
  readonly #telemetry: Telemetry
  readonly #records = new Uint8Array(BLOCK_ROWS * RECORD_BYTES)
  readonly #view = new DataView(this.#records.buffer)
  readonly #record: RecordFields = blankRecord()
  readonly #notes = new Uint8Array(NOTES_BYTES)
  readonly #stopping = new AbortController()
  readonly #names: RecordNames
  readonly #standing: Standing
  readonly #elementCodes = new Map<number, number>()
  readonly #nameCodes = new Map<number, number>()
  readonly #participantCodes = new Map<number, number>()
  readonly #predictions = new Predictions()
  #words = new Words()
  #store: HistoryStore | undefined
  #grant: Grant | undefined
  #timer: NodeJS.Timeout | undefined
  #pruning: NodeJS.Timeout | undefined
  #sampler: Sampler<HostSample> | undefined
  #stopped: Promise<void> | undefined
  #offset = 0
  /** notes that were none, since the last time that this was written */
  #unread = 0
  /** of the keys that names are hashed with */
  #period = Number.NaN

  constructor(session: Session, access: StoreAccess, terms: RecordingTerms, events: RecordingEvents = {}) {
    this.#session = session
    this.#access = access
    this.#terms = terms
    this.#events = events
    this.#telemetry = makeTelemetry(session)
    this.#standing = new Standing(session)
    this.#names = new RecordNames(session, place => session.privacy.element(place))
    this.begun = this.#begin().catch(error => this.#fail(error))
  }

  get active(): boolean {
    return this.#store !== undefined && this.#grant !== undefined && !this.#grant.ended
  }

  get store(): HistoryStore | undefined {
    return this.#store
  }

  /** Reads what there is by now, and has it flushed. */
  async drain(): Promise<void> {
    while (this.active && this.#batch()) await turn()
    this.#events.looked?.()
    await this.#store?.flush()
  }

  /** Reads what was told until now, and no more. Resolves when that is written, its store closed, if it was opened here, and another may go on. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    try {
      while (this.active && this.#session.joined && this.#batch());
      this.#events.looked?.()
    } catch (error) {
      this.#events.failed?.(error)
    }
    await this.#end()
  }

  /** By itself. Whoever reads the lanes next finds there what was not read here. */
  async #fail(error: unknown): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#stopped ??= this.#end()
    try {
      await this.#stopped
    } finally {
      this.#events.failed?.(error)
    }
  }

  /** What needs no waiting is done at once: who closes a governor leaves the arena right after. */
  async #end(): Promise<void> {
    clearTimeout(this.#timer)
    clearTimeout(this.#pruning)
    this.#sampler?.close()
    this.#stopping.abort()
    const store = this.#store
    this.#store = undefined
    try {
      if (store !== undefined && this.#access.close !== undefined) await this.#access.close(store)
    } finally {
      const grant = this.#grant
      this.#grant = undefined
      if (grant !== undefined && this.#session.joined) this.#telemetry.detach()
      grant?.release()
    }
    if (store !== undefined && this.#access.close === undefined) await this.#flushed(store)
  }

  /** One that stays open has what was read, too. */
  async #flushed(store: HistoryStore): Promise<void> {
    try {
      await store.flush()
    } catch (error) {
      // It was closed before.
      this.#events.failed?.(error)
    }
  }

  async #begin(): Promise<void> {
    // By its place in the arena: it is one lock, however dry the rules of its governor run.
    const lock = new Lock(this.#session, RECORDER_LOCK, undefined, RECORDER_LOCK)
    let grant = lock.tryAcquire()
    if (grant === null) {
      this.#events.waiting?.()
      grant = await lock.acquire({ signal: this.#stopping.signal })
    }
    this.#grant = grant
    this.#telemetry.attach()
    // The arena's one mapping from monotonic to wall clock, which moves by less than records are told apart by.
    this.#offset = this.#session.binding.wallClock(0)
    const store = await this.#access.open()
    if (this.#stopping.signal.aborted) return this.#access.close?.(store)
    this.#store = store
    const { interval, host, retention } = this.#terms
    this.#next(interval)
    if (host) this.#sampler = sampleHost({ onSample: sample => this.#sampled(sample) })
    if (retention !== null) this.#pruneLater(retention)
  }

  #sampled(sample: HostSample): void {
    try {
      if (this.active) this.#store?.append('host', [hostRow(sample, this.#events.delay?.())])
    } catch (error) {
      void this.#fail(error)
    }
  }

  #pruneLater(retention: Retention): void {
    this.#pruning = setTimeout(() => void this.#prune(retention), Math.min(this.#terms.pruneInterval, TIMER_MAX_MS))
    this.#pruning.unref()
  }

  /** What cannot be removed now is tried again: a history that grows is no reason to keep none. */
  async #prune(retention: Retention): Promise<void> {
    try {
      await this.#store?.prune(retention)
    } catch (error) {
      process.emitWarning(`A history could not be pruned: ${(error as Error).message}`, {
        type: 'ForelockRecorderWarning',
        code: 'FORELOCK_PRUNE'
      })
    }
    if (this.active) this.#pruneLater(retention)
  }

  #next(after: number): void {
    this.#timer = setTimeout(() => void this.#round(), after)
    this.#timer.unref()
  }

  async #round(): Promise<void> {
    try {
      const before = this.counts.events
      while (this.active && this.#batch()) await turn()
      this.#events.looked?.()
      // After all that was told before it was removed.
      if (this.active) this.#standing.look()
      const { interval } = this.#terms
      if (this.active) this.#next(this.counts.events - before > MANY_RECORDS ? interval / 10 : interval)
    } catch (error) {
      await this.#fail(error)
    }
  }

  /** Whether there may be more. */
  #batch(): boolean {
    const store = this.#store as HistoryStore
    const count = this.#telemetry.drain(this.#records)
    const block = count > 0 ? this.#block(count) : undefined
    if (block !== undefined) {
      if (store instanceof BufferedStore) store.appendBlock(block)
      else store.append('events', eventRows(block))
      this.counts.events += count
    }
    // After the records: the note of an estimate is older than the request that is its truth.
    const more = this.#readNotes(store)
    const scored = block === undefined ? [] : this.#predictions.scored(block)
    if (scored.length !== 0) store.append('estimates', scored)
    this.#countLosses(store)
    return count === BLOCK_ROWS || more
  }

  #readNotes(store: HistoryStore): boolean {
    const bytes = this.#telemetry.drainNotes(this.#notes)
    const [runs, actions, estimates]: [RunRow[], ActionRow[], EstimateRow[]] = [[], [], []]
    for (const note of decodeNotes(this.#notes, bytes)) {
      const rows = this.#rowsOf(note)
      runs.push(...rows.runs)
      actions.push(...rows.actions)
      estimates.push(...rows.estimates)
    }
    if (this.#unread > 0) {
      const now = Date.now()
      store.append('losses', [{ time: now, until: now, reason: 'notes that were none', rows: this.#unread }])
      this.#unread = 0
    }
    if (runs.length !== 0) store.append('runs', runs)
    if (actions.length !== 0) store.append('actions', actions)
    if (estimates.length !== 0) store.append('estimates', estimates)
    this.counts.runs += runs.length
    this.counts.actions += actions.length
    return bytes > 0
  }

  /** What a note says. Anybody may leave notes: what is not as it should be is counted, and keeps nobody else from being recorded. */
  #rowsOf(note: TelemetryNote): NotedRows {
    const kind = this.#names.name(note.kind) ?? ''
    try {
      const [estimate, prediction] = [decodeEstimateNote(kind, note.bytes), decodePredictionNote(kind, note.bytes)]
      const [remedy, told] = [decodeRemedyNote(kind, note.bytes), decodeRunNote(kind, note.bytes)]
      const demand = this.#terms.demand ? decodeDemandNote(kind, note.bytes) : undefined
      const estimates = [
        ...(estimate === undefined ? [] : this.#estimate(estimate)),
        ...(demand === undefined ? [] : [demandRow(demand, name => this.#session.privacy.element(name))]),
        ...(prediction === undefined ? [] : predictionRows(prediction)),
        ...(remedy === undefined ? [] : remedyRows(remedy, this.#session.privacy.element(remedy.what)))
      ]
      const runs = told !== undefined && 'id' in told ? [runRow(told, String(note.participant))] : []
      const actions = told === undefined ? [] : told.actions.map(action => actionRow(told, action))
      checkRows('runs', runs)
      checkRows('actions', actions)
      checkRows('estimates', estimates)
      return { runs, actions, estimates }
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof ArgumentError)) throw error
      this.#unread++
      return NO_ROWS
    }
  }

  /** Under the name by which events have its element. Where these are not told apart, nobody knows which of them is its truth. */
  #estimate(estimate: Estimate): EstimateRow[] {
    const { privacy } = this.#session
    const recorded = { ...estimate, name: privacy.element(estimate.name) }
    return privacy.tellsApart(estimate.name) ? this.#predictions.add(recorded) : estimateRows(recorded)
  }

  #countLosses(store: HistoryStore): void {
    const { records, notes } = this.#telemetry.lost()
    const lost = records + notes
    if (lost === this.counts.lost) return
    const now = Date.now()
    store.append('losses', [{ time: now, until: now, reason: 'overwritten before the recorder read it', rows: lost - this.counts.lost }])
    this.counts.lost = lost
  }

  #block(count: number): EventBlock {
    const period = this.#session.privacy.periodAt()
    if (period !== this.#period || this.#words.texts.length > WORDS_MAX || !this.#words.plain) this.#renewWords()
    this.#period = period
    const words = this.#words
    const block = newBlock(words, count)
    const { tiers } = this.#session
    for (let at = 0; at < count; at++) {
      const record = readRecord(this.#view, at * RECORD_BYTES, this.#record)
      const ends = record.event === 'end' || record.event === 'reclaim'
      block.time[at] = this.#offset + record.time / NS_PER_MS
      block.amount[at] = record.amount
      block.waited[at] = record.waited / NS_PER_MS
      block.held[at] = ends ? record.held / NS_PER_MS : Number.NaN
      block.event[at] = words.of(record.event)
      block.kind[at] = words.of(record.kind)
      block.element[at] = this.#elementCode(record)
      block.tier[at] = words.of(tiers[record.tier])
      block.outcome[at] = words.of(record.outcome)
      block.workflow[at] = this.#nameCode(record.workflow)
      block.tenant[at] = this.#nameCode(record.tenant)
      block.client[at] = this.#nameCode(record.client)
      block.participant[at] = this.#participantCode(record)
    }
    return block
  }

  #renewWords(): void {
    this.#words = new Words()
    this.#names.renew()
    for (const codes of [this.#elementCodes, this.#nameCodes, this.#participantCodes]) codes.clear()
  }

  /** The numbers of words by the numbers that records have: looking up a text for each is a fifth of all that is done here. */
  #elementCode(record: RecordFields): number {
    const key = placeOf(record)
    return this.#elementCodes.get(key) ?? this.#remember(this.#elementCodes, key, this.#names.element(record))
  }

  #nameCode(id: number): number {
    if (id === 0) return 0
    const known = this.#nameCodes.get(id)
    if (known !== undefined) return known
    const name = this.#names.name(id)
    return name === undefined ? 0 : this.#remember(this.#nameCodes, id, name)
  }

  #participantCode({ participant, incarnation }: RecordFields): number {
    const key = participant * INCARNATIONS + incarnation
    return this.#participantCodes.get(key) ?? this.#remember(this.#participantCodes, key, `${participant}.${incarnation}`)
  }

  #remember(codes: Map<number, number>, key: number, text: string): number {
    const code = this.#words.of(text)
    if (codes.size >= NAMES_MAX) codes.clear()
    codes.set(key, code)
    return code
  }
}

/** setTimeout can wait no longer than this. */
const TIMER_MAX_MS = 2 ** 31 - 1
const INCARNATIONS = 2 ** 16

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
