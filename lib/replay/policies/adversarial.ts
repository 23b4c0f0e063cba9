import { BucketGuard } from '../../plan/bucket-guard.js'
import { LossGuard } from '../../plan/loss-guard.js'
import { LowerTiers } from '../../plan/lower-tiers.js'
import { SOURCES } from '../../plan/planner.js'
import { PoolGuard } from '../../plan/pool-guard.js'
import type { KeepPlan } from '../../plans.js'
import { WAIT_COSTS } from '../../wait-costs.js'
import type { Arrival, Policy, PolicySeed, View } from '../policy.js'
import { AGEING_MS, CONTROL, DEFAULT_TIERS } from '../settings.js'
import { burstOf, firstOf, type TraceRequest, type Workload } from '../trace.js'
import { AHEAD_MS } from './oracle.js'

const HALF = 0.5
/** Periods for which a bucket's keep is written. */
const WRONG_PERIODS = 10

/**
 * Knows what comes, and predicts the opposite: keeps as much of pools and buckets as plans may where nobody of the top tier comes, and nothing where somebody does;
 * where amounts are to be found, it says half of what will be used. What a planner that trusts its predictions has to bear.
 */
export function adversarial(workload: Workload, { seed }: PolicySeed): Policy {
  const name = 'adversarial'
  if (workload.sized) {
    return { name, size: arrival => (arrival as TraceRequest).peak?.map(peak => Math.max(1, Math.floor(peak * HALF))) }
  }
  const top = workload.tiers.at(-1) as string
  const tiers = workload.ranks ?? DEFAULT_TIERS
  const tierAt = new Map(tiers.map((tier, i) => [tier, i]))
  const known = new Map<string, PoolGuard>()
  const lower = new LowerTiers(WAIT_COSTS)
  const holds = new LossGuard(WAIT_COSTS[0] as number, () => lower.price)
  const guards = () => {
    if (known.size > 0) return known
    for (const { name: pool, capacity } of workload.pools) {
      const terms = { capacity: firstOf(capacity), waitCosts: WAIT_COSTS, ageing: AGEING_MS }
      known.set(pool, new PoolGuard({ ...terms, tiers, lag: 0, control: CONTROL, seed }))
    }
    return known
  }
  const keeps = new Map(workload.buckets.map(bucket => [bucket.name, new WrongKeeps(bucket, top, tiers, seed)]))
  return {
    name,
    ahead: AHEAD_MS,
    lag: 0,
    onArrival({ kind, thing, who, amounts, time }) {
      const [tier, amount] = [tierAt.get(who.tier) ?? 0, amounts[0] as number]
      if (kind === 'pool') known.get(thing)?.came(time, tier, amount)
      if (kind === 'bucket') keeps.get(thing)?.came(time, tier, amount)
    },
    onEnd({ kind, thing, who, time, waited, duration }) {
      const tier = tierAt.get(who.tier) ?? 0
      if (kind === 'lock') lower.ended(tier, waited)
      if (kind === 'pool') known.get(thing)?.ended(time, tier, waited, duration)
    },
    onPeriod(view) {
      const coming = [...view.coming()]
      const wanted = new Set(coming.filter(({ who }) => who.tier === top).map(({ thing }) => thing))
      for (const [pool, guard] of guards()) {
        const amount = wanted.has(pool) ? 0 : Math.min(1, view.maxReserve)
        const plan: KeepPlan = { kind: 'keep', pool, tier: top, amount, until: 2 * view.period }
        const use = {
          used: () => view.used(pool),
          usedBy: (tier: number) => view.used(pool, tiers[tier] as string),
          waiting: (tier: number) => view.waiting(pool, tiers[tier] as string)
        }
        for (const passed of guard.keep([plan], view.now, use)) view.write(passed)
      }
      for (const { name: bucket, rate } of view.workload.buckets) {
        if (!wanted.has(bucket)) view.write({ kind: 'reserve', bucket, tenant: top, amount: rate, until: view.period })
        keeps.get(bucket)?.look(view, wanted.has(bucket))
      }
      // What it costs is all that it comes to: nobody is better off.
      const course = () => ({ lostMs: view.lost(SOURCES.hold), saved: 0, lowerCost: lower.cost })
      if (holds.passes(view.now, course)) holdAgainst(view, top, coming, wanted, holds)
    }
  }
}

/** What is kept of a bucket where nobody comes for it, as far as a guard allows. */
class WrongKeeps {
  private readonly guard: BucketGuard
  private amount = 0
  private until = 0

  constructor(
    private readonly bucket: Workload['buckets'][number],
    private readonly tier: string,
    tiers: readonly string[],
    seed: number
  ) {
    const { rate } = bucket
    // Its reserves are over before anybody comes.
    const terms = { rate, burst: burstOf(bucket), reserve: 0, waitCosts: WAIT_COSTS, ageing: AGEING_MS }
    this.guard = new BucketGuard({ ...terms, tiers, lag: 0, control: CONTROL, seed })
  }

  came(time: number, tier: number, tokens: number): void {
    this.guard.came({ time, tier, tokens, isReserved: false })
  }

  look(view: View, isWanted: boolean): void {
    const amount = isWanted ? 0 : Math.min(1, view.maxReserve)
    const plans: KeepPlan[] = []
    // What goes on is written anew before it ends.
    if (amount !== this.amount || (amount > 0 && this.until - view.now < 2 * view.period)) {
      const until = WRONG_PERIODS * view.period
      plans.push({ kind: 'keep', bucket: this.bucket.name, tier: this.tier, amount, until })
      this.amount = amount
      this.until = view.now + until
    }
    for (const passed of this.guard.keep(plans, view.now, { free: burstOf(this.bucket), reserved: 0 })) view.write(passed)
  }
}

/** Locks that only lower tiers are about to ask for. */
function holdAgainst(view: View, tier: string, coming: readonly Arrival[], wanted: ReadonlySet<string>, holds: LossGuard): void {
  const planned = new Set(wanted)
  for (const { kind, thing, time } of coming) {
    if (kind !== 'lock' || planned.has(thing)) continue
    planned.add(thing)
    const until = Math.max(0, time - view.now) + view.period
    if (!holds.admits(until)) continue
    holds.begun(view.now, until)
    view.write({ kind: 'hold', lock: thing, tier, source: SOURCES.hold, until })
  }
}
