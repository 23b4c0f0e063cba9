import type { Policy, PolicyFactory } from '../policy.js'
import { adversarial } from './adversarial.js'
import { boundedOracle, oracle } from './oracle.js'
import { perfect } from './perfect.js'
import { predictive } from './predictive.js'

/** Decides when somebody asks, and plans nothing. */
function reactive(): Policy {
  return { name: 'reactive' }
}

/** All policies by name, but `static`, which is the best of many. */
export const POLICIES: Readonly<Record<string, PolicyFactory>> = {
  reactive,
  predictive,
  perfect,
  oracle,
  'oracle-bounded': boundedOracle,
  adversarial
}
