import { type Expectation, withExpected } from './expected.js'
import { FAST_ROWS, type FadingRate, fastRate, SLOW_ROWS, slowRate } from './fading-rate.js'

/** Units that are told apart; more count as the most. */
const BINS = 64
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
  readonly #fast: FadingRate
  readonly #slow: FadingRate
  readonly #mixed = new Float64Array(BINS)
  /** the largest bin that came, by row */
  readonly #most = new Uint8Array(FAST_ROWS * SLOW_ROWS)
  #came = 0
  #requests = 0
  /** periods of which nothing was learnt yet */
  #behind = 0
  /** where the next moment goes, and the row of the last one; none before the first */
  #at = 0
  #now = NO_ROW

  /** @param horizon periods ahead, a whole number >= 1 */
  constructor(horizon: number) {
    this.#horizon = horizon
    this.#sums = new Float64Array(horizon + 1)
    this.#rows = new Int16Array(horizon + 1).fill(NO_ROW)
    this.#fast = fastRate(horizon)
    this.#slow = slowRate(horizon)
  }

  /** periods */
  get horizon(): number {
    return this.#horizon
  }

  /** A request came. @param units that it asks for */
  add(units: number): void {
    this.#catchUp()
    // More than there are bins counts as the most: so sums stay exact, whatever somebody asks for.
    this.#came += Math.min(units, BINS)
    this.#requests++
  }

  /** Periods are over. What is learnt of them is learnt when somebody comes or wants to know, of many at once: of most tables nobody does. */
  tick(periods = 1): void {
    this.#behind += periods
  }

  /**
   * Periods for which, as long as nobody comes, a {@link quantile} that is 0 stays 0 and what {@link exceeds} says does not grow: all that is learnt in them is that nothing came, of the
   * row that is looked at or others. 0: that cannot be said.
   */
  get still(): number {
    this.#catchUp()
    const now = this.#now
    if (now === NO_ROW || this.#requests > 0 || this.#came !== this.#sums[this.#at]) return 0
    const moments = this.#moments[now] as number
    // With so many it is asked without those beside it.
    const mixed = moments < KNOWN ? KNOWN - 1 - moments : Number.POSITIVE_INFINITY
    return Math.min(mixed, this.#fast.still, this.#slow.still)
  }

  #catchUp(): void {
    for (; this.#behind > 0; this.#behind--) this.#learn()
  }

  /** Of a period: how much came since one horizon ago. */
  #learn(): void {
    const at = this.#at
    this.#sums[at] = this.#came
    this.#now = this.#fast.tick(this.#requests) * SLOW_ROWS + this.#slow.tick(this.#requests)
    this.#requests = 0
    this.#rows[at] = this.#now
    // What was just overwritten is of one horizon and a period ago; the oldest that is left is the next one.
    const oldest = at === this.#horizon ? 0 : at + 1
    this.#at = oldest
    const row = this.#rows[oldest] as number
    if (row < 0) return
    const bin = Math.max(0, Math.min(BINS - 1, Math.ceil(this.#came - (this.#sums[oldest] as number) - ROUNDING)))
    const counts = this.#counts[row] ?? new Uint32Array(BINS)
    this.#counts[row] = counts
    counts[bin] = (counts[bin] as number) + 1
    this.#moments[row] = (this.#moments[row] as number) + 1
    if (bin > (this.#most[row] as number)) this.#most[row] = bin
  }

  /**
   * @param ratio 0 to 1
   * @param expected what comes besides what it was told of, in units
   * @returns whole units; 0 as long as nothing is known
   */
  quantile(ratio: number, expected: readonly Expectation[] = NOTHING): number {
    this.#catchUp()
    const known = expected.length === 0 ? this.#known() : undefined
    if (known !== undefined) return quantileOf(known, ratio * (this.#moments[this.#now] as number), this.#most[this.#now] as number)
    const counts = this.#with(expected)
    if (counts === undefined) return 0
    let all = 0
    let most = 0
    for (let bin = 0; bin < BINS; bin++) {
      if (counts[bin] === 0) continue
      all += counts[bin] as number
      most = bin
    }
    return quantileOf(counts, ratio * all, most)
  }

  /** The probability that more than so many units will be asked for; 0 as long as nothing is known. */
  exceeds(units: number, expected: readonly Expectation[] = NOTHING): number {
    this.#catchUp()
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
    return this.#now === NO_ROW ? undefined : (this.#known() ?? this.#mix(this.#now))
  }

  /** The row of now, if enough is known of it. */
  #known(): Uint32Array | undefined {
    const now = this.#now
    return now !== NO_ROW && (this.#moments[now] as number) >= KNOWN ? this.#counts[now] : undefined
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
    const most = this.#most[row] as number
    for (let bin = 0; bin <= most; bin++) this.#mixed[bin] = (this.#mixed[bin] as number) + weight * (counts[bin] as number)
  }
}

/** What sums of parts lose. */
const ROUNDING = 1e-6
const NO_ROW = -1

/** The first bin up to which so many came, of those below the last. */
function quantileOf(counts: Uint32Array | Float64Array, wanted: number, last: number): number {
  let sum = 0
  for (let bin = 0; bin < last; bin++) {
    sum += counts[bin] as number
    if (sum >= wanted) return bin
  }
  return last
}
