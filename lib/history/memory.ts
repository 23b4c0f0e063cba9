import { count, onlyKnown, optionsObject } from '../checks.js'
import { UnsupportedError } from '../errors/index.js'
import { asRows, type Batch } from './batch.js'
import { BufferedStore, bufferTerms } from './buffered.js'
import { exportRows, importRows } from './parquet.js'
import { METRICS, packed, subjectOf } from './rollups.js'
import { type RollupRow, TABLE_NAMES, TABLES, type TableName } from './rows.js'
import {
  type Backend,
  type ExactGroup,
  type Grouping,
  type GroupPart,
  type HistoryStore,
  type Interval,
  RESOLUTIONS,
  type Resolution,
  type RowCounts,
  type Selection,
  type StoreOptions,
  type StoreSize
} from './store.js'

type AnyRow = Readonly<Record<string, unknown>>

export interface MemoryStoreOptions extends StoreOptions {
  /** rows of each table that are kept, the newest; of roll-ups the coarsest. Default in docs/guides/defaults.md */
  readonly rows?: number
}

const ROWS = 100_000
const SAMPLE = 100

/** A history that ends with the process, bounded by the number of rows. */
export async function openMemoryStore(options: MemoryStoreOptions = {}): Promise<HistoryStore> {
  optionsObject(options, 'options')
  onlyKnown(options, ['rows', 'flushInterval', 'bufferRows', 'writer'], 'the history in memory')
  return new BufferedStore(new MemoryBackend(count(options.rows ?? ROWS, 'rows', 1, 1e9)), bufferTerms(options))
}

class MemoryBackend implements Backend {
  readonly kind = 'memory'
  readonly recovered = null
  readonly #rows = new Map<TableName, AnyRow[]>(TABLE_NAMES.map(table => [table, []]))
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  async write(batch: Batch): Promise<void> {
    for (const [table, rows] of asRows(batch)) {
      const all = this.#of(table)
      for (const row of rows) all.push(row)
      // Not at every write: each time the whole table is moved.
      if (all.length > 2 * this.#most) this.#bound(table)
    }
  }

  /** What may be seen is never more than the bound. */
  #bound(table: TableName): void {
    const all = this.#of(table)
    if (all.length <= this.#most) return
    if (table !== 'rollups') {
      all.splice(0, all.length - this.#most)
      return
    }
    this.#pack(all as readonly AnyRow[] as readonly RollupRow[] as readonly Interval[])
    for (const resolution of RESOLUTIONS) {
      const excess = this.#of(table).length - this.#most
      if (excess <= 0) return
      const there = this.#of(table).filter(row => row.resolution === resolution).length
      this.#trim(table, resolution, -Infinity, Math.max(0, there - excess))
    }
  }

  async select(table: TableName, selection: Selection): Promise<Record<string, unknown>[]> {
    const { time } = TABLES[table]
    const sign = selection.order === 'desc' ? -1 : 1
    const found = this.#seen(table).filter(row => isSelected(row, time, selection))
    found.sort((a, b) => sign * ((a[time] as number) - (b[time] as number)))
    return found.slice(0, selection.limit).map(copyOf)
  }

  async grouped(grouping: Grouping, resolution: Resolution): Promise<GroupPart[]> {
    const { source, metric, from = -Infinity, to = Infinity, where = {} } = grouping
    const parts: GroupPart[] = []
    for (const row of this.#seen('rollups') as readonly AnyRow[] as readonly RollupRow[]) {
      if (row.resolution !== resolution || row.source !== source || row.metric !== metric) continue
      // An interval that begins before `from` or ends after `to` counts if part of it is inside.
      if (row.time + resolution <= from || row.time >= to || !hasAll(row, where)) continue
      const { count, sum, low, high, buckets, counts } = row
      parts.push({ ...namesOf(row, row.time, grouping), count, sum, low, high, buckets: buckets.map((bucket, at) => [bucket, counts[at]]) })
    }
    return parts
  }

  async exact(grouping: Grouping, quantiles: readonly number[]): Promise<ExactGroup[]> {
    const { source, metric, from = -Infinity, to = Infinity, where = {} } = grouping
    const groups = new Map<string, { names: object; values: number[] }>()
    for (const row of this.#seen(source)) {
      const time = row[TABLES[source].time] as number
      const value = metric === 'wall' ? (row.wall ?? (row.end as number) - (row.start as number)) : row[metric]
      if (time < from || time >= to || typeof value !== 'number' || !METRICS[source].includes(metric)) continue
      const dimensions = {
        workflow: row.workflow,
        subject: subjectOf(source, row),
        outcome: source === 'events' ? row.event : row.outcome,
        tenant: row.tenant
      }
      if (!hasAll(dimensions, where)) continue
      const names = namesOf(dimensions, time, grouping)
      const key = JSON.stringify(names)
      const group = groups.get(key)
      if (group === undefined) groups.set(key, { names, values: [value] })
      else group.values.push(value)
    }
    return [...groups.values()].map(({ names, values }) => {
      values.sort((a, b) => a - b)
      return { ...names, count: values.length, quantiles: quantiles.map(q => values[Math.max(1, Math.ceil(q * values.length)) - 1]) }
    })
  }

  async sql(): Promise<never> {
    throw new UnsupportedError('a history in memory knows no SQL: use the typed queries, or the DuckDB store', {})
  }

  ask(): Promise<never> {
    return this.sql()
  }

  async compact(intervals: readonly Interval[]): Promise<void> {
    this.#pack(intervals)
  }

  #pack(intervals: readonly Interval[]): void {
    const wanted = new Set(intervals.map(({ resolution, time }) => `${resolution}:${time}`))
    const all = this.#of('rollups') as readonly AnyRow[] as readonly RollupRow[]
    const isWanted = ({ resolution, time }: RollupRow) => wanted.has(`${resolution}:${time}`)
    this.#rows.set('rollups', [...all.filter(row => !isWanted(row)), ...packed(all.filter(isWanted))])
  }

  async trim(table: TableName, resolution: Resolution | null, before: number, rows: number): Promise<number> {
    this.#bound(table)
    return this.#trim(table, resolution, before, rows)
  }

  #trim(table: TableName, resolution: Resolution | null, before: number, rows: number): number {
    const { time } = TABLES[table]
    const all = this.#of(table)
    const isOne = (row: AnyRow) => resolution === null || row.resolution === resolution
    const times = all
      .filter(row => isOne(row) && (row[time] as number) >= before)
      .map(row => row[time] as number)
      .sort((a, b) => b - a)
    const from = times.length > rows ? Math.max(before, rows === 0 ? Infinity : times[rows - 1]) : before
    const kept = all.filter(row => !isOne(row) || (row[time] as number) >= from)
    this.#rows.set(table, kept)
    return all.length - kept.length
  }

  async forget(tenant: string, tables: readonly TableName[]): Promise<RowCounts> {
    const removed: Record<string, number> = {}
    for (const table of tables) {
      const all = this.#seen(table)
      const kept = all.filter(row => row.tenant !== tenant)
      this.#rows.set(table, kept)
      removed[table] = all.length - kept.length
    }
    return removed
  }

  async size(): Promise<StoreSize> {
    const tables: Record<string, { rows: number; bytes: number }> = {}
    let bytes = 0
    for (const table of TABLE_NAMES) {
      const rows = this.#seen(table)
      const sample = rows.slice(-SAMPLE)
      const average = sample.length === 0 ? 0 : JSON.stringify(sample).length / sample.length
      tables[table] = { rows: rows.length, bytes: Math.round(average * rows.length) }
      bytes += tables[table].bytes
    }
    return { bytes, tables: tables as StoreSize['tables'] }
  }

  exportParquet(folder: string): Promise<RowCounts> {
    return exportRows(folder, async table => this.#seen(table))
  }

  importParquet(folder: string): Promise<RowCounts> {
    return importRows(folder, (table, rows) => this.write({ time: 0, tables: new Map([[table, rows]]), blocks: [] }))
  }

  async close(): Promise<void> {
    for (const rows of this.#rows.values()) rows.length = 0
  }

  #of(table: TableName): AnyRow[] {
    return this.#rows.get(table) as AnyRow[]
  }

  #seen(table: TableName): AnyRow[] {
    this.#bound(table)
    return this.#of(table)
  }
}

function isSelected(
  row: AnyRow,
  timeColumn: string,
  { from = -Infinity, to = Infinity, where = {}, present = [], input }: Selection
): boolean {
  const time = row[timeColumn] as number
  if (time < from || time >= to || !hasAll(row, where)) return false
  if ((present as readonly string[]).some(name => row[name] === undefined)) return false
  if (input === undefined) return true
  const kept = (row.input ?? {}) as Record<string, unknown>
  return Object.entries(input).every(([name, value]) => Object.hasOwn(kept, name) && asText(kept[name]) === asText(value))
}

/** What is absent is no property. */
function copyOf(row: AnyRow): Record<string, unknown> {
  return structuredClone(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)))
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function hasAll(row: object, where: object): boolean {
  return Object.entries(where).every(([name, wanted]) => {
    const value = (row as AnyRow)[name]
    return wanted === undefined || (Array.isArray(wanted) ? wanted.includes(value) : value === wanted)
  })
}

function namesOf(row: object, time: number, { by = [], every }: Grouping): Record<string, unknown> {
  const names: Record<string, unknown> = {}
  for (const name of by) {
    const value = (row as AnyRow)[name]
    if (value !== undefined) names[name] = value
  }
  if (every !== undefined) names.time = Math.floor(time / every) * every
  return names
}
