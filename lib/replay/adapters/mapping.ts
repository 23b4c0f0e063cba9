import { ArgumentError } from '../../errors/index.js'

/** What of a request a column can say. */
export const FIELDS = [
  'time',
  'duration',
  'end',
  'workflow',
  'tenant',
  'tier',
  'units',
  'tokens',
  'pool',
  'bucket',
  'lock',
  'mode'
] as const
export type Field = (typeof FIELDS)[number]

/** Milliseconds of a unit of time; `iso` is a date as text. */
export const TIME_UNITS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1e3, min: 6e4, h: 36e5, iso: 1 }

export interface Column {
  readonly name: string
  /** of times: one of {@link TIME_UNITS} */
  readonly unit: string
}

/** Which column says what. */
export interface Mapping {
  readonly columns: Readonly<Partial<Record<Field, Column>>>
  /** columns that are known when a request comes, for predictors */
  readonly inputs: readonly string[]
}

/** Names by which columns go, the likeliest first. */
const NAMES: Readonly<Record<Field, RegExp>> = {
  time: /^(time(stamp)?|ts|at|arrival(_?time)?|start(_?time|ed)?(_?at)?|submit(_?time)?|date(time)?|@timestamp)$/i,
  duration: /^(duration|service(_?time)?|run_?time|hold|latency|elapsed|took|realtime|response_?time)(_?(ns|us|ms|s|sec|seconds))?$/i,
  end: /^(end|finish|complete|stop)(ed|_?time)?(_?at)?$/i,
  workflow: /^(workflow|operation|op|function|func|fn|service|endpoint|route|path|url|process|job|name|type)$/i,
  tenant: /^(tenant|customer|account|org|user(_?id)?|client|owner)$/i,
  tier: /^(tier|priority|class|qos)$/i,
  units: /^(units?|slots?|cpus?|cores?|permits?|weight|amount|memory|mem)$/i,
  tokens: /^(tokens?|cost|credits?)$/i,
  pool: /^pool$/i,
  bucket: /^(bucket|limiter|upstream)$/i,
  lock: /^(lock|key|row|resource|object(_?id)?)$/i,
  mode: /^(mode|access|rw|shared)$/i
}
const TIMED: readonly Field[] = ['time', 'duration', 'end']
/** Beyond these a number is no time in seconds, milliseconds or microseconds since 1970 before 2100. */
const SINCE_1970: readonly (readonly [below: number, unit: string])[] = [
  [4.2e9, 's'],
  [4.2e12, 'ms'],
  [4.2e15, 'us'],
  [4.2e18, 'ns']
]
const RECENT = 1e9

/**
 * Reads what `--map` says: `time=ts:s,duration=took:ms,lock=key,input=bytes+format`, each `FIELD=COLUMN` or `FIELD=COLUMN:UNIT`.
 *
 * @throws ArgumentError
 */
export function readMapping(text: string): Mapping {
  const columns: Partial<Record<Field, Column>> = {}
  let inputs: readonly string[] = []
  for (const part of text.split(',')) {
    const at = part.indexOf('=')
    const [field, said] = [part.slice(0, at).trim(), part.slice(at + 1).trim()]
    if (at < 1 || said === '') throw refusal(part)
    if (field === 'input') {
      inputs = said.split('+')
      continue
    }
    if (!FIELDS.includes(field as Field)) throw refusal(part)
    const colon = said.lastIndexOf(':')
    const unit = colon < 1 ? '' : said.slice(colon + 1)
    const hasUnit = TIMED.includes(field as Field) && Object.hasOwn(TIME_UNITS, unit)
    columns[field as Field] = { name: hasUnit ? said.slice(0, colon) : said, unit: hasUnit ? unit : 'ms' }
  }
  if (columns.time === undefined)
    throw new ArgumentError('--map must say which column is the time: time=COLUMN', { option: 'map', given: text })
  return { columns, inputs }
}

function refusal(part: string): ArgumentError {
  return new ArgumentError(
    `--map: ${JSON.stringify(part)} is not FIELD=COLUMN or FIELD=COLUMN:UNIT; fields are ${FIELDS.join(', ')}, input`,
    {
      option: 'map',
      given: part
    }
  )
}

/** As {@link readMapping} reads it. */
export function mappingText({ columns, inputs }: Mapping): string {
  const parts = Object.entries(columns).map(
    ([field, { name, unit }]) => `${field}=${name}${TIMED.includes(field as Field) ? `:${unit}` : ''}`
  )
  if (inputs.length > 0) parts.push(`input=${inputs.join('+')}`)
  return parts.join(',')
}

type Row = Readonly<Record<string, unknown>>

/**
 * Proposes a mapping by what columns are called and what is in them; undefined: none of them looks like a time.
 *
 * @param rows some of the first
 */
export function inferMapping(names: readonly string[], rows: readonly Row[]): Mapping | undefined {
  const left = new Set(names)
  const columns: Partial<Record<Field, Column>> = {}
  for (const field of FIELDS) {
    if (field === 'end' && columns.duration !== undefined) continue
    const found = [...left].find(name => NAMES[field].test(name) && suits(field, name, rows))
    if (found === undefined) continue
    left.delete(found)
    columns[field] = { name: found, unit: TIMED.includes(field) ? unitOf(field, found, rows) : 'ms' }
  }
  if (columns.time === undefined) {
    const first = names.find(name => left.has(name) && isDate(name, rows))
    if (first === undefined) return undefined
    left.delete(first)
    columns.time = { name: first, unit: 'iso' }
  }
  const inputs = [...left].filter(name => rows.length > 0 && rows.every(row => isNumber(row[name])))
  return { columns, inputs }
}

function suits(field: Field, name: string, rows: readonly Row[]): boolean {
  if (field === 'time' || field === 'end') return rows.every(row => isNumber(row[name])) || isDate(name, rows)
  if (field === 'duration') return rows.every(row => isNumber(row[name]))
  // Of several things that rows ask for, each has its own amounts.
  if (field === 'units' || field === 'tokens') return rows.every(row => isNumber(row[name]) || row[name] === null)
  return true
}

function unitOf(field: Field, name: string, rows: readonly Row[]): string {
  if (field !== 'duration' && isDate(name, rows)) return 'iso'
  const said = /_?(ns|us|ms|s|sec|seconds)$/i.exec(name.replace(/^(hold|latency|elapsed|took|process|class)$/i, ''))?.[1]?.toLowerCase()
  if (said !== undefined && field === 'duration') return said.startsWith('s') ? 's' : said
  const first = Number(rows[0]?.[name])
  if (field === 'duration' || !(first > RECENT)) return 'ms'
  return SINCE_1970.find(([below]) => first < below)?.[1] ?? 'ns'
}

function isDate(name: string, rows: readonly Row[]): boolean {
  const isOne = (value: unknown) => value instanceof Date || (typeof value === 'string' && /^\d{4}-\d\d-\d\d/.test(value))
  return rows.length > 0 && rows.every(row => isOne(row[name]))
}

function isNumber(value: unknown): boolean {
  if (typeof value === 'number' || typeof value === 'bigint') return true
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
}
