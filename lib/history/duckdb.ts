import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync
} from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance, DuckDBValue } from '@duckdb/node-api'
import { count, onlyKnown, optionsObject, refuse, text } from '../checks.js'
import { InUseError, NotFoundError } from '../errors/index.js'
import { MiB } from '../units.js'
import type { Batch } from './batch.js'
import { BufferedStore, type BufferTerms, bufferTerms } from './buffered.js'
import type { COLUMNS as EVENT_COLUMNS } from './event-block.js'
import { bindings, EventChunks } from './event-chunks.js'
import { optional } from './optional.js'
import { type Column, sqlName, TABLE_NAMES, type Table, type TableName } from './rows.js'
import { CURRENT, mustRead, quoted, type Schema, SqlBackend, type Statements } from './sql-backend.js'
import type { HistoryStore, RowCounts, StoreOptions, StoreSize } from './store.js'

type AnyRow = Readonly<Record<string, unknown>>
type DuckDb = typeof import('@duckdb/node-api')

export interface DuckDbStoreOptions extends StoreOptions {
  /** bytes that DuckDB may use for its buffers; the process takes more. Default in docs/guides/defaults.md */
  readonly memory?: number
  /** threads for queries */
  readonly threads?: number
}

const MEMORY = 256 * MiB
/** DuckDB's name for what is in no file, which is of use to the one connection that has it. */
const IN_MEMORY = ':memory:'
const MOST_THREADS = 2
/** Rows that are handed over before other work has its turn: 256 at a time cost a third more of CPU a row than 2,048, which hold up the loop for long. */
const SLICE_ROWS = 512
/** Rows that are put in order to find the oldest that stay. */
const MOST_IN_ORDER = 1_000_000
/** Texts stay in a slice until it is given up. */
const MOST_USES = 32
/** The log is folded into the file from this size on. DuckDB would do it by itself at 16 MiB, but makes the next log readable for all. */
const CHECKPOINT_BYTES = 64 * MiB
const OWNER_ONLY = 0o600
const FOLDER_OWNER_ONLY = 0o700

/**
 * The history in a file (mode 0600, as is its log), by DuckDB. One process has it open at a time. In memory there is {@link openMemoryStore}: ':memory:' is refused.
 *
 * @throws ArgumentError; LoadError if the package is not installed; InUseError if it is open already; VersionError if a later version made it;
 *   NotFoundError if its folder is not there
 */
export function openDuckDbStore(path: string, options: DuckDbStoreOptions = {}): Promise<HistoryStore> {
  return openDuckDbSchema(path, options, CURRENT)
}

/** With another schema than this version's. @internal */
export async function openDuckDbSchema(path: string, options: DuckDbStoreOptions, schema: Schema): Promise<HistoryStore> {
  const { terms, config } = duckDbTerms(path, options)
  const duckdb = await optional('@duckdb/node-api', () => import('@duckdb/node-api'))
  const file = resolve(path)
  mustNotBeOpen(file)
  if (!existsSync(file)) await makeFile(duckdb, file)
  const backend = await DuckDbBackend.open(duckdb, file, config, terms, schema)
  // Not before: what is no history, as where a name was mistyped, stays as it is.
  try {
    chmodSync(file, OWNER_ONLY)
  } catch (error) {
    await backend.close(true)
    throw error
  }
  return new BufferedStore(backend, terms)
}

/** @throws ArgumentError @internal */
export function duckDbTerms(path: unknown, options: DuckDbStoreOptions): { terms: BufferTerms; config: Record<string, string> } {
  if (text(path, 'path').startsWith(IN_MEMORY))
    throw refuse('path', `a file; a history in memory is openMemoryStore(), and a file of that name ./${IN_MEMORY}`, path)
  optionsObject(options, 'options')
  onlyKnown(options, ['memory', 'threads', 'flushInterval', 'bufferRows', 'writer'], 'the history in a file')
  return { terms: bufferTerms(options), config: configOf(options) }
}

function configOf({
  memory = MEMORY,
  threads = Math.min(MOST_THREADS, availableParallelism())
}: DuckDbStoreOptions): Record<string, string> {
  return {
    memory_limit: `${count(memory, 'memory', 16 * MiB, Number.MAX_SAFE_INTEGER)}B`,
    threads: String(count(threads, 'threads', 1, 1024)),
    checkpoint_threshold: '1TB',
    // Nothing is ever fetched from elsewhere; what is used is built in.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false'
  }
}

/** DuckDB's own lock is one of processes: a second store in this one would get past it and destroy the file. */
function mustNotBeOpen(file: string): void {
  if (!existsSync(file)) return
  const real = realpathSync(file)
  for (const descriptor of readdirSync('/proc/self/fd')) {
    if (targetOf(descriptor) === real) throw new InUseError(`the history ${file} is open in this process already`, {})
  }
}

function targetOf(descriptor: string): string | null {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    // Closed since it was listed.
    return null
  }
}

/** Made where nobody else can reach it, so that it is never there with another mode than 0600. */
async function makeFile(duckdb: DuckDb, file: string): Promise<void> {
  const place = dirname(file)
  if (!existsSync(place)) throw new NotFoundError(`there is no folder ${JSON.stringify(place)} to make a history in`, { resource: place })
  const folder = mkdtempSync(join(place, '.forelock-'))
  try {
    const made = join(folder, basename(file))
    const instance = await duckdb.DuckDBInstance.create(made)
    const connection = await instance.connect()
    await connection.run('CREATE TABLE meta ("key" VARCHAR NOT NULL, "value" VARCHAR NOT NULL)')
    connection.closeSync()
    instance.closeSync()
    chmodSync(made, OWNER_ONLY)
    renameSync(made, file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

class DuckDbBackend extends SqlBackend {
  readonly kind = 'duckdb'
  protected readonly statements: Statements
  readonly #duckdb: DuckDb
  readonly #file: string
  readonly #config: Record<string, string>
  readonly #bindings = bindings()
  readonly #order = new Map<TableName, readonly [string, Column][]>()
  #instance: DuckDBInstance | null = null
  #connection: DuckDBConnection | null = null

  private constructor(duckdb: DuckDb, file: string, config: Record<string, string>, terms: BufferTerms, schema: Schema) {
    super(terms, schema)
    this.#duckdb = duckdb
    this.#file = file
    this.#config = config
    this.statements = {
      query: async (text, params = []) =>
        (await (await this.#here()).runAndReadAll(text, params as DuckDBValue[])).getRowObjectsJS().map(plain),
      change: async (text, params = []) => (await (await this.#here()).run(text, params as DuckDBValue[])).rowsChanged
    }
  }

  static async open(
    duckdb: DuckDb,
    file: string,
    config: Record<string, string>,
    terms: BufferTerms,
    schema: Schema
  ): Promise<DuckDbBackend> {
    const backend = new DuckDbBackend(duckdb, file, config, terms, schema)
    try {
      await backend.prepare()
    } catch (error) {
      backend.#leave()
      throw error
    }
    return backend
  }

  /** The connection: anew where the one before became unusable, as after a checkpoint that found no room. */
  async #here(): Promise<DuckDBConnection> {
    if (this.#connection !== null) return this.#connection
    if (this.#file !== IN_MEMORY) mkdirSync(`${this.#file}.tmp`, { recursive: true, mode: FOLDER_OWNER_ONLY })
    try {
      this.#instance = await this.#duckdb.DuckDBInstance.create(this.#file, this.#config)
    } catch (error) {
      if (error instanceof Error && /lock on file/.test(error.message)) {
        throw new InUseError(`the history ${this.#file} is open in another process`, {}, error)
      }
      throw error
    }
    this.#connection = await this.#instance.connect()
    if (this.#file !== IN_MEMORY) for (const setting of this.#confinement()) await this.#connection.run(setting)
    this.#ownLog()
    return this.#connection
  }

  /** Whoever may ask by SQL is not thereby given the files of the host: there is the history, and the folder for what has no room in memory. */
  #confinement(): readonly string[] {
    return [
      `SET allowed_directories = [${literal(realpathSync(`${this.#file}.tmp`))}]`,
      'SET enable_external_access = false',
      'SET lock_configuration = true'
    ]
  }

  #leave(): void {
    this.#connection?.closeSync()
    this.#instance?.closeSync()
    this.#connection = null
    this.#instance = null
    if (this.#file !== IN_MEMORY) rmSync(`${this.#file}.tmp`, { recursive: true, force: true })
  }

  /** DuckDB removes its log with each checkpoint and makes the next one with the mode of the process; one that is there it takes as it is. */
  #ownLog(): void {
    if (this.#file === IN_MEMORY) return
    closeSync(openSync(`${this.#file}.wal`, 'a', OWNER_ONLY))
    chmodSync(`${this.#file}.wal`, OWNER_ONLY)
  }

  protected async transaction(work: () => Promise<void>): Promise<void> {
    await this.statements.change('BEGIN TRANSACTION')
    try {
      await work()
      await this.statements.change('COMMIT')
    } catch (error) {
      await this.rollBack()
      throw error
    }
    await this.#checkpoint(CHECKPOINT_BYTES)
  }

  protected async rollBack(): Promise<void> {
    try {
      await this.statements.change('ROLLBACK')
    } catch (error) {
      // A commit that failed has ended the transaction; anything else leaves a database that has to be opened anew.
      if (!(error instanceof Error && /no transaction is active/.test(error.message))) this.#leave()
    }
  }

  protected async one(text: string, params: readonly unknown[]): Promise<Record<string, unknown>[]> {
    const statements = await (await this.#here()).extractStatements(text)
    if (statements.count !== 1) throw mustRead(text)
    const { statementType } = await statements.prepare(0)
    const { SELECT, EXPLAIN } = this.#duckdb.StatementType
    if (statementType !== SELECT && statementType !== EXPLAIN) throw mustRead(text)
    return this.statements.query(text, params)
  }

  async #checkpoint(from: number): Promise<void> {
    if (this.#file === IN_MEMORY || bytesOf(`${this.#file}.wal`) < from) return
    try {
      await this.statements.change('CHECKPOINT')
      this.#ownLog()
    } catch {
      // No room for it. What was written is in the log; opened anew, as a failed checkpoint may ask for, the next flush tells whether there is room.
      this.#leave()
    }
  }

  protected async insert(table: TableName, rows: readonly AnyRow[]): Promise<void> {
    const columns = await this.#columnsIn(table)
    const appender = await (await this.#here()).createAppender(table)
    let slice: Slice | null = null
    try {
      for (let at = 0; at < rows.length; at += SLICE_ROWS) {
        if (at > 0) await new Promise(setImmediate)
        const count = Math.min(SLICE_ROWS, rows.length - at)
        if (slice?.count !== count || slice.uses === MOST_USES) slice = new Slice(this.#duckdb, columns, count)
        appender.appendDataChunk(slice.filledWith(rows, at))
        appender.flushSync()
      }
    } catch (error) {
      appender.clear()
      throw error
    } finally {
      appender.closeSync()
    }
  }

  /** In the order that they have in the file, by which an appender goes: those that a later schema brought were added behind the others. */
  async #columnsIn(table: TableName): Promise<readonly [string, Column][]> {
    const known = this.#order.get(table)
    if (known !== undefined) return known
    const { columns } = this.schema.tables[table]
    const byName = new Map(Object.entries(columns).map(([name, column]) => [sqlName(name), [name, column] as [string, Column]]))
    const found = await this.statements.query('SELECT column_name FROM duckdb_columns() WHERE table_name = $1 ORDER BY column_index', [
      table
    ])
    const order = found.map(({ column_name }) => byName.get(column_name as string) as [string, Column])
    this.#order.set(table, order)
    return order
  }

  protected override async insertBlocks({ tables, blocks, ...rest }: Batch): Promise<Batch['tables']> {
    const asColumns = blocks.filter(({ words }) => words.plain)
    if (asColumns.length > 0) {
      const appender = await (await this.#here()).createAppender('events')
      try {
        const columns = (await this.#columnsIn('events')).map(([name]) => name as (typeof EVENT_COLUMNS)[number])
        const chunks = new EventChunks(this.#duckdb, columns, this.#bindings)
        for (const block of asColumns) {
          appender.appendDataChunk(chunks.filledWith(block))
          await new Promise(setImmediate)
        }
        appender.flushSync()
      } catch (error) {
        appender.clear()
        throw error
      } finally {
        appender.closeSync()
      }
    }
    return super.insertBlocks({ ...rest, tables, blocks: blocks.filter(({ words }) => !words.plain) })
  }

  protected typeOf({ type }: Column): string {
    if (type === 'number') return 'DOUBLE'
    return type === 'json' ? 'JSON' : 'VARCHAR'
  }

  protected create(name: string, table: Table): readonly string[] {
    // No index: rows come in the order of their time, by which DuckDB passes over whole groups of rows, and the rest is scanned by column.
    return [`CREATE TABLE IF NOT EXISTS ${quoted(name)} (${this.columnsOf(table)})`]
  }

  protected field(column: string, name: string, bound: (value: unknown) => string): string {
    return `json_extract_string(${quoted(column)}, ${bound(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)})`
  }

  protected quantilesOf(value: string, quantiles: readonly number[]): string {
    return `quantile_disc(${value}, [${quantiles.join(', ')}])`
  }

  /** What a validity mask says costs more to read, one bit after the other, than the number: NaN, which no row has, stands for none. */
  protected override wanted(name: string, { type, optional }: Column): string {
    return type === 'number' && optional ? `coalesce(${quoted(name)}, 'NaN')` : quoted(name)
  }

  /** By column, a chunk at a time: as objects of rows that are then read they take three times as long. */
  protected override async read(text: string, params: readonly unknown[], columns: Table['columns']): Promise<Record<string, unknown>[]> {
    const result = await (await this.#here()).run(text, params as DuckDBValue[])
    const rows: Record<string, unknown>[] = []
    for (;;) {
      const chunk = await result.fetchChunk()
      if (chunk === null || chunk.rowCount === 0) return rows
      readChunk(chunk, Object.entries(columns), rows)
    }
  }

  protected spread(column: string): string {
    return `unnest(CAST(${quoted(column)} AS DOUBLE[]))`
  }

  protected gathered(column: string): string {
    return `CAST(list(${quoted(column)} ORDER BY bucket) AS VARCHAR)`
  }

  /** Of very many rows, as they were written: putting them in order would take more memory than there may be. */
  protected override async oldestOf(table: TableName, where: string, rows: number): Promise<number> {
    if (rows <= MOST_IN_ORDER || where !== '') return super.oldestOf(table, where, rows)
    const time = quoted(this.schema.tables[table].time)
    const [{ n, oldest }] = await this.statements.query(
      `SELECT count(*) AS n, min(${time}) AS oldest FROM ${quoted(table)} WHERE rowid > (SELECT max(rowid) FROM ${quoted(table)}) - ${rows}`
    )
    return n === rows ? (oldest as number) : Number.NEGATIVE_INFINITY
  }

  async size(): Promise<StoreSize> {
    const tables: Record<string, { rows: number; bytes: number }> = {}
    for (const table of TABLE_NAMES) {
      const [{ rows, bytes }] = await this.statements.query(
        `SELECT (SELECT count(*) FROM ${quoted(table)}) AS "rows",
          (SELECT count(DISTINCT block_id) FROM pragma_storage_info('${table}') WHERE persistent) *
          (SELECT block_size FROM pragma_database_size() LIMIT 1) AS "bytes"`
      )
      tables[table] = { rows: rows as number, bytes: bytes as number }
    }
    return { bytes: bytesOf(this.#file) + bytesOf(`${this.#file}.wal`), tables: tables as StoreSize['tables'] }
  }

  async exportParquet(folder: string): Promise<RowCounts> {
    const target = privateFolder(folder)
    const own = this.#ownFolder() ?? target
    const written: Record<string, number> = {}
    try {
      for (const table of TABLE_NAMES) {
        const made = join(own, `${table}.parquet`)
        written[table] = await this.statements.change(`COPY ${quoted(table)} TO ${literal(made)} (FORMAT parquet, COMPRESSION zstd)`)
        chmodSync(made, OWNER_ONLY)
        const moved = join(target, `${table}.parquet`)
        if (own !== target) await copyFile(made, moved)
        renameSync(moved, join(folder, `${table}.parquet`))
      }
    } finally {
      for (const made of [own, target]) rmSync(made, { recursive: true, force: true })
    }
    return written
  }

  async importParquet(folder: string): Promise<RowCounts> {
    if (!TABLE_NAMES.some(table => existsSync(resolve(folder, `${table}.parquet`)))) {
      throw new NotFoundError(`there is no history in ${resolve(folder)}: none of its files, as runs.parquet`, { resource: folder })
    }
    const own = this.#ownFolder()
    const read: Record<string, number> = {}
    try {
      await this.transaction(async () => {
        for (const table of TABLE_NAMES) {
          const given = resolve(folder, `${table}.parquet`)
          if (!existsSync(given)) continue
          const file = own === undefined ? given : join(own, `${table}.parquet`)
          if (file !== given) await copyFile(given, file)
          // By name: a file of an older schema lacks columns.
          read[table] = await this.statements.change(`INSERT INTO ${quoted(table)} BY NAME SELECT * FROM read_parquet(${literal(file)})`)
        }
      })
    } finally {
      if (own !== undefined) rmSync(own, { recursive: true, force: true })
    }
    return read
  }

  /** Where DuckDB may read and write files: what goes out or comes in passes through there. Undefined where it may anywhere. */
  #ownFolder(): string | undefined {
    return this.#file === IN_MEMORY ? undefined : privateFolder(realpathSync(`${this.#file}.tmp`))
  }

  async close(whole: boolean): Promise<void> {
    try {
      if (whole) await this.markClosed()
      await this.#checkpoint(0)
    } finally {
      this.#leave()
      // The log that was made for the next write, and never had one.
      if (existsSync(`${this.#file}.wal`) && bytesOf(`${this.#file}.wal`) === 0) rmSync(`${this.#file}.wal`)
    }
  }
}

/** Rows as columns. It is used again for the next rows, because a column of absent values, and most are, costs more to fill than any other. */
class Slice {
  readonly count: number
  uses = 0
  readonly #columns: readonly [string, Column][]
  readonly #chunk: DuckDBDataChunk
  /** Which columns hold absent values only. */
  readonly #blank: boolean[]

  constructor({ DuckDBDataChunk, DOUBLE, VARCHAR }: DuckDb, columns: readonly [string, Column][], count: number) {
    this.count = count
    this.#columns = columns
    this.#blank = columns.map(() => false)
    this.#chunk = DuckDBDataChunk.create(
      columns.map(([, { type }]) => (type === 'number' ? DOUBLE : VARCHAR)),
      count
    )
  }

  filledWith(rows: readonly AnyRow[], from: number): DuckDBDataChunk {
    this.uses++
    for (let at = 0; at < this.#columns.length; at++) {
      const isBlank = this.#isBlank(this.#columns[at][0], rows, from)
      if (!isBlank || !this.#blank[at]) this.#fill(at, rows, from)
      this.#blank[at] = isBlank
    }
    return this.#chunk
  }

  #isBlank(name: string, rows: readonly AnyRow[], from: number): boolean {
    for (let row = 0; row < this.count; row++) if (rows[from + row][name] !== undefined) return false
    return true
  }

  #fill(at: number, rows: readonly AnyRow[], from: number): void {
    const [name, { type }] = this.#columns[at]
    const isJson = type !== 'number' && type !== 'text'
    const vector = this.#chunk.getColumnVector(at)
    for (let row = 0; row < this.count; row++) {
      const value = rows[from + row][name]
      vector.setItem(row, value === undefined ? null : isJson ? JSON.stringify(value) : (value as DuckDBValue))
    }
    vector.flush()
  }
}

function readChunk(chunk: DuckDBDataChunk, columns: readonly [string, Column][], into: Record<string, unknown>[]): void {
  const first = into.length
  for (let row = 0; row < chunk.rowCount; row++) into.push({})
  for (const [at, [name, { type }]] of columns.entries()) {
    const vector = chunk.getColumnVector(at)
    const isJson = type !== 'number' && type !== 'text'
    for (let row = 0; row < chunk.rowCount; row++) {
      const value = vector.getItem(row)
      if (value === null || Number.isNaN(value)) continue
      into[first + row][name] = isJson ? JSON.parse(value as string) : value
    }
  }
}

function privateFolder(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: FOLDER_OWNER_ONLY })
  const made = join(folder, `.${randomBytes(6).toString('hex')}`)
  mkdirSync(made, { mode: FOLDER_OWNER_ONLY })
  return made
}

const bytesOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0

const literal = (value: string) => `'${value.replaceAll("'", "''")}'`

/** Whole numbers of SQL come as bigints, and are none that a double could not hold. */
function plain(row: Record<string, unknown>): Record<string, unknown> {
  for (const name in row) if (typeof row[name] === 'bigint') row[name] = Number(row[name])
  return row
}

/** A history that nobody else sees, to read and write files with. @internal */
export async function scratch(): Promise<SqlBackend> {
  const duckdb = await optional('@duckdb/node-api', () => import('@duckdb/node-api'))
  return DuckDbBackend.open(duckdb, IN_MEMORY, configOf({}), bufferTerms({}), CURRENT)
}
