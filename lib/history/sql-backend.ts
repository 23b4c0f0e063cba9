import { ArgumentError, VersionError } from '../errors/index.js'
import { asRows, type Batch } from './batch.js'
import type { BufferTerms } from './buffered.js'
import { METRICS } from './rollups.js'
import { type Column, SCHEMA_VERSION, sqlName, TABLES, type Table, type TableName } from './rows.js'
import type {
  Backend,
  Dimension,
  ExactGroup,
  Grouping,
  GroupPart,
  HistoryStore,
  Interval,
  Recovered,
  Resolution,
  RowCounts,
  Selection,
  Source,
  StoreSize
} from './store.js'

type AnyRow = Readonly<Record<string, unknown>>
export type Params = readonly unknown[]

/** A schema: {@link TABLES} outside of tests. */
export interface Schema {
  readonly version: number
  readonly tables: Readonly<Record<string, Table>>
}

export const CURRENT: Schema = { version: SCHEMA_VERSION, tables: TABLES }

/** One statement at a time. */
export interface Statements {
  /** Rows of numbers, strings, booleans and nulls. */
  query(text: string, params?: Params): Promise<Record<string, unknown>[]>
  /** How many rows it changed. */
  change(text: string, params?: Params): Promise<number>
}

/** The parameters of one statement, as they come up in it. */
class Bound {
  readonly values: unknown[] = []

  add(value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}`
  }
}

export const quoted = (column: string) => `"${sqlName(column)}"`

/** Of SQL that may only read. */
export function mustRead(given: string, cause?: unknown): ArgumentError {
  return new ArgumentError('text must be one statement of SQL that changes nothing', { option: 'text', given }, cause)
}

/** What the SQL of the two databases has in common; they differ in how rows get in and in where they lie. */
export abstract class SqlBackend implements Backend {
  abstract readonly kind: HistoryStore['kind']
  recovered: Recovered | null = null
  protected readonly terms: BufferTerms
  protected readonly schema: Schema

  constructor(terms: BufferTerms, schema: Schema) {
    this.terms = terms
    this.schema = schema
  }

  protected abstract readonly statements: Statements
  protected abstract transaction(work: () => Promise<void>): Promise<void>
  protected abstract insert(table: TableName, rows: readonly AnyRow[]): Promise<void>
  protected abstract typeOf(column: Column): string
  /** The DDL of a table, for one that is not there. */
  protected abstract create(name: string, table: Table): readonly string[]
  /** The text of a top-level field of a JSON column. */
  protected abstract field(column: string, name: string, bound: (value: unknown) => string): string
  /** A row for each of the numbers in a column; several of them side by side go on together. */
  protected abstract spread(column: string): string
  /** The numbers of a group as one value, in the order of the column `bucket`. */
  protected abstract gathered(column: string): string

  /** Several quantiles of the values of a group as one list: they are put in order once for all of them. */
  protected abstract quantilesOf(value: string, quantiles: readonly number[]): string

  /** That a column, or what stands for it, has one of these values. */
  protected isOneOf(_table: TableName, _column: string, expression: string, values: readonly string[]): string {
    return `${expression} IN (${values.join(', ')})`
  }

  abstract size(): Promise<StoreSize>
  abstract exportParquet(folder: string): Promise<RowCounts>
  abstract importParquet(folder: string): Promise<RowCounts>
  abstract close(whole: boolean): Promise<void>

  /**
   * Makes what is missing, and says who wrote last.
   *
   * @throws VersionError if a later version made it
   */
  protected async prepare(): Promise<void> {
    await this.transaction(async () => {
      await this.statements.change('CREATE TABLE IF NOT EXISTS meta ("key" VARCHAR NOT NULL, "value" VARCHAR NOT NULL)')
      const stored = await this.#meta('schema')
      await this.#migrate(stored === null ? null : Number(stored))
      const last = await this.#meta(this.#writer())
      const { open, ...recovered } = last === null ? { open: false } : JSON.parse(last)
      this.recovered = open ? recovered : null
      await this.#mark(true, Date.now())
    })
  }

  async #migrate(from: number | null): Promise<void> {
    const { version, tables } = this.schema
    if (from !== null && from > version) {
      throw new VersionError(`this history has schema ${from}, made by a later version of forelock; this one knows ${version}`, {
        option: 'schema',
        stored: from,
        given: version
      })
    }
    if (from === version) return
    for (const [name, table] of Object.entries(tables)) {
      if (from !== null && Object.values(table.columns).some(({ since }) => since <= from)) await this.#addColumns(name, table, from)
      // Of a table that is there, what it is found by.
      for (const statement of this.create(name, table)) await this.statements.change(statement)
    }
    await this.#setMeta('schema', String(version))
  }

  async #addColumns(name: string, table: Table, from: number): Promise<void> {
    for (const [column, { since, ...rest }] of Object.entries(table.columns)) {
      if (since <= from) continue
      await this.statements.change(`ALTER TABLE ${quoted(name)} ADD COLUMN ${quoted(column)} ${this.typeOf({ since, ...rest })}`)
    }
  }

  protected columnsOf(table: Table): string {
    return Object.entries(table.columns)
      .map(([name, column]) => `${quoted(name)} ${this.typeOf(column)}${column.optional ? '' : ' NOT NULL'}`)
      .join(', ')
  }

  /** Writes what is there by column, and says what is left; as rows, where columns are of no use. */
  protected async insertBlocks(batch: Batch): Promise<Batch['tables']> {
    return asRows(batch)
  }

  /** Tells later whether the writer closed. Part of every flush, so that it says when the last one was. */
  async #mark(open: boolean, lastFlush: number): Promise<void> {
    const { flushInterval } = this.terms
    await this.#setMeta(this.#writer(), JSON.stringify({ open, lastFlush, flushInterval }))
  }

  protected async markClosed(): Promise<void> {
    try {
      await this.#mark(false, Date.now())
    } catch {
      // No room even for that. Nothing is lost by it: the next writer is told that something may be, which errs on the safe side.
    }
  }

  #writer(): string {
    return `writer:${this.terms.writer}`
  }

  async #meta(key: string): Promise<string | null> {
    const rows = await this.statements.query('SELECT "value" FROM meta WHERE "key" = $1', [key])
    return rows.length === 0 ? null : String(rows[0].value)
  }

  async #setMeta(key: string, value: string): Promise<void> {
    const changed = await this.statements.change('UPDATE meta SET "value" = $2 WHERE "key" = $1', [key, value])
    if (changed === 0) await this.statements.change('INSERT INTO meta VALUES ($1, $2)', [key, value])
  }

  write(batch: Batch): Promise<void> {
    const { time } = batch
    return this.transaction(async () => {
      for (const [table, rows] of await this.insertBlocks(batch)) await this.insert(table, rows)
      await this.#mark(true, time)
    })
  }

  sql(text: string, params: Params): Promise<Record<string, unknown>[]> {
    return this.statements.query(text, params)
  }

  async ask(text: string, params: Params): Promise<Record<string, unknown>[]> {
    await this.statements.change('BEGIN TRANSACTION READ ONLY')
    try {
      return await this.one(text, params)
    } finally {
      await this.rollBack()
    }
  }

  /** Of one statement, within a transaction that may change nothing. @throws ArgumentError for what would, and for several */
  protected abstract one(text: string, params: Params): Promise<Record<string, unknown>[]>
  protected abstract rollBack(): Promise<void>

  async select(table: TableName, selection: Selection): Promise<Record<string, unknown>[]> {
    const { time, columns } = this.schema.tables[table]
    const bound = new Bound()
    const conditions = [
      ...this.#span(time, selection.from, selection.to, bound),
      ...matches(selection.where ?? {}, (name, values) => this.isOneOf(table, name, quoted(name), values), bound),
      ...(selection.present ?? []).map(name => `${quoted(name)} IS NOT NULL`)
    ]
    for (const [name, value] of Object.entries(selection.input ?? {})) {
      conditions.push(`${this.field('input', name, value => bound.add(value))} = ${bound.add(String(value))}`)
    }
    const order = `ORDER BY ${quoted(time)} ${selection.order === 'desc' ? 'DESC' : 'ASC'}`
    const limit = selection.limit === undefined ? '' : ` LIMIT ${selection.limit}`
    const names = Object.entries(columns).map(([name, column]) => this.wanted(name, column))
    const text = `SELECT ${names.join(', ')} FROM ${quoted(table)}${whereOf(conditions)} ${order}${limit}`
    return this.read(text, bound.values, columns)
  }

  /** A column as {@link read} wants it. */
  protected wanted(name: string, _column: Column): string {
    return quoted(name)
  }

  /** Rows of these columns, as they were appended. */
  protected async read(text: string, params: Params, columns: Table['columns']): Promise<Record<string, unknown>[]> {
    return (await this.statements.query(text, params)).map(row => readRow(columns, row))
  }

  #span(time: string, from: number | undefined, to: number | undefined, bound: Bound): string[] {
    const conditions = []
    if (from !== undefined) conditions.push(`${quoted(time)} >= ${bound.add(from)}`)
    if (to !== undefined) conditions.push(`${quoted(time)} < ${bound.add(to)}`)
    return conditions
  }

  async grouped(grouping: Grouping, resolution: Resolution): Promise<GroupPart[]> {
    const { source, metric, from, to, where = {}, by = [], every } = grouping
    const bound = new Bound()
    const conditions = [`resolution = ${resolution}`, `source = ${bound.add(source)}`, `metric = ${bound.add(metric)}`]
    // An interval that begins before `from` or ends after `to` counts if part of it is inside.
    if (from !== undefined) conditions.push(`"time" > ${bound.add(from - resolution)}`)
    if (to !== undefined) conditions.push(`"time" < ${bound.add(to)}`)
    conditions.push(...matches(where, (name, values) => this.isOneOf('rollups', name, quoted(name), values), bound))
    const keys = [...by.map(name => [name, quoted(name)]), ...intervalOf('"time"', every)]
    const these = keys.length > 0 ? `${named(keys)}, ` : ''
    const rows = `FROM rollups${whereOf(conditions)}`
    const groupBy = keys.length > 0 ? ` GROUP BY ${ordinals(keys)}` : ''
    const sums = await this.statements.query(
      `SELECT ${these}sum("count") AS "count", sum("sum") AS "sum", min(low) AS low, max(high) AS high ${rows}${groupBy}`,
      bound.values
    )
    const names = keys.map(([name]) => `"${name}", `).join('')
    // All buckets of a group in one row: handing over a row for each costs more than finding them.
    const buckets = await this.statements.query(
      `SELECT ${names}${this.gathered('bucket')} AS buckets, ${this.gathered('n')} AS counts FROM (
        SELECT ${names}bucket, sum(n) AS n FROM (
          SELECT ${these}${this.spread('buckets')} AS bucket, ${this.spread('counts')} AS n ${rows}
        ) AS parts GROUP BY ${ordinals([...keys, 'bucket'])}
      ) AS whole${groupBy}`,
      bound.values
    )
    const found = sums.filter(({ count }) => count !== null).map(row => ({ ...withoutNulls(row), buckets: [] }))
    return [...found, ...buckets.filter(row => row.buckets !== null).map(bucketsPart)] as unknown as GroupPart[]
  }

  async exact(grouping: Grouping, quantiles: readonly number[]): Promise<ExactGroup[]> {
    const { source, metric, from, to, where = {}, by = [], every } = grouping
    if (!METRICS[source].includes(metric)) return []
    const { time } = TABLES[source]
    const bound = new Bound()
    const value = metric === 'wall' ? 'coalesce(wall, "end" - start)' : quoted(metric)
    const dimension = (name: string) => dimensionOf(source, name as Dimension)
    const isOneOf = (name: string, values: readonly string[]) => this.isOneOf(source, name, dimension(name), values)
    const conditions = [`${value} IS NOT NULL`, ...this.#span(time, from, to, bound), ...matches(where, isOneOf, bound)]
    const keys = [...by.map(name => [name, dimension(name)]), ...intervalOf(quoted(time), every)]
    const found = quantiles.length > 0 ? [`${this.quantilesOf(value, quantiles)} AS found`] : []
    const text = `SELECT ${[...(keys.length > 0 ? [named(keys)] : []), `count(*) AS "count"`, ...found].join(', ')}
      FROM ${source}${whereOf(conditions)}${keys.length > 0 ? ` GROUP BY ${ordinals(keys)}` : ''}`
    const groups = (await this.statements.query(text, bound.values)).map(row => {
      const names = Object.fromEntries(keys.flatMap(([name]) => (row[name] === null ? [] : [[name, row[name]]])))
      return { ...names, count: Number(row.count), quantiles: (row.found ?? []) as number[] }
    })
    return groups.filter(({ count }) => count > 0)
  }

  async compact(intervals: readonly Interval[]): Promise<void> {
    const names = ['resolution', 'time', 'source', 'metric', 'workflow', 'subject', 'outcome', 'tenant'].map(quoted)
    const keys = names.join(', ')
    const where = whereOf([anyOf(intervals)])
    const same = names.map(name => `sums.${name} IS NOT DISTINCT FROM spread.${name}`).join(' AND ')
    await this.transaction(async () => {
      await this.statements.change(`CREATE TEMPORARY TABLE sums AS SELECT ${keys}, sum("count") AS "count", sum("sum") AS "sum",
        min(low) AS low, max(high) AS high FROM rollups${where} GROUP BY ${keys}`)
      await this.statements.change(`CREATE TEMPORARY TABLE spread AS
        SELECT ${keys}, ${this.gathered('bucket')} AS buckets, ${this.gathered('n')} AS counts FROM (
          SELECT ${keys}, bucket, sum(n) AS n FROM (
            SELECT ${keys}, ${this.spread('buckets')} AS bucket, ${this.spread('counts')} AS n FROM rollups${where}
          ) AS parts GROUP BY ${keys}, bucket
        ) AS whole GROUP BY ${keys}`)
      await this.statements.change(`DELETE FROM rollups${where}`)
      await this.statements.change(`INSERT INTO rollups (${keys}, "count", "sum", low, high, buckets, counts)
        SELECT ${names.map(name => `sums.${name}`).join(', ')}, "count", "sum", low, high, buckets, counts FROM sums JOIN spread ON ${same}`)
      await this.statements.change('DROP TABLE sums')
      await this.statements.change('DROP TABLE spread')
    })
  }

  async trim(table: TableName, resolution: Resolution | null, before: number, rows: number): Promise<number> {
    const time = quoted(TABLES[table].time)
    const one = resolution === null ? [] : [`resolution = ${resolution}`]
    let from = before
    if (rows === 0) from = Number.POSITIVE_INFINITY
    else if (Number.isFinite(rows)) {
      from = Math.max(before, await this.oldestOf(table, whereOf(one), rows))
    }
    if (from === Number.NEGATIVE_INFINITY) return 0
    const older = from === Number.POSITIVE_INFINITY ? [] : [`${time} < ${from}`]
    return this.statements.change(`DELETE FROM ${quoted(table)}${whereOf([...one, ...older])}`)
  }

  /** The time of the oldest of so many newest rows; -Infinity: there are no more. */
  protected async oldestOf(table: TableName, where: string, rows: number): Promise<number> {
    const time = quoted(TABLES[table].time)
    const [oldest] = await this.statements.query(
      `SELECT ${time} AS "time" FROM ${quoted(table)}${where} ORDER BY ${time} DESC LIMIT 1 OFFSET ${rows - 1}`
    )
    return oldest === undefined ? Number.NEGATIVE_INFINITY : (oldest.time as number)
  }

  async forget(tenant: string, tables: readonly TableName[]): Promise<RowCounts> {
    const removed: Record<string, number> = {}
    await this.transaction(async () => {
      for (const table of tables) {
        removed[table] = await this.statements.change(`DELETE FROM ${quoted(table)} WHERE tenant = $1`, [tenant])
      }
    })
    return removed
  }
}

function anyOf(intervals: readonly Interval[]): string {
  const times = new Map<number, number[]>()
  for (const { resolution, time } of intervals) times.set(resolution, [...(times.get(resolution) ?? []), time])
  return `(${[...times].map(([resolution, all]) => `resolution = ${resolution} AND "time" IN (${all.join(', ')})`).join(' OR ')})`
}

const NO_NAME = 'CAST(NULL AS VARCHAR)'

function dimensionOf(source: Source, name: Dimension): string {
  if (name === 'subject') {
    if (source === 'actions') return 'action'
    if (source === 'events') return `(kind || ':' || element)`
    return source === 'host' ? 'host' : NO_NAME
  }
  if (source === 'host') return NO_NAME
  return name === 'outcome' && source === 'events' ? 'event' : quoted(name)
}

function intervalOf(time: string, every: number | undefined): string[][] {
  return every === undefined ? [] : [['time', `floor(${time} / ${every}) * ${every}`]]
}

const ordinals = (keys: readonly unknown[]) => keys.map((_, at) => at + 1).join(', ')

const named = (keys: readonly (readonly string[])[]) => keys.map(([name, expression]) => `${expression} AS "${name}"`).join(', ')

function matches(where: object, isOneOf: (name: string, values: readonly string[]) => string, bound: Bound): string[] {
  return Object.entries(where).flatMap(([name, wanted]) => {
    if (wanted === undefined) return []
    const values: unknown[] = Array.isArray(wanted) ? wanted : [wanted]
    return values.length === 0
      ? ['1 = 0']
      : [
          isOneOf(
            name,
            values.map(value => bound.add(value))
          )
        ]
  })
}

function whereOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
}

/** As it was appended: what is absent is no property. */
export function readRow(columns: Table['columns'], row: AnyRow): Record<string, unknown> {
  const read: Record<string, unknown> = {}
  for (const [name, { type }] of Object.entries(columns)) {
    const value = row[sqlName(name)]
    if (value === null || value === undefined) continue
    read[name] = type !== 'text' && typeof value === 'string' ? JSON.parse(value) : value
  }
  return read
}

function bucketsPart({ buckets, counts, ...names }: AnyRow): AnyRow {
  const nothing = { count: 0, sum: 0, low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY }
  const numbers = listOf(counts)
  return { ...withoutNulls(names), ...nothing, buckets: listOf(buckets).map((bucket, at) => [bucket, numbers[at]]) }
}

/** An array, or one as text: see {@link SqlBackend.gathered}. */
const listOf = (value: unknown): number[] => (typeof value === 'string' ? JSON.parse(value) : (value as number[]))

function withoutNulls(row: AnyRow): AnyRow {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))
}
