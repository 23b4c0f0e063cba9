import { describe, refuse } from '../checks.js'
import { ArgumentError } from '../errors/index.js'
import { OUTCOMES } from '../workflow/record.js'
import { type Column, type RawTable, type Row, TABLE_NAMES, TABLES } from './rows.js'

interface Known {
  /** without a prototype: a row may have any name */
  readonly columns: Readonly<Record<string, Column | undefined>>
  readonly required: readonly string[]
}

const KNOWN = new Map<string, Known>(
  TABLE_NAMES.map(table => {
    const columns: Record<string, Column> = Object.assign(Object.create(null), TABLES[table].columns)
    return [table, { columns, required: Object.keys(columns).filter(name => !columns[name].optional) }]
  })
)

/** Of what has a beginning, an end and an outcome: roll-ups and questions count on these. */
const WORK: ReadonlySet<string> = new Set<RawTable>(['runs', 'actions'])
const ENDS: ReadonlySet<unknown> = new Set(OUTCOMES)

/** @throws ArgumentError if one of them is no row of that table */
export function checkRows<T extends RawTable>(table: T, rows: readonly Row<T>[]): void {
  const known = table === ('rollups' as string) ? undefined : KNOWN.get(table)
  if (known === undefined) throw refuse('table', `one of ${TABLE_NAMES.filter(name => name !== 'rollups').join(', ')}`, table)
  if (!Array.isArray(rows)) throw refuse('rows', 'an array of rows', rows)
  for (const row of rows) checkRow(table, known, row)
}

function checkRow(table: string, { columns, required }: Known, row: Readonly<Record<string, unknown>>): void {
  if (typeof row !== 'object' || row === null) throw refuse('rows', `rows of ${table}`, row)
  // Only what is there: most columns of most rows are absent.
  for (const name in row) {
    const column = columns[name]
    if (column === undefined) throw new ArgumentError(`${table} has no column ${describe(name)}`, { option: name, given: name })
    const value = row[name]
    if (value !== undefined && !isFit(column, value)) throw refuse(`${table}.${name}`, wanted(column), value)
  }
  for (const name of required) if (row[name] === undefined) throw refuse(`${table}.${name}`, wanted(columns[name] as Column), undefined)
  if (WORK.has(table)) checkWork(table, row)
}

/** Each value by itself is fit. */
function checkWork(table: string, { start, end, outcome }: Readonly<Record<string, unknown>>): void {
  if ((end as number) < (start as number)) throw refuse(`${table}.end`, `no earlier than its start, ${start}`, end)
  if (!ENDS.has(outcome)) throw refuse(`${table}.outcome`, `one of ${OUTCOMES.join(', ')}`, outcome)
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
