import { optionsObject, refuse } from '../checks.js'
import { TABLES, type TableName } from './rows.js'
import type { Keep, Resolution, Retention } from './store.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const GiB = 2 ** 30

/**
 * What a recorder keeps unless it is told otherwise. Rows of what there is most of go by size long before they are old: a day of 100,000 events
 * a second is a hundred times as much. Their roll-ups stay, the coarser the longer.
 */
export const DEFAULT_RETENTION: Retention = {
  runs: { age: 30 * DAY, bytes: 2 * GiB },
  actions: { age: 30 * DAY, bytes: 2 * GiB },
  events: { age: 2 * DAY, bytes: GiB },
  host: { age: 7 * DAY, bytes: GiB / 4 },
  estimates: { age: 30 * DAY, bytes: GiB / 2 },
  losses: { age: 365 * DAY },
  audit: { age: 365 * DAY },
  second: { age: DAY },
  minute: { age: 60 * DAY },
  hour: { age: 3 * 365 * DAY }
}

const RESOLUTION_NAMES = { second: 1_000, minute: 60_000, hour: 3_600_000 } as const

/** What is kept of one table, or of the roll-ups of one resolution. */
export interface KeptPart {
  readonly table: TableName
  readonly resolution: Resolution | null
  readonly keep: Keep
}

/** @throws ArgumentError */
export function keepsOf(retention: Retention): KeptPart[] {
  optionsObject(retention, 'retention')
  return Object.entries(retention).map(([name, keep]) => checkKeep(name, keep))
}

function checkKeep(name: string, keep: Keep): KeptPart {
  const resolution = RESOLUTION_NAMES[name as keyof typeof RESOLUTION_NAMES] ?? null
  const table = resolution === null ? (name as TableName) : 'rollups'
  if (name === 'rollups' || !Object.hasOwn(TABLES, table)) throw refuse('retention', 'of tables, second, minute and hour', name)
  for (const [option, value] of Object.entries(optionsObject(keep, `retention.${name}`) ?? {})) {
    if (option !== 'age' && option !== 'rows' && option !== 'bytes') throw refuse(`retention.${name}`, '{ age, rows, bytes }', option)
    if (!(value >= 0)) throw refuse(`retention.${name}.${option}`, 'a number >= 0', value)
  }
  return { table, resolution, keep }
}
