/** How the forecasts of several are made one. */
export interface Combination {
  /** of each, from 0 to 1; together 1, or each 0 where none can be told to be good */
  readonly weights: readonly number[]
  /** the mean of all, or their median, either by weight */
  readonly by: 'mean' | 'median'
  /** the mean absolute error of each; NaN of what cannot say */
  readonly errors: readonly number[]
}

/** What a model said at some origins, one row of forecasts after the other; undefined: it cannot say. */
export type Rows = readonly (Float64Array | undefined)[]

/** A weight falls with this power of the error at most. Set on the first 60 % of the AWS series of NAB, as the next one. */
const SHARPNESS = 16
/** In the error of the median an origin counts half as much as the tenth after it. */
const HALF_LIFE = 10
/** What weighs less than this part of the heaviest changes no median. */
const LEAST_PART = 1e-3

/** Of a trial. */
export interface Trial {
  /** forecasts in a row */
  readonly horizon: number
  /** how many rows say something of their own, at least 1; default: all */
  readonly independent?: number | undefined
  /** by member, how many times further off it is now than it ever was, from 1 on; default: none is */
  readonly surprises?: readonly number[] | undefined
}

/**
 * The better of two combinations on these very origins: the mean by the inverse of the errors (Bates and Granger, Operational Research Quarterly
 * 20(4), 1969), which is good where forecasts err independently; and the median, which no wild forecast draws away, by the inverse of the
 * relative ones. The fewer trials there were, the less sharply either tells members apart: the likelihood of a scale of errors falls with the power of their number.
 * Who is surprised by the last values counts as if all of his errors were so much larger.
 */
export function combinationOf(rows: Rows, truth: Float64Array, trial: Trial): Combination {
  const { horizon, surprises } = trial
  const origins = truth.length / horizon
  const counts = Float64Array.from({ length: origins }, (_, origin) => 2 ** ((origin + 1 - origins) / HALF_LIFE))
  const errors = rows.map(row => (row === undefined ? UNKNOWN : errorsOf(row, truth, counts)))
  const absolute = errors.map(error => error.absolute)
  const sharpness = Math.min(SHARPNESS, trial.independent ?? origins)
  const byMean: Combination = { by: 'mean', weights: shares(absolute, sharpness), errors: absolute }
  if (byMean.weights.every(weight => weight === 0)) return byMean
  const recent = errors.map(error => error.recentRelative)
  const byMedian: Combination = { by: 'median', weights: shares(recent, sharpness), errors: absolute }
  const isMedian = lossOf(combined(rows, byMedian, truth.length), truth) < lossOf(combined(rows, byMean, truth.length), truth)
  const best = isMedian ? byMedian : byMean
  return surprises === undefined ? best : { ...best, weights: discounted(best.weights, surprises, sharpness) }
}

/** Together 1 again. */
function discounted(weights: readonly number[], surprises: readonly number[], sharpness: number): number[] {
  const left = weights.map((weight, i) => weight * (surprises[i] ?? 1) ** -sharpness)
  const together = left.reduce((sum, weight) => sum + weight, 0)
  return left.map(weight => weight / together)
}

/** Those that cannot say are left out, and the others weigh as before beside each other. */
export function combined(rows: Rows, { by, weights }: Pick<Combination, 'by' | 'weights'>, length: number): Float64Array {
  const heaviest = weights.reduce((most, weight, i) => (rows[i] === undefined ? most : Math.max(most, weight)), 0)
  const least = by === 'median' ? LEAST_PART * heaviest : 0
  const voices = rows.flatMap((row, i) => {
    const weight = weights[i] as number
    return row === undefined || weight === 0 || weight < least ? [] : [{ row, weight }]
  })
  const together = voices.reduce((sum, { weight }) => sum + weight, 0)
  const out = new Float64Array(length).fill(together > 0 ? 0 : Number.NaN)
  if (by === 'median') return weightedMedians(voices, together, out)
  for (const { row, weight } of voices)
    for (let at = 0; at < length; at++) out[at] = (out[at] as number) + (weight / together) * (row[at] as number)
  return out
}

interface Voice {
  readonly row: Float64Array
  readonly weight: number
}

function weightedMedians(voices: readonly Voice[], together: number, out: Float64Array): Float64Array {
  const values = new Float64Array(voices.length)
  const weights = new Float64Array(voices.length)
  for (let at = 0; at < out.length; at++) {
    // In order as they come: of so few nothing is faster, and what is written out here is most of it.
    for (let i = 0; i < voices.length; i++) {
      const { row, weight } = voices[i] as Voice
      const value = row[at] as number
      let place = i
      for (; place > 0 && (values[place - 1] as number) > value; place--) {
        values[place] = values[place - 1] as number
        weights[place] = weights[place - 1] as number
      }
      values[place] = value
      weights[place] = weight
    }
    out[at] = middleOf(values, weights, together / 2)
  }
  return out
}

/** Of ascending values: the one at half of the weight, or between the two that meet there. */
function middleOf(values: Float64Array, weights: Float64Array, half: number): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) {
    sum += weights[i] as number
    if (Math.abs(sum - half) <= 1e-12 * half && i + 1 < values.length) return (values[i] as number) / 2 + (values[i + 1] as number) / 2
    if (sum > half) return values[i] as number
  }
  return values[values.length - 1] ?? Number.NaN
}

/** The least error takes the most, and none at all takes everything. */
function shares(errors: readonly number[], sharpness: number): number[] {
  const least = Math.min(...errors.filter(error => !Number.isNaN(error)), Number.POSITIVE_INFINITY)
  const pulls = errors.map(error => (error === least ? 1 : error > least ? (least / error) ** sharpness : 0))
  const together = pulls.reduce((sum, pull) => sum + pull, 0)
  return pulls.map(pull => (least < Number.POSITIVE_INFINITY ? pull / together : 0))
}

/** In absolute and in relative terms at once, as the M4 competition judged. */
function lossOf(row: Float64Array, truth: Float64Array): number {
  const { absolute, relative } = errorsOf(row, truth, ALIKE)
  return Math.sqrt(absolute) * Math.sqrt(relative)
}

/** Means; a relative error is that of the mean size of both, from 0 to 2. */
interface Errors {
  readonly absolute: number
  readonly relative: number
  /** with each origin as much as it counts */
  readonly recentRelative: number
}
const UNKNOWN: Errors = { absolute: Number.NaN, relative: Number.NaN, recentRelative: Number.NaN }
const ALIKE = Float64Array.of(1)

function errorsOf(row: Float64Array, truth: Float64Array, counts: Float64Array): Errors {
  const n = row.length
  const each = n / counts.length
  let [absolute, relative, recent, together] = [0, 0, 0, 0]
  for (let origin = 0; origin < counts.length; origin++) {
    const count = counts[origin] as number
    let here = 0
    for (let at = origin * each; at < (origin + 1) * each; at++) {
      const value = truth[at] as number
      const said = row[at] as number
      const error = Math.abs(value - said)
      const size = Math.abs(value) / 2 + Math.abs(said) / 2
      absolute += error / n
      if (size > 0) here += Math.min(2, error / size)
    }
    relative += here / n
    recent += (count * here) / each
    together += count
  }
  return { absolute, relative, recentRelative: recent / together }
}
