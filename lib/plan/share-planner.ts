import type { SharePlan } from '../plans.js'
import { criticalRatio } from './newsvendor.js'
import type { TierUnits } from './pool-world.js'
import { USE_STEPS, UseTable } from './use-table.js'

/** What the planner of shares is told about its pool. */
export interface ShareView {
  /** ms */
  readonly now: number
  /** units that a tier holds */
  usedBy(tier: number): number
  /** requests of a tier that wait */
  waiting(tier: number): number
}

export interface SharePlannerOptions {
  readonly pool: string
  /** units */
  readonly capacity: number
  /** what each tier may have, as configured */
  readonly parts: readonly TierUnits[]
  /** names, lowest first */
  readonly tiers: readonly string[]
  /** what waiting costs a request and second, by tier */
  readonly waitCosts: readonly number[]
  /** the part of the pool by which shares may grow together, 0 to 1 */
  readonly maxReserve: number
  /** ms */
  readonly period: number
}

interface Grown {
  /** beyond the configured share */
  units: number
  /** ms */
  until: number
  /** it was not written the last time: nothing is left out for it */
  isDropped: boolean
}

/** Periods that are looked ahead: some time for what others have of a share to come back. */
const HORIZON = 20
/** Requests that a mean is of. */
const AVERAGED = 200
/** Plans are written for so many periods, and anew when they change or have this many left. */
const PLAN_PERIODS = 10
const RENEW_PERIODS = 3
/** What sums of parts lose. */
const ROUNDING = 1e-9

/**
 * How large the shares of a pool are to be: of each tier the newsvendor's quantile of the most that it will have in use, or wait for, within two seconds. A unit that is
 * missing in its share makes it wait behind a tier below that is within its own; one too many makes that one wait. A share that is not used is lent, so it costs nothing. Shares
 * grow above what was configured, never below it; the upper tiers choose first, and all together add no more than plans may. For the lowest tier, and where no
 * tier below has a part of its own, a larger share would change nothing, and for those above one that is too large would be a loss: there none is planned.
 */
export class SharePlanner {
  readonly #options: SharePlannerOptions
  readonly #tables: readonly UseTable[]
  readonly #amounts: { count: number; mean: number }[]
  /** what is in force, by tier */
  readonly #grown: Grown[]
  readonly #step: number

  constructor(options: SharePlannerOptions) {
    this.#options = options
    this.#tables = options.tiers.map(() => new UseTable(HORIZON))
    this.#amounts = options.tiers.map(() => ({ count: 0, mean: 0 }))
    this.#grown = options.tiers.map(() => ({ units: 0, until: 0, isDropped: false }))
    this.#step = options.capacity / USE_STEPS
  }

  /** A request came. @param amount units */
  came(tier: number, amount: number): void {
    const mean = this.#amounts[tier] as { count: number; mean: number }
    mean.count++
    mean.mean += (amount - mean.mean) / Math.min(mean.count, AVERAGED)
  }

  /** units by which the share of a tier is larger than configured, as last planned */
  grown(tier: number): number {
    return (this.#grown[tier] as Grown).units
  }

  /** units of a usual request of the tier that a plan is for */
  amount({ tier = '' }: SharePlan): number {
    return this.#amounts[this.#options.tiers.indexOf(tier)]?.mean ?? 0
  }

  /** Whether a plan gives its tier more than is configured. */
  isGrown({ tier = '', amount }: SharePlan): boolean {
    const { parts, tiers, capacity } = this.#options
    return amount * capacity > (parts[tiers.indexOf(tier)] as TierUnits).share + ROUNDING * capacity
  }

  /** It has not been written. */
  dropped({ tier = '' }: SharePlan): void {
    const grown = this.#grown[this.#options.tiers.indexOf(tier)] as Grown
    grown.units = 0
    grown.isDropped = true
  }

  /** Once a period: the plans that are to be written now. */
  plan(view: ShareView): SharePlan[] {
    const { capacity, maxReserve, tiers } = this.#options
    const plans: SharePlan[] = []
    if (!(capacity > 0)) return plans
    let left = maxReserve * capacity
    for (let tier = tiers.length - 1; tier >= 0; tier--) {
      const waits = view.waiting(tier) * (this.#amounts[tier] as { mean: number }).mean
      ;(this.#tables[tier] as UseTable).add((view.usedBy(tier) + waits) / this.#step)
      const units = Math.min(left, this.#wanted(tier))
      const grown = this.#grown[tier] as Grown
      if (!grown.isDropped) left -= units
      grown.isDropped = false
      const plan = this.#changed(tier, units, view.now)
      if (plan !== undefined) plans.push(plan)
    }
    return plans
  }

  /** The quantile that a tier is to have of what it will use; 0: a larger share would be of no use to it. */
  ratio(tier: number): number {
    const { parts, waitCosts } = this.#options
    let dearest = -1
    // Who is within his own part is the one who passes it.
    for (let below = 0; below < tier; below++) {
      const { floor, share } = parts[below] as TierUnits
      if (floor + share > 0) dearest = Math.max(dearest, waitCosts[below] ?? 0)
    }
    return dearest < 0 ? 0 : criticalRatio(waitCosts[tier] ?? 0, dearest)
  }

  /** Units beyond the configured share. */
  #wanted(tier: number): number {
    const ratio = this.ratio(tier)
    if (ratio === 0) return 0
    const { floor, share, ceiling } = this.#options.parts[tier] as TierUnits
    const part = Math.min(ceiling, (this.#tables[tier] as UseTable).quantile(ratio) * this.#step)
    return Math.max(0, part - floor - share)
  }

  #changed(tier: number, units: number, now: number): SharePlan | undefined {
    const { period, parts, capacity, pool, tiers } = this.#options
    const grown = this.#grown[tier] as Grown
    const isSame = Math.abs(units - grown.units) <= ROUNDING * capacity
    if (isSame && (units === 0 || grown.until - now > RENEW_PERIODS * period)) return undefined
    const until = PLAN_PERIODS * period
    grown.units = units
    grown.until = now + until
    const amount = Math.min(1, ((parts[tier] as TierUnits).share + units) / capacity)
    return { kind: 'share', pool, tier: tiers[tier] as string, amount, until }
  }
}
