import type { Benefit } from './account.js'

/** What something brings that is done, beside cases in which it was left alone at random. */
export interface Worth {
  /** cases in which it was done since it was last put out, and in which it was left alone so that there is something to compare with, as far as they are weighed */
  readonly done: number
  readonly control: number
  /** whether it is done: what was shown to cost more than it brings is not, until it is tried again */
  readonly on: boolean
  /** what it saves a case, with the 95 % interval; of one that is put out, by which it was */
  readonly effect: Benefit
}

/** Of each group so many count, the latest. */
const WEIGHED_MOST = 128
/** Of fewer in either group there is no interval, and of fewer that were left alone nothing to compare with. */
const WEIGHED_LEAST = 5
/** What is put out is tried again after this, ms, and each time after twice as long. */
const BACK_OFF_MS = 10_000
const BACK_OFF_MOST_MS = 600_000
/** Standard normal quantile of 95 %, two-sided. */
const Z = 1.96

/**
 * Costs of cases in which something was done, and of others that were drawn at random and left alone: a trial with a control group. It is put out when the whole interval of
 * what it saves lies below zero, and tried again later.
 */
export class TwoGroups {
  #done: number[] = []
  readonly #control: number[] = []
  /** ms until when it is not done */
  #offUntil = 0
  #backOff = BACK_OFF_MS
  /** by which it was put out last */
  #proof: Benefit | undefined

  /**
   * A case is over. One that was begun before it was put out is of a trial that is over: with several under way it would be put out once more, and for longer, for what is known.
   *
   * @param now ms @param began ms, when it was chosen whether it is done
   * @returns what doing it saved, beside the mean of those that were left alone; undefined: it was one of them, or there were too few
   */
  add(isControl: boolean, cost: number, now: number, began = now): number | undefined {
    if (isControl) push(this.#control, cost)
    else if (this.isOn(began)) push(this.#done, cost)
    const effect = between(this.#control, this.#done)
    if (effect.low > 0) this.#backOff = BACK_OFF_MS
    if (effect.high < 0) {
      this.#proof = effect
      this.#offUntil = now + this.#backOff
      this.#backOff = Math.min(BACK_OFF_MOST_MS, 2 * this.#backOff)
      // When it is tried again it is by what it brings then.
      this.#done = []
    }
    return isControl || this.#control.length < WEIGHED_LEAST ? undefined : mean(this.#control) - cost
  }

  /** Whether it is to be done. @param now ms */
  isOn(now: number): boolean {
    return now >= this.#offUntil
  }

  worth(now: number): Worth {
    const on = this.isOn(now)
    const isNew = on && this.#done.length > 0
    const effect = !isNew && this.#proof !== undefined ? this.#proof : between(this.#control, this.#done)
    return { done: this.#done.length, control: this.#control.length, on, effect }
  }
}

function push(group: number[], cost: number): void {
  group.push(cost)
  if (group.length > WEIGHED_MOST) group.shift()
}

const mean = (values: readonly number[]) => values.reduce((all, one) => all + one, 0) / values.length

/** The difference of two means, with the interval of samples of unequal variances (Welch, Biometrika 1947), by the normal distribution. */
function between(control: readonly number[], done: readonly number[]): Benefit {
  const unknown = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  if (control.length === 0 || done.length === 0) return { mean: 0, ...unknown }
  const difference = mean(control) - mean(done)
  if (Math.min(control.length, done.length) < WEIGHED_LEAST) return { mean: difference, ...unknown }
  const error = Z * Math.sqrt(variance(control) / control.length + variance(done) / done.length)
  return { mean: difference, low: difference - error, high: difference + error }
}

function variance(values: readonly number[]): number {
  const middle = mean(values)
  return values.reduce((all, one) => all + (one - middle) ** 2, 0) / (values.length - 1)
}
