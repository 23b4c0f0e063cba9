import { setImmediate as nextTurn } from 'node:timers/promises'
import { count, onlyKnown, optionsObject, refuse } from '../checks.js'
import { ArgumentError, CorruptError } from '../errors/index.js'
import { type Combination, combinationOf, combined } from './combination.js'
import { type Forecast, type Forecaster, HORIZON_MAX, LEVELS, type Model, SEASON_MAX, WINDOW_MAX } from './forecaster.js'
import { Intervals } from './interval.js'
import { independent, originsOf, tried, truths } from './rolling.js'
import { readForecaster, type SavedForecaster, writeForecaster } from './saved-forecaster.js'
import { seasonsOf } from './season.js'
import { surpriseOf } from './surprise.js'
import { Values } from './values.js'

export interface ForecasterOptions {
  /** steps ahead for which it is to be good; default 48 */
  horizon?: number | undefined
  /** values that are kept; default 4,096 */
  window?: number | undefined
  /** the periods of the series in steps, the shortest first; default: found by themselves */
  seasons?: readonly number[] | undefined
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

interface Member {
  readonly model: Model
  readonly error: number
  readonly weight: number
}

/** What was learnt from some values. */
interface Learnt {
  readonly periods: readonly number[]
  /** how many values it was learnt from */
  readonly length: number
  readonly members: readonly Member[]
  readonly by: Combination['by']
  /** rows of `reach` errors each, from which the widths of intervals come */
  readonly errors: Float64Array
  readonly reach: number
  readonly intervals: Intervals
}

/** A forecast that was given, until its values have come. */
interface Issued {
  readonly forecast: Forecast
  seen: number
}

/** Forecasts that are watched at a time, so that intervals follow what is seen. */
const WATCHED = 8

/** What forecasters share: models tried on rolling origins, what they say made one, and conformal intervals around it. */
export abstract class ConformalForecaster implements Forecaster {
  abstract readonly name: string
  private readonly horizon: number
  private readonly seasonsGiven: readonly number[] | undefined
  private values: Values
  private readonly window: number
  private learnt: Learnt | undefined = undefined
  private issued: Issued[] = []
  /** values that came since it was fitted */
  private later = 0
  private fits = 0

  /**
   * @param own names of options of its own
   * @throws ArgumentError
   */
  constructor(options: ForecasterOptions, own: readonly string[] = []) {
    const given = optionsObject(options, 'options') ?? {}
    onlyKnown(given, ['horizon', 'window', 'seasons', ...own], 'a forecaster')
    const { horizon = HORIZON, window = WINDOW, seasons } = given as ForecasterOptions
    this.horizon = count(horizon, 'horizon', 1, HORIZON_MAX)
    this.window = count(window, 'window', 8, WINDOW_MAX)
    this.values = new Values(this.window)
    if (seasons !== undefined && !Array.isArray(seasons)) throw refuse('seasons', 'an array of steps', seasons)
    this.seasonsGiven = seasons?.map((period, i) => count(period, `seasons[${i}]`, 2, SEASON_MAX))
  }

  /** The models to try on a series of these periods and so many values. */
  protected abstract modelsFor(seasons: readonly number[], length: number): readonly Model[]

  /** The periods that it goes by, in steps. */
  get seasons(): readonly number[] {
    return this.learnt?.periods ?? []
  }

  /** What its forecasts are made of. */
  get weights(): Weight[] {
    return (this.learnt?.members ?? []).map(({ model, weight, error }) => ({ name: model.name, weight, error }))
  }

  /**
   * Learns in slices, a model each, so that the event loop goes on between them. Of fits at the same time the one that began last stands.
   *
   * @param signal ends it with the reason, and what was learnt before stands
   */
  async fit(values: ArrayLike<number>, signal?: AbortSignal): Promise<void> {
    this.values.replace(values)
    const began = ++this.fits
    this.later = 0
    const all = this.values.all.slice()
    const periods = this.seasonsGiven ?? seasonsOf(all)
    const learnt = await learn(this.modelsFor(periods, all.length), all, periods, this.horizon, signal)
    if (began !== this.fits) return
    this.learnt = learnt
    this.issued = []
  }

  update(value: number): void {
    this.values.push(value)
    const known = this.values.all[this.values.length - 1]
    if (known === undefined) return
    this.later++
    for (const one of this.issued) this.compare(one, known)
    this.issued = this.issued.filter(one => one.seen < one.forecast.horizon)
  }

  forecast(horizon: number, levels: readonly number[] = LEVELS): Forecast {
    count(horizon, 'horizon', 1, HORIZON_MAX)
    const asked = readLevels(levels)
    const point = this.middle(horizon)
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

  /**
   * The values and what was learnt from them; the forecasts that wait for their values are not part of it.
   *
   * @throws ArgumentError of a member that has no `save`
   */
  save(): Uint8Array {
    const { learnt, values } = this
    return writeForecaster({
      name: this.name,
      values: Array.from(values.all),
      later: this.later,
      least: Number.isFinite(values.lowest) ? values.lowest : null,
      learnt: learnt === undefined ? null : write(learnt)
    })
  }

  /**
   * Goes on from what was saved, in place of what it knows, with its own window; members given to the one that was saved have to be given to this one, too.
   *
   * @throws CorruptError if it is not what `save()` gave, ArgumentError if it has members that this one lacks, and nothing has changed
   */
  load(saved: Uint8Array): void {
    const read = readForecaster(saved)
    if (read === undefined || read.name !== this.name)
      throw new CorruptError('the saved forecaster is damaged, or of another version or kind', {})
    const learnt = read.learnt === null ? undefined : this.revive(read.learnt)
    this.values = Values.of(read.values, this.window, read.least ?? undefined)
    this.later = read.later
    this.learnt = learnt
    this.issued = []
  }

  private revive({ periods, length, members, by, errors, reach, scales }: NonNullable<SavedForecaster['learnt']>): Learnt {
    const models = [...this.modelsFor(periods, length)]
    const found = members.map(({ name, weight, error, state }) => {
      const at = models.findIndex(model => model.name === name)
      // Each but once: two may have one name.
      const [model] = at < 0 ? [] : models.splice(at, 1)
      if (model?.load === undefined)
        throw new ArgumentError(`the saved forecaster has a member ${name}, which is not here or cannot be loaded`, {
          option: 'members',
          given: name
        })
      return { model, load: model.load.bind(model), weight, error: error ?? Number.NaN, state }
    })
    const before = found.map(({ model }) => model.save?.())
    const failed = found.findIndex(({ load, state }) => !load(state))
    if (failed >= 0) {
      // Members of the caller's own go on as they were.
      for (let i = 0; i < failed; i++) found[i]?.load(before[i])
      throw new CorruptError(`the saved forecaster is damaged, or of another version: ${found[failed]?.model.name}`, {})
    }
    const widths = Float64Array.from(errors)
    return { periods, length, members: found, by, errors: widths, reach, intervals: Intervals.of(widths, reach, scales) }
  }

  private middle(horizon: number): Float64Array {
    const { all, neverNegative } = this.values
    const { members, by } = this.learnt ?? { members: [], by: 'mean' as const }
    const rows = members.map(({ model }) => {
      const row = new Float64Array(horizon)
      return model.predict(all, all.length, row, this.later) && row.every(Number.isFinite) ? row : undefined
    })
    const weights = members.map(({ weight }) => weight)
    const last = all[all.length - 1] ?? 0
    return combined(rows, { by, weights }, horizon).map(value => {
      const middle = Number.isNaN(value) ? last : finite(value)
      return neverNegative && all.length > 0 ? Math.max(0, middle) : middle
    })
  }

  /** Without any history there is nothing to tell how far from the middle it may be. */
  private offset(step: number, level: number): number {
    return this.learnt?.intervals.offset(step, level) ?? 0
  }

  private compare(issued: Issued, value: number): void {
    const { levels, quantiles } = issued.forecast
    const step = issued.seen++
    levels.forEach((level, i) => {
      const opposite = levels.findIndex(other => Math.abs(other - (1 - level)) < 1e-9)
      if (level >= 0.5 || opposite < 0) return
      const inside = value >= (quantiles[i]?.[step] as number) && value <= (quantiles[opposite]?.[step] as number)
      this.learnt?.intervals.saw(Math.abs(2 * level - 1), inside)
    })
  }
}

async function learn(
  models: readonly Model[],
  all: Float64Array,
  periods: readonly number[],
  horizon: number,
  signal: AbortSignal | undefined
): Promise<Learnt> {
  const origins = originsOf(all.length, horizon, periods.length > 0)
  const rows: (Float64Array | undefined)[] = []
  const surprises: number[] = []
  for (const model of models) {
    await slice(signal)
    const row = origins !== undefined && (await model.fit(all, origins.first)) ? tried(model, all, origins) : undefined
    rows.push(row)
    surprises.push(origins === undefined || row === undefined ? 1 : surpriseOf(model, all, origins, row))
  }
  const usable: boolean[] = []
  for (const model of models) {
    await slice(signal)
    usable.push(await model.fit(all, all.length))
  }
  const truth = origins === undefined ? undefined : truths(all, origins)
  const voices = rows.map((row, i) => (usable[i] === true ? row : undefined))
  const found =
    origins === undefined || truth === undefined
      ? undefined
      : combinationOf(voices, truth, { horizon: origins.horizon, independent: independent(origins), surprises })
  const good = found?.weights.some(weight => weight > 0) === true
  // Nothing could be tried: the first that can speak at all does.
  const first = usable.indexOf(true)
  const members = models
    .map((model, i) => {
      const weight = good ? (found.weights[i] as number) : i === first ? 1 : 0
      return { model, error: found?.errors[i] ?? Number.NaN, weight }
    })
    .filter(({ weight }) => weight > 0)
  const common = { periods, length: all.length, members, by: found?.by ?? 'mean' }
  if (origins === undefined || truth === undefined || !good) {
    const errors = differences(all)
    return { ...common, errors, reach: 1, intervals: Intervals.of(errors, 1) }
  }
  const said = combined(voices, found, truth.length)
  const errors = truth.map((value, at) => finite(value - (said[at] as number)))
  return { ...common, errors, reach: origins.horizon, intervals: Intervals.of(errors, origins.horizon) }
}

/** Lets the event loop go on. */
async function slice(signal: AbortSignal | undefined): Promise<void> {
  await nextTurn()
  signal?.throwIfAborted()
}

function write({ periods, length, members, by, errors, reach, intervals }: Learnt): SavedForecaster['learnt'] {
  return {
    periods: [...periods],
    length,
    members: members.map(({ model, weight, error }) => {
      if (model.save === undefined || model.load === undefined) {
        throw new ArgumentError(`${model.name} has no save() and load(), so what it has learnt cannot be saved`, {
          option: 'members',
          given: model.name
        })
      }
      return { name: model.name, weight, error: Number.isFinite(error) ? error : null, state: model.save() }
    }),
    by,
    errors: Array.from(errors),
    reach,
    scales: intervals.scales
  }
}

function differences(values: Float64Array): Float64Array {
  return values.length < 2 ? new Float64Array([0]) : values.slice(1).map((value, i) => finite(value - (values[i] as number)))
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
