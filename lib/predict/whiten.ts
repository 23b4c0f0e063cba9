import { loadAddon } from '../native/load.js'
import type { Column } from './regression.js'

/** How a value depends on those before it: the lags, and a weight for each. */
export interface Memory {
  readonly lags: readonly number[]
  readonly weights: readonly number[]
}

const PENALTY = 1

/** Learns it by ridge regression (native/predict/ridge.h); without any where there are too few values. */
export function memoryOf(values: Float64Array, seasons: readonly number[]): Memory {
  const lags = lagsFor(seasons, values.length)
  const coefficients = new Float64Array(lags.length + 1)
  const learnt = loadAddon().predict.ridgeFit(values, values.length, Uint32Array.from(lags), 0, PENALTY, coefficients)
  return learnt ? { lags, weights: [...coefficients.subarray(1)] } : { lags: [], weights: [] }
}

/**
 * What of each value is new: the value less what those before it say. What is new is nearly independent, which regression takes for granted (generalised
 * least squares: Cochrane and Orcutt, J. American Statistical Association 44, 1949). The first values, before which too few are known, are left out.
 */
export function whitened(values: Float64Array, { lags, weights }: Memory): Float64Array {
  const first = longest(lags)
  return values
    .slice(first)
    .map((value, i) => lags.reduce((left, lag, k) => left - (weights[k] as number) * (values[first + i - lag] as number), value))
}

/** The same of a column of a regression. */
export function whitenedColumn(column: Column, length: number, { lags, weights }: Memory): Column {
  const first = longest(lags)
  const sums = new Float64Array(length - first)
  const touched = new Uint8Array(length - first)
  const add = (at: number, by: number) => {
    if (at < first || at >= length) return
    sums[at - first] = (sums[at - first] as number) + by
    touched[at - first] = 1
  }
  column.at.forEach((place, k) => {
    const value = column.x[k] as number
    add(place, value)
    for (let i = 0; i < lags.length; i++) add(place + (lags[i] as number), -(weights[i] as number) * value)
  })
  const at: number[] = []
  for (let place = 0; place < touched.length; place++) if (touched[place] === 1) at.push(place)
  return { ...column, at, x: at.map(place => sums[place] as number) }
}

/** The last steps, and those about each season. Of few values a third at most is given up. */
function lagsFor(seasons: readonly number[], length: number): number[] {
  const about = seasons.flatMap(period => [period - 1, period, period + 1])
  const lags = [1, 2, 3, ...about, ...seasons.map(period => 2 * period)]
  return [...new Set(lags)].filter(lag => lag > 0 && lag <= length / 3).sort((a, b) => a - b)
}

function longest(lags: readonly number[]): number {
  return lags.reduce((most, lag) => Math.max(most, lag), 0)
}
