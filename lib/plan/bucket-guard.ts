import type { KeepPlan } from '../plans.js'
import type { TokenLevel } from './bucket-outlook.js'
import { BucketTrial, type BucketTrialOptions } from './bucket-trial.js'
import type { TokenRequest } from './bucket-world.js'
import { TiersGuard, type TiersGuardOptions } from './tiers-guard.js'

export interface BucketGuardOptions extends BucketTrialOptions, TiersGuardOptions {}

/** Of the seed, so that its windows are not those of other sources. */
const OTHER_WINDOWS = 0x165667b1

/** The guard of what is kept of a bucket. Of a trial that is never behind nothing is unsettled. */
export class BucketGuard extends TiersGuard<KeepPlan> {
  readonly #trial: BucketTrial

  constructor(options: BucketGuardOptions) {
    const { tiers, burst, seed } = options
    const trial = new BucketTrial(options)
    super({ ...options, seed: seed ^ OTHER_WINDOWS }, trial, {
      keyOf: ({ tier }) => tier,
      tried: ({ tier, amount }, time, until) => trial.kept({ time, tier: tiers.indexOf(tier), tokens: amount * burst, until }),
      emptied: plan => ({ ...plan, amount: 0 })
    })
    this.#trial = trial
  }

  came(request: TokenRequest): void {
    this.#trial.came(request)
  }

  /** Once a period, as {@link TrialGuard.pass}. @param level tokens that there are now; less than none where somebody waits */
  keep(plans: readonly KeepPlan[], now: number, level: TokenLevel): readonly KeepPlan[] {
    this.#trial.look(now, level)
    return this.pass(plans, now)
  }
}
