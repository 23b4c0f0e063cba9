import { count, optionsOf, refuse, text } from '../checks.js'
import { type Grid, gridOf, type Point } from './grid.js'

export interface StreamOptions {
  /** what becomes of several values in a step; default their mean */
  take?: 'mean' | 'max' | 'last' | 'sum' | undefined
  /** values that are kept, the last ones told; default 16,384 */
  window?: number | undefined
}

const WINDOW = 16_384
const TIME_MAX = 8.64e15
const TAKES = ['mean', 'max', 'last', 'sum'] as const

/** Numbers that come from outside at any times, as a sensor's, or the visits of each second: what may go before what is to be foretold. */
export class NumericStream {
  readonly name: string
  private readonly take: 'mean' | 'max' | 'last' | 'sum'
  private readonly most: number
  private points: Point[] = []
  /** changes when it is told something */
  private told = 0
  private gridded: Gridded | undefined = undefined

  /** @throws ArgumentError */
  constructor(name: string, options?: StreamOptions) {
    const { take = 'mean', window = WINDOW } = optionsOf(options, ['take', 'window'], 'NumericStream')
    this.name = text(name, 'name')
    if (!TAKES.includes(take)) throw refuse('take', TAKES.join(', '), take)
    this.take = take
    this.most = count(window, 'window', 1, 1_000_000)
  }

  /**
   * Takes what was seen at a time; a value that is no number counts as not seen.
   *
   * @param time ms since the Unix epoch, in any order
   * @throws ArgumentError
   */
  record(time: number, value: number): void {
    if (typeof time !== 'number' || !(Math.abs(time) <= TIME_MAX)) throw refuse('time', 'ms since the Unix epoch', time)
    if (typeof value !== 'number') throw refuse('value', 'a number', value)
    if (!Number.isFinite(value)) return
    this.points.push({ time, value })
    this.told++
    // Not with each one: that would move all of them each time.
    if (this.points.length >= 2 * this.most) this.points = this.points.slice(-this.most)
  }

  /**
   * Its values at the steps of a forecast. Where nothing was seen the last value before holds; before the first one it is NaN. Steps after
   * the last one that it was told of are left out.
   *
   * @param start ms since the Unix epoch: the beginning of the first step
   * @param step ms
   * @param length steps at most
   */
  on(start: number, step: number, length: number): Float64Array {
    const { grid, isLater } = this.gridOf(start, step, start + step * length)
    if (grid.values.length === 0) return new Float64Array(isLater ? length : 0).fill(Number.NaN)
    const first = Math.round((grid.start - (start - (start % step))) / step)
    const out = new Float64Array(isLater ? length : Math.max(0, Math.min(length, first + grid.values.length)))
    let last = Number.NaN
    for (let at = Math.min(0, first); at < out.length; at++) {
      const value = grid.values[at - first]
      if (value !== undefined && !Number.isNaN(value)) last = value
      if (at >= 0) out[at] = last
    }
    return out
  }

  /** Steps begin where those of the forecast do. What is told of later is left out: a clock that leapt would leave all that was before it behind. */
  private gridOf(start: number, step: number, end: number): Gridded {
    const phase = start % step
    const { gridded: last, told } = this
    if (last?.step === step && last.phase === phase && last.end === end && last.told === told) return last
    const kept = this.points.slice(-this.most)
    const points = kept.flatMap(({ time, value }) => (time < end ? [{ time: time - phase, value }] : []))
    const grid = gridOf(points, { step, take: this.take, window: this.most })
    this.gridded = { step, phase, end, told, grid, isLater: points.length < kept.length }
    return this.gridded
  }
}

/** The values before an end, and what they were asked for with. */
interface Gridded {
  readonly step: number
  readonly phase: number
  readonly end: number
  readonly told: number
  readonly grid: Grid
  /** there are values after the end, too */
  readonly isLater: boolean
}
