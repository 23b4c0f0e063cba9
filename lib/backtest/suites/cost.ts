import { Arrivals } from '../../predict/arrivals.js'
import { Ensemble } from '../../predict/ensemble.js'
import { forecastRivals } from '../forecast-rivals.js'
import type { Suite } from '../suite.js'

const POINTS = 1_000
const HORIZON = 48
const FITS = 60
const RIVAL_FITS = 5
const SEASONS = [24, 168]
const KEYS = 10_000
const ROUNDS = 40
const MS_PER_KEY = 3
const US_PER_MS = 1_000

/** What foresight costs: the least of many rounds, each long enough to be measured, because a neighbour only ever adds. */
export const cost: Suite = {
  name: 'cost',
  title: 'what a fit, a forecast, a score and an event cost, on one thread',
  settings: `default ensemble on ${POINTS} points with two seasons; ${KEYS} keys`,
  needs: [],
  timed: true,
  async run({ rivals, progress }) {
    const values = Array.from(
      { length: POINTS },
      (_, t) => 100 + 40 * Math.sin((2 * Math.PI * t) / 24) + 9 * Math.sin((2 * Math.PI * t) / 168) + ((t * 7919) % 13)
    )
    let fit = Number.POSITIVE_INFINITY
    let forecast = Number.POSITIVE_INFINITY
    for (let i = 0; i < FITS; i++) {
      const ensemble = new Ensemble({ horizon: HORIZON })
      let began = performance.now()
      await ensemble.fit(values)
      fit = Math.min(fit, performance.now() - began)
      began = performance.now()
      ensemble.forecast(HORIZON)
      forecast = Math.min(forecast, performance.now() - began)
      progress((0.5 * (i + 1)) / FITS)
    }
    const arrivals = new Arrivals({ keys: KEYS })
    const keys = BigUint64Array.from({ length: KEYS }, (_, i) => BigInt(i))
    let [event, score] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (let round = 0; round < ROUNDS; round++) {
      const came = Array.from(keys, (key, i) => ({ key, time: MS_PER_KEY * (round * KEYS + i) }))
      let began = performance.now()
      arrivals.record(came)
      event = Math.min(event, performance.now() - began)
      began = performance.now()
      arrivals.score(keys, MS_PER_KEY * (round + 1) * KEYS)
      score = Math.min(score, performance.now() - began)
      progress(0.5 + (0.5 * (round + 1)) / ROUNDS)
    }
    return {
      measures: [
        { id: 'fit-1000', unit: 'ms', value: fit, rivals: rivals ? await besides(values) : {}, must: { atMost: 5 } },
        { id: 'forecast-48', unit: 'ms', value: forecast, must: { atMost: 0.2 } },
        { id: 'key-score', unit: 'us', value: (score / KEYS) * US_PER_MS, must: { atMost: 1 } },
        {
          id: 'event-step',
          unit: 'us',
          value: (event / KEYS) * US_PER_MS,
          must: { atMost: 2 },
          note: 'a request recorded, with what is learnt beside it'
        }
      ]
    }
  }
}

/** ms of a fit and a forecast by other libraries: the least of some, of slow ones one. */
async function besides(values: readonly number[]): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const { name, slow, forecast } of await forecastRivals()) {
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < (slow ? 1 : RIVAL_FITS); i++) {
      const began = performance.now()
      await forecast(values, SEASONS, HORIZON)
      least = Math.min(least, performance.now() - began)
    }
    found[name] = least
  }
  return found
}
