import { refuse } from '../checks.js'
import { type ReplayResult, replay } from './engine.js'
import { POLICIES } from './policies/index.js'
import { fixed, staticsOf } from './policies/static.js'
import type { Policy } from './policy.js'
import type { Trace, Workload } from './trace.js'
import { changed, type Setting } from './what-if.js'

/** The best of many fixed settings. */
export const STATIC = 'static'
export const POLICY_NAMES: readonly string[] = [...Object.keys(POLICIES), STATIC]
export const UTILISATIONS = [0.6, 0.8, 0.95]

export interface RunOptions {
  /** by name; `static` is the best fixed reserve in hindsight */
  readonly policies: readonly string[]
  /** 0 to 1, of traces that scale */
  readonly utilisations?: readonly number[] | undefined
  /** the fixed settings that are tried; default: those that suit the workload */
  readonly statics?: readonly number[] | undefined
  readonly seed: number
  /** each workload is played under these, too, after its own */
  readonly settings?: readonly Setting[] | undefined
  /** ms */
  readonly period?: number | undefined
  /** @param part 0 to 1 of this replay, where it is known how many requests there are */
  readonly progress?: ((what: string, part: number | undefined) => void) | undefined
}

/** A workload under all policies. */
export interface Played {
  readonly trace: Trace
  readonly workload: Workload
  /** in the order asked for; the one named `static` is a copy of the best */
  readonly results: readonly ReplayResult[]
  /** all fixed settings that were tried, and which was the best */
  readonly statics: readonly ReplayResult[]
  readonly best: string | undefined
}

/** Plays traces, one workload after the other. @throws ArgumentError for a policy that there is none of */
export async function* play(traces: readonly Trace[], options: RunOptions): AsyncGenerator<Played> {
  for (const name of options.policies) if (!POLICY_NAMES.includes(name)) throw refuse('--policy', POLICY_NAMES.join(', '), name)
  for (const trace of traces) {
    const utilisations = trace.scales ? (options.utilisations ?? UTILISATIONS) : [1]
    for (const utilisation of utilisations) {
      options.progress?.(trace.name, undefined)
      const workload = await trace.workload(utilisation)
      const variants = (options.settings ?? []).map(setting => changed(workload, setting))
      for (const one of [workload, ...variants]) yield await playOne(trace, one, options)
      // Of locks there is nothing to be made more or less of.
      if (workload.pools.length + workload.buckets.length === 0) break
    }
  }
}

async function playOne(trace: Trace, workload: Workload, options: RunOptions): Promise<Played> {
  const results: ReplayResult[] = []
  const statics: ReplayResult[] = []
  let best: ReplayResult | undefined
  for (const name of options.policies) {
    if (name !== STATIC) {
      const factory = POLICIES[name] as (typeof POLICIES)[string]
      results.push(await playWith(factory(workload, { seed: options.seed }), workload, options))
      continue
    }
    for (const k of options.statics ?? staticsOf(workload)) {
      const result = await playWith(fixed(k, workload), workload, options)
      statics.push(result)
      if (best === undefined || worth(workload, result) < worth(workload, best)) best = result
    }
    if (best !== undefined) results.push({ ...best, policy: STATIC })
  }
  return { trace, workload, results, statics, best: best?.policy }
}

function playWith(policy: Policy, workload: Workload, { period, progress }: RunOptions): Promise<ReplayResult> {
  const what = `${workload.trace}@${workload.setting} ${policy.name}`
  const { count } = workload
  progress?.(what, 0)
  return replay({ workload, policy, period, progress: requests => progress?.(what, count === undefined ? undefined : requests / count) })
}

/** What a fixed setting is judged by: what it costs; of a machine that works off a heap, when that is done. */
function worth({ sized }: Workload, { cost, makespan }: ReplayResult): number {
  return sized ? makespan : cost
}
