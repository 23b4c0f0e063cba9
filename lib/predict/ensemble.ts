import { refuse } from '../checks.js'
import { ConformalForecaster, type ForecasterOptions } from './conformal.js'
import { isModel, type Model } from './forecaster.js'
import { Median, PhaseMean } from './naive.js'
import { RidgeAutoregression } from './ridge.js'
import { Smoothing } from './smoothing.js'

export interface EnsembleOptions extends ForecasterOptions {
  /** models beside its own */
  members?: readonly Model[] | undefined
}

/** About an hour, some hours and a day of five-minute values. */
const MEDIANS = [13, 49, 289]

/**
 * Several models, each weighted by how well it would have done lately on this very series (rolling origins), with conformal intervals around
 * what they say together. Combinations of simple methods won most of the M4 competition's places (Makridakis et al., Int. J. Forecasting 36(1),
 * 2020); which of them is good differs from series to series.
 */
export class Ensemble extends ConformalForecaster {
  readonly name = 'ensemble'
  private readonly members: readonly Model[]

  /** @throws ArgumentError */
  constructor(options: EnsembleOptions = {}) {
    super(options, ['members'])
    const { members = [] } = options
    if (!Array.isArray(members) || !members.every(isModel))
      throw refuse('members', 'an array of models, each with a name, fit() and predict()', members)
    this.members = members
  }

  protected modelsFor(seasons: readonly number[], length: number): Model[] {
    return [...membersFor(seasons, length), ...this.members]
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
