/** How good forecasts were. Arrays of the same length are compared place by place. */

/** Symmetric mean absolute percentage error, in percent from 0 to 200 (Makridakis, Int. J. Forecasting 9(4), 1993). Two zeros are equal. */
export function smape(truth: ArrayLike<number>, forecast: ArrayLike<number>): number {
  return mean(truth, (value, i) => {
    const said = forecast[i] as number
    const size = Math.abs(value) + Math.abs(said)
    return size === 0 ? 0 : (200 * Math.abs(value - said)) / size
  })
}

/** Mean absolute difference of values a period apart: what errors are measured against in {@link mase} and {@link msis}. */
export function seasonalScale(history: ArrayLike<number>, period: number): number {
  let sum = 0
  for (let t = period; t < history.length; t++) sum += Math.abs((history[t] as number) - (history[t - period] as number))
  return sum / (history.length - period)
}

/** Mean absolute scaled error (Hyndman and Koehler, Int. J. Forecasting 22(4), 2006). */
export function mase(truth: ArrayLike<number>, forecast: ArrayLike<number>, scale: number): number {
  return mean(truth, (value, i) => Math.abs(value - (forecast[i] as number))) / scale
}

/** Mean scaled interval score (Gneiting and Raftery 2007, as in the M4 competition) of an interval that is to hold `coverage` of the values. */
export function msis(truth: ArrayLike<number>, low: ArrayLike<number>, high: ArrayLike<number>, coverage: number, scale: number): number {
  const penalty = 2 / (1 - coverage)
  return (
    mean(truth, (value, i) => {
      const [from, to] = [low[i] as number, high[i] as number]
      return to - from + penalty * (Math.max(0, from - value) + Math.max(0, value - to))
    }) / scale
  )
}

/** The part of the values that lies within an interval. */
export function coverage(truth: ArrayLike<number>, low: ArrayLike<number>, high: ArrayLike<number>): number {
  return mean(truth, (value, i) => (value >= (low[i] as number) && value <= (high[i] as number) ? 1 : 0))
}

/** Pinball loss of a quantile (Koenker and Bassett, Econometrica 46(1), 1978). */
export function pinball(truth: ArrayLike<number>, quantile: ArrayLike<number>, level: number): number {
  return mean(truth, (value, i) => {
    const over = value - (quantile[i] as number)
    return over >= 0 ? level * over : (level - 1) * over
  })
}

/** Mean squared error of probabilities (Brier 1950). */
export function brier(happened: ArrayLike<number>, probability: ArrayLike<number>): number {
  return mean(happened, (value, i) => (value - (probability[i] as number)) ** 2)
}

/** How much of the Brier score of always saying the base rate is saved; 1 is perfect, 0 no better. NaN: it always or never happened. */
export function brierSkill(happened: ArrayLike<number>, probability: ArrayLike<number>): number {
  const base = mean(happened, value => value)
  return 1 - brier(happened, probability) / (base * (1 - base))
}

/** Mean precision over what happened, in the order of the probabilities, the highest first; what has the same one counts as one step. */
export function averagePrecision(happened: ArrayLike<number>, probability: ArrayLike<number>): number {
  const ranked = new Ranking(happened, probability)
  let sum = 0
  for (const { from, hits, below } of ranked.groups()) {
    const found = ranked.hits - below
    sum += (hits * found) / (ranked.all.length - from)
  }
  return sum / ranked.hits
}

/** Some predictions of the same probability that came true. */
interface Group {
  /** places of all that have it, in the order of probability, the lowest first */
  readonly from: number
  readonly to: number
  readonly hits: number
  /** hits of a lower probability */
  readonly below: number
}

/** Probabilities in their order, and those of what happened. Millions of them are sorted in a second, because numbers alone are. */
class Ranking {
  readonly all: Float64Array
  private readonly true: Float64Array

  constructor(happened: ArrayLike<number>, probability: ArrayLike<number>) {
    this.all = Float64Array.from(probability).sort()
    this.true = Float64Array.from(probability)
      .filter((_, i) => happened[i] === 1)
      .sort()
  }

  get hits(): number {
    return this.true.length
  }

  *groups(): Generator<Group> {
    const { all, true: hits } = this
    for (let below = 0, from = 0; below < hits.length; ) {
      const value = hits[below] as number
      let end = below
      while (end < hits.length && hits[end] === value) end++
      while ((all[from] as number) < value) from++
      let to = from
      while (to < all.length && all[to] === value) to++
      yield { from, to, hits: end - below, below }
      below = end
      from = to
    }
  }
}

/** A part of the predictions, of like probability: what was said, and what happened. */
export interface CalibrationBin {
  readonly said: number
  readonly happened: number
  readonly count: number
}

/** In bins of as many predictions each, by probability (Naeini et al., AAAI 2015); of those that have the same, a part in each bin they reach into. */
export function calibration(happened: ArrayLike<number>, probability: ArrayLike<number>, bins: number): CalibrationBin[] {
  const ranked = new Ranking(happened, probability)
  const count = ranked.all.length
  const ends = Array.from({ length: bins + 1 }, (_, bin) => Math.floor((bin * count) / bins))
  const came = new Float64Array(bins)
  for (const { from, to, hits } of ranked.groups()) {
    for (let bin = Math.min(bins - 1, Math.floor((from * bins) / count)); bin < bins && (ends[bin] as number) < to; bin++) {
      const overlap = Math.min(to, ends[bin + 1] as number) - Math.max(from, ends[bin] as number)
      if (overlap > 0) came[bin] = (came[bin] as number) + (hits * overlap) / (to - from)
    }
  }
  return ends.slice(0, -1).flatMap((from, bin) => {
    const members = ranked.all.subarray(from, ends[bin + 1])
    if (members.length === 0) return []
    return [{ said: mean(members, value => value), happened: (came[bin] as number) / members.length, count: members.length }]
  })
}

/** Expected calibration error: how far what was said lies from what happened, over the bins. */
export function calibrationError(happened: ArrayLike<number>, probability: ArrayLike<number>, bins: number): number {
  const all = calibration(happened, probability, bins)
  const together = all.reduce((sum, { count }) => sum + count, 0)
  return all.reduce((sum, bin) => sum + (bin.count / together) * Math.abs(bin.said - bin.happened), 0)
}

/** NaN of nothing. */
function mean(values: ArrayLike<number>, of: (value: number, i: number) => number): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += of(values[i] as number, i)
  return sum / values.length
}
