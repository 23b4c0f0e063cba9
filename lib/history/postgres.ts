import { hostname } from 'node:os'
import type { Client as PgClient } from 'pg'
import { onlyKnown, optionsObject, refuse, text } from '../checks.js'
import { asRows, type Batch } from './batch.js'
import { BufferedStore, type BufferTerms, bufferTerms } from './buffered.js'
import { optional } from './optional.js'
import { exportRows, importRows } from './parquet.js'
import { type Column, sqlName, TABLE_NAMES, TABLES, type Table, type TableName } from './rows.js'
import { CURRENT, mustRead, quoted, type Schema, SqlBackend, type Statements } from './sql-backend.js'
import type { HistoryStore, Resolution, RowCounts, StoreOptions, StoreSize } from './store.js'

type AnyRow = Readonly<Record<string, unknown>>
type Pg = Awaited<ReturnType<typeof load>>

export interface PostgresStoreOptions extends StoreOptions {
  /** the schema of the tables, made if need be; default forelock */
  readonly schema?: string
}

const DAY_MS = 86_400_000
/** Rows of other days than these around now share one partition, so that a wrong clock does not make thousands. */
const DAYS_BEFORE = 400
const DAYS_AFTER = 2
/** Rows of one statement. */
const SLICE_ROWS = 5_000
const CONNECT_MS = 10_000
/** A lock of the server's that those who make the same tables at the same time wait for each other by. */
const MAKING = 0x666c6b

/**
 * The history in a PostgreSQL database, for more than one host: tables with a partition a day, found by time through BRIN. Each host writes
 * under its own `writer`, by default its name.
 *
 * @param connection a connection string, `postgres://user:password@host:5432/database`
 * @throws ArgumentError; LoadError if the package is not installed; VersionError if a later version made it; what the server says
 */
export function openPostgresStore(connection: string, options: PostgresStoreOptions = {}): Promise<HistoryStore> {
  return openPostgresSchema(connection, options, CURRENT)
}

/** With another schema than this version's. @internal */
export async function openPostgresSchema(connection: string, options: PostgresStoreOptions, tables: Schema): Promise<HistoryStore> {
  const { terms, schema } = postgresTerms(connection, options)
  const pg = await optional('pg', load)
  return new BufferedStore(await PostgresBackend.open(pg, connection, schema, terms, tables), terms)
}

/** @throws ArgumentError @internal */
export function postgresTerms(connection: unknown, options: PostgresStoreOptions): { terms: BufferTerms; schema: string } {
  text(connection, 'connection')
  optionsObject(options, 'options')
  onlyKnown(options, ['schema', 'flushInterval', 'bufferRows', 'writer'], 'the history in PostgreSQL')
  const terms = bufferTerms({ ...options, writer: options.writer ?? hostname() })
  const schema = text(options.schema ?? 'forelock', 'schema')
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) throw refuse('schema', 'a name in small letters, digits and _', schema)
  return { terms, schema }
}

const load = async () => (await import('pg')).default

class PostgresBackend extends SqlBackend {
  readonly kind = 'postgres'
  protected readonly statements: Statements
  readonly #pg: Pg
  readonly #connection: string
  readonly #name: string
  readonly #partitions = new Set<string>()
  #client: PgClient | null = null

  private constructor(pg: Pg, connection: string, name: string, terms: BufferTerms, tables: Schema) {
    super(terms, tables)
    this.#pg = pg
    this.#connection = connection
    this.#name = name
    this.statements = {
      query: async (text, params = []) => (await (await this.#here()).query(text, params as unknown[])).rows,
      change: async (text, params = []) => (await (await this.#here()).query(text, params as unknown[])).rowCount ?? 0
    }
  }

  static async open(pg: Pg, connection: string, name: string, terms: BufferTerms, tables: Schema): Promise<PostgresBackend> {
    const backend = new PostgresBackend(pg, connection, name, terms, tables)
    try {
      await backend.prepare()
    } catch (error) {
      await backend.#leave()
      throw error
    }
    return backend
  }

  /** The connection: anew where the server ended the one before. */
  async #here(): Promise<PgClient> {
    if (this.#client !== null) return this.#client
    const client = new this.#pg.Client({
      connectionString: this.#connection,
      connectionTimeoutMillis: CONNECT_MS,
      application_name: 'forelock',
      // Counts and sums of counts, which are far from where a double would lose digits.
      types: {
        getTypeParser: (type: number, format: 'text') =>
          type === INT8 || type === NUMERIC ? Number : this.#pg.types.getTypeParser(type, format)
      } as never
    })
    // The next statement finds it gone, and says so to whoever asked.
    client.on('error', () => this.#lost(client))
    client.on('end', () => this.#lost(client))
    await client.connect()
    await client.query(`SET search_path TO "${this.#name}"`)
    this.#client = client
    return client
  }

  #lost(client: PgClient): void {
    if (this.#client === client) this.#client = null
  }

  async #leave(): Promise<void> {
    const client = this.#client
    this.#client = null
    await client?.end()
  }

  protected override async prepare(): Promise<void> {
    await this.statements.change(`SELECT pg_advisory_lock(${MAKING})`)
    await this.statements.change(`CREATE SCHEMA IF NOT EXISTS "${this.#name}"`)
    await super.prepare()
    await this.statements.change(`SELECT pg_advisory_unlock(${MAKING})`)
  }

  protected async transaction(work: () => Promise<void>): Promise<void> {
    await this.statements.change('BEGIN')
    const client = this.#client
    try {
      await work()
      // On a connection made meanwhile there would be nothing to commit.
      if (this.#client !== client || client === null) throw new Error('the server ended the connection')
      await this.statements.change('COMMIT')
    } catch (error) {
      await this.#rollBackOn(client)
      throw error
    }
  }

  protected rollBack(): Promise<void> {
    return this.#rollBackOn(this.#client)
  }

  async #rollBackOn(client: PgClient | null): Promise<void> {
    if (client === null || this.#client !== client) return
    try {
      await client.query('ROLLBACK')
    } catch {
      // A connection that cannot even do that is of no more use; the server rolls back as it ends.
      this.#lost(client)
      // Nor can it say goodbye, if it is gone already.
      client.end().catch(() => {})
    }
  }

  /** Of the extended protocol, which takes one statement only. */
  protected async one(text: string, params: readonly unknown[]): Promise<Record<string, unknown>[]> {
    try {
      const query = { text, values: params as unknown[], queryMode: 'extended' }
      return (await (await this.#here()).query(query)).rows
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code === READ_ONLY || (code === SYNTAX && /multiple commands/.test((error as Error).message))) throw mustRead(text, error)
      throw error
    }
  }

  protected async insert(table: TableName, rows: readonly AnyRow[]): Promise<void> {
    const { columns } = this.schema.tables[table]
    const named = Object.entries(columns)
    const into = named.map(([name]) => quoted(name)).join(', ')
    const taken = named.map(([name, { type }]) => `${quoted(name)}${CASTS[type]}`).join(', ')
    const arrays = named.map(([, { type }], at) => `$${at + 1}::${type === 'number' ? 'float8' : 'text'}[]`).join(', ')
    const statement = `INSERT INTO ${quoted(table)} (${into}) SELECT ${taken} FROM unnest(${arrays}) AS given (${into})`
    for (let from = 0; from < rows.length; from += SLICE_ROWS) {
      const slice = rows.slice(from, from + SLICE_ROWS)
      await this.statements.change(
        statement,
        named.map(([name, { type }]) => slice.map(row => valueFor(type, row[name])))
      )
    }
  }

  override async write(batch: Batch): Promise<void> {
    const tables = asRows(batch)
    for (const [table, rows] of tables) await this.#makePartitions(table, rows)
    await super.write({ ...batch, tables, blocks: [] })
  }

  /** Before the transaction that writes: two hosts that make them after their first rows would wait for each other. */
  async #makePartitions(table: TableName, rows: readonly AnyRow[]): Promise<void> {
    const { time } = TABLES[table]
    const today = Math.floor(Date.now() / DAY_MS)
    const days = new Set(rows.map(row => Math.floor((row[time] as number) / DAY_MS)))
    for (const day of days) {
      if (!this.#partitions.has(partitionOf(table, day)) && day >= today - DAYS_BEFORE && day <= today + DAYS_AFTER)
        await this.#makePartition(table, day)
    }
  }

  async #makePartition(table: TableName, day: number): Promise<void> {
    const name = partitionOf(table, day)
    try {
      await this.transaction(async () => {
        await this.statements.change(`SELECT pg_advisory_xact_lock(${MAKING})`)
        await this.statements.change(
          `CREATE TABLE IF NOT EXISTS "${name}" PARTITION OF ${quoted(table)} FOR VALUES FROM (${day * DAY_MS}) TO (${(day + 1) * DAY_MS})`
        )
      })
    } catch (error) {
      // Rows of that day lie in the partition of all others, from when the day was in the future: its later rows do too.
      if ((error as { code?: unknown }).code !== CHECK_VIOLATION) throw error
    }
    this.#partitions.add(name)
  }

  protected typeOf({ type }: Column): string {
    if (type === 'number') return 'double precision'
    if (type === 'numbers') return 'double precision[]'
    return type === 'text' ? 'text' : 'jsonb'
  }

  protected create(name: string, table: Table): readonly string[] {
    const time = quoted(table.time)
    return [
      `CREATE TABLE IF NOT EXISTS ${quoted(name)} (${this.columnsOf(table)}) PARTITION BY RANGE (${time})`,
      `CREATE TABLE IF NOT EXISTS "${name}_other" PARTITION OF ${quoted(name)} DEFAULT`,
      `CREATE INDEX IF NOT EXISTS "${name}_by_time" ON ${quoted(name)} USING brin (${time})`,
      ...table.keys.map(
        key => `CREATE INDEX IF NOT EXISTS "${name}_by_${sqlName(key)}" ON ${quoted(name)} (${beginning(quoted(key))}, ${time})`
      )
    ]
  }

  protected field(column: string, name: string, bound: (value: unknown) => string): string {
    return `${quoted(column)} ->> ${bound(withoutNul(name))}::text`
  }

  protected override isOneOf(table: TableName, column: string, expression: string, values: readonly string[]): string {
    const whole = super.isOneOf(table, column, expression, values)
    const { keys }: Table = TABLES[table]
    return keys.includes(column) && expression === quoted(column)
      ? `${beginning(expression)} IN (${values.map(beginning).join(', ')}) AND ${whole}`
      : whole
  }

  /** Whole days go as partitions, which costs nothing however many rows they had. */
  override async trim(table: TableName, resolution: Resolution | null, before: number, rows: number): Promise<number> {
    let removed = 0
    if (resolution === null && Number.isFinite(before)) {
      const last = partitionOf(table, Math.floor(before / DAY_MS))
      const old = await this.statements.query(
        `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = $1::regclass AND c.relname ~ $2 AND c.relname < $3`,
        [`"${this.#name}"."${table}"`, `^${table}_[0-9]{6}$`, last]
      )
      for (const { name } of old) {
        const [{ n }] = await this.statements.query(`SELECT count(*) AS n FROM "${name}"`)
        await this.statements.change(`DROP TABLE "${name}"`)
        this.#partitions.delete(name as string)
        removed += n as number
      }
    }
    return removed + (await super.trim(table, resolution, before, rows))
  }

  protected quantilesOf(value: string, quantiles: readonly number[]): string {
    return `percentile_disc(ARRAY[${quantiles.join(', ')}]::float8[]) WITHIN GROUP (ORDER BY ${value})`
  }

  protected spread(column: string): string {
    return `unnest(${quoted(column)})`
  }

  protected gathered(column: string): string {
    return `array_agg(${quoted(column)} ORDER BY bucket)`
  }

  async size(): Promise<StoreSize> {
    const tables: Record<string, { rows: number; bytes: number }> = {}
    let bytes = 0
    for (const table of TABLE_NAMES) {
      const [found] = await this.statements.query(
        `SELECT (SELECT count(*) FROM ${quoted(table)}) AS "rows",
          (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree($1::regclass)) AS "bytes"`,
        [`"${this.#name}"."${table}"`]
      )
      tables[table] = { rows: found.rows as number, bytes: found.bytes as number }
      bytes += tables[table].bytes
    }
    return { bytes, tables: tables as StoreSize['tables'] }
  }

  exportParquet(folder: string): Promise<RowCounts> {
    return exportRows(folder, table => this.select(table, {}))
  }

  async importParquet(folder: string): Promise<RowCounts> {
    let counts: RowCounts = {}
    await this.transaction(async () => {
      counts = await importRows(folder, (table, rows) => this.insert(table, rows))
    })
    return counts
  }

  async close(whole: boolean): Promise<void> {
    if (whole) await this.markClosed()
    await this.#leave()
  }
}

const INT8 = 20
const NUMERIC = 1700
const CHECK_VIOLATION = '23514'
const READ_ONLY = '25006'
const SYNTAX = '42601'

const CASTS = { number: '', text: '', json: '::jsonb', texts: '::jsonb', numbers: '::float8[]' } as const

/** Six digits, so that names sort as days do: until the year 4707. */
const partitionOf = (table: TableName, day: number) => `${table}_${String(day).padStart(6, '0')}`

/** An entry of an index has at most 2,704 bytes, and a name more: what is found by its beginning is then compared as a whole. */
const beginning = (expression: string) => `left(${expression}, 100)`

/** PostgreSQL has no NUL in texts: the replacement character stands for it. */
const withoutNul = (value: string) => value.replaceAll('\u0000', '\ufffd')

function valueFor(type: Column['type'], value: unknown): unknown {
  if (value === undefined) return null
  if (type === 'number') return value
  if (type === 'text') return withoutNul(value as string)
  if (type === 'numbers') return `{${(value as readonly number[]).join(',')}}`
  // Within JSON a NUL is six characters, unless the backslash before is itself escaped.
  return JSON.stringify(value).replace(/(\\\\)|\\u0000/g, (_, escaped) => escaped ?? '\ufffd')
}
