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
  /** Exponential smoothing (native/predict/smoothing.h), of a season of `period` steps, 0 none. `parameters`: level, trend, season, damping. */
  smoothingFit(values: Float64Array, length: number, period: number, trended: 0 | 1, parameters: Float64Array): boolean
  smoothingForecast(values: Float64Array, length: number, period: number, parameters: Float64Array, forecast: Float64Array): boolean
  /** The autocorrelation at lags 0, 1, ... */
  autocorrelation(values: Float64Array, length: number, correlations: Float64Array): boolean
}
