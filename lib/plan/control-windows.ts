import { randomsOf } from '../randoms.js'

/** ms in which there are plans of a source, or none. */
export const WINDOW_MS = 10_000
/** 2^32 by the golden ratio: sets the numbers of windows far apart. */
const GOLDEN = 0x9e3779b1

/** Waits of the requests of a group. */
export interface Waits {
  readonly requests: number
  /** ms, mean */
  readonly wait: number
}

/** The part of the time in which a source of plans is left out, drawn window by window, and what requests waited in it and beside it. */
export class ControlWindows {
  readonly #part: number
  readonly #seed: number
  /** planned, and control; by group */
  readonly #groups: readonly [Sum[], Sum[]]
  /** the window that was asked about last, and whether it is one without plans: it is asked about many times */
  #last = Number.NaN
  #isControl = false

  /**
   * @param part of the time, 0 to 1
   * @param seed of the choice of that time
   * @param groups how many
   */
  constructor(part: number, seed: number, groups: number) {
    this.#part = part
    this.#seed = seed
    this.#groups = [sums(groups), sums(groups)]
  }

  /** Drawn anew for each window, the same each time: requests end later than they come. @param time ms */
  has(time: number): boolean {
    const window = Math.floor(time / WINDOW_MS)
    if (window !== this.#last) {
      this.#last = window
      this.#isControl = randomsOf(this.#seed ^ Math.imul(window, GOLDEN))() < this.#part
    }
    return this.#isControl
  }

  /** @param time ms, when it came @param waited ms */
  count(time: number, group: number, waited: number): void {
    const sum = this.#groups[this.has(time) ? 1 : 0][group] as Sum
    sum.requests++
    sum.waited += waited
  }

  /** Of the requests that came in times with plans, or without. */
  waits(group: number, control: boolean): Waits {
    const { requests, waited } = this.#groups[control ? 1 : 0][group] as Sum
    return { requests, wait: requests === 0 ? 0 : waited / requests }
  }
}

interface Sum {
  requests: number
  waited: number
}

function sums(count: number): Sum[] {
  return Array.from({ length: count }, () => ({ requests: 0, waited: 0 }))
}
