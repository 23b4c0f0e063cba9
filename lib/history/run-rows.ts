import type { Usage, UsageField } from '../metering/counters.js'
import type { ActionsNote } from '../workflow/notes.js'
import type { ActionRecord, RunRecord } from '../workflow/record.js'
import { curveOf } from './curve-rows.js'
import { type ActionRow, type RunRow, TABLES } from './rows.js'

/** What was measured, as far as a history has columns for it. */
function measured({ usage }: { usage: Partial<Usage> }): Partial<Record<UsageField, number>> {
  const known: Partial<Record<UsageField, number>> = {}
  for (const field in usage) if (Object.hasOwn(TABLES.runs.columns, field)) known[field as UsageField] = usage[field as UsageField]
  return known
}

export function runRow(run: RunRecord, participant: string): RunRow {
  return {
    id: run.id,
    workflow: run.workflow,
    tenant: run.tenant,
    tier: run.tier,
    client: run.client,
    start: run.start,
    end: run.start + run.duration,
    outcome: run.outcome,
    waited: run.waited,
    input: run.input,
    ...measured(run),
    cost: run.cost,
    participant,
    curve: curveOf(run.curve),
    type: run.type,
    parent: run.parent,
    events: run.events?.length ? run.events : undefined
  } as RunRow
}

export function actionRow(of: RunRecord | ActionsNote, action: ActionRecord): ActionRow {
  const start = of.start + action.offset
  return {
    run: 'id' in of ? of.id : of.run,
    workflow: of.workflow,
    action: action.name,
    tenant: of.tenant,
    position: action.position,
    start,
    end: start + action.duration,
    outcome: action.outcome,
    ...measured(action),
    cost: action.cost,
    labels: action.certifications,
    bytes: action.data?.bytes,
    transfers: action.data?.transfers,
    largest: action.data?.largest,
    pattern: action.data?.pattern
  } as ActionRow
}
