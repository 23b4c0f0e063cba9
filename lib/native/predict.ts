/**
 * The sums of the forecasters: the counterpart of native/bind/predict.cc. Each reads the first `length` values, throws a TypeError where an
 * argument is not of its type, and answers false where there are too few values, or some that are not finite.
 */
export interface PredictKernels {
  /** Autoregression by ridge regression (native/predict/ridge.h). `coefficients`: the intercept, then a weight for each lag. */
  ridgeFit(
    values: Float64Array,
    length: number,
    lags: Uint32Array,
    difference: number,
    penalty: number,
    coefficients: Float64Array
  ): boolean
  ridgeForecast(
    values: Float64Array,
    length: number,
    lags: Uint32Array,
    difference: number,
    coefficients: Float64Array,
    forecast: Float64Array
  ): boolean
  /** From each of some beginnings, none longer than the values: a row of `forecasts` for each. `origins`: the length of the first, by how much each is longer than the one before, and how many. */
  ridgeForecasts(
    values: Float64Array,
    origins: Uint32Array,
    lags: Uint32Array,
    difference: number,
    coefficients: Float64Array,
    forecasts: Float64Array
  ): boolean
  /** Exponential smoothing (native/predict/smoothing.h), of a season of `period` steps, 0 none. `parameters`: level, trend, season, damping. */
  smoothingFit(values: Float64Array, length: number, period: number, trended: 0 | 1, parameters: Float64Array): boolean
  smoothingForecast(values: Float64Array, length: number, period: number, parameters: Float64Array, forecast: Float64Array): boolean
  /** As {@link ridgeForecasts}. */
  smoothingForecasts(values: Float64Array, origins: Uint32Array, period: number, parameters: Float64Array, forecasts: Float64Array): boolean
  /** The autocorrelation at lags 0, 1, ... */
  autocorrelation(values: Float64Array, length: number, correlations: Float64Array): boolean
  /**
   * Goes on with a recurrent net (native/predict/recurrent.h) by some values, then says what its dense layer makes of it. `shape`: 0 LSTM or 1
   * GRU, units, outputs. False, and nothing has changed: the result is not finite.
   */
  recurrentRun(shape: Uint32Array, weights: Float32Array, state: Float64Array, inputs: Float64Array, out: Float64Array): boolean
  /** Makes a predictor of arrivals (native/predict/arrivals.h). `within`: s. */
  arrivals(keys: number, within: number, seed: number): NativeArrivals
}

/** A key is two words; times are seconds. Each throws a TypeError where an argument is not of its type. */
export interface NativeArrivals {
  arrived(keys: Uint32Array, times: Float64Array, tiers: Uint8Array, clients: Uint32Array, runs: Uint32Array, count: number): void
  advance(now: number): void
  /** In tier 0 and above: in any. */
  score(keys: Uint32Array, now: number, tier: number, scores: Float64Array): void
  /** Writes those that are at least so likely and were not asked for for `idle` s, the likeliest first, and says how many there are. */
  likely(now: number, least: number, idle: number, keys: Uint32Array, scores: Float64Array): number
  tracked(): number
  examples(): number
  save(weights: Float32Array): boolean
  /** False, and nothing has changed, when they are not what save() writes. */
  load(weights: Float32Array): boolean
  /** how many there are */
  readonly weights: number
}
