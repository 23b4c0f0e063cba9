import type { ReservePlan } from '../plans.js'
import { BucketOutlook, type ForeseenTokens, type TokenLevel } from './bucket-outlook.js'
import { ASKERS, type Asker, dropLeast, FADE_MS, type Habit, keyOf, type ReserveHabits, WINDOW_MS } from './reserve-habits.js'
import { Users } from './users.js'

export interface BucketPlannerOptions {
  readonly bucket: string
  /** tokens a second */
  readonly rate: number
  /** tokens of a full one; default: those of a second */
  readonly burst?: number | undefined
  /** what waiting costs a request and second, by tier */
  readonly waitCosts: readonly number[]
  /** the same of workflows that are not to count as their tiers, by name */
  readonly workflowCosts?: ReadonlyMap<string, number> | undefined
  /** of the tokens of 10 s, what plans may keep, 0 to 1 */
  readonly maxReserve: number
  /** ms */
  readonly period: number
  /** whether {@link BucketPlanner.collisions} is asked for; default true */
  readonly collisions?: boolean | undefined
}

interface Known {
  readonly asker: Asker
  /** index, of its last request */
  tier: number
  /** what a reserve would have been worth so far, faded */
  worth: number
  /** tokens asked for since the beginning of this window */
  tokens: number
}

/** That a tier will ask for more tokens than there will be. */
export interface BucketCollision extends ForeseenTokens {
  /** index */
  readonly tier: number
  /** {@link Users.rates} */
  readonly users: Readonly<Record<string, number>>
}

/** A collision is told of when it is as likely as not, and is over when it is half as likely. */
const COLLIDES = 0.5
const NOTHING: readonly never[] = []
const PLAN_MS = 600_000
const RENEW_MS = 200_000
/** As good as at once. */
const ENDS_MS = 1
/** By how much a reserve must be worth more to another asker for him to get it. */
const CHANGED = 1.25

/**
 * What to keep apart of the tokens that a full bucket would discard. They cost nobody anything, so too many are never kept (the newsvendor's quantile of 1),
 * and as many are as plans may: from the beginning, for nobody knows yet how many will be asked for at once. As a bucket has one reserve, it is for whom it is worth
 * most: by what he asks for in the time of a window, of which the reserve has no more than it holds, and what waiting costs his tiers; of a bucket of which little
 * is known yet, by what is usual at the others.
 */
export class BucketPlanner {
  readonly #options: BucketPlannerOptions
  readonly #habits: ReserveHabits
  readonly #most: number
  readonly #fade: number
  readonly #known = new Map<string, Known>()
  /** undefined: nobody asks for collisions */
  readonly #outlook: BucketOutlook | undefined
  readonly #users = new Users(1)
  /** by tier, whether a collision was told of that is not over */
  readonly #told: boolean[] = []
  #window = 0
  #written: { key: string; asker: Asker; until: number } | undefined

  /** @param habits of all buckets, which it tells of this one */
  constructor(options: BucketPlannerOptions, habits: ReserveHabits) {
    this.#options = options
    this.#habits = habits
    this.#most = (options.maxReserve * options.rate * WINDOW_MS) / 1000
    const { rate, burst = rate, waitCosts, period, collisions = true } = options
    this.#outlook = collisions ? new BucketOutlook({ rate, burst, reserve: this.#most, waitCosts, period }) : undefined
    this.#fade = Math.exp(-period / FADE_MS)
    habits.bucketBegan()
  }

  /** @param time ms @returns whether the reserve that was written last is for requests of these names */
  came(asker: Asker, tier: number, tokens: number, time: number): boolean {
    this.#outlook?.came(tier, tokens)
    if (asker.workflow !== undefined && this.#outlook !== undefined) this.#users.came(0, asker.workflow, tokens, time)
    const key = keyOf(asker)
    if (key === '') return false
    const known = this.#known.get(key) ?? this.#meet(key, asker)
    known.tier = tier
    const counted = Math.max(0, Math.min(tokens, this.#most - known.tokens))
    known.tokens += tokens
    if (counted > 0) this.#count(key, asker, known, counted)
    return this.#written !== undefined && this.#written.key === key
  }

  #count(key: string, asker: Asker, known: Known, counted: number): void {
    const { waitCosts, workflowCosts } = this.#options
    const own = asker.workflow === undefined ? undefined : workflowCosts?.get(asker.workflow)
    const worth = counted * (own ?? waitCosts[known.tier] ?? 0)
    known.worth += worth
    this.#habits.add(key, asker, worth / this.#most)
  }

  /** Tokens that a reserve holds at most. */
  get most(): number {
    return this.#most
  }

  /** What a tenant has asked for. A reserve that was written for it stays until it is another one's turn, or its deadline. */
  forget(tenant: string): void {
    this.#known.delete(keyOf({ workflow: undefined, tenant }))
  }

  /** The bucket is no more. */
  end(): void {
    this.#habits.bucketEnded()
  }

  /** What it has planned so far was not written. */
  begin(): void {
    this.#written = undefined
  }

  /** Once a period. @param now ms */
  plan(now: number): readonly ReservePlan[] {
    this.#outlook?.tick()
    this.#fadeAll(now)
    const best = this.#best()
    if (best === undefined || !(this.#most > 0) || !this.#isNews(best, now)) return NOTHING
    const [before, asker] = [this.#written, this.#askerOf(best)]
    this.#written = { key: best, asker, until: now + PLAN_MS }
    const plans = [this.#planFor(asker, PLAN_MS)]
    // Until his own plan ends he would have it, too.
    if (before !== undefined && before.key !== best && before.until > now) plans.push(this.#planFor(before.asker, ENDS_MS))
    return plans
  }

  #fadeAll(now: number): void {
    const window = Math.floor(now / WINDOW_MS)
    const isNewWindow = window !== this.#window
    this.#window = window
    for (const known of this.#known.values()) {
      known.worth *= this.#fade
      if (isNewWindow) known.tokens = 0
    }
  }

  /** After {@link plan}: collisions that have become likely since the last time. @param now ms @param level undefined: not known, and nothing is foretold */
  collisions(now: number, level: TokenLevel | undefined): BucketCollision[] {
    const fresh: BucketCollision[] = []
    if (level === undefined || this.#outlook === undefined) return fresh
    const reservedFor = this.#known.get(this.#written?.key ?? '')?.tier
    for (let tier = 1; tier < this.#options.waitCosts.length; tier++) {
      const foreseen = this.#outlook.foresees(tier, level.free, tier === reservedFor ? level.reserved : 0)
      if (foreseen === undefined) continue
      const wasTold = this.#told[tier] === true
      this.#told[tier] = foreseen.probability >= (wasTold ? COLLIDES / 2 : COLLIDES)
      if (this.#told[tier] && !wasTold) fresh.push({ tier, users: this.#users.rates(0, now), ...foreseen })
    }
    return fresh
  }

  /** For whom it is worth most. */
  #best(): string | undefined {
    const [known, habits] = [this.#known, this.#habits]
    const written = this.#written?.key
    let best: string | undefined
    let most = 0
    for (const [key, { worth: own }] of known) {
      // Who has it keeps it until another one is clearly before him.
      const worth = (own + this.#most * habits.worth(key)) * (key === written ? CHANGED : 1)
      if (worth <= most) continue
      best = key
      most = worth
    }
    for (const [key, habit] of habits.askers()) {
      if (known.has(key)) continue
      const worth = this.#most * habits.worthOf(habit) * (key === written ? CHANGED : 1)
      if (worth <= most) continue
      best = key
      most = worth
    }
    return best
  }

  #askerOf(key: string): Asker {
    return (this.#known.get(key) ?? (this.#habits.askers().get(key) as Habit)).asker
  }

  #planFor({ workflow, tenant }: Asker, until: number): ReservePlan {
    const who = tenant === undefined ? { workflow } : { tenant }
    return { kind: 'reserve', bucket: this.#options.bucket, amount: this.#most, ...who, until }
  }

  #isNews(key: string, now: number): boolean {
    const written = this.#written
    return written === undefined || written.key !== key || written.until - now < RENEW_MS
  }

  #meet(key: string, asker: Asker): Known {
    if (this.#known.size >= ASKERS) dropLeast(this.#known)
    const made = { asker, tier: 0, worth: 0, tokens: 0 }
    this.#known.set(key, made)
    return made
  }
}
