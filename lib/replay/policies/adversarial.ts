import type { Arrival, Policy, View } from '../policy.js'
import type { TraceRequest, Workload } from '../trace.js'
import { AHEAD_MS } from './oracle.js'

const HALF = 0.5

/**
 * Knows what comes, and predicts the opposite: keeps as much as plans may where nobody of the top tier comes, and nothing where somebody does;
 * where amounts are to be found, it says half of what will be used. What a planner that trusts its predictions has to bear.
 */
export function adversarial(workload: Workload): Policy {
  const name = 'adversarial'
  if (workload.sized) {
    return { name, size: arrival => (arrival as TraceRequest).peak?.map(peak => Math.max(1, Math.floor(peak * HALF))) }
  }
  const top = workload.tiers.at(-1) as string
  return {
    name,
    ahead: AHEAD_MS,
    lag: 0,
    onPeriod(view) {
      const coming = [...view.coming()]
      const wanted = new Set(coming.filter(({ who }) => who.tier === top).map(({ thing }) => thing))
      for (const { name: pool } of view.workload.pools) {
        const amount = wanted.has(pool) ? 0 : 1
        view.write({ kind: 'keep', pool, tier: top, amount, until: 2 * view.period })
      }
      for (const { name: bucket, rate } of view.workload.buckets) {
        if (!wanted.has(bucket)) view.write({ kind: 'reserve', bucket, tenant: top, amount: rate, until: view.period })
      }
      holdAgainst(view, top, coming, wanted)
    }
  }
}

/** Locks that only lower tiers are about to ask for. */
function holdAgainst(view: View, tier: string, coming: readonly Arrival[], wanted: ReadonlySet<string>): void {
  const planned = new Set(wanted)
  for (const { kind, thing, time } of coming) {
    if (kind !== 'lock' || planned.has(thing)) continue
    planned.add(thing)
    view.write({ kind: 'hold', lock: thing, tier, until: Math.max(0, time - view.now) + view.period })
  }
}
