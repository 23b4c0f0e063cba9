import { COUNTERS, type Usage } from '../metering/counters.js'
import type { ActionRecord, DataMoved, Outcome, PastRecord } from '../workflow/record.js'
import { curveOf } from './curve-rows.js'
import type { ActionRow, Row, RunRow, TableName } from './rows.js'
import type { Selection } from './store.js'

/** Parameters of one statement; PostgreSQL takes 65,535. */
const ASKED_AT_ONCE = 10_000

/** Rows of a table, as a store, or a role, may have them. */
export type Select = <T extends TableName>(table: T, selection: Selection<T>) => Promise<Partial<Row<T>>[]>

type Known<R, K extends keyof R> = Partial<R> & Required<Pick<R, K>>

/** The last runs that fit, as they were recorded, the one that ended first first; the actions of each with it. */
export async function pastRuns(select: Select, selection: Selection<'runs'>): Promise<PastRecord[]> {
  const runs = (await select('runs', { ...selection, order: 'desc' })) as Known<RunRow, 'id' | 'workflow' | 'start' | 'end' | 'outcome'>[]
  if (runs.length === 0) return []
  // An action is over when its run is.
  const from = runs.reduce((first, { start }) => Math.min(first, start), Number.POSITIVE_INFINITY)
  const actions = new Map<string, ActionRow[]>(runs.map(({ id }) => [id, []]))
  for (let at = 0; at < runs.length; at += ASKED_AT_ONCE) {
    const run = runs.slice(at, at + ASKED_AT_ONCE).map(({ id }) => id)
    for (const action of (await select('actions', { from, where: { run } })) as ActionRow[]) actions.get(action.run)?.push(action)
  }
  return runs.reverse().map(run => recordOf(run, actions.get(run.id) ?? []))
}

function recordOf(run: Known<RunRow, 'id' | 'workflow' | 'start' | 'end' | 'outcome'>, actions: readonly ActionRow[]): PastRecord {
  const {
    id,
    parent,
    workflow,
    type = workflow,
    tier = '',
    tenant,
    client,
    start,
    end,
    outcome,
    waited = 0,
    cost,
    input = {},
    events = []
  } = run
  const curve = curveOf(run.curve)
  return {
    id,
    parent,
    workflow,
    type,
    tier,
    tenant,
    client,
    start,
    waited,
    duration: end - start,
    outcome: outcome as Outcome,
    usage: usageOf(run),
    cost,
    input,
    events,
    actions: [...actions].sort((a, b) => a.position - b.position).map(action => actionOf(action, start)),
    ...(curve !== undefined && { curve })
  }
}

function actionOf(row: ActionRow, began: number): Omit<ActionRecord, 'booked'> {
  const { action: name, position, start, end, outcome, cost, labels: certifications = [] } = row
  const moved = { name, position, offset: start - began, duration: end - start, outcome: outcome as Outcome, usage: usageOf(row), cost }
  return { ...moved, certifications, data: dataOf(row) }
}

function dataOf({ bytes, transfers, largest, pattern }: ActionRow): DataMoved | undefined {
  if (bytes === undefined || transfers === undefined || largest === undefined) return undefined
  return { bytes, transfers, largest, pattern: pattern === 'stream' ? 'stream' : 'burst' }
}

function usageOf(row: Partial<Usage>): Partial<Usage> {
  const usage: Partial<Usage> = {}
  for (const [field] of COUNTERS) if (row[field] !== undefined) usage[field] = row[field]
  return usage
}
