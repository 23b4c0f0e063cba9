import { callback, refuse } from '../checks.js'
import { isModel, type Model } from '../predict/forecaster.js'

/** ms that a fit of a user's model may take, on real time; one that is later is asked no more. */
const FIT_MS = 10_000

/** What was registered, and whether it is still asked. */
interface Registered {
  readonly make: () => Model
  isLate: boolean
  isTold: boolean
}

/**
 * Models of a user's. What one does wrong costs its own voice and nothing else: where it throws, is late, or says what is no forecast, it is left out
 * of that series until that is learnt anew, and a warning tells why, once. A fit that never gives the thread back is beyond that.
 */
export class OwnModels {
  readonly #registered: Registered[] = []
  readonly #budget: number

  /** @param budget ms for a fit */
  constructor(budget = FIT_MS) {
    this.#budget = budget
  }

  /** @throws ArgumentError if it makes no models; what it throws */
  add(make: () => Model): void {
    callback(make, 'model')
    const model: unknown = make()
    if (!isModel(model)) throw noModel(model)
    this.#registered.push({ make, isLate: false, isTold: false })
  }

  /** New ones, for a series. */
  make(): Model[] {
    return this.#registered.flatMap(registered => {
      if (registered.isLate) return []
      try {
        const model: unknown = registered.make()
        if (!isModel(model)) throw noModel(model)
        return [new OwnModel(model, registered, this.#budget)]
      } catch (error) {
        tell(registered, undefined, error)
        return []
      }
    })
  }
}

class OwnModel implements Model {
  readonly name: string
  readonly #model: Model
  readonly #registered: Registered
  readonly #budget: number
  #isOut = false

  constructor(model: Model, registered: Registered, budget: number) {
    this.name = model.name
    this.#model = model
    this.#registered = registered
    this.#budget = budget
  }

  async fit(values: Float64Array, length: number): Promise<boolean> {
    if (this.#isOut || this.#registered.isLate) return false
    try {
      return answer(await this.#within(this.#model.fit(values.slice(0, length), length)), 'fit()')
    } catch (error) {
      return this.#fail(error)
    }
  }

  /** Of a copy, and of no more than the past: who reads on beyond `length` would look the better the less it foretells. */
  predict(values: Float64Array, length: number, out: Float64Array, later: number): boolean {
    if (this.#isOut) return false
    try {
      return answer(this.#model.predict(values.slice(0, length), length, out, later), 'predict()')
    } catch (error) {
      return this.#fail(error)
    }
  }

  async #within(fitting: boolean | Promise<boolean>): Promise<boolean> {
    if (!(fitting instanceof Promise)) return fitting
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#registered.isLate = true
        reject(new Error(`its fit took more than ${this.#budget} ms`))
      }, this.#budget)
    })
    try {
      return await Promise.race([fitting, late])
    } finally {
      clearTimeout(timer)
    }
  }

  #fail(error: unknown): false {
    this.#isOut = true
    tell(this.#registered, this.name, error)
    return false
  }
}

const noModel = (made: unknown) => refuse('model', 'what makes a Model, with a name, fit() and predict()', made)

/** A promise of a forecast is none: it would be counted as said before anything was. */
function answer(given: unknown, of: string): boolean {
  if (typeof given !== 'boolean') throw new TypeError(`${of} must say true or false`)
  return given
}

function tell(registered: Registered, name: string | undefined, error: unknown): void {
  if (registered.isTold) return
  registered.isTold = true
  const reason = error instanceof Error ? error.message : String(error)
  process.emitWarning(`${name === undefined ? 'A model' : `The model ${name}`} is left out of forecasts: ${reason}`, {
    type: 'ForelockForesightWarning',
    code: 'FORELOCK_MODEL'
  })
}
