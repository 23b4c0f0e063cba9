import type { SharePlan } from '../plans.js'
import { type PoolGuardOptions, PoolTiersGuard } from './pool-guard.js'
import type { TierUnits } from './pool-world.js'

export interface ShareGuardOptions extends PoolGuardOptions {
  readonly parts: readonly TierUnits[]
}

/** Of the seed, so that its windows are not those of other sources. */
const OTHER_WINDOWS = 0x27d4eb2f

/** The guard of the shares of a pool. */
export class ShareGuard extends PoolTiersGuard<SharePlan> {
  constructor(options: ShareGuardOptions) {
    const { tiers, capacity, parts, seed } = options
    const indexOf = ({ tier = '' }: SharePlan) => tiers.indexOf(tier)
    super({ ...options, seed: seed ^ OTHER_WINDOWS }, trial => ({
      keyOf: ({ tier = '' }) => tier,
      tried: (plan, time, until) => trial.shared({ time, tier: indexOf(plan), units: plan.amount * capacity, until }),
      // As it is configured.
      emptied: plan => ({ ...plan, amount: (parts[indexOf(plan)]?.share ?? 0) / capacity })
    }))
  }
}
