import { count, refuse } from '../checks.js'
import { type Combination, combinationOf, combined } from './combination.js'
import { type Forecast, type Forecaster, HORIZON_MAX, LEVELS, type Model } from './forecaster.js'
import { Intervals } from './interval.js'
import { Median, PhaseMean } from './naive.js'
import { RidgeAutoregression } from './ridge.js'
import { type Origins, originsOf, tried, truths } from './rolling.js'
import { seasonsOf } from './season.js'
import { Smoothing } from './smoothing.js'
import { Values } from './values.js'

export interface EnsembleOptions {
  /** steps ahead for which it is to be good; default 48 */
  horizon?: number | undefined
  /** values that are kept; default 4,096 */
  window?: number | undefined
  /** the periods of the series in steps, the shortest first; default: found by themselves */
  seasons?: readonly number[] | undefined
  /** models beside its own */
  members?: readonly Model[] | undefined
}

/** How much a member says, and how well it did. */
export interface Weight {
  readonly name: string
  /** from 0 to 1; together 1 */
  readonly weight: number
  /** mean absolute error on rolling origins, which is twice the pinball loss of the middle; NaN: it was not tried */
  readonly error: number
}

const HORIZON = 48
const WINDOW = 4_096
/** About an hour, some hours and a day of five-minute values. */
const MEDIANS = [13, 49, 289]

interface Member {
  readonly model: Model
  readonly error: number
  readonly weight: number
}

/** A forecast that was given, until its values have come. */
interface Issued {
  readonly forecast: Forecast
  seen: number
}

/** Forecasts that are watched at a time, so that intervals follow what is seen. */
const WATCHED = 8

/**
 * Several models, each weighted by how well it would have done lately on this very series (rolling origins), with conformal intervals around
 * what they say together. Combinations of simple methods won most of the M4 competition's places (Makridakis et al., Int. J. Forecasting 36(1),
 * 2020); which of them is good differs from series to series.
 */
export class Ensemble implements Forecaster {
  readonly name = 'ensemble'
  private readonly horizon: number
  private readonly values: Values
  private readonly options: EnsembleOptions
  private members: readonly Member[] = []
  private by: Combination['by'] = 'mean'
  private intervals: Intervals | undefined = undefined
  private issued: Issued[] = []
  private periods: readonly number[] = []

  /** @throws ArgumentError */
  constructor(options: EnsembleOptions = {}) {
    this.horizon = options.horizon === undefined ? HORIZON : count(options.horizon, 'horizon', 1, HORIZON_MAX)
    this.values = new Values(options.window === undefined ? WINDOW : count(options.window, 'window', 8, 1_000_000))
    this.options = { ...options, seasons: options.seasons?.map((period, i) => count(period, `seasons[${i}]`, 2, 1_000_000)) }
  }

  /** The periods that it goes by, in steps. */
  get seasons(): readonly number[] {
    return this.periods
  }

  /** What its forecasts are made of. */
  get weights(): Weight[] {
    return this.members.map(({ model, weight, error }) => ({ name: model.name, weight, error }))
  }

  async fit(values: ArrayLike<number>): Promise<void> {
    this.values.replace(values)
    const all = this.values.all.slice()
    const seasons = this.options.seasons ?? seasonsOf(all)
    const models = [...membersFor(seasons, all.length), ...(this.options.members ?? [])]
    const origins = originsOf(all.length, this.horizon)
    const rows = origins === undefined ? [] : await tryAll(models, all, origins)
    const usable = await fitAll(models, all)
    this.periods = seasons
    this.issued = []
    this.weigh(all, origins, models, rows, usable)
  }

  update(value: number): void {
    this.values.push(value)
    const known = this.values.all[this.values.length - 1]
    if (known === undefined) return
    for (const one of this.issued) this.compare(one, known)
    this.issued = this.issued.filter(one => one.seen < one.forecast.horizon)
  }

  forecast(horizon: number, levels: readonly number[] = LEVELS): Forecast {
    count(horizon, 'horizon', 1, HORIZON_MAX)
    const asked = readLevels(levels)
    const point = this.combined(horizon)
    const { neverNegative } = this.values
    const quantiles = asked.map(level => {
      const line = point.map((middle, step) => finite(middle + (level === 0.5 ? 0 : this.offset(step, level))))
      return neverNegative ? line.map(value => Math.max(0, value)) : line
    })
    const forecast = { horizon, point, levels: asked, quantiles }
    this.issued.push({ forecast, seen: 0 })
    if (this.issued.length > WATCHED) this.issued.shift()
    return forecast
  }

  private weigh(
    all: Float64Array,
    origins: Origins | undefined,
    models: readonly Model[],
    rows: readonly (Float64Array | undefined)[],
    usable: readonly boolean[]
  ): void {
    const truth = origins === undefined ? undefined : truths(all, origins)
    const tried = rows.map((row, i) => (usable[i] === true ? row : undefined))
    const found = origins === undefined || truth === undefined ? undefined : combinationOf(tried, truth, origins.horizon)
    const good = found?.weights.some(weight => weight > 0) === true
    this.by = found?.by ?? 'mean'
    // Nothing could be tried: the first that can speak at all does.
    const first = usable.indexOf(true)
    const members = models.map((model, i) => {
      const weight = good ? (found.weights[i] as number) : i === first ? 1 : 0
      return { model, error: found?.errors[i] ?? Number.NaN, weight }
    })
    this.members = members.filter(({ weight }) => weight > 0)
    if (origins === undefined || truth === undefined || !good) {
      this.intervals = Intervals.of(differences(all), 1)
      return
    }
    const said = combined(tried, found, truth.length)
    this.intervals = Intervals.of(
      truth.map((value, at) => value - (said[at] as number)),
      origins.horizon
    )
  }

  private combined(horizon: number): Float64Array {
    const { all, neverNegative } = this.values
    const rows = this.members.map(({ model }) => {
      const row = new Float64Array(horizon)
      return model.predict(all, all.length, row) ? row : undefined
    })
    const weights = this.members.map(({ weight }) => weight)
    const last = all[all.length - 1] ?? 0
    return combined(rows, { by: this.by, weights }, horizon).map(value => {
      const middle = Number.isNaN(value) ? last : finite(value)
      return neverNegative && all.length > 0 ? Math.max(0, middle) : middle
    })
  }

  /** Without any history there is nothing to tell how far from the middle it may be. */
  private offset(step: number, level: number): number {
    return this.intervals?.offset(step, level) ?? 0
  }

  private compare(issued: Issued, value: number): void {
    const { levels, quantiles } = issued.forecast
    const step = issued.seen++
    levels.forEach((level, i) => {
      const opposite = levels.findIndex(other => Math.abs(other - (1 - level)) < 1e-9)
      if (level >= 0.5 || opposite < 0) return
      const inside = value >= (quantiles[i]?.[step] as number) && value <= (quantiles[opposite]?.[step] as number)
      this.intervals?.saw(Math.abs(2 * level - 1), inside)
    })
  }
}

/** The models that suit a series of these seasons. What has worked on hourly and five-minute series of many kinds, and is cheap. */
export function membersFor(seasons: readonly number[], length: number): Model[] {
  const [day, week] = seasons
  const models: Model[] = [new PhaseMean(1, 1), ...MEDIANS.map(length => new Median(length)), new Smoothing(0, false)]
  if (day === undefined) {
    return [...models, new Smoothing(0, true), new PhaseMean(1, 12), new RidgeAutoregression('ridge', upTo(12), 0)]
  }
  const longer = week ?? 7 * day
  models.push(new PhaseMean(day, 1), new PhaseMean(day, 4))
  if (length >= 2 * longer) models.push(new PhaseMean(longer, 1), new PhaseMean(longer, 3))
  const within = (lags: readonly number[], taken: number) => [...new Set(lags)].filter(lag => lag > 0 && lag < length / 2 - taken)
  const near = (lag: number, width: number) => Array.from({ length: 2 * width + 1 }, (_, i) => lag - width + i)
  const multiples = [3, 4, 5, 6, 8].map(times => times * day)
  const seasonal = [
    ...upTo(3),
    ...near(day, 2),
    ...near(2 * day, 1),
    ...multiples,
    6 * day + 1,
    ...near(longer, 1),
    longer + day,
    2 * longer
  ]
  models.push(
    new RidgeAutoregression('ridge-seasonal', within(seasonal, 30), 0),
    new RidgeAutoregression('ridge-recent', within([...upTo(Math.min(25, day + 1)), day, 2 * day, longer], 30), 0),
    new RidgeAutoregression('ridge-differences', within([...upTo(Math.min(25, day + 1)), 2 * day, longer - day, longer], day + 30), day),
    new Smoothing(day, false)
  )
  return models
}

function upTo(lag: number): number[] {
  return Array.from({ length: lag }, (_, i) => i + 1)
}

async function tryAll(models: readonly Model[], all: Float64Array, origins: Origins): Promise<(Float64Array | undefined)[]> {
  const rows: (Float64Array | undefined)[] = []
  for (const model of models) rows.push((await model.fit(all, origins.first)) ? tried(model, all, origins) : undefined)
  return rows
}

async function fitAll(models: readonly Model[], all: Float64Array): Promise<boolean[]> {
  const usable: boolean[] = []
  for (const model of models) usable.push(await model.fit(all, all.length))
  return usable
}

function differences(values: Float64Array): Float64Array {
  return values.length < 2 ? new Float64Array([0]) : values.slice(1).map((value, i) => value - (values[i] as number))
}

function finite(value: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value))
}

function readLevels(levels: readonly number[]): readonly number[] {
  if (!Array.isArray(levels)) throw refuse('levels', 'an array of numbers between 0 and 1', levels)
  for (const level of levels) {
    if (typeof level !== 'number' || !(level > 0 && level < 1)) throw refuse('levels', 'an array of numbers between 0 and 1', level)
  }
  return [...(levels as number[])].sort((a, b) => a - b)
}
