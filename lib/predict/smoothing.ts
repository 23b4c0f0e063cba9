import { loadAddon } from '../native/load.js'
import { type Origins, predictRolling, type RollingModel, wordsOf } from './rolling.js'
import { takeNumbers } from './saved.js'

/** Exponential smoothing, with an additive season or without, with a damped trend or without: native/predict/smoothing.h. */
export class Smoothing implements RollingModel {
  readonly name: string
  private readonly kernels = loadAddon().predict
  private readonly parameters = new Float64Array(4)

  /** @param period steps; 0: there is no season */
  constructor(
    private readonly period: number,
    private readonly trended: boolean
  ) {
    this.name = `${period > 0 ? 'holt-winters' : trended ? 'holt' : 'ewma'}${period > 0 ? `(${period})` : ''}`
  }

  fit(values: Float64Array, length: number): boolean {
    return this.kernels.smoothingFit(values, length, this.period, this.trended ? 1 : 0, this.parameters)
  }

  predict(values: Float64Array, length: number, out: Float64Array): boolean {
    return this.kernels.smoothingForecast(values, length, this.period, this.parameters, out)
  }

  [predictRolling](values: Float64Array, origins: Origins, rows: Float64Array): boolean {
    return this.kernels.smoothingForecasts(values, wordsOf(origins), this.period, this.parameters, rows)
  }

  save(): number[] {
    return [...this.parameters]
  }

  load(saved: unknown): boolean {
    return takeNumbers(saved, this.parameters)
  }
}
