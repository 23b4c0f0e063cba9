import { loadAddon } from '../native/load.js'
import { type Origins, predictRolling, type RollingModel, wordsOf } from './rolling.js'
import { takeNumbers } from './saved.js'

/** In units of the variance: next to none, enough to keep lags apart that are alike. */
const PENALTY = 1

/** Autoregression on chosen lags, by ridge regression: native/predict/ridge.h. */
export class RidgeAutoregression implements RollingModel {
  private readonly kernels = loadAddon().predict
  private readonly lags: Uint32Array
  private readonly coefficients: Float64Array

  /**
   * @param difference of the values and those so many steps before; 0: of the values themselves
   */
  constructor(
    readonly name: string,
    lags: readonly number[],
    private readonly difference: number
  ) {
    this.lags = Uint32Array.from(lags)
    this.coefficients = new Float64Array(lags.length + 1)
  }

  fit(values: Float64Array, length: number): boolean {
    return this.kernels.ridgeFit(values, length, this.lags, this.difference, PENALTY, this.coefficients)
  }

  predict(values: Float64Array, length: number, out: Float64Array): boolean {
    return this.kernels.ridgeForecast(values, length, this.lags, this.difference, this.coefficients, out)
  }

  [predictRolling](values: Float64Array, origins: Origins, rows: Float64Array): boolean {
    return this.kernels.ridgeForecasts(values, wordsOf(origins), this.lags, this.difference, this.coefficients, rows)
  }

  save(): number[] {
    return [...this.coefficients]
  }

  load(saved: unknown): boolean {
    return takeNumbers(saved, this.coefficients)
  }
}
