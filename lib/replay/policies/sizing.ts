import { type SizeBounds, Sizer, stepsOf } from '../../predict/sizer.js'
import type { UsageInput } from '../../predict/usage-input.js'
import type { Arrival, Ended, Policy, PolicySeed } from '../policy.js'
import type { Workload } from '../trace.js'

const NO_INPUT: UsageInput = {}

/**
 * Of a workload that is sized: asks for what a workflow that learns asks for, by the same code, and learns from what is over alone. What is asked for in the trace is
 * the setting of somebody: of what nothing is known of it is asked for, and never more. Nothing in it is drawn at random.
 */
export function sizing(workload: Workload, _: PolicySeed): Policy {
  const [pool] = workload.pools
  const names = Object.keys(pool?.capacity ?? {}).sort()
  const step = stepsOf(names.map(name => pool?.capacity[name] as number))
  const sizer = new Sizer({ dimensions: names.length })
  const boundsOf = ({ amounts }: Arrival): SizeBounds => ({ first: amounts, most: amounts, step })
  return {
    name: 'predictive',
    size: arrival => sizer.size(arrival.who.workflow, arrival.input ?? NO_INPUT, boundsOf(arrival)),
    onEnd({ who, input, peak }: Ended) {
      if (peak !== undefined) sizer.learn(who.workflow, input ?? NO_INPUT, peak)
    }
  }
}
