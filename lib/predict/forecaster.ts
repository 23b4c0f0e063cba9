/** What is expected of the next values of a series. Each array has a value for each step, the next one first. */
export interface Forecast {
  /** steps */
  readonly horizon: number
  /** the middle: about half of the values come to lie below */
  readonly point: Float64Array
  /** the quantiles asked for, ascending, each from 0 to 1 */
  readonly levels: readonly number[]
  /** for each level the value that so large a part of the values stays below */
  readonly quantiles: readonly Float64Array[]
}

/**
 * Foretells the values of one series at equal steps. Thin history is no error: then it answers as a naive one does, with wide intervals.
 * Missing values (NaN) are filled in from those around; infinite ones are taken for missing.
 */
export interface Forecaster {
  readonly name: string
  /**
   * Learns anew from values, the oldest first; only the last ones count where there are more than it keeps.
   *
   * @param signal ends it before it is over, with the reason; what stood before goes on
   */
  fit(values: ArrayLike<number>, signal?: AbortSignal): void | Promise<void>
  /** Takes the next value, without learning anew. */
  update(value: number): void
  /**
   * @param horizon steps, a whole number >= 1
   * @param levels default .025, .1, .25, .5, .75, .9, .975
   * @throws ArgumentError
   */
  forecast(horizon: number, levels?: readonly number[]): Forecast
}

export const LEVELS: readonly number[] = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]

/** Steps that can be foretold at most. */
export const HORIZON_MAX = 100_000
/** Values that a forecaster can keep at most. */
export const WINDOW_MAX = 1_000_000
/** Steps that a season can have at most. */
export const SEASON_MAX = 1_000_000

/**
 * A member of a forecaster: foretells the middle, from any beginning of the series that it was fitted to, so that what it would have said in
 * the past can be compared with what came.
 */
export interface Model {
  readonly name: string
  /** Learns from the first `length` values, all of them finite. False: they are too few, and it is of no use. */
  fit(values: Float64Array, length: number): boolean | Promise<boolean>
  /**
   * The values after the first `length`. False: it cannot say.
   *
   * @param later how many of these came after those that it learnt from; of a long series the oldest are gone, so that lengths do not tell
   */
  predict(values: Float64Array, length: number, out: Float64Array, later: number): boolean
  /** What it has learnt, as JSON holds it. Without it, and `load`, a forecaster that it is a member of cannot be saved. */
  save?(): unknown
  /** Takes what `save` gave. False: it is something else, and nothing has changed. */
  load?(saved: unknown): boolean
}

/** Whether it has what a model must have. */
export function isModel(value: unknown): value is Model {
  if (typeof value !== 'object' || value === null) return false
  const { name, fit, predict } = value as { [K in keyof Model]?: unknown }
  return typeof name === 'string' && typeof fit === 'function' && typeof predict === 'function'
}
