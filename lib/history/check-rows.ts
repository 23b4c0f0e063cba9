import { describe, refuse } from '../checks.js'
import { ArgumentError } from '../errors/index.js'
import { type Column, type RawTable, type Row, TABLE_NAMES, TABLES } from './rows.js'

type Listed = readonly (readonly [string, Column])[]
const LISTED = new Map<string, Listed>(TABLE_NAMES.map(table => [table, Object.entries(TABLES[table].columns)]))

/** @throws ArgumentError if one of them is no row of that table */
export function checkRows<T extends RawTable>(table: T, rows: readonly Row<T>[]): void {
  const columns = table === ('rollups' as string) ? undefined : LISTED.get(table)
  if (columns === undefined) throw refuse('table', `one of ${TABLE_NAMES.filter(name => name !== 'rollups').join(', ')}`, table)
  if (!Array.isArray(rows)) throw refuse('rows', 'an array of rows', rows)
  for (const row of rows) checkRow(table, columns, row)
}

function checkRow(table: string, columns: Listed, row: Readonly<Record<string, unknown>>): void {
  if (typeof row !== 'object' || row === null) throw refuse('rows', `rows of ${table}`, row)
  let known = 0
  for (const [name, column] of columns) {
    const value = row[name]
    if (value === undefined) {
      if (!column.optional) throw refuse(`${table}.${name}`, wanted(column), value)
      if (name in row) known++
    } else if (isFit(column, value)) known++
    else throw refuse(`${table}.${name}`, wanted(column), value)
  }
  const names = Object.keys(row)
  if (names.length === known) return
  const unknown = names.find(name => !columns.some(([column]) => column === name))
  throw new ArgumentError(`${table} has no column ${describe(unknown)}`, { option: String(unknown), given: unknown })
}

function isFit({ type }: Column, value: unknown): boolean {
  if (type === 'number') return Number.isFinite(value)
  if (type === 'text') return typeof value === 'string'
  if (type === 'texts') return Array.isArray(value) && value.every(item => typeof item === 'string')
  return typeof value === 'object' && value !== null && !Array.isArray(value) && isJson(value)
}

function isJson(value: object): boolean {
  try {
    return typeof JSON.stringify(value) === 'string'
  } catch {
    // A cycle, a bigint, or a toJSON that throws: nothing that could be kept.
    return false
  }
}

function wanted({ type }: Column): string {
  if (type === 'number') return 'a finite number'
  if (type === 'text') return 'a string'
  return type === 'texts' ? 'an array of strings' : 'an object that JSON can say'
}
