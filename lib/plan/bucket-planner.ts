import type { ReservePlan } from '../plans.js'
import { ArrivalTable } from './arrival-table.js'

/** Who asks a bucket: a reserve is for a tenant, or for a workflow where there is none. */
export interface Asker {
  readonly workflow: string | undefined
  readonly tenant: string | undefined
}

export interface BucketPlannerOptions {
  readonly bucket: string
  /** tokens a second */
  readonly rate: number
  /** what waiting costs a request and second, by tier */
  readonly waitCosts: readonly number[]
  /** of the tokens of 10 s, what plans may keep, 0 to 1 */
  readonly maxReserve: number
  /** ms */
  readonly period: number
}

interface Known {
  readonly asker: Asker
  readonly table: ArrivalTable
  /** tokens of the last time, by what waiting for them costs */
  weight: number
}

/** The core counts what plans may keep of a bucket by the tokens of so long; a reserve of more than will be asked for in it is of no use. */
const WINDOW_MS = 10_000
/** Askers of a bucket that are told apart. */
const ASKERS = 8
const STEPS = 64
/** ms after which what was asked for counts a third as much. */
const FADE_MS = 60_000
const PLAN_MS = 60_000
const RENEW_MS = 20_000
/** By how much an amount must have changed, or another asker's weight be larger, for the plan to be written anew. */
const CHANGED = 1.25

/**
 * What to keep apart of the tokens that a full bucket would discard. They cost nobody anything, so all that may be asked for is kept (the newsvendor's quantile of 1),
 * up to what plans may keep; and as a bucket has one reserve, for whom waiting is dearest: by tokens asked for lately and what waiting costs their tiers.
 */
export class BucketPlanner {
  readonly #options: BucketPlannerOptions
  readonly #step: number
  readonly #known = new Map<string, Known>()
  #written: { key: string; amount: number; until: number } | undefined

  constructor(options: BucketPlannerOptions) {
    this.#options = options
    this.#step = (options.maxReserve * options.rate * WINDOW_MS) / 1000 / STEPS
  }

  came(asker: Asker, tier: number, tokens: number): void {
    const key = keyOf(asker)
    if (key === '') return
    const known = this.#known.get(key) ?? this.#meet(key, asker)
    known.table.add(tokens / this.#step)
    known.weight += tokens * (this.#options.waitCosts[tier] ?? 0)
  }

  /** Once a period. @param now ms */
  plan(now: number): ReservePlan[] {
    const fade = Math.exp(-this.#options.period / FADE_MS)
    let best: string | undefined
    let weight = 0
    for (const [key, known] of this.#known) {
      known.table.tick()
      known.weight *= fade
      // Who has it keeps it until another one is clearly before him.
      const counts = known.weight * (key === this.#written?.key ? CHANGED : 1)
      if (counts > weight) {
        best = key
        weight = counts
      }
    }
    if (best === undefined) return []
    const { asker, table } = this.#known.get(best) as Known
    const amount = Math.min(STEPS, table.quantile(1)) * this.#step
    if (!(amount > 0) || !this.#isNews(best, amount, now)) return []
    this.#written = { key: best, amount, until: now + PLAN_MS }
    const who = asker.tenant === undefined ? { workflow: asker.workflow } : { tenant: asker.tenant }
    return [{ kind: 'reserve', bucket: this.#options.bucket, amount, ...who, until: PLAN_MS }]
  }

  #isNews(key: string, amount: number, now: number): boolean {
    const written = this.#written
    if (written === undefined || written.key !== key || written.until - now < RENEW_MS) return true
    return Math.max(amount, written.amount) > CHANGED * Math.min(amount, written.amount)
  }

  #meet(key: string, asker: Asker): Known {
    if (this.#known.size >= ASKERS) this.#forget()
    const made = { asker, table: new ArrivalTable(Math.ceil(WINDOW_MS / this.#options.period)), weight: 0 }
    this.#known.set(key, made)
    return made
  }

  #forget(): void {
    let least: string | undefined
    for (const [key, { weight }] of this.#known) if (least === undefined || weight < (this.#known.get(least) as Known).weight) least = key
    if (least !== undefined) this.#known.delete(least)
  }
}

function keyOf({ workflow, tenant }: Asker): string {
  if (tenant !== undefined) return `tenant\0${tenant}`
  return workflow === undefined ? '' : `workflow\0${workflow}`
}
