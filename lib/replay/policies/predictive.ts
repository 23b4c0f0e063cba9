import { type Scored, Scores } from '../../foresight/scores.js'
import type { KeyScores } from '../../plan/lock-planner.js'
import { type Arena, type Foreseer, Planner } from '../../plan/planner.js'
import { IDLE_COST, WAIT_COSTS } from '../../wait-costs.js'
import type { Arrival, Policy, PolicySeed, View } from '../policy.js'
import { AGEING_MS, CONTROL, DEFAULT_TIERS, WITHIN_MS } from '../settings.js'
import { burstOf, firstOf, type Workload } from '../trace.js'
import { sizing } from './sizing.js'

const BATCH = 1024

/** The planner that an agent has, with its guard: it learns from what has been, as everybody does who is no oracle. */
export function predictive(workload: Workload, { seed }: PolicySeed): Policy {
  if (workload.sized) return { ...sizing(workload, { seed }), name: 'predictive' }
  const scores = areLocks(workload) ? new LockScores(workload.ranks ?? DEFAULT_TIERS) : undefined
  return { ...planning(workload, { seed, scores }), name: 'predictive' }
}

/** Whether nothing else is asked for. */
export const areLocks = ({ pools, buckets }: Workload) => pools.length + buckets.length === 0

/** Who predicts for a planner. */
export interface Predictor {
  readonly seed: number
  /** of locks; undefined: none is held */
  readonly scores: (KeyScores & { came?(arrival: Arrival, tier: number): void }) | undefined
  /** default: the planner learns what pools will be asked for */
  readonly foreseer?: Foreseer | undefined
}

/** What a planner does, told of all that comes and ends. */
export function planning(workload: Workload, { seed, scores, foreseer }: Predictor): Omit<Policy, 'name'> {
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
      seed,
      within: WITHIN_MS,
      scores,
      foreseer,
      // Nobody is told of any.
      collisions: false
    })
    for (const { name, capacity, unit } of workload.pools) made.pool(name, firstOf(capacity), unit)
    for (const bucket of workload.buckets) made.bucket(bucket.name, bucket.rate, burstOf(bucket))
    return made
  }
  let arena: Arena | undefined
  return {
    onPeriod(view) {
      planner ??= plannerFor(view)
      arena ??= arenaOf(view)
      planner.plan(arena)
    },
    onArrival(arrival) {
      const { kind, thing, who, amounts, time } = arrival
      const tier = tierAt.get(who.tier) ?? 0
      scores?.came?.(arrival, tier)
      planner?.came({ kind, thing, tier, amount: amounts[0] ?? 1, time, workflow: who.workflow, tenant: who.tenant })
    },
    onEnd({ kind, thing, who, time, waited, duration }) {
      planner?.ended({ kind, thing, tier: tierAt.get(who.tier) ?? 0, time, waited, held: duration, workflow: who.workflow })
    }
  }
}

/** What the planner sees of a replay, whose view is the same in each period. */
function arenaOf(view: View): Arena {
  return {
    get now() {
      return view.now
    },
    used: pool => view.used(pool),
    usedBy: (pool, tier) => view.used(pool, tier),
    waiting: (thing, tier) => view.waiting(thing, tier),
    lost: source => view.lost(source),
    // A replay has no telemetry, so a shadow request would know of no hold how long it lasts.
    check: () => undefined,
    write: plan => view.write(plan)
  }
}

/** Scores of the locks of a trace, by foresight's own model. */
class LockScores implements KeyScores {
  private readonly scores: Scores
  private readonly tiers: readonly string[]
  private pending: Scored[] = []

  constructor(tiers: readonly string[]) {
    this.tiers = tiers
    this.scores = new Scores(tiers)
  }

  came({ thing, time }: Arrival, tier: number): void {
    this.pending.push({ time, activity: { kind: 'lock', name: thing, tier, client: 0 } })
    if (this.pending.length >= BATCH) this.learn()
  }

  private learn(): void {
    this.scores.asked(this.pending)
    this.pending = []
  }

  likely(now: number, tier: number, least: number, most: number) {
    this.learn()
    return this.scores.likely({ tier: this.tiers[tier] as string, least, most }, now)
  }
}
