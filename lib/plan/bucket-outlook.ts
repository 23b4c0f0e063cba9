import { ArrivalTable } from './arrival-table.js'
import { criticalRatio } from './newsvendor.js'

export interface BucketOutlookOptions {
  /** tokens a second, and those of a full bucket */
  readonly rate: number
  readonly burst: number
  /** tokens that may be kept apart besides */
  readonly reserve: number
  /** what waiting costs a request and second, by tier */
  readonly waitCosts: readonly number[]
  /** ms */
  readonly period: number
}

/** Tokens of a bucket now. */
export interface TokenLevel {
  readonly free: number
  /** kept apart, for whomever the reserve is for */
  readonly reserved: number
}

/** What a tier will ask a bucket for, in tokens, beside what there will be. */
export interface ForeseenTokens {
  /** that it asks for more than there will be */
  readonly probability: number
  /** ms */
  readonly within: number
  /** tokens that there can be within that time, that there will be if nobody else takes any, and those of both that are kept apart for it */
  readonly capacity: number
  readonly free: number
  readonly kept: number
  /** that will be asked for, by the quantile of what waiting costs the tier and the dearest below it; and what a request asks for, on average */
  readonly expected: number
  readonly usual: number
  /** ms until there were as many */
  readonly gap: number
  /** ms for which those that are foretold wait later for each as many that somebody else takes */
  readonly held: number
}

/** Periods that are looked ahead. */
const HORIZON = 10
/** Steps in which tokens are told apart: a table has two more, so that more than there can be is one of them. */
const STEPS = 62
/** Requests that a mean is of. */
const AVERAGED = 600
const MS_PER_S = 1_000

/** Which requests of a bucket will be late: what each tier asks for within the next periods, by what it did at times like now ({@link ArrivalTable}), beside what refills until then. */
export class BucketOutlook {
  readonly #options: BucketOutlookOptions
  readonly #tables: (ArrivalTable | undefined)[]
  readonly #capacity: number
  readonly #step: number
  #requests = 0
  #usual = 0

  constructor(options: BucketOutlookOptions) {
    this.#options = options
    this.#tables = options.waitCosts.map(() => undefined)
    this.#capacity = options.burst + (options.rate * HORIZON * options.period) / MS_PER_S
    this.#step = (this.#capacity + options.reserve) / STEPS || 1
  }

  /** A request came. */
  came(tier: number, tokens: number): void {
    this.#requests++
    this.#usual += (tokens - this.#usual) / Math.min(this.#requests, AVERAGED)
    // Nobody gives way to the lowest tier.
    if (tier === 0) return
    const table = this.#tables[tier] ?? new ArrivalTable(HORIZON)
    this.#tables[tier] = table
    table.add(tokens / this.#step)
  }

  /** A period is over. */
  tick(): void {
    for (const table of this.#tables) table?.tick()
  }

  /** @param free tokens that there are now for everybody @param kept for this tier besides @returns undefined: the tier has asked for nothing */
  foresees(tier: number, free: number, kept: number): ForeseenTokens | undefined {
    const { rate, waitCosts, period } = this.#options
    const table = this.#tables[tier]
    if (table === undefined) return undefined
    const within = HORIZON * period
    const there = kept + Math.min(this.#capacity, free + (rate * within) / MS_PER_S)
    const capacity = this.#capacity + kept
    const ratio = criticalRatio(waitCosts[tier] ?? 0, Math.max(0, ...waitCosts.slice(0, tier)))
    const expected = Math.min(capacity, table.quantile(ratio) * this.#step)
    const lacking = Math.max(0, expected + this.#usual - free - kept)
    return {
      probability: table.exceeds(there / this.#step),
      within,
      capacity,
      free: there,
      kept,
      expected,
      usual: this.#usual,
      gap: rate > 0 ? (MS_PER_S * lacking) / rate : within,
      held: rate > 0 ? (MS_PER_S * expected) / rate : within
    }
  }
}
