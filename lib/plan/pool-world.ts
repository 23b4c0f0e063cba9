import { type Ending, Ends } from '../ends.js'

/** A request of a pool, as it is once it is over. Times in ms. */
export interface PoolRequest {
  readonly time: number
  readonly tier: number
  readonly amount: number
  duration: number
}

/** A change of what is kept free for a tier and those above it. */
export interface KeepChange {
  readonly time: number
  readonly tier: number
  readonly units: number
  /** ms at which it ends by itself */
  readonly until: number
}

interface Running extends Ending {
  readonly amount: number
}

/** What waiting came to, in request milliseconds, by tier. */
export type Waits = readonly number[]

/**
 * A pool as it would have been: requests that are over, served once more, with what plans keep or without. Upper tiers first, in their order inside of
 * one; whoever has waited for the ageing time rises a tier. It leaves out tenants and all dimensions but the first: two of them are compared with each
 * other, never one with the pool itself. Discrete events; some 1 us a request.
 */
export class PoolWorld {
  readonly waited: number[]
  readonly #capacity: number
  readonly #ageing: number
  readonly #lines: Line[]
  readonly #kept: { units: number; until: number }[]
  readonly #running = new Ends<Running>()
  #served = 0
  #used = 0
  #time = 0

  /**
   * @param capacity units
   * @param tiers how many
   * @param ageing ms after which who waits rises a tier; 0: never
   */
  constructor(capacity: number, tiers: number, ageing: number) {
    this.#capacity = capacity
    this.#ageing = ageing
    this.#lines = Array.from({ length: tiers }, () => new Line())
    this.#kept = Array.from({ length: tiers }, () => ({ units: 0, until: 0 }))
    this.waited = Array.from({ length: tiers }, () => 0)
  }

  /** A request comes, no earlier than what came before. One that the pool can never grant is left out. */
  request(request: PoolRequest): void {
    this.advance(request.time)
    if (request.amount > this.#capacity) return
    ;(this.#lines[request.tier] as Line).push(request)
    this.#serve()
  }

  keep({ time, tier, units, until }: KeepChange): void {
    this.advance(time)
    const kept = this.#kept[tier] as { units: number; until: number }
    const fewer = units < kept.units
    kept.units = units
    kept.until = until
    if (fewer) this.#serve()
  }

  advance(to: number): void {
    while (this.#running.next <= to) {
      this.#pass(this.#running.next)
      this.#used -= (this.#running.pop() as Running).amount
      if (this.#running.size === 0) this.#used = 0
      this.#serve()
    }
    this.#pass(to)
  }

  #pass(to: number): void {
    if (to <= this.#time) return
    for (let tier = 0; tier < this.#lines.length; tier++) {
      this.waited[tier] = (this.waited[tier] as number) + (this.#lines[tier] as Line).length * (to - this.#time)
    }
    this.#time = to
  }

  #serve(): void {
    for (;;) {
      const tier = this.#next()
      if (tier < 0) return
      const line = this.#lines[tier] as Line
      const request = line.first as PoolRequest
      if (this.#used + request.amount + this.#keptFrom(request) > this.#capacity * (1 + ROUNDING)) return
      line.shift()
      this.#used += request.amount
      this.#running.push({ ends: this.#time + request.duration, number: this.#served++, amount: request.amount })
    }
  }

  /** The tier whose first request is next: by the tier it has risen to, then by when it got there. */
  #next(): number {
    let best = -1
    let rank = -1
    let since = 0
    for (let tier = 0; tier < this.#lines.length; tier++) {
      const first = (this.#lines[tier] as Line).first
      if (first === undefined) continue
      const risen = this.#rankOf(first)
      const at = first.time + (risen - tier) * this.#ageing
      if (risen > rank || (risen === rank && at < since)) {
        best = tier
        rank = risen
        since = at
      }
    }
    return best
  }

  #rankOf({ time, tier }: PoolRequest): number {
    if (this.#ageing === 0) return tier
    return Math.min(this.#lines.length - 1, tier + Math.floor((this.#time - time) / this.#ageing))
  }

  #keptFrom(request: PoolRequest): number {
    const rank = this.#rankOf(request)
    let kept = 0
    for (let tier = rank + 1; tier < this.#kept.length; tier++) {
      const { units, until } = this.#kept[tier] as { units: number; until: number }
      if (until > this.#time) kept += units
    }
    return kept
  }
}

/** What sums of parts lose. */
const ROUNDING = 1e-9

class Line {
  #requests: PoolRequest[] = []
  #from = 0

  get length(): number {
    return this.#requests.length - this.#from
  }

  get first(): PoolRequest | undefined {
    return this.#requests[this.#from]
  }

  push(request: PoolRequest): void {
    this.#requests.push(request)
  }

  shift(): void {
    this.#from++
    // What is gone is let go of, half of all at a time.
    if (this.#from > TRIM && 2 * this.#from > this.#requests.length) {
      this.#requests = this.#requests.slice(this.#from)
      this.#from = 0
    }
  }
}

const TRIM = 1024
