import { count, duration, optionsOf, refuse } from '../../checks.js'
import { HORIZON_MAX, type Model, SEASON_MAX } from '../forecaster.js'
import { seasonsOf } from '../season.js'
import { fitThread } from './fit-thread.js'
import type { LineFit } from './fits.js'
import { Scale } from './scaled.js'

export interface AugursOptions {
  /** default all but `'prophet'`, which needs a package more */
  models?: readonly LineFit['kind'][] | undefined
  /** steps ahead for which they are wanted; default 48 */
  horizon?: number | undefined
  /** ms that one fit may take; beyond that it is given up; default 10,000 */
  budget?: number | undefined
  /** the periods in steps, the shortest first; default: found by themselves */
  seasons?: readonly number[] | undefined
}

const KINDS = ['mstl', 'ets', 'prophet'] as const
const HORIZON = 48
const BUDGET_MS = 10_000
const BUDGET_MAX_MS = 2 ** 29
const LEAST = 10
/** Periods that a seasonal model must have seen. */
const SEEN = 2
/** Horizons for which a line is drawn: from where it ends it repeats itself. */
const HORIZONS = 4
/** How fast a line is moved by how much it errs; it is not fitted anew with each value. */
const RATE = 0.1

/**
 * Models of the package `@bsull/augurs` as members of an ensemble: ETS, MSTL and, with `@bsull/augurs-prophet-wasmstan`, Prophet. They are fitted in a
 * thread of its own, and say a line that is moved by the errors of what came since.
 *
 * @throws ArgumentError
 */
export function augursMembers(options?: AugursOptions): Model[] {
  const given = optionsOf(options, ['models', 'horizon', 'budget', 'seasons'], 'augursMembers()')
  const { models = ['mstl', 'ets'], horizon = HORIZON, budget = BUDGET_MS, seasons } = given
  if (!Array.isArray(models)) throw refuse('models', `an array of ${KINDS.join(', ')}`, models)
  for (const kind of models) if (!KINDS.includes(kind)) throw refuse('models', `an array of ${KINDS.join(', ')}`, kind)
  if (seasons !== undefined && !Array.isArray(seasons)) throw refuse('seasons', 'an array of steps', seasons)
  const periods = seasons?.map((period, i) => count(period, `seasons[${i}]`, 2, SEASON_MAX))
  count(horizon, 'horizon', 1, HORIZON_MAX)
  const limit = Math.min(duration(budget, 'budget'), BUDGET_MAX_MS)
  return (models as readonly LineFit['kind'][]).map(kind => new AugursModel(kind, horizon, limit, periods))
}

/** A line that was drawn once, and is moved by its errors (simple exponential smoothing of them) as values come. */
class AugursModel implements Model {
  private line: Float64Array | undefined = undefined
  private period = 1

  constructor(
    readonly name: LineFit['kind'],
    private readonly horizon: number,
    private readonly budget: number,
    private readonly seasons: readonly number[] | undefined
  ) {}

  async fit(values: Float64Array, length: number): Promise<boolean> {
    this.line = undefined
    const all = values.slice(0, length)
    const scale = Scale.of(all)
    const periods = (this.seasons ?? seasonsOf(all)).filter(period => SEEN * period <= length)
    const isSeasonal = periods.length > 0
    if (scale === undefined || length < LEAST || (this.name === 'mstl' && !isSeasonal)) return false
    const steps = values.length - length + HORIZONS * this.horizon
    const { name: kind, budget } = this
    const line = await fitThread.fit({ kind, periods, steps, budget, values: all.map(value => scale.into(value)) })
    if (line === undefined) return false
    this.line = line.map(value => scale.back(value))
    this.period = kind === 'ets' ? 1 : Math.min(steps, periods.at(-1) ?? 1)
    return true
  }

  predict(values: Float64Array, length: number, out: Float64Array, later: number): boolean {
    const { line } = this
    if (line === undefined) return false
    let moved = 0
    for (let step = Math.max(0, later - length); step < later; step++) {
      const error = (values[length - later + step] as number) - this.at(line, step)
      moved += RATE * (error - moved)
    }
    for (let step = 0; step < out.length; step++) out[step] = this.at(line, later + step) + moved
    return true
  }

  save(): unknown {
    return this.line === undefined ? null : { line: [...this.line], period: this.period }
  }

  load(saved: unknown): boolean {
    if (saved === null) {
      this.line = undefined
      return true
    }
    if (typeof saved !== 'object') return false
    const { line, period } = saved as Record<string, unknown>
    if (!Array.isArray(line) || line.length === 0 || !line.every(Number.isFinite)) return false
    if (!Number.isInteger(period) || !((period as number) >= 1 && (period as number) <= line.length)) return false
    this.line = Float64Array.from(line)
    this.period = period as number
    return true
  }

  /** Beyond its end the last period over and over. */
  private at(line: Float64Array, step: number): number {
    const over = step - line.length
    return line[over < 0 ? step : line.length - this.period + (over % this.period)] as number
  }
}
