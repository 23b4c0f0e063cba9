/** ms after which what was gained or lost counts a third as much. */
const FORGET_MS = 1_800_000
/** What is taken to have been gained, and lost, before anything was: of a source of which nothing is known it is as likely as not that it is right (Laplace). */
const PRIOR_GAINED = 0.5
const PRIOR_LOST = 1
/** Losses that are told apart by their times; more are taken together. */
const LOSSES_MOST = 4_096

/**
 * What plans may have cost that no trial has come to yet, because those whom they kept waiting are not done. It is what they lose for certain, less what the same plans bring others as
 * far as such losses were made up for until now. So nobody is let go on for as long as requests take before it is seen what it costs; and who has shown to bring more than it costs
 * is not held up by that.
 */
export class Unsettled {
  readonly #lowest: number
  #losses: { readonly time: number; cost: number }[] = []
  #sum = 0
  #gained = 0
  #lost = 0
  #seen = { time: 0, gained: 0, lost: 0 }

  /** @param lowest what waiting costs a request and second in the lowest tier */
  constructor(lowest: number) {
    this.#lowest = lowest
  }

  /** Request seconds by their costs: that much more may have been lost than is settled. */
  get sum(): number {
    return this.#sum * (1 - this.trust)
  }

  /** The part of its losses that the source makes up for, 0 to 1. */
  get trust(): number {
    return Math.min(1, (this.#gained + PRIOR_GAINED * this.#lowest) / (this.#lost + PRIOR_LOST * this.#lowest))
  }

  /** @param cost of those who are kept waiting at a time, ms */
  add(time: number, cost: number): void {
    if (!(cost > 0)) return
    this.#sum += cost
    const last = this.#losses.at(-1)
    if (last !== undefined && this.#losses.length >= LOSSES_MOST) last.cost += cost
    else this.#losses.push({ time, cost })
  }

  /**
   * Trials have come to a time.
   *
   * @param until ms: what was lost up to then is in what they say
   * @param gained by those who waited less, since ever
   * @param lost by those who waited longer, since ever
   */
  settle(now: number, until: number, gained: number, lost: number): void {
    const fade = Math.exp(-Math.max(0, now - this.#seen.time) / FORGET_MS)
    this.#gained = this.#gained * fade + gained - this.#seen.gained
    this.#lost = this.#lost * fade + lost - this.#seen.lost
    this.#seen = { time: now, gained, lost }
    const left = this.#losses.filter(({ time }) => time > until)
    if (left.length === this.#losses.length) return
    this.#losses = left
    this.#sum = left.reduce((all, { cost }) => all + cost, 0)
  }
}
