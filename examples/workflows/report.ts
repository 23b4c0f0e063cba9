import { MiB, type ResourceProfile, type WorkflowProfile } from '../../lib/index.js'
import type { Place } from './jobs.js'

/** All jobs of one kind. */
export interface Outcome {
  readonly profile: WorkflowProfile
  readonly place: Place
  /** ms of CPU time of all runs */
  readonly measured: number
  /** points of the curves of all runs */
  readonly points: number
  /** ms of CPU time in the same time by the kernel, by which of its accounts */
  readonly accounts: Readonly<Record<string, number>>
}

/** By how much what was measured may differ from the kernel's word. */
const TOLERANCE = 0.05

/** What was learnt of a kind of job, what was measured of all of them, and whether the kernel says the same. */
export function report({ profile, place, measured, points, accounts }: Outcome): { text: string; agrees: boolean } {
  const kernel = Object.values(accounts).reduce((sum, cpu) => sum + cpu, 0)
  const off = Math.abs(measured - kernel) / kernel
  const agrees = off <= TOLERANCE
  const { duration, requirements, samples, actions } = profile
  const lines = [
    `${profile.id} (${profile.type}), in a ${place}, ${samples} runs`,
    `  learnt: duration ${spread(duration, 'ms')}, CPU ${spread(requirements.cpu, 'ms')}${peak(requirements.memoryPeak)}`,
    `  actions: ${actions.map(action => `${action.name} ${spread(action.requirements.cpu, 'ms')} of CPU${data(action)}`).join(', ')}`,
    ...(points > 0 ? [`  curves: ${points} points`] : []),
    `  measured: ${ms(measured)} of CPU in all runs`,
    `  kernel: ${ms(kernel)} = ${Object.entries(accounts)
      .map(([account, cpu]) => `${ms(cpu)} (${account})`)
      .join(' + ')}`,
    `  within 5 %: ${agrees ? 'yes' : 'no'}, off by ${(off * 100).toFixed(1)} %`
  ]
  return { text: `${lines.join('\n')}\n`, agrees }
}

const ms = (value: number) => `${value.toFixed(0)} ms`
const spread = (of: ResourceProfile | undefined, unit: string) =>
  of === undefined ? 'unknown' : `${of.expected.toFixed(0)} ${unit} (p95 ${of.p95.toFixed(0)})`
const peak = (of: ResourceProfile | undefined) => (of === undefined ? '' : `, peak of memory ${(of.expected / MiB).toFixed(0)} MiB`)
const data = ({ data: moved }: { data: WorkflowProfile['data'] }) =>
  moved === undefined ? '' : `, ${(moved.bytes.expected / MiB).toFixed(1)} MiB as a ${moved.pattern}`
