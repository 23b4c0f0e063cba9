import type { ReservePlan } from '../plans.js'
import { ASKERS, type Asker, dropLeast, FADE_MS, keyOf, type ReserveHabits, WINDOW_MS } from './reserve-habits.js'

export interface BucketPlannerOptions {
  readonly bucket: string
  /** tokens a second */
  readonly rate: number
  /** what waiting costs a request and second, by tier */
  readonly waitCosts: readonly number[]
  /** the same of workflows that are not to count as their tiers, by name */
  readonly workflowCosts?: ReadonlyMap<string, number> | undefined
  /** of the tokens of 10 s, what plans may keep, 0 to 1 */
  readonly maxReserve: number
  /** ms */
  readonly period: number
}

interface Known {
  readonly asker: Asker
  /** what a reserve would have been worth so far, faded */
  worth: number
  /** tokens asked for since the beginning of this window */
  tokens: number
}

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
  #window = 0
  #written: { key: string; asker: Asker; until: number } | undefined

  /** @param habits of all buckets, which it tells of this one */
  constructor(options: BucketPlannerOptions, habits: ReserveHabits) {
    this.#options = options
    this.#habits = habits
    this.#most = (options.maxReserve * options.rate * WINDOW_MS) / 1000
    this.#fade = Math.exp(-options.period / FADE_MS)
    habits.bucket()
  }

  came(asker: Asker, tier: number, tokens: number): void {
    const key = keyOf(asker)
    if (key === '') return
    const known = this.#known.get(key) ?? this.#meet(key, asker)
    const counted = Math.max(0, Math.min(tokens, this.#most - known.tokens))
    known.tokens += tokens
    if (counted === 0) return
    const { waitCosts, workflowCosts } = this.#options
    const own = asker.workflow === undefined ? undefined : workflowCosts?.get(asker.workflow)
    const worth = counted * (own ?? waitCosts[tier] ?? 0)
    known.worth += worth
    this.#habits.add(key, asker, worth / this.#most)
  }

  /** What it has planned so far was not written. */
  begin(): void {
    this.#written = undefined
  }

  /** Once a period. @param now ms */
  plan(now: number): ReservePlan[] {
    this.#fadeAll(now)
    const best = this.#best()
    if (best === undefined || !(this.#most > 0) || !this.#isNews(best.key, now)) return []
    const before = this.#written
    this.#written = { ...best, until: now + PLAN_MS }
    const plans = [this.#planFor(best.asker, PLAN_MS)]
    // Until his own plan ends he would have it, too.
    if (before !== undefined && before.key !== best.key && before.until > now) plans.push(this.#planFor(before.asker, ENDS_MS))
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

  /** For whom it is worth most. */
  #best(): { key: string; asker: Asker } | undefined {
    let best: { key: string; asker: Asker } | undefined
    let most = 0
    for (const askers of [this.#known, this.#habits.askers()]) {
      for (const [key, { asker }] of askers) {
        // Who has it keeps it until another one is clearly before him.
        const worth = this.#worthTo(key) * (key === this.#written?.key ? CHANGED : 1)
        if (worth <= most) continue
        best = { key, asker }
        most = worth
      }
    }
    return best
  }

  #worthTo(key: string): number {
    return (this.#known.get(key)?.worth ?? 0) + this.#most * this.#habits.worth(key)
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
    const made = { asker, worth: 0, tokens: 0 }
    this.#known.set(key, made)
    return made
  }
}
