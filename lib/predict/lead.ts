import { type Memory, whitened } from './whiten.js'

/** A stream that goes before a series. */
export interface Leading {
  readonly name: string
  /** steps by which it goes before */
  readonly lag: number
  readonly mean: number
  readonly deviation: number
}

const LAG_MAX = 48
/** In standard deviations of chance: the largest of 49 correlations is above 3 by chance now and then. */
const SURE = 4
const PAIRS_MIN = 24

/** The value of the stream that goes before a step, about its mean and in its standard deviations; 0 where it is not known. */
export function leadOf({ lag, mean, deviation }: Leading, values: ArrayLike<number> | undefined, at: number): number {
  const value = values?.[at - lag]
  return value === undefined || Number.isNaN(value) ? 0 : (value - mean) / deviation
}

/**
 * The lag at which a stream tells most of what is new in a series, by the cross-correlation of both without what their past says (Box and
 * Jenkins, Time Series Analysis, 1970, ch. 11). Undefined: it tells nothing that may not be chance.
 *
 * @param residual of the last values of the series
 */
export function leadingLag(
  name: string,
  values: Float64Array,
  residual: Float64Array,
  memory: Memory,
  length: number
): Leading | undefined {
  const known = values.filter(value => !Number.isNaN(value))
  const largest = known.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  const mean = known.reduce((sum, value) => sum + value / known.length, 0)
  const spread = largest * Math.sqrt(known.reduce((sum, value) => sum + ((value - mean) / largest) ** 2 / known.length, 0))
  if (!(spread > 1e-12 * largest) || known.length < PAIRS_MIN) return undefined
  const lead: Leading = { name, lag: 0, mean, deviation: spread }
  const line = Float64Array.from({ length }, (_, at) => leadOf(lead, values, at))
  const white = whitened(line, memory)
  const scores = Array.from({ length: LAG_MAX + 1 }, (_, lag) => scoreOf(white, residual, lag))
  const best = scores.reduce((most, score, lag) => (Math.abs(score) > Math.abs(scores[most] as number) ? lag : most), 0)
  return Math.abs(scores[best] as number) >= SURE ? { ...lead, lag: best } : undefined
}

/** Correlation, in standard deviations of that of two lines that have nothing to do with each other. */
function scoreOf(line: Float64Array, residual: Float64Array, lag: number): number {
  const n = residual.length - lag
  if (n < PAIRS_MIN) return 0
  let [xx, yy, xy] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    const [x, y] = [line[i] as number, residual[i + lag] as number]
    xx += x * x
    yy += y * y
    xy += x * y
  }
  return xx > 0 && yy > 0 ? (xy / Math.sqrt(xx) / Math.sqrt(yy)) * Math.sqrt(n) : 0
}
