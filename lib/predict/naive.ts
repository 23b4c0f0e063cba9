import type { Model } from './forecaster.js'
import { type Origins, predictRolling, type RollingModel } from './rolling.js'
import { SortedWindow } from './sorted-window.js'

/**
 * The mean of the last values at the same place in the period: with one cycle the seasonal naive forecast, and the naive one with a period of
 * one step (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 5.2).
 */
export class PhaseMean implements Model {
  readonly name: string

  /**
   * @param period steps
   * @param cycles of how many periods the mean is taken; fewer, where there are not so many
   */
  constructor(
    private readonly period: number,
    private readonly cycles: number
  ) {
    this.name = period === 1 ? `mean(${cycles})` : `phase-mean(${period} x ${cycles})`
  }

  fit(_: Float64Array, length: number): boolean {
    return length >= this.period
  }

  predict(values: Float64Array, length: number, out: Float64Array): boolean {
    const { period } = this
    const cycles = Math.min(this.cycles, Math.floor(length / period))
    if (cycles === 0) return false
    const first = Math.min(period, out.length)
    for (let step = 0; step < first; step++) {
      let mean = 0
      for (let cycle = 1; cycle <= cycles; cycle++) mean += (values[length - cycle * period + step] as number) / cycles
      out[step] = mean
    }
    for (let step = first; step < out.length; step++) out[step] = out[step - period] as number
    return true
  }

  save(): null {
    return null
  }

  load(saved: unknown): boolean {
    return saved === null
  }
}

/** The median of the last values: the level of a series whose outliers say nothing of what comes. */
export class Median implements RollingModel {
  readonly name: string

  /** @param length of how many values; an odd number */
  constructor(private readonly length: number) {
    this.name = `median(${length})`
  }

  fit(_: Float64Array, length: number): boolean {
    return length >= this.length
  }

  predict(values: Float64Array, length: number, out: Float64Array): boolean {
    if (length < this.length) return false
    const last = values.slice(length - this.length, length).sort()
    out.fill(last[this.length >> 1] as number)
    return true
  }

  /** From one origin to the next the window moves on, and stays in order. */
  [predictRolling](values: Float64Array, { first, every, count, horizon }: Origins, rows: Float64Array): boolean {
    if (first < this.length) return false
    const window = new SortedWindow(this.length)
    let known = first - this.length
    for (let row = 0; row < count; row++) {
      for (; known < first + row * every; known++) window.push(values[known] as number)
      rows.fill(window.quantile(0.5), row * horizon, (row + 1) * horizon)
    }
    return true
  }

  save(): null {
    return null
  }

  load(saved: unknown): boolean {
    return saved === null
  }
}
