import { type Expectation, withExpected } from './expected.js'

/** Units that are told apart; more count as the most. */
const BINS = 64
/** Rows of a table: by how much came lately, and a while ago. */
const FAST_ROWS = 16
const SLOW_ROWS = 8
/** Rates below this, in requests within the horizon, are none. */
const RATE_MIN = 0.02
const RATE_UNIT = 0.05
/** Rows an octave. */
const FAST_STEPS = 1.5
const SLOW_STEPS = 2 / 3
/** Horizons over which the two rates are averaged. */
const FAST_HORIZONS = 2
const SLOW_HORIZONS = 10
/** A row with fewer moments in it leans on those beside it, each of which counts a tenth. */
const KNOWN = 30
const BESIDE = 0.1
const NOTHING: readonly Expectation[] = []

/**
 * What will be asked for within a horizon, given what was lately: the distribution that was seen at such times, in whole units. Rows are told
 * apart by the logarithms of two rates, one averaged over twice the horizon and one over ten times that; nothing is assumed of how requests come,
 * so bursts and long silences are as good as any other stream. At most some 50 KiB, for rows that were met; a moment costs some 100 ns.
 *
 * (A conditional histogram, as of Laplace; for why not a Poisson process: Paxson and Floyd, Wide Area Traffic: The Failure of Poisson Modeling,
 * IEEE/ACM ToN 1995.)
 */
export class ArrivalTable {
  readonly #horizon: number
  /** by row, where any was; how often each bin came */
  readonly #counts: (Uint32Array | undefined)[] = new Array(FAST_ROWS * SLOW_ROWS).fill(undefined)
  readonly #moments = new Float64Array(FAST_ROWS * SLOW_ROWS)
  /** sums of what came up to each of the last moments, and the rows of these */
  readonly #sums: Float64Array
  readonly #rows: Int16Array
  readonly #fades: readonly [number, number]
  readonly #mixed = new Float64Array(BINS)
  #fast = 0
  #slow = 0
  #came = 0
  #requests = 0
  #moment = 0

  /** @param horizon periods ahead, a whole number >= 1 */
  constructor(horizon: number) {
    this.#horizon = horizon
    this.#sums = new Float64Array(horizon + 1)
    this.#rows = new Int16Array(horizon + 1).fill(-1)
    this.#fades = [Math.exp(-1 / (FAST_HORIZONS * horizon)), Math.exp(-1 / (SLOW_HORIZONS * horizon))]
  }

  /** periods */
  get horizon(): number {
    return this.#horizon
  }

  /** A request came. @param units that it asks for */
  add(units: number): void {
    // More than there are bins counts as the most: so sums stay exact, whatever somebody asks for.
    this.#came += Math.min(units, BINS)
    this.#requests++
  }

  /** A period is over: learns how much came since one horizon ago. */
  tick(): void {
    const at = this.#moment % this.#sums.length
    this.#sums[at] = this.#came
    this.#fast = this.#fast * (this.#fades[0] as number) + this.#requests
    this.#slow = this.#slow * (this.#fades[1] as number) + this.#requests
    this.#requests = 0
    this.#rows[at] = this.#row()
    this.#moment++
    // What was just overwritten is of one horizon and a period ago; the oldest that is left is the next one.
    const oldest = this.#moment % this.#sums.length
    const row = this.#rows[oldest] as number
    if (row < 0) return
    const bin = Math.max(0, Math.min(BINS - 1, Math.ceil(this.#came - (this.#sums[oldest] as number) - ROUNDING)))
    const counts = this.#counts[row] ?? new Uint32Array(BINS)
    this.#counts[row] = counts
    counts[bin] = (counts[bin] as number) + 1
    this.#moments[row] = (this.#moments[row] as number) + 1
  }

  /**
   * @param ratio 0 to 1
   * @param expected what comes besides what it was told of, in units
   * @returns whole units; 0 as long as nothing is known
   */
  quantile(ratio: number, expected: readonly Expectation[] = NOTHING): number {
    const counts = this.#with(expected)
    if (counts === undefined) return 0
    let all = 0
    let most = 0
    for (let bin = 0; bin < BINS; bin++) {
      if (counts[bin] === 0) continue
      all += counts[bin] as number
      most = bin
    }
    const wanted = ratio * all
    let sum = 0
    for (let bin = 0; bin < most; bin++) {
      sum += counts[bin] as number
      if (sum >= wanted) return bin
    }
    return most
  }

  /** The probability that more than so many units will be asked for; 0 as long as nothing is known. */
  exceeds(units: number, expected: readonly Expectation[] = NOTHING): number {
    const counts = this.#with(expected)
    if (counts === undefined) return 0
    let all = 0
    let more = 0
    for (let bin = 0; bin < BINS; bin++) {
      all += counts[bin] as number
      if (bin > units) more += counts[bin] as number
    }
    return all === 0 ? 0 : more / all
  }

  #with(expected: readonly Expectation[]): Uint32Array | Float64Array | undefined {
    const counts = this.#distribution()
    return expected.length === 0 ? counts : withExpected(counts, expected, BINS, 1)
  }

  /** What came at times like now. */
  #distribution(): Uint32Array | Float64Array | undefined {
    const now = this.#rows[(this.#moment - 1 + this.#rows.length) % this.#rows.length] as number
    if (now < 0) return undefined
    return ((this.#moments[now] as number) >= KNOWN ? this.#counts[now] : undefined) ?? this.#mix(now)
  }

  /** Of rows with as much lately, or a step more or less, whatever was before. */
  #mix(row: number): Float64Array {
    const mixed = this.#mixed
    mixed.fill(0)
    this.#add(row, 1)
    const fast = Math.floor(row / SLOW_ROWS)
    for (let f = Math.max(0, fast - 1); f <= Math.min(FAST_ROWS - 1, fast + 1); f++) {
      for (let other = f * SLOW_ROWS; other < (f + 1) * SLOW_ROWS; other++) {
        if (other !== row) this.#add(other, BESIDE)
      }
    }
    return mixed
  }

  #add(row: number, weight: number): void {
    const counts = this.#counts[row]
    if (counts === undefined) return
    for (let bin = 0; bin < BINS; bin++) this.#mixed[bin] = (this.#mixed[bin] as number) + weight * (counts[bin] as number)
  }

  #row(): number {
    // A sum that fades holds 1 / (1 - fade) periods.
    const fast = step(this.#fast * (1 - (this.#fades[0] as number)) * this.#horizon, FAST_STEPS, FAST_ROWS)
    const slow = step(this.#slow * (1 - (this.#fades[1] as number)) * this.#horizon, SLOW_STEPS, SLOW_ROWS)
    return fast * SLOW_ROWS + slow
  }
}

/** What sums of parts lose. */
const ROUNDING = 1e-6

function step(rate: number, steps: number, rows: number): number {
  if (rate < RATE_MIN) return 0
  return 1 + Math.max(0, Math.min(rows - 2, Math.round(Math.log2(rate / RATE_UNIT) * steps)))
}
