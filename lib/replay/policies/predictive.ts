import { Planner } from '../../plan/planner.js'
import { IDLE_COST, WAIT_COSTS } from '../../wait-costs.js'
import type { Policy, View } from '../policy.js'
import { AGEING_MS, CONTROL, DEFAULT_TIERS } from '../settings.js'
import { firstOf, type Workload } from '../trace.js'
import type { PolicySeed } from './index.js'

/** The planner that an agent has, with its guard: it learns from what has been, as everybody does who is no oracle. */
export function predictive(workload: Workload, { seed }: PolicySeed): Policy {
  const tiers = workload.ranks ?? DEFAULT_TIERS
  const tierAt = new Map(tiers.map((tier, i) => [tier, i]))
  let planner: Planner | undefined
  const plannerFor = ({ period, maxReserve }: View) => {
    const made = new Planner({
      tiers,
      waitCosts: WAIT_COSTS,
      idleCost: IDLE_COST,
      maxReserve,
      ageing: AGEING_MS,
      period,
      lag: 1,
      control: CONTROL,
      seed
    })
    for (const { name, capacity } of workload.pools) made.pool(name, firstOf(capacity))
    return made
  }
  return {
    name: 'predictive',
    onPeriod(view) {
      planner ??= plannerFor(view)
      planner.plan({
        now: view.now,
        used: pool => tiers.reduce((all, tier) => all + view.used(pool, tier), 0),
        waiting: (thing, tier) => view.waiting(thing, tier),
        write: plan => view.write(plan)
      })
    },
    onArrival({ kind, thing, who, amounts, time }) {
      if (kind === 'pool') planner?.came(thing, tierAt.get(who.tier) ?? 0, amounts[0] as number, time)
    },
    onEnd({ kind, thing, who, time, waited, duration }) {
      if (kind === 'pool') planner?.ended(thing, tierAt.get(who.tier) ?? 0, time, waited, duration)
    }
  }
}
