/** Rows: by how much came lately, and a while ago. */
export const FAST_ROWS = 16
export const SLOW_ROWS = 8
/** Rates below this, in requests within the horizon, are none. */
const RATE_MIN = 0.02
const RATE_UNIT = 0.05
/** Rows an octave. */
const FAST_STEPS = 1.5
const SLOW_STEPS = 2 / 3
/** Horizons over which the two rates are averaged. */
const FAST_HORIZONS = 2
const SLOW_HORIZONS = 10

/** Rows of rates, of which each holds all that are rounded to a step. */
class Scale {
  readonly #steps: number
  readonly #rows: number
  /** Rates between which a row is this one for certain: their logarithm, which takes longer than all else here, need not be looked at. */
  readonly low: Float64Array
  readonly high: Float64Array

  constructor(steps: number, rows: number) {
    this.#steps = steps
    this.#rows = rows
    // A little inside of where it is rounded to the next one; the first holds what is none, the next all that is less than its own.
    const edges = Array.from({ length: rows }, (_, row) => RATE_UNIT * 2 ** ((row - 1.5) / steps))
    this.low = Float64Array.from(edges, (edge, row) => (row === 0 ? 0 : row === 1 ? RATE_MIN : edge * (1 + INSIDE)))
    const highOf = (row: number) => (row === rows - 1 ? Number.POSITIVE_INFINITY : (edges[row + 1] as number) * (1 - INSIDE))
    this.high = Float64Array.from(edges, (_, row) => (row === 0 ? RATE_MIN : highOf(row)))
  }

  rowOf(rate: number): number {
    if (rate < RATE_MIN) return 0
    return 1 + Math.max(0, Math.min(this.#rows - 2, Math.round(Math.log2(rate / RATE_UNIT) * this.#steps)))
  }
}

const INSIDE = 1e-9
const FAST = new Scale(FAST_STEPS, FAST_ROWS)
const SLOW = new Scale(SLOW_STEPS, SLOW_ROWS)

/** Of requests within a horizon, averaged over twice that. @param horizon periods */
export const fastRate = (horizon: number) => new FadingRate(FAST_HORIZONS, horizon, FAST)
/** The same, averaged over ten times the horizon. */
export const slowRate = (horizon: number) => new FadingRate(SLOW_HORIZONS, horizon, SLOW)

/** A rate that fades, and the row that it is in: rows are told apart by its logarithm. */
export class FadingRate {
  readonly #fade: number
  /** periods in which it fades to 1 / e */
  readonly #periods: number
  /** a sum that fades holds 1 / (1 - fade) periods */
  readonly #part: number
  readonly #horizon: number
  readonly #scale: Scale
  #sum = 0
  #row = 0

  constructor(horizons: number, horizon: number, scale: Scale) {
    this.#periods = horizons * horizon
    this.#fade = Math.exp(-1 / this.#periods)
    this.#part = 1 - this.#fade
    this.#horizon = horizon
    this.#scale = scale
  }

  /** A period is over. @param requests that came in it @returns the row */
  tick(requests: number): number {
    this.#sum = this.#sum * this.#fade + requests
    const rate = this.#sum * this.#part * this.#horizon
    const { low, high } = this.#scale
    if (!(rate >= (low[this.#row] as number) && rate < (high[this.#row] as number))) this.#row = this.#scale.rowOf(rate)
    return this.#row
  }

  /** Periods without requests for which it is in the same row, at least. */
  get still(): number {
    const rate = this.#sum * this.#part * this.#horizon
    const low = this.#scale.low[this.#row] as number
    // The last one is left out, for what logarithms round.
    return low === 0 ? Number.POSITIVE_INFINITY : Math.max(0, Math.floor(Math.log(rate / low) * this.#periods) - 1)
  }
}
