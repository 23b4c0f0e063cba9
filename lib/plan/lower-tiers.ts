/** Requests that a mean is of. */
const AVERAGED = 1_000

/** What waits cost those that are not of the highest tier that asks, and so may be kept waiting for others. */
export class LowerTiers {
  readonly #waitCosts: readonly number[]
  #highest = 0
  #mean: number
  #count = 0
  #cost = 0

  /** @param waitCosts what waiting costs a request and second, by tier */
  constructor(waitCosts: readonly number[]) {
    this.#waitCosts = waitCosts
    this.#mean = waitCosts[0] ?? 1
  }

  /** What they waited so far, in request seconds by their costs. */
  get cost(): number {
    return this.#cost
  }

  /** What a second costs one of them, on average of those that were over last. */
  get price(): number {
    return this.#mean
  }

  /** A request is over. @param tier index @param waited ms */
  ended(tier: number, waited: number): void {
    // Of the lowest there is always somebody above, who may come.
    this.#highest = Math.max(this.#highest, tier, 1)
    if (tier >= this.#highest) return
    const cost = this.#waitCosts[tier] ?? 0
    this.#count++
    this.#mean += (cost - this.#mean) / Math.min(this.#count, AVERAGED)
    this.#cost += (waited / 1000) * cost
  }
}
