import type { KeepPlan } from '../plans.js'
import { BacklogTable } from './backlog-table.js'
import type { TokenLevel } from './bucket-outlook.js'
import type { TokenRequest } from './bucket-world.js'
import { criticalRatio } from './newsvendor.js'

export interface BucketKeepPlannerOptions {
  readonly bucket: string
  /** tokens a second, and those of a full bucket */
  readonly rate: number
  readonly burst: number
  /** the most that is kept apart of what a full bucket discards */
  readonly reserve: number
  /** names, lowest first */
  readonly tiers: readonly string[]
  /** what waiting costs a request and second, by tier */
  readonly waitCosts: readonly number[]
  /** the part of a burst that plans may keep, 0 to 1 */
  readonly maxReserve: number
  /** ms */
  readonly period: number
  /** periods from the data to the plan in force */
  readonly lag: number
}

/** What a tier asks for, faded, and what is kept for it. */
interface TierDemand {
  requests: number
  tokens: number
  /** ms, when it asked last */
  asked: number
  /** tokens that it and those above it would wait for if nobody else asked */
  backlog: number
  /** of that; undefined: it has asked for nothing */
  table: BacklogTable | undefined
  /** steps, as last planned, and ms until which */
  steps: number
  until: number
  /** the most that was wanted since less is, and for how many periods that has been so */
  less: number
  calm: number
}

/** Steps in which is told apart what may be kept. A table has two more: none, and more than that. */
const STEPS = 16
/**
 * Periods for which a backlog is foretold, from the plan in force: what is kept has to come first, and is there for a while. Of the upper tier of nezha (decision 29) 76,800 are late, and 77,100 and 76,400 with 10 and 40, for 0.1 % shorter and 0.2 % longer
 * waits of the lower one.
 */
const WITHIN = 20
/** And a tenth of those over which it is averaged how much comes: some seconds, as of what a pool will be asked for. */
const HORIZON = 10
/** Plans are written for so many periods, and anew when they change by more than a step or have this many left. */
const PLAN_PERIODS = 100
const RENEW_PERIODS = 30
/** Periods for which less has to be enough before less is kept. */
const CALM_PERIODS = 10
/** ms after which what was asked for counts a third as much where costs are weighed, and after which that is looked at. */
const FADE_MS = 600_000
const FADE_LEAST_MS = 1_000
/** What is asked for beyond so many ms of tokens, or a burst, is taken to have given up. */
const PATIENCE_MS = 60_000
const MS_PER_S = 1_000

/**
 * What to keep in a bucket for its upper tiers: lower ones are granted what is beyond. As long as a lower tier waits, a token that is kept makes one more of them wait; as long as the upper tier has more to
 * wait for than is kept, one more token would have one less of them waiting. So both cost by time, and as much is kept as the upper tier's backlog will not exceed in u / (u + o) of the time (the newsvendor's quantile), where
 * its backlog is that of a queue of its own at the whole rate, less what a reserve gives it. It is learnt from those moments at which so few tokens are left that a keep would matter: while the bucket is full enough it costs nobody anything
 * and helps nobody.
 */
export class BucketKeepPlanner {
  readonly #options: BucketKeepPlannerOptions
  readonly #rate: number
  /** tokens */
  readonly #most: number
  readonly #step: number
  readonly #demand: readonly TierDemand[]
  /** tokens that are waited for at most */
  readonly #patience: number
  /** tokens that there are, less those that are waited for */
  #balance: number
  #reserve = 0
  #time = Number.NaN
  /** ms up to which demand has faded */
  #faded = Number.NaN

  constructor(options: BucketKeepPlannerOptions) {
    this.#options = options
    const { rate, burst, maxReserve, tiers } = options
    this.#rate = rate / MS_PER_S
    this.#most = Math.max(0, Math.min(maxReserve * burst, burst - 1))
    this.#step = this.#most / STEPS
    this.#demand = tiers.map(() => ({
      requests: 0,
      tokens: 0,
      asked: Number.NEGATIVE_INFINITY,
      backlog: 0,
      table: undefined,
      steps: 0,
      until: 0,
      less: 0,
      calm: 0
    }))
    this.#patience = Math.max(burst, this.#rate * PATIENCE_MS)
    this.#balance = burst
  }

  came({ time, tier, tokens, isReserved }: TokenRequest): void {
    this.#advance(time)
    this.#fade(time)
    const demand = this.#demand[tier] as TierDemand
    demand.requests++
    demand.tokens += tokens
    demand.asked = time
    // Nothing is kept for the lowest.
    if (tier > 0 && this.#most > 0) demand.table ??= new BacklogTable(STEPS, HORIZON, this.#options.lag, WITHIN)
    const drawn = isReserved ? Math.min(this.#reserve, tokens) : 0
    this.#reserve -= drawn
    this.#balance = Math.max(-this.#patience, this.#balance - tokens + drawn)
    for (let lower = 1; lower <= tier; lower++) {
      const above = this.#demand[lower] as TierDemand
      above.backlog = Math.min(this.#patience, above.backlog + tokens - drawn)
      above.table?.came()
    }
  }

  /** Tokens that there are, less those that are waited for. */
  get level(): TokenLevel {
    return { free: this.#balance, reserved: this.#reserve }
  }

  /** Once a period: the plans that are to be written now. @param now ms */
  plan(now: number): readonly KeepPlan[] {
    this.#advance(now)
    const matters = this.#balance < this.#most
    for (const demand of this.#demand) {
      demand.table?.tick(demand.backlog / this.#step, matters)
    }
    let plans = NOTHING
    let kept = 0
    for (let tier = this.#demand.length - 1; tier > 0; tier--) {
      const demand = this.#demand[tier] as TierDemand
      if (demand.table === undefined) continue
      const steps = this.#wanted(tier, demand.table, now)
      // Of two keeps the larger one holds: below one for a tier above it is no more.
      const plan = this.#renewed(tier, steps > kept ? steps : 0, now)
      kept = Math.max(kept, steps)
      if (plan !== undefined) plans = [...plans, plan]
    }
    return plans
  }

  /** What was planned so far was not written. */
  begin(): void {
    for (const demand of this.#demand) demand.steps = 0
  }

  #wanted(tier: number, table: BacklogTable, now: number): number {
    // Most buckets are never short.
    if (!table.isKnown) return 0
    const { waitCosts, period } = this.#options
    const { requests, tokens } = this.#demand[tier] as TierDemand
    let [cost, lower, asked] = [0, 0, Number.NEGATIVE_INFINITY]
    for (let below = 0; below < tier; below++) {
      const demand = this.#demand[below] as TierDemand
      cost += demand.requests * (waitCosts[below] ?? 0)
      lower += demand.tokens
      asked = Math.max(asked, demand.asked)
    }
    if (!(asked > now - PLAN_PERIODS * period)) return 0
    // By what a request costs and asks for on average.
    return table.quantile(criticalRatio((requests * (waitCosts[tier] ?? 0)) / tokens, cost / lower))
  }

  /** The plan that is to be written, if any is. */
  #renewed(tier: number, wanted: number, now: number): KeepPlan | undefined {
    const { bucket, burst, tiers, period } = this.#options
    const demand = this.#demand[tier] as TierDemand
    if (demand.until <= now) demand.steps = 0
    const next = steady(demand, wanted)
    if (next === demand.steps && (next === 0 || demand.until - now > RENEW_PERIODS * period)) return undefined
    const until = PLAN_PERIODS * period
    demand.steps = next
    demand.until = now + until
    return { kind: 'keep', bucket, tier: tiers[tier] as string, amount: (next * this.#step) / burst, until }
  }

  /** All tiers alike, so that it need not be done while nobody comes. */
  #fade(to: number): void {
    if (Number.isNaN(this.#faded)) this.#faded = to
    const passed = to - this.#faded
    if (!(passed >= FADE_LEAST_MS)) return
    this.#faded = to
    const left = Math.exp(-passed / FADE_MS)
    for (const demand of this.#demand) {
      demand.requests *= left
      demand.tokens *= left
    }
  }

  #advance(to: number): void {
    if (Number.isNaN(this.#time)) this.#time = to
    const passed = to - this.#time
    if (!(passed > 0)) return
    this.#time = to
    const { burst, reserve } = this.#options
    const come = passed * this.#rate
    const balance = this.#balance + come
    this.#balance = Math.min(burst, balance)
    if (balance > burst) this.#reserve = Math.min(reserve, this.#reserve + balance - burst)
    for (const demand of this.#demand) demand.backlog = Math.max(0, demand.backlog - come)
  }
}

const NOTHING: readonly KeepPlan[] = []

/** More is kept at once, a step more or less not at all, and less when that has been enough for a while. @param wanted steps */
function steady(demand: TierDemand, wanted: number): number {
  const { steps } = demand
  if (wanted < steps - 1 || (wanted === 0 && steps === 1)) {
    demand.less = Math.max(demand.less, wanted)
    demand.calm++
    if (demand.calm < CALM_PERIODS) return steps
  }
  const next = wanted < steps ? demand.less : wanted
  demand.less = 0
  demand.calm = 0
  return steps > 0 && Math.abs(wanted - steps) === 1 && wanted > 0 ? steps : next
}
