import { type Ending, Ends } from '../ends.js'
import { Line } from './line.js'

/** A request of a pool, as it is once it is over. Times in ms. */
export interface PoolRequest {
  readonly time: number
  readonly tier: number
  readonly amount: number
  duration: number
  /** as whose its wait counts; default: its tier's */
  readonly group?: number
}

/** What a tier may have of a pool, in units. */
export interface TierUnits {
  readonly floor: number
  readonly share: number
  readonly ceiling: number
}

/** A change of what is kept free for a tier and those above it. */
export interface KeepChange {
  readonly time: number
  readonly tier: number
  readonly units: number
  /** ms at which it ends by itself */
  readonly until: number
}

/** A change of the share of a tier, in the same. */
export type ShareChange = KeepChange

export interface PoolWorldOptions {
  /** how many groups waits are told apart by; default: as many as there are tiers */
  readonly groups?: number | undefined
  /** what each tier may have; default: anything */
  readonly parts?: readonly TierUnits[] | undefined
}

interface Running extends Ending {
  readonly amount: number
  readonly tier: number
}

/** What is kept free for a tier, or added to its share, and ms until which. */
interface Planned {
  units: number
  until: number
}

/** Tiers that the core tells apart; whoever has waited this often for the ageing time less its own tier has outlived them all. */
const TIERS = 4
/** Without ageing: longer than anything waits, and short enough to be counted with. */
const NEVER_MS = 1e12
/** Requests of a tier that may wait: more than an arena has place for. Who comes then is left out. */
const WAITING_MOST = 131_072
/** What sums of parts lose, of the whole. */
const ROUNDING = 1e-9

/**
 * A pool as it would have been: requests that are over, served once more, with what plans keep or without. The order is that of the core: upper
 * tiers first and first come, first served inside of one, where each tier of difference is outlived by the ageing time; who does not fit lets others
 * pass, until it has outlived all tiers; tiers within their floor and share come before the others. It leaves out tenants, recalls, all dimensions but the first, and
 * requests that want none of it: two of them are compared with each other, never one with the pool itself. Discrete events; some 1 us a request.
 */
export class PoolWorld {
  /** what waiting came to, in request milliseconds, by group */
  readonly waited: number[]
  readonly #capacity: number
  readonly #ageing: number
  readonly #lines: Line<PoolRequest>[]
  readonly #kept: Planned[]
  readonly #parts: readonly TierUnits[] | undefined
  readonly #shares: Planned[]
  readonly #running = new Ends<Running>()
  /** those who wait, by group */
  readonly #waiting: number[]
  /** and of all together */
  #queued = 0
  /** ms until which something may be kept from somebody */
  #keptUntil = 0
  /** units, by tier */
  readonly #usedBy: number[]
  #served = 0
  #used = 0
  #unfinished = 0
  #time = 0

  /**
   * @param capacity units
   * @param tiers how many
   * @param ageing ms after which who waits rises a tier; 0: never
   */
  constructor(capacity: number, tiers: number, ageing: number, { groups = tiers, parts }: PoolWorldOptions = {}) {
    this.#capacity = capacity
    this.#ageing = ageing > 0 ? ageing : NEVER_MS
    this.#parts = parts
    this.#lines = Array.from({ length: tiers }, () => new Line<PoolRequest>())
    this.#kept = Array.from({ length: tiers }, () => ({ units: 0, until: 0 }))
    this.#shares = Array.from({ length: tiers }, () => ({ units: 0, until: 0 }))
    this.#usedBy = Array.from({ length: tiers }, () => 0)
    this.#waiting = Array.from({ length: groups }, () => 0)
    this.waited = Array.from({ length: groups }, () => 0)
  }

  /** A request comes, no earlier than what came before. One that the pool can never grant is left out. */
  request(request: PoolRequest): void {
    this.advance(request.time)
    const line = this.#lines[request.tier] as Line<PoolRequest>
    if (!this.#isPossible(request) || line.length >= WAITING_MOST) return
    this.#unfinished += request.amount * request.duration
    // Nobody is before it: mostly nobody waits.
    if (this.#queued === 0 && this.#fits(request, 0)) {
      this.#grant(request)
      return
    }
    line.push(request)
    const group = request.group ?? request.tier
    this.#waiting[group] = (this.#waiting[group] as number) + 1
    this.#queued++
    this.#serve()
  }

  /** Work that has come and is not done, of those who wait and of those who run: unit milliseconds. */
  get unfinished(): number {
    return this.#unfinished
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#queued
  }

  keep({ time, tier, units, until }: KeepChange): void {
    this.advance(time)
    const kept = this.#kept[tier] as Planned
    const fewer = units < kept.units
    kept.units = units
    kept.until = until
    if (units > 0) this.#keptUntil = Math.max(this.#keptUntil, until)
    if (fewer) this.#serve()
  }

  /** The share of a tier is another for a time; who waits goes on waiting, for there is no more than there was. */
  share({ time, tier, units, until }: ShareChange): void {
    this.advance(time)
    const share = this.#shares[tier] as Planned
    share.units = units
    share.until = until
  }

  advance(to: number): void {
    for (;;) {
      const at = Math.min(this.#running.next, this.#nextFree())
      if (!(at <= to)) break
      this.#pass(at)
      if (this.#running.next <= at) this.#giveBack(this.#running.pop() as Running)
      this.#serve()
    }
    this.#pass(to)
  }

  #pass(to: number): void {
    if (to <= this.#time) return
    if (this.#queued > 0) this.#wait(to)
    this.#unfinished -= this.#used * (to - this.#time)
    this.#time = to
  }

  #wait(to: number): void {
    for (let group = 0; group < this.waited.length; group++) {
      this.waited[group] = (this.waited[group] as number) + (this.#waiting[group] as number) * (to - this.#time)
    }
  }

  #giveBack({ amount, tier }: Running): void {
    this.#used -= amount
    this.#usedBy[tier] = (this.#usedBy[tier] as number) - amount
    // What sums of parts lose is not carried on.
    if (this.#running.size > 0) return
    this.#used = 0
    this.#usedBy.fill(0)
    if (this.#queued === 0) this.#unfinished = 0
  }

  /** When somebody who waits may go though nobody is done: a keep is over, or he has aged into its tier. */
  #nextFree(): number {
    let next = Number.POSITIVE_INFINITY
    if (this.#queued === 0 || this.#keptUntil <= this.#time) return next
    for (let above = 1; above < this.#kept.length; above++) {
      const { units, until } = this.#kept[above] as Planned
      if (units === 0 || until <= this.#time) continue
      for (let tier = 0; tier < above; tier++) {
        const first = (this.#lines[tier] as Line<PoolRequest>).first
        if (first === undefined) continue
        const aged = this.#agesInto(first, above)
        next = Math.min(next, aged > this.#time ? Math.min(until, aged) : until)
      }
    }
    return next
  }

  #serve(): void {
    while (this.#queued > 0) {
      const line = this.#next()
      if (line === undefined) return
      const request = line.shift()
      const group = request.group ?? request.tier
      this.#waiting[group] = (this.#waiting[group] as number) - 1
      this.#queued--
      this.#grant(request)
    }
  }

  #grant({ amount, duration, tier }: PoolRequest): void {
    this.#used += amount
    this.#usedBy[tier] = (this.#usedBy[tier] as number) + amount
    this.#running.push({ ends: this.#time + duration, number: this.#served++, amount, tier })
  }

  /** The line whose first request is to be granted now. */
  #next(): Line<PoolRequest> | undefined {
    const aged = this.#outlived()
    if (aged !== undefined && this.#fits(aged, 0)) return this.#lines[aged.tier]
    let best: Line<PoolRequest> | undefined
    let bestKey = Number.POSITIVE_INFINITY
    let isBestEntitled = false
    for (const line of this.#lines) {
      const { first } = line
      if (first === undefined) continue
      const key = this.#agesInto(first, TIERS - 1)
      const isEntitled = this.#isEntitled(first)
      const isBefore = isEntitled === isBestEntitled ? key < bestKey : isEntitled
      // Nobody takes from who has outlived all what that waits for.
      if (isBefore && this.#fits(first, aged === undefined || aged === first ? 0 : aged.amount)) {
        best = line
        bestKey = key
        isBestEntitled = isEntitled
      }
    }
    return best
  }

  /** Of those who have outlived all tiers who came first. */
  #outlived(): PoolRequest | undefined {
    let oldest: PoolRequest | undefined
    for (const { first } of this.#lines) {
      if (first === undefined || this.#agesInto(first, TIERS) > this.#time) continue
      if (oldest === undefined || first.time < oldest.time) oldest = first
    }
    return oldest
  }

  #fits(request: PoolRequest, beside: number): boolean {
    const { amount, tier } = request
    const kept = Math.max(beside, this.#keptFrom(request)) + this.#floorsBeside(tier)
    if (this.#used + amount + kept > this.#capacity * (1 + ROUNDING)) return false
    const ceiling = this.#parts?.[tier]?.ceiling ?? Number.POSITIVE_INFINITY
    return (this.#usedBy[tier] as number) + amount <= ceiling * (1 + ROUNDING)
  }

  /** Whether it could be granted if nothing was held. */
  #isPossible({ amount, tier }: PoolRequest): boolean {
    if (!(amount > 0 && amount <= this.#capacity)) return false
    const parts = this.#parts
    if (parts === undefined) return true
    const floors = parts.reduce((all, { floor }, other) => all + (other === tier ? 0 : floor), 0)
    return amount + floors <= this.#capacity * (1 + ROUNDING) && amount <= (parts[tier] as TierUnits).ceiling
  }

  /** Within its floor and share: it comes before those who are not. */
  #isEntitled({ amount, tier }: PoolRequest): boolean {
    const part = this.#parts?.[tier]
    if (part === undefined) return false
    const planned = this.#shares[tier] as Planned
    const share = planned.until > this.#time ? planned.units : part.share
    return (this.#usedBy[tier] as number) + amount <= Math.min(part.floor + share, part.ceiling) * (1 + ROUNDING)
  }

  /** What floors of other tiers, that those do not use, keep from a tier. */
  #floorsBeside(tier: number): number {
    const parts = this.#parts
    if (parts === undefined) return 0
    let kept = 0
    for (let other = 0; other < parts.length; other++) {
      if (other !== tier) kept += Math.max(0, (parts[other] as TierUnits).floor - (this.#usedBy[other] as number))
    }
    return kept
  }

  /** When a request counts as of a tier above its own. */
  #agesInto({ time, tier }: PoolRequest, above: number): number {
    return time + (above - tier) * this.#ageing
  }

  #keptFrom(request: PoolRequest): number {
    let kept = 0
    if (this.#keptUntil <= this.#time) return kept
    for (let above = request.tier + 1; above < this.#kept.length; above++) {
      const { units, until } = this.#kept[above] as Planned
      if (until > this.#time && this.#agesInto(request, above) > this.#time) kept += units
    }
    return kept
  }
}
