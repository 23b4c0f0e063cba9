import { isForelockError } from '../errors/index.js'
import { loadAugurs } from '../predict/trained/augurs-fit.js'
import { Recurrent } from '../predict/trained/recurrent.js'
import { loadTensorflow } from '../predict/trained/recurrent-fit.js'
import { Scale } from '../predict/trained/scaled.js'

/** A library that forecasts beside ours, in the same process, from the same values. */
export interface ForecastRival {
  readonly name: string
  /** it takes so long that it is given only some */
  readonly slow: boolean
  /** The next values; undefined: it cannot say. */
  forecast(values: ArrayLike<number>, seasons: readonly number[], horizon: number): Promise<Float64Array | undefined>
}

const BUDGET_MS = 60_000

/** Those that are installed. */
export async function forecastRivals(): Promise<ForecastRival[]> {
  const all = await Promise.all([augurs('mstl', 'augurs MSTL'), augurs('ets', 'augurs ETS'), augurs('prophet', 'augurs Prophet'), lstm()])
  return all.filter(rival => rival !== undefined)
}

async function augurs(kind: 'mstl' | 'ets' | 'prophet', name: string): Promise<ForecastRival | undefined> {
  const line = await installed(loadAugurs(kind))
  return (
    line && {
      name,
      slow: kind === 'prophet',
      async forecast(values, seasons, horizon) {
        const all = Float64Array.from(values)
        const scale = Scale.of(all)
        if (scale === undefined) return undefined
        const periods = seasons.filter(period => 2 * period <= all.length)
        const said = line({ kind, periods, steps: horizon, budget: BUDGET_MS, values: all.map(value => scale.into(value)) })
        return said?.map(value => scale.back(value))
      }
    }
  )
}

async function lstm(): Promise<ForecastRival | undefined> {
  const tensorflow = await installed(loadTensorflow())
  return (
    tensorflow && {
      name: 'TensorFlow.js LSTM',
      slow: true,
      async forecast(values, seasons, horizon) {
        const all = Float64Array.from(values)
        const model = new Recurrent({ season: seasons[0] ?? 1, horizon, budget: BUDGET_MS })
        const out = new Float64Array(horizon)
        return (await model.fit(all, all.length)) && model.predict(all, all.length, out) ? out : undefined
      }
    }
  )
}

/** Undefined: it is an optional package that is not there. */
async function installed<T>(loading: Promise<T>): Promise<T | undefined> {
  try {
    return await loading
  } catch (error) {
    if (isForelockError(error, 'ERR_FORELOCK_LOAD')) return undefined
    throw error
  }
}
