/** When more than the usual is kept, and how much. */
export interface Extra {
  /** contention probability from which on, 0 to 1; default: that at which keeping pays */
  readonly threshold?: number | undefined
  /** part of a pool, 0 to 1; default: the quantile that the costs say */
  readonly share?: number | undefined
}

/** Below this part of the threshold it is over. */
const OVER_PART = 0.5

/**
 * Baseline or extra: extra from the moment at which contention is as likely as the threshold, until it has been half as likely for as long as is looked ahead. For
 * what is kept lies free itself, and makes contention look less likely.
 */
export class ExtraSwitch {
  #on = false
  /** ms at which it was last likely */
  #likely = Number.NEGATIVE_INFINITY

  get isOn(): boolean {
    return this.#on
  }

  /** @param probability of contention @param horizon ms for which that is meant @param now ms @returns whether it is extra now */
  look(probability: number, threshold: number, horizon: number, now: number): boolean {
    if (probability >= threshold) this.#on = true
    // Where the threshold is 0 it is never over.
    if (probability >= OVER_PART * threshold) this.#likely = now
    else if (now - this.#likely >= horizon) this.#on = false
    return this.#on
  }
}
