import type { Model } from './forecaster.js'

/** Where forecasts are made to be compared with what came: rolling origins (Tashman, Int. J. Forecasting 16(4), 2000). */
export interface Origins {
  /** models are fitted to what lies before the first */
  readonly first: number
  readonly every: number
  readonly count: number
  /** steps that are foretold from each */
  readonly horizon: number
}

const ORIGINS_MAX = 34
/** Of the values, the part that forecasts are tried on at most; and in horizons, how much of it is enough where there are few values. */
interface Tried {
  readonly part: number
  readonly horizons: number
}
/** What has seasons has to be seen for some of them before it can be foretold. Set on the last 48 training points of the M4 hourly series. */
const SEASONAL: Tried = { part: 0.37, horizons: 5 }
/** What has none tells little of which model is good in five horizons, and its models need few values. Set on the series of NAB that are not of AWS, and on the first 60 % of those that are. */
const SEASONLESS: Tried = { part: 0.5, horizons: 12 }
/** And where there are many: a longer trial tells better which model is good. Set on the first 60 % of the AWS series of NAB. */
const TRIED_LONG = 0.25

/**
 * @param isSeasonal whether the series has seasons
 * @returns undefined: there are too few values to try anything on
 */
export function originsOf(length: number, horizon: number, isSeasonal: boolean): Origins | undefined {
  const { part, horizons } = isSeasonal ? SEASONAL : SEASONLESS
  const enough = Math.max(horizons * horizon, Math.floor(TRIED_LONG * length))
  const tried = Math.min(enough, Math.floor(part * length))
  const reach = Math.min(horizon, tried)
  if (reach < 1 || length - tried < 4) return undefined
  const room = tried - reach
  const every = Math.max(1, Math.ceil(room / (ORIGINS_MAX - 1)))
  return { first: length - tried, every, count: Math.floor(room / every) + 1, horizon: reach }
}

/** As kernels are told of them. */
export function wordsOf({ first, every, count }: Origins): Uint32Array {
  return Uint32Array.of(first, every, count)
}

/** How many forecasts are tried that have no value in common: of those from neighbouring origins each says little that the others do not. */
export function independent({ every, count, horizon }: Origins): number {
  return ((count - 1) * every) / horizon + 1
}

/** Of models of our own: as {@link Model.predict}, from all origins at once. A symbol, so that no model of a user's has it by chance. */
export const predictRolling: unique symbol = Symbol('predictRolling')

/** A model that has less to do for several origins than for each alone. */
export interface RollingModel extends Model {
  /**
   * The same as from each origin.
   *
   * @param rows of `horizon` forecasts each, to be written. False: from one of the origins it cannot say
   */
  [predictRolling](values: Float64Array, origins: Origins, rows: Float64Array): boolean
}

/**
 * What a fitted model would have said from each origin.
 *
 * @returns a row of `horizon` forecasts for each origin; undefined where the model cannot say, or says what is no number
 */
export function tried(model: Model, values: Float64Array, origins: Origins): Float64Array | undefined {
  const rows = new Float64Array(origins.count * origins.horizon)
  const said =
    predictRolling in model ? (model as RollingModel)[predictRolling](values, origins, rows) : fromEach(model, values, origins, rows)
  return said && areFinite(rows) ? rows : undefined
}

function fromEach(model: Model, values: Float64Array, { first, every, count, horizon }: Origins, rows: Float64Array): boolean {
  for (let row = 0; row < count; row++) {
    const later = row * every
    if (!model.predict(values, first + later, rows.subarray(row * horizon, (row + 1) * horizon), later)) return false
  }
  return true
}

function areFinite(values: Float64Array): boolean {
  // A number less itself is 0, and NaN where it is none or has no end: one test for all of them.
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) - (values[i] as number)
  return sum === 0
}

/** What came, in the same order. */
export function truths(values: Float64Array, { first, every, count, horizon }: Origins): Float64Array {
  const rows = new Float64Array(count * horizon)
  for (let row = 0; row < count; row++) rows.set(values.subarray(first + row * every, first + row * every + horizon), row * horizon)
  return rows
}
