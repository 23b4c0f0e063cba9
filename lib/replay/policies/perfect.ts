import type { Expectation } from '../../plan/expected.js'
import type { KeyScores, LikelyLock } from '../../plan/lock-planner.js'
import type { Foreseer } from '../../plan/planner.js'
import type { Policy, PolicySeed, View } from '../policy.js'
import { DEFAULT_TIERS } from '../settings.js'
import type { TraceRequest, Workload } from '../trace.js'
import { AHEAD_MS } from './oracle.js'
import { areLocks, planning } from './predictive.js'

/**
 * The planner that an agent has, with its guard and its costs, and with a predictor that is always right: what planner and guard leave of what foresight can
 * bring. As an oracle it knows who comes within a second, and not how long anybody holds anything; where amounts are to be found, it asks for what will be used.
 */
export function perfect(workload: Workload, { seed }: PolicySeed): Policy {
  const name = 'perfect'
  if (workload.sized) return { name, size: arrival => (arrival as TraceRequest).peak }
  const coming = new Coming(workload.ranks ?? DEFAULT_TIERS)
  const { onPeriod, ...others } = planning(workload, { seed, scores: areLocks(workload) ? coming : undefined, foreseer: coming })
  return {
    ...others,
    name,
    ahead: AHEAD_MS,
    onPeriod(view) {
      coming.look(view)
      onPeriod?.(view)
    }
  }
}

/** What comes, as predictions that are always right. */
class Coming implements Foreseer, KeyScores {
  readonly #tierAt: ReadonlyMap<string, number>
  #view: View | undefined

  constructor(tiers: readonly string[]) {
    this.#tierAt = new Map(tiers.map((tier, i) => [tier, i]))
  }

  look(view: View): void {
    this.#view = view
  }

  expected(pool: string, tier: number, ms: number): readonly Expectation[] {
    const view = this.#view as View
    let amount = 0
    for (const { thing, who, amounts, time } of view.coming()) {
      if (time > view.now + ms) break
      if (thing === pool && this.#tierAt.get(who.tier) === tier) amount += amounts[0] as number
    }
    return [{ probability: 1, amounts: [amount] }]
  }

  *likely(now: number, tier: number, _: number, most: number): Iterable<LikelyLock> {
    const told = new Set<string>()
    for (const { thing, who, time } of (this.#view as View).coming()) {
      if (told.size === most) return
      if (told.has(thing) || (this.#tierAt.get(who.tier) ?? 0) < tier) continue
      told.add(thing)
      yield { name: thing, score: 1, workflow: who.workflow, from: Math.max(0, time - now) }
    }
  }
}
