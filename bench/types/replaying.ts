import type * as Generated from '../../lib/replay/adapters/generated.js'
import type * as Engine from '../../lib/replay/engine.js'
import type * as Policies from '../../lib/replay/policies/index.js'
import type { Kind } from './kind.js'

const UTILISATION = 0.8
const ROUNDS = { full: 12, quick: 5 }
const SEED = 1

/**
 * Requests a second of a replay of the generated day (some 10,000 requests in 20 minutes, 12,000 periods of a policy) through the core in virtual time, by the wall time of the loop: each of some replays in
 * one process but the first, whose figure is in the notes, as it is over before the compiler has seen all of it.
 */
export const replaying: Kind = async ({ job }) => {
  const part = (file: string) => import(new URL(`./replay/${file}.js`, job.setting.module).href)
  const { replay } = (await part('engine')) as typeof Engine
  const { generated } = (await part('adapters/generated')) as typeof Generated
  const { POLICIES } = (await part('policies/index')) as typeof Policies
  const factory = POLICIES[String(job.params.policy)]
  if (factory === undefined) throw new Error(`there is no policy ${job.params.policy}`)
  const workload = await generated().workload(UTILISATION)
  const rates: number[] = []
  for (let round = 0; round < (job.quick ? ROUNDS.quick : ROUNDS.full); round++) {
    const { requests, took } = await replay({ workload, policy: factory(workload, { seed: SEED }) })
    if (requests !== workload.count) throw new Error(`${requests} of ${workload.count} requests were played`)
    rates.push((1_000 * requests) / took)
  }
  const [first = 0, ...value] = rates
  return { series: { value }, notes: { 'requests a second of the first': Math.round(first) } }
}
