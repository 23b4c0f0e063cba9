import { type KeepChange, type PoolRequest, PoolWorld } from './pool-world.js'

export interface PoolTrialOptions {
  /** units */
  readonly capacity: number
  /** what waiting costs a request and second, by tier, lowest first */
  readonly waitCosts: readonly number[]
  /** ms after which who waits rises a tier; 0: never */
  readonly ageing: number
}

/** A request may be waited for, for so long. */
const PATIENCE_MS = 60_000
/** And so many of them at once. */
const PENDING_MOST = 65_536
/** Changes that wait for the requests before them; the oldest are forgotten. */
const CHANGES_MOST = 65_536
/** Two times of one request, of which one was reckoned by its end. */
const SAME_MS = 0.5
/** Requests that a mean duration is of. */
const DURATIONS = 200

/**
 * What the plans of a source would bring, or have brought: the same requests in two worlds, one with the plans and one without. Both are models, and
 * both leave out the same; so their difference says in minutes what a comparison of some hours with some others would not in days, and of a source that is
 * not allowed to act as well as of one that is. (Common random numbers: Law and Kelton, Simulation Modeling and Analysis.) It runs behind, by the time
 * that requests take.
 */
export class PoolTrial {
  readonly #costs: readonly number[]
  readonly #without: PoolWorld
  readonly #with: PoolWorld
  /** those whose time has not come, in the order of their times */
  #requests: PoolRequest[] = []
  #from = 0
  /** ms up to which it has come */
  #tried = Number.NEGATIVE_INFINITY
  #changes: KeepChange[] = []
  readonly #durations: { count: number; mean: number }[]

  constructor({ capacity, waitCosts, ageing }: PoolTrialOptions) {
    this.#costs = waitCosts
    this.#without = new PoolWorld(capacity, waitCosts.length, ageing)
    this.#with = new PoolWorld(capacity, waitCosts.length, ageing)
    this.#durations = waitCosts.map(() => ({ count: 0, mean: 0 }))
  }

  /** A request came. One that is told of after what came later was tried is left out. */
  came(time: number, tier: number, amount: number): void {
    if (!(time >= this.#tried)) return
    const request = { time, tier, amount, duration: Number.NaN }
    let at = this.#requests.length
    // Told of late, by one that had to wait: few came meanwhile.
    while (at > 0 && (this.#requests[at - 1] as PoolRequest).time > time) at--
    if (at === this.#requests.length) this.#requests.push(request)
    else this.#requests.splice(at, 0, request)
  }

  /** One that {@link came} is over. @param duration ms for which it held what it was granted */
  ended(time: number, tier: number, duration: number): void {
    const mean = this.#durations[tier] as { count: number; mean: number }
    mean.count++
    mean.mean += (duration - mean.mean) / Math.min(mean.count, DURATIONS)
    const requests = this.#requests
    let low = this.#from
    let high = requests.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((requests[middle] as PoolRequest).time < time - SAME_MS) low = middle + 1
      else high = middle
    }
    let nearest: PoolRequest | undefined
    for (let at = low; at < requests.length && (requests[at] as PoolRequest).time <= time + SAME_MS; at++) {
      const request = requests[at] as PoolRequest
      if (request.tier !== tier || !Number.isNaN(request.duration)) continue
      if (nearest === undefined || Math.abs(request.time - time) < Math.abs(nearest.time - time)) nearest = request
    }
    if (nearest !== undefined) nearest.duration = duration
  }

  /** A plan, at the time from which it is in force. */
  kept(change: KeepChange): void {
    if (this.#changes.length >= CHANGES_MOST) this.#changes = this.#changes.slice(CHANGES_MOST / 2)
    this.#changes.push(change)
  }

  /** Catches up as far as is known. @param now ms */
  advance(now: number): void {
    let change = 0
    for (; this.#from < this.#requests.length; this.#from++) {
      const request = this.#requests[this.#from] as PoolRequest
      if (Number.isNaN(request.duration)) {
        if (now - request.time < PATIENCE_MS && this.#requests.length - this.#from < PENDING_MOST) break
        request.duration = (this.#durations[request.tier] as { mean: number }).mean
      }
      change = this.#apply(change, request.time)
      this.#without.request(request)
      this.#with.request(request)
    }
    // With nobody on the way, time is known to pass.
    const known = this.#requests[this.#from]?.time ?? now
    change = this.#apply(change, known)
    this.#tried = Math.max(this.#tried, known)
    this.#without.advance(known)
    this.#with.advance(known)
    if (change > 0) this.#changes = this.#changes.slice(change)
    if (this.#from > 0) this.#requests = this.#requests.slice(this.#from)
    this.#from = 0
  }

  /** What waiting would have cost without the plans less what it would have with them: request seconds by their costs. */
  get saved(): number {
    return this.#cost(this.#without.waited) - this.#cost(this.#with.waited)
  }

  /** What waiting would have cost without the plans, of all tiers but the highest that asks. */
  get lowerCost(): number {
    const { waited } = this.#without
    let top = waited.length - 1
    while (top > 0 && (this.#durations[top] as { count: number }).count === 0) top--
    return this.#cost(waited.slice(0, top))
  }

  #apply(from: number, until: number): number {
    let at = from
    for (; at < this.#changes.length && (this.#changes[at] as KeepChange).time <= until; at++)
      this.#with.keep(this.#changes[at] as KeepChange)
    return at
  }

  #cost(waited: readonly number[]): number {
    return waited.reduce((all, ms, tier) => all + (ms / 1000) * (this.#costs[tier] ?? 0), 0)
  }
}
