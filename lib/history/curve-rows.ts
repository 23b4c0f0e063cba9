import { CURVE_POINTS_MAX } from '../workflow/curve.js'
import type { UsageCurve } from '../workflow/record.js'
import type { RunRow } from './rows.js'

/** What a run used over its time, where it was sampled. */
export interface RunCurve extends UsageCurve {
  /** id of the run */
  readonly run: string
  readonly workflow: string
  readonly outcome: string
  /** ms since the Unix epoch, from which `times` count */
  readonly start: number
  readonly end: number
}

/** A curve as it may be kept; undefined: it is none. A note may be by anybody, and a row is read by others. */
export function curveOf(value: unknown): UsageCurve | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { times, cpu, memory } = value as Readonly<Record<string, unknown>>
  if (!isColumn(times) || times.length === 0 || times.length > CURVE_POINTS_MAX) return undefined
  const fits = (column: unknown): column is readonly number[] => isColumn(column) && column.length === times.length
  return { times, ...(fits(cpu) && { cpu }), ...(fits(memory) && { memory }) }
}

export function runCurve({ id, workflow, outcome, start, end, curve }: RunRow): RunCurve[] {
  const known = curveOf(curve)
  return known === undefined ? [] : [{ run: id, workflow, outcome, start, end, ...known }]
}

const isColumn = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(Number.isFinite)
