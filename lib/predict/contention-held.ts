import { refuse } from '../checks.js'
import type { ContentionMode } from './contention-events.js'
import { readTime } from './contention-events.js'
import { goesOn, meanOf, overAfter, type Survival } from './contention-holds.js'

/** Somebody who holds an element. */
export interface Holder {
  /** `''`: unknown */
  readonly workflow: string
  readonly tier: number
  readonly mode: ContentionMode
  /** ms: when it was granted */
  readonly since: number
}

/** When an element will be let go of by all who hold it now: a distribution, given how long they have held it. */
export class HeldUntil {
  readonly holders: readonly Holder[]
  private readonly goesOn: Survival

  /** @param now ms as of which it is held */
  constructor(
    readonly now: number,
    holders: readonly (Holder & { readonly survival: Survival })[]
  ) {
    this.holders = holders.map(({ workflow, tier, mode, since }) => ({ workflow, tier, mode, since }))
    this.goesOn = ms => 1 - holders.reduce((gone, { survival, since }) => gone * (1 - goesOn(survival, now - since, ms)), 1)
  }

  /**
   * P(it is still held at a time, by one of them).
   *
   * @param time ms
   * @throws ArgumentError
   */
  probability(time: number): number {
    const ms = readTime(time, 'time') - this.now
    return ms <= 0 ? 1 : Math.max(0, Math.min(1, this.goesOn(ms)))
  }

  /**
   * The time in ms by which all have let go, with a probability.
   *
   * @param level above 0 and below 1
   * @throws ArgumentError
   */
  quantile(level: number): number {
    if (typeof level !== 'number' || !(level > 0 && level < 1)) throw refuse('level', 'a number between 0 and 1', level)
    return this.now + overAfter(this.goesOn, level)
  }

  /** The time in ms, on average, of all but the longest holds. */
  get mean(): number {
    return this.now + meanOf(this.goesOn)
  }
}
