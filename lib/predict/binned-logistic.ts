/** Bins of each feature. */
export const BINS = 32

const RATE = 0.06
const FIRST_SQUARE = 0.01
const LOGIT_MAX = 20
/** Bins of recalibration, from a logit of -8 to 8. */
const SCORES = 32
const SCORES_FROM = -8
const SCORES_PER_LOGIT = 2
/** What a bin of recalibration is believed to have seen. */
const BELIEVED = 20
/** Of recalibration, by an example. */
const FORGOTTEN = 5e-4
/** Nothing is certain that was only learnt. */
const SUREST = 0.9999

/**
 * A probability from features that were put into bins: a logistic sum of a weight for each bin and for some pairs of bins, learnt online
 * (AdaGrad: Duchi, Hazan and Singer, JMLR 12, 2011), and recalibrated by what came of scores like it, for each of some groups by itself. It never
 * extrapolates, and knows products of conditions. As native/predict/arrivals.h, for what is asked for less often than keys are.
 */
export class BinnedLogistic {
  private readonly weights: Float32Array
  private readonly squares: Float32Array
  /** by group and bin: what was said, and what came */
  private readonly said: Float64Array
  private readonly came: Float64Array
  private readonly terms: Uint32Array

  constructor(
    private readonly features: number,
    private readonly pairs: readonly (readonly [number, number])[],
    groups: number
  ) {
    const weights = 1 + features * BINS + pairs.length * BINS * BINS
    this.weights = new Float32Array(weights)
    this.squares = new Float32Array(weights).fill(FIRST_SQUARE)
    this.said = new Float64Array(groups * SCORES)
    this.came = new Float64Array(groups * SCORES)
    this.terms = new Uint32Array(1 + features + pairs.length)
  }

  /** What a feature says before anything is learnt: a logit for each of its bins. */
  prime(feature: number, logits: readonly number[]): void {
    this.weights.set(logits, 1 + feature * BINS)
  }

  /** @param bins of each feature, below {@link BINS} */
  score(bins: Uint8Array, group: number): number {
    return this.calibrated(this.logit(bins), group)
  }

  learn(bins: Uint8Array, group: number, happened: boolean): void {
    const logit = this.logit(bins)
    const said = probability(logit)
    const error = said - (happened ? 1 : 0)
    const square = error * error
    for (const at of this.terms) {
      const sum = (this.squares[at] as number) + square
      this.squares[at] = sum
      this.weights[at] = (this.weights[at] as number) - (RATE * error) / Math.sqrt(sum)
    }
    const at = group * SCORES + Math.round(placeOf(logit))
    this.said[at] = (this.said[at] as number) * (1 - FORGOTTEN) + said
    this.came[at] = (this.came[at] as number) * (1 - FORGOTTEN) + (happened ? 1 : 0)
  }

  /** All that was learnt. */
  save(): number[][] {
    return [this.weights, this.squares, this.said, this.came].map(array => Array.from(array))
  }

  /** False, and nothing has changed, if it is not what {@link save} gave for the same features. */
  load(saved: unknown): boolean {
    const arrays = [this.weights, this.squares, this.said, this.came]
    if (!Array.isArray(saved) || saved.length !== arrays.length) return false
    const isSound = arrays.every((array, i) => isNumbers(saved[i], array.length, array === this.weights ? Number.NEGATIVE_INFINITY : 0))
    if (!isSound || !(saved[1] as number[]).every(square => square > 0)) return false
    for (const [i, array] of arrays.entries()) array.set(saved[i] as number[])
    return true
  }

  /** Leaves in `terms` what it is the sum of. */
  private logit(bins: Uint8Array): number {
    const { terms, weights } = this
    terms[0] = 0
    let [sum, at, from] = [weights[0] as number, 1, 1]
    for (let i = 0; i < this.features; i++, from += BINS) {
      const term = from + (bins[i] as number)
      terms[at++] = term
      sum += weights[term] as number
    }
    for (const [one, other] of this.pairs) {
      const term = from + (bins[one] as number) * BINS + (bins[other] as number)
      terms[at++] = term
      sum += weights[term] as number
      from += BINS * BINS
    }
    return Math.max(-LOGIT_MAX, Math.min(LOGIT_MAX, sum))
  }

  private calibrated(logit: number, group: number): number {
    const plain = probability(logit)
    const place = placeOf(logit)
    const low = Math.min(SCORES - 2, Math.floor(place))
    const ratio = (bin: number) => {
      const at = group * SCORES + bin
      return ((this.came[at] as number) + BELIEVED * plain) / ((this.said[at] as number) + BELIEVED * plain)
    }
    // Between the middles of two bins, so that there is no step.
    const part = place - low
    return Math.max(1 - SUREST, Math.min(SUREST, plain * ((1 - part) * ratio(low) + part * ratio(low + 1))))
  }
}

/** Of a value among bins of equal width between two ends. */
export function binOf(value: number, low: number, high: number): number {
  const place = (value - low) * (BINS / (high - low))
  return place > 0 ? Math.min(BINS - 1, Math.floor(place)) : 0
}

/** The same, where the first bin is for what is not there. */
export function someBin(value: number, low: number, high: number): number {
  return Math.max(1, binOf(value, low, high))
}

export function logOdds(p: number): number {
  const kept = Math.max(1e-5, Math.min(1 - 1e-5, p))
  return Math.log(kept / (1 - kept))
}

function probability(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}

function placeOf(logit: number): number {
  return Math.max(0, Math.min(SCORES - 1, (logit - SCORES_FROM) * SCORES_PER_LOGIT))
}

function isNumbers(value: unknown, length: number, least: number): boolean {
  return Array.isArray(value) && value.length === length && value.every(one => Number.isFinite(one) && one >= least)
}
