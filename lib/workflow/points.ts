import type { Usage } from '../metering/counters.js'
import type { RunRecord } from './record.js'

/** A point of the time series of what a workflow uses, with the input that it is for: what a model of its use learns from. */
export interface ShadowDataPoint {
  /** ms since the Unix epoch */
  readonly time: number
  readonly workflow: string
  readonly type: string
  /** id of the run */
  readonly run: string
  readonly tenant: string | undefined
  /** the fields of the input that are kept */
  readonly input: Readonly<Record<string, unknown>>
  /** names of the actions that went on then, in the order of their beginnings */
  readonly actions: readonly string[]
  /** what the run had used by then; memory is what was in use then */
  readonly usage: Partial<Usage>
}

/** The points of a run: those of its curve, where it was sampled; else the one at its end. */
export function dataPoints(run: RunRecord): ShadowDataPoint[] {
  const { curve, duration, usage } = run
  if (curve === undefined) return [pointAt(run, duration, usage)]
  const { times, cpu, memory } = curve
  const last = times.length - 1
  return times.map((time, i) => {
    if (i === last) return pointAt(run, duration, usage)
    const sofar: Partial<Usage> = { wall: time }
    if (cpu !== undefined) sofar.cpu = cpu[i] as number
    if (memory !== undefined) sofar.memory = memory[i] as number
    return pointAt(run, time, sofar)
  })
}

function pointAt({ id, workflow, type, tenant, start, input, actions }: RunRecord, time: number, usage: Partial<Usage>): ShadowDataPoint {
  const going = actions.filter(({ offset, duration }) => offset <= time && time < offset + duration)
  return { time: start + time, workflow, type, run: id, tenant, input, actions: going.map(({ name }) => name), usage }
}
