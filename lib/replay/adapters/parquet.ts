import { LoadError, TraceError } from '../../errors/index.js'
import type { Placed } from './lines.js'

const PACKAGE = '@duckdb/node-api'

/** Rows of a Parquet file, by DuckDB, a chunk at a time. Dates are told as Date, 64-bit numbers as numbers. */
export async function* parquetRows(file: string): AsyncGenerator<readonly Placed[]> {
  const { DuckDBInstance } = await loaded()
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const result = await connection
      .stream('SELECT * FROM read_parquet(?)', [file])
      .catch(error => Promise.reject(new TraceError(`${file} cannot be read: ${(error as Error).message}`, { file, line: 1 }, error)))
    const names = result.columnNames()
    let line = 0
    for (
      let chunk = await result.fetchChunk();
      chunk !== null && chunk !== undefined && chunk.rowCount > 0;
      chunk = await result.fetchChunk()
    ) {
      yield chunk
        .getRows()
        .map(cells => ({ line: ++line, row: Object.fromEntries(cells.map((cell, i) => [names[i] as string, plain(cell)])) }))
    }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** DuckDB has classes of its own for times; as text they are dates in UTC. */
function plain(cell: unknown): unknown {
  if (typeof cell === 'bigint') return Number(cell)
  if (typeof cell === 'object' && cell !== null && 'micros' in cell && typeof cell.micros === 'bigint')
    return new Date(Number(cell.micros) / 1000)
  return typeof cell === 'object' && cell !== null ? String(cell) : cell
}

async function loaded(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api')
  } catch (error) {
    const remedy = `npm install ${PACKAGE}`
    throw new LoadError(
      `a trace in Parquet needs the package ${PACKAGE}, which could not be loaded: ${remedy}`,
      { attempts: [{ from: PACKAGE, error }], remedies: [remedy] },
      error
    )
  }
}
