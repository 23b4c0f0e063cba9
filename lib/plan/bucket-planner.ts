import type { ReservePlan } from '../plans.js'
import { BucketOutlook, type ForeseenTokens, type TokenLevel } from './bucket-outlook.js'
import { Users } from './users.js'

/** Who asks a bucket: a reserve is for a tenant, or for a workflow where there is none. */
export interface Asker {
  readonly workflow: string | undefined
  readonly tenant: string | undefined
}

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
}

interface Known {
  readonly asker: Asker
  /** index, of its last request */
  tier: number
  /** tokens asked for lately, by what waiting for them costs */
  weight: number
  /** tokens asked for since the beginning of this window, and the most of any, faded */
  now: number
  most: number
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
/** The core counts what plans may keep of a bucket by the tokens of so long; a reserve of more than will be asked for in it is of no use. */
const WINDOW_MS = 10_000
/** Askers of a bucket that are told apart. */
const ASKERS = 8
/** ms after which what was asked for counts a third as much: what is kept is for the next burst, and that may be long in coming. */
const FADE_MS = 3_600_000
const PLAN_MS = 600_000
const RENEW_MS = 200_000
/** By how much an amount must have changed, or another asker's weight be larger, for the plan to be written anew. */
const CHANGED = 1.25

/**
 * What to keep apart of the tokens that a full bucket would discard. They cost nobody anything, so as much is kept as was ever asked for at once
 * (the newsvendor's quantile of 1), up to what plans may keep; and as a bucket has one reserve, for whom waiting is dearest: by tokens asked for lately and what waiting costs their tiers.
 */
export class BucketPlanner {
  readonly #options: BucketPlannerOptions
  readonly #most: number
  readonly #known = new Map<string, Known>()
  readonly #outlook: BucketOutlook
  readonly #users = new Users()
  /** by tier, whether a collision was told of that is not over */
  readonly #told: boolean[] = []
  #window = 0
  #written: { key: string; amount: number; until: number } | undefined

  constructor(options: BucketPlannerOptions) {
    this.#options = options
    this.#most = (options.maxReserve * options.rate * WINDOW_MS) / 1000
    this.#outlook = new BucketOutlook({ ...options, burst: options.burst ?? options.rate, reserve: this.#most })
  }

  /** @param time ms */
  came(asker: Asker, tier: number, tokens: number, time: number): void {
    this.#outlook.came(tier, tokens)
    if (asker.workflow !== undefined) this.#users.came(asker.workflow, tokens, time)
    const key = keyOf(asker)
    if (key === '') return
    const known = this.#known.get(key) ?? this.#meet(key, asker)
    known.now += tokens
    known.tier = tier
    const { waitCosts, workflowCosts } = this.#options
    const own = asker.workflow === undefined ? undefined : workflowCosts?.get(asker.workflow)
    known.weight += tokens * (own ?? waitCosts[tier] ?? 0)
  }

  /** What a tenant has asked for. A reserve that was written for it stays until its deadline. */
  forget(tenant: string): void {
    this.#known.delete(keyOf({ workflow: undefined, tenant }))
  }

  /** What it has planned so far was not written. */
  begin(): void {
    this.#written = undefined
  }

  /** Once a period. @param now ms */
  plan(now: number): ReservePlan[] {
    this.#outlook.tick()
    const fade = Math.exp(-this.#options.period / FADE_MS)
    const window = Math.floor(now / WINDOW_MS)
    const isNewWindow = window !== this.#window
    this.#window = window
    let best: string | undefined
    let weight = 0
    for (const [key, known] of this.#known) {
      known.weight *= fade
      known.most = Math.max(known.now, known.most * fade)
      if (isNewWindow) known.now = 0
      // Who has it keeps it until another one is clearly before him.
      const counts = known.weight * (key === this.#written?.key ? CHANGED : 1)
      if (counts > weight) {
        best = key
        weight = counts
      }
    }
    if (best === undefined) return []
    const { asker, most } = this.#known.get(best) as Known
    const amount = Math.min(this.#most, most)
    if (!(amount > 0) || !this.#isNews(best, amount, now)) return []
    this.#written = { key: best, amount, until: now + PLAN_MS }
    const who = asker.tenant === undefined ? { workflow: asker.workflow } : { tenant: asker.tenant }
    return [{ kind: 'reserve', bucket: this.#options.bucket, amount, ...who, until: PLAN_MS }]
  }

  /** After {@link plan}: collisions that have become likely since the last time. @param now ms @param level undefined: not known, and nothing is foretold */
  collisions(now: number, level: TokenLevel | undefined): BucketCollision[] {
    const fresh: BucketCollision[] = []
    if (level === undefined) return fresh
    const reservedFor = this.#known.get(this.#written?.key ?? '')?.tier
    for (let tier = 1; tier < this.#options.waitCosts.length; tier++) {
      const foreseen = this.#outlook.foresees(tier, level.free, tier === reservedFor ? level.reserved : 0)
      if (foreseen === undefined) continue
      const wasTold = this.#told[tier] === true
      this.#told[tier] = foreseen.probability >= (wasTold ? COLLIDES / 2 : COLLIDES)
      if (this.#told[tier] && !wasTold) fresh.push({ tier, users: this.#users.rates(now), ...foreseen })
    }
    return fresh
  }

  #isNews(key: string, amount: number, now: number): boolean {
    const written = this.#written
    if (written === undefined || written.key !== key || written.until - now < RENEW_MS) return true
    return Math.max(amount, written.amount) > CHANGED * Math.min(amount, written.amount)
  }

  #meet(key: string, asker: Asker): Known {
    if (this.#known.size >= ASKERS) this.#forgetLeast()
    const made = { asker, tier: 0, weight: 0, now: 0, most: 0 }
    this.#known.set(key, made)
    return made
  }

  #forgetLeast(): void {
    let least: string | undefined
    for (const [key, { weight }] of this.#known) if (least === undefined || weight < (this.#known.get(least) as Known).weight) least = key
    if (least !== undefined) this.#known.delete(least)
  }
}

function keyOf({ workflow, tenant }: Asker): string {
  if (tenant !== undefined) return `tenant\0${tenant}`
  return workflow === undefined ? '' : `workflow\0${workflow}`
}
