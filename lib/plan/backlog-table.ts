import { type FadingRate, SLOW_ROWS, slowRate } from './fading-rate.js'

/** A row with fewer moments in it leans on those beside it, which count a tenth. */
const KNOWN = 30
const BESIDE = 0.1
const NO_ROW = 255
/** Multiples of it are spread evenly, and go with no period (Weyl). */
const GOLDEN = (Math.sqrt(5) - 1) / 2

/**
 * How large a backlog will be, given how much came lately: the distribution that was seen after such times. Only those moments count of which it is said so. (A conditional histogram, as
 * {@link ArrivalTable}, of a level instead of arrivals.)
 */
export class BacklogTable {
  readonly #steps: number
  /** by row and step; the last step holds all that is more */
  readonly #counts: Uint32Array
  readonly #moments = new Float64Array(SLOW_ROWS)
  readonly #rate: FadingRate
  /** rows of the last moments */
  readonly #rows: Uint8Array
  /** where the next one goes, which is where the oldest is */
  #at = 0
  readonly #within: number
  #turn = 0
  #row = 0
  #requests = 0
  #isKnown = false

  /**
   * @param steps that are told apart
   * @param horizon of the rates, periods: what comes is averaged over ten times that
   * @param lag periods until what is foretold begins
   * @param within periods for which it is foretold, >= 1
   */
  constructor(steps: number, horizon: number, lag: number, within: number) {
    this.#steps = steps
    this.#counts = new Uint32Array(SLOW_ROWS * (steps + 2))
    this.#rate = slowRate(horizon)
    this.#rows = new Uint8Array(lag + within).fill(NO_ROW)
    this.#within = within
  }

  /** Whether there was any moment to learn from. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** A request came. */
  came(): void {
    this.#requests++
  }

  /** A period is over. @param backlog now, in steps @param counts whether this is a moment to learn from */
  tick(backlog: number, counts: boolean): void {
    this.#row = this.#rate.tick(this.#requests)
    this.#requests = 0
    const then = this.#earlier()
    this.#rows[this.#at] = this.#row
    this.#at = this.#at + 1 === this.#rows.length ? 0 : this.#at + 1
    if (!counts || then === NO_ROW) return
    const place = then * (this.#steps + 2) + Math.min(this.#steps + 1, Math.ceil(backlog - ROUNDING))
    this.#counts[place] = (this.#counts[place] as number) + 1
    this.#moments[then] = (this.#moments[then] as number) + 1
    this.#isKnown = true
  }

  /** @param ratio 0 to 1 @returns whole steps, at most those that are told apart; 0 as long as nothing is known */
  quantile(ratio: number): number {
    const isKnown = (this.#moments[this.#row] as number) >= KNOWN
    const wanted = ratio * (isKnown ? (this.#moments[this.#row] as number) : this.#mixed(this.#moments, 0, 1))
    const width = this.#steps + 2
    let sum = 0
    for (let step = 0; step < this.#steps; step++) {
      sum += isKnown ? (this.#counts[this.#row * width + step] as number) : this.#mixed(this.#counts, step, width)
      if (sum >= wanted) return step
    }
    return this.#steps
  }

  /** The row of one of the moments that this one is foretold at, each as often: of one distance alone those who come at regular times would be met at some phase of theirs only. */
  #earlier(): number {
    this.#turn = (this.#turn + GOLDEN) % 1
    return this.#rows[(this.#at + Math.floor(this.#turn * this.#within)) % this.#rows.length] as number
  }

  /** Of the row of now and, less, of those beside it. */
  #mixed(numbers: Uint32Array | Float64Array, from: number, width: number): number {
    let sum = 0
    for (let row = Math.max(0, this.#row - 1); row <= Math.min(SLOW_ROWS - 1, this.#row + 1); row++)
      sum += (row === this.#row ? 1 : BESIDE) * (numbers[from + row * width] as number)
    return sum
  }
}

/** What sums of parts lose. */
const ROUNDING = 1e-6
