import {
  type ActionRow,
  type Column,
  type EstimateRow,
  type EventRow,
  type HostRow,
  type RawTable,
  type Row,
  type RunRow,
  TABLES,
  type Table
} from '../../../lib/history/rows.js'
import type { Schema } from '../../../lib/history/sql-backend.js'
import { Random } from '../../survive/support.js'

/** Midnight of some day, so that hours are whole. */
export const DAY = Date.UTC(2026, 4, 11)
export const HOUR = 3_600_000

export function run(id: string, more: Partial<RunRow> = {}): RunRow {
  return { id, workflow: 'import', start: Math.min(DAY, more.end ?? DAY), end: DAY + 250.5, outcome: 'success', ...more }
}

export function action(id: string, more: Partial<ActionRow> = {}): ActionRow {
  return { run: id, workflow: 'import', action: 'parse', position: 0, start: DAY, end: DAY + 40, outcome: 'success', ...more }
}

export function event(more: Partial<EventRow> = {}): EventRow {
  return { time: DAY, event: 'grant', kind: 'lock', element: 'orders', ...more }
}

/** What was said of a run, as it is kept: what it would do, and that it would be over in 100 ms, 50 to 200. */
export function predicted(id: string, more: Partial<EstimateRow> = {}): EstimateRow[] {
  const { workflow = 'import', tenant } = more
  const about = { made: DAY, subject: workflow, workflow, run: `r${id}`, tenant }
  return [
    { id: `${id}:course`, kind: 'course', due: DAY + 500, ...about, value: 0.75, truth: 1, score: 0.125 },
    { id: `${id}:remaining`, kind: 'remaining', due: DAY + 100, ...about, value: 100, low: 50, high: 200, ...more }
  ]
}

/** As it was before: without what came after that version. */
export function schemaOf(version: number): Schema {
  const older = Object.entries<Table>(TABLES).map(([name, table]) => {
    const columns = Object.entries<Column>(table.columns).filter(([, { since }]) => since <= version)
    const keys = table.keys.filter(key => columns.some(([column]) => column === key))
    return [name, { ...table, keys, columns: Object.fromEntries(columns) }]
  })
  return { version, tables: Object.fromEntries(older) }
}

/** A row with a value in each column, and one with as few as may be. */
export function rowsOf<T extends RawTable>(table: T): Row<T>[] {
  const full: Record<string, unknown> = {}
  const least: Record<string, unknown> = {}
  let at = 0
  for (const [name, { type, optional }] of Object.entries<Column>(TABLES[table].columns)) {
    at++
    const texts = [`${name} “1”`, "it's", '']
    const value = {
      number: DAY + at / 4,
      numbers: [at],
      text: `${name} ${at}`,
      texts,
      json: { size: at, deep: { a: [1, null, 'ü'] }, 'a/b~"c': true }
    }[type]
    // Of runs and actions only some outcomes are known.
    const fit = name === 'outcome' && !optional ? 'drop' : value
    full[name] = fit
    // At another time, so that their order is known.
    if (!optional) least[name] = typeof fit === 'number' ? fit + 1000 : fit
  }
  return [full, least] as Row<T>[]
}

const chosen = <T>(random: Random, of: readonly T[]): T => of[random.below(of.length)]

/** Runs, actions, events and samples of three hours, some without what is measured in others. */
export function workload(seed: number, count: number): { runs: RunRow[]; actions: ActionRow[]; events: EventRow[]; host: HostRow[] } {
  const random = new Random(seed)
  const runs: RunRow[] = []
  const actions: ActionRow[] = []
  const events: EventRow[] = []
  const host: HostRow[] = []
  const share = () => random.below(1_000_000) / 1_000_000
  const spread = () => Math.exp(share() * 12 - 3)
  for (let i = 0; i < count; i++) {
    const start = DAY + random.below(3 * HOUR)
    const end = start + spread()
    const workflow = chosen(random, ['import', 'report', 'mail'])
    const tenant = chosen(random, ['acme', 'globex', undefined])
    const outcome = chosen(random, ['success', 'success', 'drop'])
    const measured = {
      cpu: random.below(3) === 0 ? undefined : share() * 20,
      memory: random.below(2) === 0 ? undefined : random.below(1e9)
    }
    runs.push({
      id: `r${i}`,
      workflow,
      tenant,
      start,
      end,
      outcome,
      waited: random.below(2) === 0 ? 0 : spread(),
      cost: share(),
      ...measured
    })
    actions.push({
      run: `r${i}`,
      workflow,
      tenant,
      action: chosen(random, ['parse', 'write']),
      position: 0,
      start,
      end,
      outcome,
      ...measured
    })
    const held = random.below(2) === 0 ? undefined : spread()
    events.push({ ...event({ time: end, element: chosen(random, ['a', 'b']), workflow, tenant, waited: spread() }), held })
    host.push({ time: end, cpu: share() * 100, eventLoopDelay: share() < 0.5 ? undefined : spread() })
  }
  return { runs, actions, events, host }
}
