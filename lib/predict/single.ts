import { refuse } from '../checks.js'
import { ConformalForecaster, type ForecasterOptions } from './conformal.js'
import { isModel, type Model } from './forecaster.js'

/** One model alone as a forecaster, with intervals of its own errors on rolling origins; where it cannot say, the last value stands for it. */
export class Single extends ConformalForecaster {
  readonly name: string

  /** @throws ArgumentError */
  constructor(
    private readonly model: Model,
    options: ForecasterOptions = {}
  ) {
    super(options)
    if (!isModel(model)) throw refuse('model', 'one with a name, fit() and predict()', model)
    this.name = model.name
  }

  protected modelsFor(): readonly Model[] {
    return [this.model]
  }
}
