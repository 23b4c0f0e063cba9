import { count, flag, onlyKnown, optionsObject, refuse, text } from '../checks.js'
import { ArgumentError, ClosedError } from '../errors/index.js'
import { FOREVER_MS } from '../units.js'
import type { Batch } from './batch.js'
import { isBlank } from './blank.js'
import { checkRows } from './check-rows.js'
import { type EventBlock, firstOf, withoutTenant } from './event-block.js'
import { keepsOf } from './retention.js'
import { RollUps } from './rollups.js'
import { type LossRow, type RawTable, type RollupRow, type Row, SCHEMA_VERSION, TABLE_NAMES, TABLES, type TableName } from './rows.js'
import { checkQuantiles } from './sketch.js'
import {
  type Backend,
  type Flushed,
  type Group,
  type Grouping,
  type GroupPart,
  type Health,
  type HistoryStore,
  type Interval,
  RESOLUTIONS,
  type Recovered,
  type Resolution,
  type Retention,
  type RowCounts,
  type Selection,
  type SqlOptions,
  type SqlValue,
  type StoreOptions,
  type StoreSize
} from './store.js'

type AnyRow = Readonly<Record<string, unknown>>

/** ms: a killed process loses at most as much. */
const FLUSH_INTERVAL_MS = 1_000
/** Ten seconds of the 100,000 records a second that a history is made for: of a file, a checkpoint can take half of them. */
const BUFFER_ROWS = 1_000_000
/** What one flush interval, and the roll-ups in memory while nothing can be written, may tell apart. */
const SERIES = 20_000
const COMPACT_EVERY_MS = 60_000
/** Fewer rows of the same bucket are not worth rewriting the interval for. */
const COMPACT_FROM = 4

/** Checked options. */
export interface BufferTerms {
  readonly flushInterval: number
  readonly bufferRows: number
  readonly writer: string
}

/** @throws ArgumentError */
export function bufferTerms(options: StoreOptions): BufferTerms {
  const { flushInterval = FLUSH_INTERVAL_MS, bufferRows = BUFFER_ROWS, writer = 'local' } = options
  if (typeof flushInterval !== 'number' || !(flushInterval >= 1))
    throw refuse('flushInterval', 'a number of milliseconds >= 1', flushInterval)
  return { flushInterval, bufferRows: count(bufferRows, 'bufferRows', 1, 1e9), writer: text(writer, 'writer') }
}

/**
 * What every store does before it comes to its tables: checks rows and holds them until the next flush, rolls them up, goes on while nothing can
 * be written, and asks its tables one thing at a time.
 */
export class BufferedStore implements HistoryStore {
  readonly kind: HistoryStore['kind']
  readonly schemaVersion = SCHEMA_VERSION
  readonly recovered: Recovered | null
  readonly #backend: Backend
  readonly #terms: BufferTerms
  readonly #rollups = new RollUps(SERIES)
  readonly #losses = new Map<string, LossRow>()
  /** How often roll-ups of an interval were written since they were put together. */
  readonly #pieces = new Map<string, Interval & { count: number }>()
  #waiting = new Map<TableName, AnyRow[]>()
  #blocks: EventBlock[] = []
  #waitingRows = 0
  #dropped = 0
  #degraded: Error | null = null
  #lastCompaction = Date.now()
  #timer: NodeJS.Timeout | null = null
  #turn: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | null = null

  constructor(backend: Backend, terms: BufferTerms) {
    this.kind = backend.kind
    this.recovered = backend.recovered
    this.#backend = backend
    this.#terms = terms
    if (backend.recovered !== null) {
      this.#lose({ time: backend.recovered.lastFlush, until: Date.now(), reason: 'killed' })
    }
  }

  health(): Health {
    return { degraded: this.#degraded, buffered: this.#waitingRows, dropped: this.#dropped }
  }

  append<T extends RawTable>(table: T, rows: readonly Row<T>[]): void {
    this.#mustBeOpen()
    checkRows(table, rows)
    this.#rollups.add(table, rows)
    const room = Math.max(0, this.#terms.bufferRows - this.#waitingRows)
    const taken = rows.length <= room ? rows : rows.slice(0, room)
    if (taken.length > 0) {
      const waiting = this.#waiting.get(table)
      if (waiting === undefined) this.#waiting.set(table, [...taken])
      else for (const row of taken) waiting.push(row)
      this.#waitingRows += taken.length
    }
    if (taken.length < rows.length) this.#drop(table, rows.length - taken.length, this.#degraded === null ? 'buffer full' : 'not writable')
    this.#schedule()
  }

  /** As {@link append}, of events by column, which are not checked. */
  appendBlock(block: EventBlock): void {
    this.#mustBeOpen()
    this.#rollups.addBlock(block)
    const length = Math.min(block.length, Math.max(0, this.#terms.bufferRows - this.#waitingRows))
    if (length > 0) this.#blocks.push(length === block.length ? block : firstOf(block, length))
    this.#waitingRows += length
    if (length < block.length) this.#drop('events', block.length - length, this.#degraded === null ? 'buffer full' : 'not writable')
    this.#schedule()
  }

  async flush(): Promise<Flushed> {
    this.#mustBeOpen()
    return this.#flush()
  }

  #flush(): Promise<Flushed> {
    return this.#inTurn(() => this.#write())
  }

  async select<T extends TableName>(table: T, selection: Selection<T> = {}): Promise<Row<T>[]> {
    this.#mustBeOpen()
    checkSelection(table, selection as Selection)
    return this.#inTurn(() => this.#backend.select(table, selection as Selection)) as Promise<Row<T>[]>
  }

  async grouped(grouping: Grouping): Promise<Group[]> {
    this.#mustBeOpen()
    const resolution = checkGrouping(grouping)
    return this.#inTurn(async () => together(await this.#backend.grouped(grouping, resolution)))
  }

  async exact(grouping: Grouping, quantiles: readonly number[]) {
    this.#mustBeOpen()
    checkGrouping(grouping)
    checkQuantiles(quantiles)
    return this.#inTurn(() => this.#backend.exact(grouping, quantiles))
  }

  async sql(statement: string, parameters: readonly SqlValue[] = [], options: SqlOptions = {}): Promise<Record<string, unknown>[]> {
    this.#mustBeOpen()
    if (isBlank(text(statement, 'text'))) throw refuse('text', 'a statement of SQL', statement)
    if (!Array.isArray(parameters)) throw refuse('parameters', 'an array', parameters)
    onlyKnown(optionsObject(options, 'options') ?? {}, ['readOnly'], 'sql()')
    const { readOnly = false } = options
    return this.#inTurn(() => this.#backend[flag(readOnly, 'readOnly') ? 'ask' : 'sql'](statement, parameters))
  }

  async rollUp(): Promise<void> {
    this.#mustBeOpen()
    return this.#inTurn(async () => {
      await this.#write()
      await this.#compact(2)
    })
  }

  async prune(retention: Retention, now = Date.now()): Promise<RowCounts> {
    this.#mustBeOpen()
    const keeps = keepsOf(retention)
    return this.#inTurn(async () => {
      const { tables } = keeps.some(({ keep }) => keep.bytes !== undefined) ? await this.#backend.size() : { tables: undefined }
      const removed: Record<string, number> = {}
      for (const { table, resolution, keep } of keeps) {
        const before = keep.age === undefined ? -Infinity : now - keep.age
        const rows = Math.min(keep.rows ?? Infinity, rowsIn(keep.bytes, tables?.[table]))
        removed[table] = (removed[table] ?? 0) + (await this.#backend.trim(table, resolution, before, rows))
      }
      return removed
    })
  }

  async forget(whose: { readonly tenant: string }): Promise<RowCounts> {
    this.#mustBeOpen()
    const tenant = text((optionsObject(whose, 'whose') as typeof whose | undefined)?.tenant, 'tenant')
    const tables = TABLE_NAMES.filter(table => 'tenant' in TABLES[table].columns)
    return this.#inTurn(() => {
      // In turn, because a flush that fails gives back what it had taken.
      this.#rollups.forget(tenant)
      for (const [table, rows] of this.#waiting) {
        const kept = rows.filter(row => row.tenant !== tenant)
        this.#waitingRows -= rows.length - kept.length
        this.#waiting.set(table, kept)
      }
      this.#blocks = this.#blocks.map(block => {
        const kept = withoutTenant(block, tenant)
        this.#waitingRows -= block.length - kept.length
        return kept
      })
      this.#blocks = this.#blocks.filter(({ length }) => length > 0)
      return this.#backend.forget(tenant, tables)
    })
  }

  async exportParquet(folder: string): Promise<RowCounts> {
    this.#mustBeOpen()
    text(folder, 'folder')
    return this.#inTurn(async () => {
      await this.#write()
      return this.#backend.exportParquet(folder)
    })
  }

  async importParquet(folder: string): Promise<RowCounts> {
    this.#mustBeOpen()
    text(folder, 'folder')
    return this.#inTurn(() => this.#backend.importParquet(folder))
  }

  async size(): Promise<StoreSize> {
    this.#mustBeOpen()
    return this.#inTurn(() => this.#backend.size())
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    const { waiting } = await this.#flush()
    await this.#inTurn(() => this.#backend.close(waiting === 0))
  }

  #mustBeOpen(): void {
    if (this.#closing !== null) throw new ClosedError('this history is closed', { resource: undefined })
  }

  /** One after the other, so that nothing comes between the statements of a transaction. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    // Whoever asked is told; the next one starts all the same.
    this.#turn = done.catch(() => {})
    return done
  }

  #schedule(): void {
    if (this.#timer !== null || this.#terms.flushInterval >= FOREVER_MS) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      void this.#flush().then(({ waiting }) => {
        if (waiting > 0 || this.#waitingRows > 0) if (this.#closing === null) this.#schedule()
      })
    }, this.#terms.flushInterval)
    this.#timer.unref()
  }

  async #write(): Promise<Flushed> {
    const taken = this.#waiting
    const blocks = this.#blocks
    const takenRows = this.#waitingRows
    const losses = [...this.#losses]
    const rollups = this.#rollups.drain()
    if (takenRows === 0 && rollups.length === 0 && losses.length === 0) return { rows: 0, waiting: 0 }
    this.#waiting = new Map()
    this.#blocks = []
    this.#waitingRows = 0
    this.#losses.clear()
    const time = Date.now()
    try {
      await this.#backend.write({
        time,
        blocks,
        tables: batchOf(
          taken,
          rollups,
          losses.map(([, row]) => row)
        )
      })
    } catch (error) {
      this.#degraded = error instanceof Error ? error : new Error(String(error))
      this.#takeBack(taken, blocks, rollups, losses)
      return { rows: 0, waiting: this.#waitingRows }
    }
    this.#degraded = null
    this.#notePieces(rollups)
    if (time - this.#lastCompaction >= COMPACT_EVERY_MS) await this.#compact(COMPACT_FROM)
    return { rows: takenRows, waiting: this.#waitingRows }
  }

  /** Rows that came meanwhile are newer: where there is no room for both, it is those that go. */
  #takeBack(
    taken: Map<TableName, AnyRow[]>,
    blocks: readonly EventBlock[],
    rollups: readonly RollupRow[],
    losses: readonly (readonly [string, LossRow])[]
  ): void {
    for (const [, row] of losses) this.#lose(row)
    const lostRollups = this.#rollups.giveBack(rollups)
    if (lostRollups > 0) this.#drop('rollups', lostRollups, 'not writable')
    const [newer, newerBlocks] = [this.#waiting, this.#blocks]
    this.#waiting = taken
    this.#blocks = [...blocks]
    this.#waitingRows = 0
    for (const rows of [...taken.values(), ...blocks]) this.#waitingRows += rows.length
    for (const [table, rows] of newer) {
      const room = Math.max(0, this.#terms.bufferRows - this.#waitingRows)
      const kept = rows.slice(0, room)
      this.#waiting.set(table, [...(taken.get(table) ?? []), ...kept])
      this.#waitingRows += kept.length
      if (kept.length < rows.length) this.#drop(table, rows.length - kept.length, 'not writable')
    }
    for (const block of newerBlocks) {
      const length = Math.min(block.length, Math.max(0, this.#terms.bufferRows - this.#waitingRows))
      if (length > 0) this.#blocks.push(length === block.length ? block : firstOf(block, length))
      this.#waitingRows += length
      if (length < block.length) this.#drop('events', block.length - length, 'not writable')
    }
  }

  #drop(table: TableName, rows: number, reason: string): void {
    const now = Date.now()
    this.#dropped += rows
    this.#lose({ time: now, until: now, table, reason, rows })
  }

  #lose(loss: LossRow): void {
    const key = `${loss.table}|${loss.reason}`
    const known = this.#losses.get(key)
    if (known === undefined) this.#losses.set(key, loss)
    else {
      const rows = known.rows === undefined || loss.rows === undefined ? undefined : known.rows + loss.rows
      this.#losses.set(key, { ...known, time: Math.min(known.time, loss.time), until: Math.max(known.until, loss.until), rows })
    }
  }

  #notePieces(rollups: readonly RollupRow[]): void {
    const written = new Map<string, Interval>()
    for (const { resolution, time } of rollups) written.set(`${resolution}:${time}`, { resolution: resolution as Resolution, time })
    for (const [key, interval] of written) {
      const piece = this.#pieces.get(key)
      if (piece === undefined) this.#pieces.set(key, { ...interval, count: 1 })
      else piece.count++
    }
  }

  /** Failing changes nothing but the room that is used, so it is tried again the next time. */
  async #compact(from: number): Promise<void> {
    this.#lastCompaction = Date.now()
    const worthIt = [...this.#pieces].filter(([, { count }]) => count >= from)
    try {
      if (worthIt.length > 0) await this.#backend.compact(worthIt.map(([, interval]) => interval))
    } catch (error) {
      this.#degraded = error instanceof Error ? error : new Error(String(error))
      return
    }
    for (const [, piece] of worthIt) piece.count = 1
    for (const [key, { resolution, time }] of this.#pieces) {
      // Late rows for what is this old are few.
      if (time + resolution < Date.now() - 2 * COMPACT_EVERY_MS) this.#pieces.delete(key)
    }
  }
}

function batchOf(taken: ReadonlyMap<TableName, AnyRow[]>, rollups: readonly RollupRow[], losses: readonly LossRow[]): Batch['tables'] {
  const tables = new Map<TableName, readonly AnyRow[]>()
  for (const [table, rows] of taken) if (rows.length > 0) tables.set(table, rows)
  if (rollups.length > 0) tables.set('rollups', rollups)
  if (losses.length > 0) tables.set('losses', [...(tables.get('losses') ?? []), ...losses])
  return tables
}

/** Parts of each group as one. */
function together(parts: readonly GroupPart[]): Group[] {
  const groups = new Map<string, { -readonly [K in keyof Group]: Group[K] } & { buckets: Map<number, number> }>()
  for (const { buckets, count, sum, low, high, ...names } of parts) {
    const key = JSON.stringify(names)
    let group = groups.get(key)
    if (group === undefined) {
      group = { ...names, count: 0, sum: 0, low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY, buckets: new Map() }
      groups.set(key, group)
    }
    group.count += count
    group.sum += sum
    group.low = Math.min(group.low, low)
    group.high = Math.max(group.high, high)
    for (const [bucket, n] of buckets) group.buckets.set(bucket, (group.buckets.get(bucket) ?? 0) + n)
  }
  return [...groups.values()]
}

function rowsIn(bytes: number | undefined, table: { rows: number; bytes: number } | undefined): number {
  if (bytes === undefined || table === undefined || table.bytes <= bytes) return Number.POSITIVE_INFINITY
  return Math.floor((table.rows * bytes) / table.bytes)
}

const SELECTION_KNOWN = ['from', 'to', 'where', 'present', 'input', 'order', 'limit'] as const

function checkSelection(table: TableName, selection: Selection): void {
  if (!Object.hasOwn(TABLES, table)) throw refuse('table', `one of ${TABLE_NAMES.join(', ')}`, table)
  onlyKnown(optionsObject(selection, 'selection') ?? {}, SELECTION_KNOWN, 'select()')
  const { from, to, where = {}, present = [], input, order, limit } = selection
  checkSpan(from, to)
  optionsObject(where, 'where')
  const columns: Record<string, { type: string }> = TABLES[table].columns
  for (const [name, value] of Object.entries(where)) {
    const type = Object.hasOwn(columns, name) ? columns[name].type : undefined
    if (type !== 'number' && type !== 'text') throw refuse('where', `columns of ${table} with text or numbers`, name)
    const js = type === 'text' ? 'string' : 'number'
    for (const one of Array.isArray(value) ? value : [value])
      if (typeof one !== js) throw refuse(`where.${name}`, `a ${js}, or several`, one)
  }
  if (!Array.isArray(present)) throw refuse('present', 'an array of columns', present)
  for (const name of present) if (!Object.hasOwn(columns, name)) throw refuse('present', `columns of ${table}`, name)
  checkInput(table, input)
  if (order !== undefined && order !== 'asc' && order !== 'desc') throw refuse('order', "'asc' or 'desc'", order)
  if (limit !== undefined) count(limit, 'limit', 0, Number.MAX_SAFE_INTEGER)
}

function checkInput(table: TableName, input: unknown): void {
  const fields = optionsObject(input, 'input')
  if (fields === undefined) return
  if (table !== 'runs') throw refuse('input', 'asked of runs only', table)
  for (const [name, value] of Object.entries(fields))
    if (!['string', 'number', 'boolean'].includes(typeof value)) throw refuse(`input.${name}`, 'a string, a number, true or false', value)
}

const SOURCES = ['runs', 'actions', 'events', 'host']
const DIMENSIONS = ['workflow', 'subject', 'outcome', 'tenant']

/** @returns the coarsest resolution that answers it */
function checkGrouping({ source, metric, from, to, where = {}, by = [], every }: Grouping): Resolution {
  if (!SOURCES.includes(source)) throw refuse('source', `one of ${SOURCES.join(', ')}`, source)
  text(metric, 'metric')
  checkSpan(from, to)
  optionsObject(where, 'where')
  for (const name of [...by, ...Object.keys(where)]) if (!DIMENSIONS.includes(name)) throw refuse('by', `of ${DIMENSIONS.join(', ')}`, name)
  for (const [name, value] of Object.entries(where))
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) text(one, `where.${name}`)
  if (every !== undefined && !(every > 0 && every % RESOLUTIONS[0] === 0)) {
    throw new ArgumentError('every must be a multiple of 1000 ms', { option: 'every', given: every })
  }
  const fits = (resolution: number) => [every, from, to].every(time => time === undefined || time % resolution === 0)
  return [...RESOLUTIONS].reverse().find(fits) ?? RESOLUTIONS[0]
}

function checkSpan(from: unknown, to: unknown): void {
  for (const [name, time] of Object.entries({ from, to })) {
    if (time !== undefined && !Number.isFinite(time)) throw refuse(name, 'a time in ms since the Unix epoch', time)
  }
}
