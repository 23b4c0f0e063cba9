import { loadAddon } from '../native/load.js'

/** Steps up to which a season is looked for. */
const LONGEST = 2_100
/** Periods that must have been seen. */
const SEEN = 3
/** How like itself a series must be a period before; in standard deviations of noise, where there are few values. */
const LEAST = 0.12
const SURE = 4
/** And how much more than between; by so much more for each period that was seen, because a walk has a few waves, too. */
const PROMINENCE = 0.15
const WAVES = 3
/** And two periods before, of that. */
const AGAIN = 0.5
/** A part of a period is one of its own, if the series is so much like itself then, of what it is after the whole. */
const PART = 0.4

/**
 * The periods at which a series repeats, in steps, the shortest first, two at most (as a day and a week): peaks of the autocorrelation of what
 * is left when a slow trend is taken out, the second of what is left when the first season is taken out as well.
 */
export function seasonsOf(values: Float64Array): number[] {
  const longest = Math.min(LONGEST, Math.floor(values.length / SEEN))
  const level = detrended(values)
  const peaks = peaksOf(level, 2, longest, WAVES)
  const highest = highestOf(peaks)
  if (highest === undefined) return []
  const first = (peaks.find(peak => isPartOf(peak, highest)) ?? highest).lag
  const second = highestOf(peaksOf(withoutSeason(level, first), first + 1, longest, 0))?.lag
  if (second === undefined) return [first]
  // Nearly a multiple is one: the peak of the longer period is broad.
  const multiple = Math.round(second / first)
  if (multiple >= 2 && Math.abs(second - multiple * first) <= Math.max(1, first / 8)) return [first, multiple * first]
  return [first, second]
}

interface Peak {
  readonly lag: number
  readonly height: number
}

function isPartOf(peak: Peak, whole: Peak): boolean {
  const parts = Math.round(whole.lag / peak.lag)
  return Math.abs(whole.lag - parts * peak.lag) <= parts / 2 && peak.height >= PART * whole.height
}

function highestOf(peaks: readonly Peak[]): Peak | undefined {
  return peaks.reduce<Peak | undefined>((best, peak) => (best === undefined || peak.height > best.height ? peak : best), undefined)
}

/** Without the line through it, and less the mean of as many values around as the longest season that could be found has. */
function detrended(values: Float64Array): Float64Array {
  const n = values.length
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  const scaled = withoutLine(values.map(value => value / largest))
  const half = Math.max(1, Math.min(LONGEST, Math.floor(n / SEEN)) >> 1)
  const sums = new Float64Array(n + 1)
  for (let i = 0; i < n; i++) sums[i + 1] = (sums[i] as number) + (scaled[i] as number)
  return scaled.map((value, i) => {
    const [from, to] = [Math.max(0, i - half), Math.min(n, i + half + 1)]
    return value - ((sums[to] as number) - (sums[from] as number)) / (to - from)
  })
}

/** By least squares. */
function withoutLine(values: Float64Array): Float64Array {
  const middle = (values.length - 1) / 2
  let [sum, product, square] = [0, 0, 0]
  values.forEach((value, i) => {
    sum += value
    product += (i - middle) * value
    square += (i - middle) ** 2
  })
  const [mean, slope] = [sum / values.length, square > 0 ? product / square : 0]
  // What is left of an exact line is rounding.
  return values.map((value, i) => {
    const left = value - mean - slope * (i - middle)
    return Math.abs(left) > 1e-12 ? left : 0
  })
}

function withoutSeason(values: Float64Array, period: number): Float64Array {
  const sums = new Float64Array(period)
  const counts = new Float64Array(period)
  values.forEach((value, i) => {
    sums[i % period] = (sums[i % period] as number) + value
    counts[i % period] = (counts[i % period] as number) + 1
  })
  return values.map((value, i) => value - (sums[i % period] as number) / (counts[i % period] as number))
}

function peaksOf(values: Float64Array, from: number, longest: number, waves: number): Peak[] {
  const n = values.length
  if (longest < from) return []
  const correlation = new Float64Array(Math.min(n, 2 * longest + 2))
  if (!loadAddon().predict.autocorrelation(values, n, correlation)) return []
  // The sum of products has ever fewer terms; per term, so that a far peak is not lower for being far.
  for (let lag = 1; lag < correlation.length; lag++) correlation[lag] = ((correlation[lag] as number) * n) / (n - lag)
  const at = (lag: number) => correlation[lag] ?? 0
  const peaks: Peak[] = []
  let least = Number.POSITIVE_INFINITY
  for (let lag = 1; lag <= longest; lag++) {
    const height = at(lag)
    const isPeak = height >= at(lag - 1) && height > at(lag + 1)
    // In noise the correlations are normally distributed about 0 (Bartlett, 1946).
    const isSure = height >= Math.max(LEAST, SURE / Math.sqrt(n - lag)) && height - least >= PROMINENCE + (waves * lag) / n
    if (lag >= from && isPeak && isSure && highestNear(correlation, 2 * lag, Math.ceil(lag / 16)) >= AGAIN * height) {
      peaks.push({ lag, height })
    }
    least = Math.min(least, height)
  }
  return peaks
}

function highestNear(correlation: Float64Array, lag: number, width: number): number {
  return Math.max(...correlation.subarray(Math.max(1, lag - width), lag + width + 1), 0)
}
