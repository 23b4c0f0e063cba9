import type { TokenLevel } from './bucket-outlook.js'
import { Line } from './line.js'

/** A request of a bucket. */
export interface TokenRequest {
  /** ms */
  readonly time: number
  readonly tier: number
  readonly tokens: number
  /** whether the reserve of the bucket is for it */
  readonly isReserved: boolean
}

/** A change of what is kept of a bucket for a tier and those above it. */
export interface TokenKeep {
  /** ms */
  readonly time: number
  readonly tier: number
  readonly tokens: number
  /** ms at which it ends by itself */
  readonly until: number
}

export interface BucketTerms {
  /** tokens a second, and those of a full bucket */
  readonly rate: number
  readonly burst: number
  /** the most that is kept apart of what a full bucket discards */
  readonly reserve: number
  /** ms after which who waits rises a tier; 0: never */
  readonly ageing: number
}

/** Without ageing: longer than anything waits, and short enough to be counted with. */
const NEVER_MS = 1e12
/** Requests of a tier that may wait. Who comes then is left out. */
const WAITING_MOST = 16_384
const MS_PER_S = 1_000

/**
 * A bucket as it would have been: the same requests, with what plans keep or without. The order is that of the core: upper tiers first and first come, first served inside
 * of one, where each tier of difference is outlived by the ageing time; nobody passes who is first, and a lower tier is granted what is beyond the largest keep for those above it. What is discarded fills
 * the reserve, on which those draw first whom it is for. It leaves out who gives up waiting, and buckets above. Discrete events; some 0.3 us a request.
 */
export class BucketWorld {
  /** what waiting came to, in request milliseconds, by tier */
  readonly waited: number[]
  readonly #rate: number
  readonly #burst: number
  readonly #reserveMost: number
  readonly #ageing: number
  readonly #lines: Line<TokenRequest>[]
  readonly #kept: { tokens: number; until: number }[]
  #level: number
  #reserve = 0
  #queued = 0
  /** ms; NaN before anything was told */
  #time = Number.NaN

  /** @param tiers how many */
  constructor({ rate, burst, reserve, ageing }: BucketTerms, tiers: number) {
    this.#rate = rate / MS_PER_S
    this.#burst = burst
    this.#reserveMost = reserve
    this.#ageing = ageing > 0 ? ageing : NEVER_MS
    this.#lines = Array.from({ length: tiers }, () => new Line<TokenRequest>())
    this.#kept = Array.from({ length: tiers }, () => ({ tokens: 0, until: 0 }))
    this.#level = burst
    this.waited = Array.from({ length: tiers }, () => 0)
  }

  /** Goes on from so many tokens; what is less than none somebody waits for who is not known. Nobody else may be waiting. */
  start(time: number, { free, reserved }: TokenLevel): void {
    this.#time = time
    this.#level = free
    this.#reserve = Math.min(reserved, this.#reserveMost)
    for (const kept of this.#kept) kept.tokens = 0
  }

  /** Tokens that there are, while nobody waits and nothing is kept; else undefined. */
  get calm(): number | undefined {
    return this.#queued === 0 && this.#kept.every(({ tokens, until }) => tokens === 0 || until <= this.#time) ? this.#level : undefined
  }

  /** A request comes, no earlier than what came before. One that the bucket can never grant is left out. */
  request(request: TokenRequest): void {
    this.advance(request.time)
    const line = this.#lines[request.tier] as Line<TokenRequest>
    if (!(request.tokens <= this.#burst) || line.length >= WAITING_MOST) return
    // Mostly nobody waits.
    if (this.#queued === 0 && this.#lacks(request) <= 0) {
      this.#grant(request)
      return
    }
    line.push(request)
    this.#queued++
    this.advance(request.time)
  }

  keep({ time, tier, tokens, until }: TokenKeep): void {
    this.advance(time)
    const kept = this.#kept[tier] as { tokens: number; until: number }
    kept.tokens = tokens
    kept.until = until
    this.advance(time)
  }

  advance(to: number): void {
    while (this.#queued > 0) {
      const line = this.#first()
      const request = line.first as TokenRequest
      const lacks = this.#lacks(request)
      const ready = lacks <= 0 ? this.#time : this.#time + lacks / this.#rate
      const less = this.#keptUntil(request)
      if (Math.min(ready, less) > to) break
      if (less < ready) {
        this.#pass(less)
      } else {
        this.#pass(ready)
        line.shift()
        this.#queued--
        this.#grant(request)
      }
    }
    this.#pass(to)
  }

  #pass(to: number): void {
    if (Number.isNaN(this.#time)) this.#time = to
    const passed = to - this.#time
    if (!(passed > 0)) return
    if (this.#queued > 0) {
      for (let tier = 0; tier < this.waited.length; tier++) {
        this.waited[tier] = (this.waited[tier] as number) + (this.#lines[tier] as Line<TokenRequest>).length * passed
      }
    }
    this.#time = to
    const level = this.#level + passed * this.#rate
    this.#level = Math.min(this.#burst, level)
    if (level > this.#burst) this.#reserve = Math.min(this.#reserveMost, this.#reserve + level - this.#burst)
  }

  #grant({ tokens, isReserved }: TokenRequest): void {
    const drawn = isReserved ? Math.min(this.#reserve, tokens) : 0
    this.#reserve -= drawn
    this.#level -= tokens - drawn
  }

  /** The line whose first request goes before all others; somebody waits. */
  #first(): Line<TokenRequest> {
    let best = this.#lines[0] as Line<TokenRequest>
    let before = Number.POSITIVE_INFINITY
    for (const line of this.#lines) {
      const { first } = line
      if (first === undefined) continue
      const key = this.#agesInto(first, this.#lines.length - 1)
      if (key >= before) continue
      best = line
      before = key
    }
    return best
  }

  /** Tokens that are to come before it is granted. */
  #lacks(request: TokenRequest): number {
    const { tokens, isReserved } = request
    const kept = Math.min(this.#keptFrom(request), this.#burst - tokens)
    return tokens + kept - this.#level - (isReserved ? this.#reserve : 0)
  }

  #keptFrom(request: TokenRequest): number {
    let most = 0
    for (let above = request.tier + 1; above < this.#kept.length; above++) {
      if (this.#keeps(above, request) > 0) most = Math.max(most, (this.#kept[above] as { tokens: number }).tokens)
    }
    return most
  }

  /** When something may no longer be kept from it. */
  #keptUntil(request: TokenRequest): number {
    let until = Number.POSITIVE_INFINITY
    for (let above = request.tier + 1; above < this.#kept.length; above++) {
      const ends = this.#keeps(above, request)
      if (ends > 0) until = Math.min(until, ends)
    }
    return until
  }

  /** ms at which what is kept for a tier above it is over, or not kept from it any more; 0: nothing is. */
  #keeps(above: number, request: TokenRequest): number {
    const { tokens, until } = this.#kept[above] as { tokens: number; until: number }
    if (tokens === 0 || until <= this.#time) return 0
    const aged = this.#agesInto(request, above)
    return aged > this.#time ? Math.min(until, aged) : 0
  }

  /** When a request counts as of a tier above its own. */
  #agesInto({ time, tier }: TokenRequest, above: number): number {
    return time + (above - tier) * this.#ageing
  }
}
