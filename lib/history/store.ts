import type { Batch } from './batch.js'
import type { RawTable, Row, TableName } from './rows.js'

/** The lengths of the intervals that roll-ups are kept for, in ms. */
export const RESOLUTIONS = [1_000, 60_000, 3_600_000] as const
export type Resolution = (typeof RESOLUTIONS)[number]

export type Source = 'runs' | 'actions' | 'events' | 'host'
/**
 * What roll-ups tell apart. `subject` is the action of an action, `kind:element` of an event; `outcome` of an event is what happened
 * (`grant`, `refusal`, …).
 */
export type Dimension = 'workflow' | 'subject' | 'outcome' | 'tenant'

type Matches<V> = V | readonly V[]

/** Which rows: all that fit everything said here. Times in ms since the Unix epoch, `to` not included. */
export interface Selection<T extends TableName = TableName> {
  readonly from?: number
  readonly to?: number
  /** columns of text or numbers, and the value, or values, that they may have */
  readonly where?: { readonly [K in keyof Row<T>]?: Matches<string | number> }
  /** columns that must have a value */
  readonly present?: readonly (keyof Row<T>)[]
  /** top-level fields of `input`, compared as text; runs only */
  readonly input?: Readonly<Record<string, string | number | boolean>>
  /** by time; default asc */
  readonly order?: 'asc' | 'desc'
  readonly limit?: number
}

/** A question to the roll-ups, or to the raw rows behind them: one metric, grouped. */
export interface Grouping {
  readonly source: Source
  readonly metric: string
  readonly from?: number
  readonly to?: number
  readonly where?: { readonly [D in Dimension]?: Matches<string> }
  readonly by?: readonly Dimension[]
  /** also by intervals of so many ms: a multiple of 1 s */
  readonly every?: number
}

/** What was put together: the names that the question asked to tell apart. */
export interface GroupNames {
  readonly workflow?: string
  readonly subject?: string
  readonly outcome?: string
  readonly tenant?: string
  /** begin of its interval, where the question had `every` */
  readonly time?: number
  readonly count: number
}

/** Roll-ups put together. */
export interface Group extends GroupNames {
  readonly sum: number
  readonly low: number
  readonly high: number
  readonly buckets: ReadonlyMap<number, number>
}

/** Raw rows put together, quantiles exact. */
export interface ExactGroup extends GroupNames {
  readonly quantiles: readonly number[]
}

export type SqlValue = string | number | boolean | null

export interface SqlOptions {
  /** whether it may be but one statement, and one that changes nothing; default false */
  readonly readOnly?: boolean
}

/** What of a table is kept. */
export interface Keep {
  /** ms */
  readonly age?: number
  readonly rows?: number
  /** of disk, or memory; by the average size of the table's rows */
  readonly bytes?: number
}

/** By table, and by resolution for roll-ups. What is not named is kept. */
export type Retention = { readonly [T in RawTable | 'second' | 'minute' | 'hour']?: Keep }

/** Rows by table. */
export type RowCounts = { readonly [T in TableName]?: number }

export interface Flushed {
  /** rows that are on disk since then */
  readonly rows: number
  /** rows that still wait, because the store could not write them; why is in `health()` */
  readonly waiting: number
}

/** How the writer before this one ended. */
export interface Recovered {
  /** the last time it had flushed, ms since the Unix epoch: what it was given later than that may be missing, which is at most its flush interval */
  readonly lastFlush: number
  /** ms */
  readonly flushInterval: number
}

export interface Health {
  /** why nothing can be written now: roll-ups go on in memory, rows wait, and what finds no room is dropped and counted */
  readonly degraded: Error | null
  readonly buffered: number
  /** rows dropped since this store was opened */
  readonly dropped: number
}

export interface StoreSize {
  readonly bytes: number
  readonly tables: { readonly [T in TableName]: { readonly rows: number; readonly bytes: number } }
}

/**
 * The time-series of what happened. One writer; whoever appends is never made to wait and never sees an error of the disk or the server: see
 * {@link HistoryStore.health}. Reads see what was flushed. See docs/guides/history.md.
 */
export interface HistoryStore {
  readonly kind: 'memory' | 'duckdb' | 'postgres'
  readonly schemaVersion: number
  /** null when the writer before closed the store, or there was none */
  readonly recovered: Recovered | null
  health(): Health
  /**
   * Takes rows, which are the store's from then on. They are written at the next flush, at the latest after `flushInterval`.
   *
   * @throws ArgumentError for an unknown table or column, a value of the wrong type, or a run or action that ends before it begins or has another outcome than
   *   success, ignore or drop, and none of the rows was taken; ClosedError
   */
  append<T extends RawTable>(table: T, rows: readonly Row<T>[]): void
  /** Writes what was appended, with its roll-ups, in one transaction. Of what this resolves to, `rows` survive the death of the process. */
  flush(): Promise<Flushed>
  select<T extends TableName>(table: T, selection?: Selection<T>): Promise<Row<T>[]>
  /** Asks the roll-ups. Intervals count whole: `from` is rounded down and `to` up to the resolution that is used, the coarsest that `every`, `from` and `to` are multiples of. */
  grouped(grouping: Grouping): Promise<Group[]>
  /** Asks the raw rows for exact quantiles, as `percentile_disc` has them. */
  exact(grouping: Grouping, quantiles: readonly number[]): Promise<ExactGroup[]>
  /**
   * SQL with bound parameters `$1`, `$2`, …; columns are named in snake_case. It shares the one connection of the writer.
   *
   * @returns rejected with an UnsupportedError by a store in memory; with an ArgumentError for what is no statement, and with `readOnly` for anything
   *   but one statement that reads
   */
  sql(text: string, parameters?: readonly SqlValue[], options?: SqlOptions): Promise<Record<string, unknown>[]>
  /** Flushes, and puts the roll-ups of the same interval and names into one row. The store does so every minute. */
  rollUp(): Promise<void>
  /** Removes what the retention does not keep, oldest first, and says how many rows of what. Roll-ups stay for as long as their own retention says. */
  prune(retention: Retention, now?: number): Promise<RowCounts>
  /** Removes a tenant's rows from every table that has tenants, and from the roll-ups, and says how many. */
  forget(whose: { readonly tenant: string }): Promise<RowCounts>
  /** Writes each table into a file `TABLE.parquet` (mode 0600) of a folder, made if need be (mode 0700). */
  exportParquet(folder: string): Promise<RowCounts>
  /** Adds the rows, and roll-ups, of such a folder. */
  importParquet(folder: string): Promise<RowCounts>
  size(): Promise<StoreSize>
  /** Flushes and closes. */
  close(): Promise<void>
}

/** Options of every store. */
export interface StoreOptions {
  /** ms from an append to its flush, default in docs/guides/defaults.md; Infinity: only `flush()` and `close()` write */
  readonly flushInterval?: number
  /** rows that may wait for a flush; more are dropped, counted in `losses`, and still rolled up */
  readonly bufferRows?: number
  /** who writes, where several hosts have one store */
  readonly writer?: string
}

/** What a store is made of: tables that rows are put into and asked for. Everything that may fail rejects. @internal */
export interface Backend {
  readonly kind: HistoryStore['kind']
  /** All of it or nothing. */
  write(batch: Batch): Promise<void>
  select(table: TableName, selection: Selection): Promise<Record<string, unknown>[]>
  grouped(grouping: Grouping, resolution: Resolution): Promise<GroupPart[]>
  exact(grouping: Grouping, quantiles: readonly number[]): Promise<ExactGroup[]>
  sql(text: string, parameters: readonly unknown[]): Promise<Record<string, unknown>[]>
  /** The same, of one statement that changes nothing; anything else is an ArgumentError. */
  ask(text: string, parameters: readonly unknown[]): Promise<Record<string, unknown>[]>
  /** Puts the roll-ups of these intervals together. */
  compact(intervals: readonly Interval[]): Promise<void>
  /** Removes what is older than `before`, then the oldest beyond `rows`; says how many it removed. */
  trim(table: TableName, resolution: Resolution | null, before: number, rows: number): Promise<number>
  forget(tenant: string, tables: readonly TableName[]): Promise<RowCounts>
  size(): Promise<StoreSize>
  exportParquet(folder: string): Promise<RowCounts>
  importParquet(folder: string): Promise<RowCounts>
  /** What the last writer of this name left; null where it closed. */
  recovered: Recovered | null
  /** @param whole everything was written */
  close(whole: boolean): Promise<void>
}

/** @internal */
export interface Interval {
  readonly resolution: Resolution
  readonly time: number
}

/** Part of a group: parts of the same names add up. @internal */
export interface GroupPart extends Omit<Group, 'buckets'> {
  readonly buckets: Iterable<readonly [number, number]>
}
