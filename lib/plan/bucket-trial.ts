import type { TokenLevel } from './bucket-outlook.js'
import { type BucketTerms, BucketWorld, type TokenKeep, type TokenRequest } from './bucket-world.js'
import type { Trial } from './trial-guard.js'

export interface BucketTrialOptions extends BucketTerms {
  /** what waiting costs a request and second, by tier, lowest first */
  readonly waitCosts: readonly number[]
}

/** Changes that wait for the requests before them; the oldest are forgotten. */
const CHANGES_MOST = 4_096

/** What sums of parts lose, in tokens. */
const ROUNDING = 1e-6

/**
 * What keeps of a bucket would bring, or have brought: the same requests in two worlds, one with the keeps and one without, as a {@link PoolTrial} does. Tokens are not given back, so nothing
 * has to be waited for until it is known. Of most buckets nothing is ever kept, so nothing is tried either until something is to be, nor when both worlds have become the same again. What a keep makes a line longer by goes at once when it ends, so nothing is to come either: it delays those who wait by the tokens that it holds, not those after them.
 */
export class BucketTrial implements Trial {
  readonly #costs: readonly number[]
  readonly #without: BucketWorld
  readonly #with: BucketWorld
  /** those whose time has not come, in the order of their times */
  #requests: TokenRequest[] = []
  #changes: TokenKeep[] = []
  #tried = Number.NEGATIVE_INFINITY
  #isAwake = false
  /** as last looked at */
  #now = Number.NEGATIVE_INFINITY
  #level: TokenLevel
  /** the highest tier that has asked */
  #top = 0
  /** by tier */
  #parts: readonly number[]
  #gained = 0
  #lost = 0

  constructor(options: BucketTrialOptions) {
    const { waitCosts } = options
    this.#costs = waitCosts
    this.#level = { free: options.burst, reserved: 0 }
    this.#without = new BucketWorld(options, waitCosts.length)
    this.#with = new BucketWorld(options, waitCosts.length)
    this.#parts = waitCosts.map(() => 0)
  }

  /** Tokens that there are now, from which both worlds would begin; less than none where somebody waits. */
  look(now: number, level: TokenLevel): void {
    this.#now = now
    this.#level = level
  }

  /** A request came. One that is told of after what came later was tried is left out. */
  came(request: TokenRequest): void {
    const { time, tier, tokens } = request
    if (!this.#isAwake || !(time >= this.#tried) || !(tokens > 0)) return
    this.#top = Math.max(this.#top, tier)
    const requests = this.#requests
    let at = requests.length
    // Told of late, by one that had to wait: few came meanwhile.
    while (at > 0 && (requests[at - 1] as TokenRequest).time > time) at--
    if (at === requests.length) requests.push(request)
    else requests.splice(at, 0, request)
  }

  /** A plan, at the time from which it is in force. */
  kept(change: TokenKeep): void {
    if (!this.#isAwake && !(change.tokens > 0)) return
    if (!this.#isAwake) this.#begin()
    if (this.#changes.length >= CHANGES_MOST) this.#changes = this.#changes.slice(CHANGES_MOST / 2)
    this.#changes.push(change)
  }

  advance(now: number): void {
    this.#tried = Math.max(this.#tried, now)
    if (!this.#isAwake) return
    let [came, change] = [0, 0]
    for (; came < this.#requests.length && (this.#requests[came] as TokenRequest).time <= now; came++) {
      const request = this.#requests[came] as TokenRequest
      change = this.#apply(change, request.time)
      this.#without.request(request)
      this.#with.request(request)
    }
    change = this.#apply(change, now)
    this.#without.advance(now)
    this.#with.advance(now)
    if (came > 0) this.#requests = this.#requests.slice(came)
    if (change > 0) this.#changes = this.#changes.slice(change)
    this.#settle()
    this.#isAwake = this.#changes.length > 0 || this.#requests.length > 0 || !this.#areSame()
  }

  #begin(): void {
    this.#isAwake = true
    this.#tried = Math.max(this.#tried, this.#now)
    this.#without.start(this.#tried, this.#level)
    this.#with.start(this.#tried, this.#level)
  }

  /** Nothing is kept, and nothing is left of what was. */
  #areSame(): boolean {
    const [without, withKeeps] = [this.#without.calm, this.#with.calm]
    return without !== undefined && withKeeps !== undefined && Math.abs(without - withKeeps) < ROUNDING
  }

  get tried(): number {
    return this.#tried
  }

  get gained(): number {
    return this.#gained
  }

  get lost(): number {
    return this.#lost
  }

  get saved(): number {
    return this.#parts.reduce((all, part) => all + part, 0)
  }

  /** Of all tiers but the highest that asks. */
  get lowerCost(): number {
    let all = 0
    for (let tier = 0; tier < this.#top; tier++) all += this.#costOf(tier, this.#without)
    return all
  }

  #settle(): void {
    const parts = this.#costs.map((_, tier) => this.#costOf(tier, this.#without) - this.#costOf(tier, this.#with))
    for (const [tier, part] of parts.entries()) {
      const more = part - (this.#parts[tier] as number)
      if (more > 0) this.#gained += more
      else this.#lost -= more
    }
    this.#parts = parts
  }

  #costOf(tier: number, { waited }: BucketWorld): number {
    return ((waited[tier] as number) / 1000) * (this.#costs[tier] as number)
  }

  #apply(from: number, until: number): number {
    let at = from
    for (; at < this.#changes.length && (this.#changes[at] as TokenKeep).time <= until; at++)
      this.#with.keep(this.#changes[at] as TokenKeep)
    return at
  }
}
