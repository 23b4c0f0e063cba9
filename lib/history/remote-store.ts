import { checkRows } from './check-rows.js'
import type { StoreCall, ToRecorder } from './messages.js'
import { type RawTable, type Row, SCHEMA_VERSION, type TableName } from './rows.js'
import type {
  ExactGroup,
  Flushed,
  Group,
  Grouping,
  Health,
  HistoryStore,
  Recovered,
  Retention,
  RowCounts,
  Selection,
  SqlOptions,
  SqlValue,
  StoreSize
} from './store.js'

/** The way to a store in another thread or process. */
export interface Remote {
  readonly recovered: Recovered | null
  readonly health: Health
  ask<T>(message: (id: number) => ToRecorder): Promise<T>
  /** @throws ClosedError */
  tell(message: ToRecorder): void
  stop(): Promise<void>
}

/** A store that another thread, or process, has open: what is asked goes there, and the answers come back, as copies. */
export class RemoteStore implements HistoryStore {
  readonly kind: HistoryStore['kind']
  readonly schemaVersion = SCHEMA_VERSION
  readonly #remote: Remote

  constructor(kind: HistoryStore['kind'], remote: Remote) {
    this.kind = kind
    this.#remote = remote
  }

  get recovered(): Recovered | null {
    return this.#remote.recovered
  }

  health(): Health {
    return this.#remote.health
  }

  append<T extends RawTable>(table: T, rows: readonly Row<T>[]): void {
    checkRows(table, rows)
    this.#remote.tell({ append: [table, rows as never] })
  }

  flush(): Promise<Flushed> {
    return this.#call('flush')
  }

  select<T extends TableName>(table: T, selection?: Selection<T>): Promise<Row<T>[]> {
    return this.#call('select', table, selection)
  }

  grouped(grouping: Grouping): Promise<Group[]> {
    return this.#call('grouped', grouping)
  }

  exact(grouping: Grouping, quantiles: readonly number[]): Promise<ExactGroup[]> {
    return this.#call('exact', grouping, quantiles)
  }

  sql(text: string, parameters?: readonly SqlValue[], options?: SqlOptions): Promise<Record<string, unknown>[]> {
    return this.#call('sql', text, parameters, options)
  }

  rollUp(): Promise<void> {
    return this.#call('rollUp')
  }

  prune(retention: Retention, now?: number): Promise<RowCounts> {
    return this.#call('prune', retention, now)
  }

  forget(whose: { readonly tenant: string }): Promise<RowCounts> {
    return this.#call('forget', whose)
  }

  exportParquet(folder: string): Promise<RowCounts> {
    return this.#call('exportParquet', folder)
  }

  importParquet(folder: string): Promise<RowCounts> {
    return this.#call('importParquet', folder)
  }

  size(): Promise<StoreSize> {
    return this.#call('size')
  }

  /** Stops the recorder, whose store it is. */
  close(): Promise<void> {
    return this.#remote.stop()
  }

  #call<T>(call: StoreCall, ...args: readonly unknown[]): Promise<T> {
    return this.#remote.ask(id => ({ id, call, args }))
  }
}
