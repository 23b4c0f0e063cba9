import type { Policy } from '../policy.js'
import type { Workload } from '../trace.js'
import { adversarial } from './adversarial.js'
import { boundedOracle, oracle } from './oracle.js'
import { predictive } from './predictive.js'

export interface PolicySeed {
  /** what a policy draws its random numbers from */
  readonly seed: number
}

/** Makes a policy for one replay of a workload. */
export type PolicyFactory = (workload: Workload, options: PolicySeed) => Policy

/** Decides when somebody asks, and plans nothing. */
function reactive(): Policy {
  return { name: 'reactive' }
}

/** All policies by name, but `static`, which is the best of many. */
export const POLICIES: Readonly<Record<string, PolicyFactory>> = {
  reactive,
  predictive,
  oracle,
  'oracle-bounded': boundedOracle,
  adversarial
}
