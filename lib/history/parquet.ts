import { scratch } from './duckdb.js'
import { TABLE_NAMES, type TableName } from './rows.js'
import type { RowCounts } from './store.js'

type AnyRow = Readonly<Record<string, unknown>>

/** Writes rows of any store as Parquet, by way of a DuckDB in memory. */
export async function exportRows(folder: string, rowsOf: (table: TableName) => Promise<readonly AnyRow[]>): Promise<RowCounts> {
  const between = await scratch()
  try {
    for (const table of TABLE_NAMES) await between.write({ time: 0, tables: new Map([[table, await rowsOf(table)]]), blocks: [] })
    return await between.exportParquet(folder)
  } finally {
    await between.close(true)
  }
}

/** Reads what {@link exportRows}, or any other store, wrote. */
export async function importRows(folder: string, take: (table: TableName, rows: readonly AnyRow[]) => Promise<void>): Promise<RowCounts> {
  const between = await scratch()
  try {
    const counts = await between.importParquet(folder)
    for (const table of Object.keys(counts) as TableName[]) await take(table, await between.select(table, {}))
    return counts
  } finally {
    await between.close(true)
  }
}
