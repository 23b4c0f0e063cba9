import { join } from 'node:path'
import { Ensemble } from '../../predict/ensemble.js'
import { EventForecaster } from '../../predict/event-forecaster.js'
import type { Forecast } from '../../predict/forecaster.js'
import { readSeries } from '../m4.js'
import { pinball } from '../scores.js'
import type { Suite } from '../suite.js'

const HOUR_MS = 3_600_000
const HORIZON = 48
/** Every so many series, so that both kinds together take half a minute. */
const EVERY = 9
const LASTS = 6
const FACTOR = 1.5
const LEVELS = [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975]

/** Real series, with events at random: some that do nothing, and some that raise six hours by half. */
export const m4Events: Suite = {
  name: 'm4-events',
  title: '46 hourly series with events put in at random, the next 48 hours, with and without being told of them',
  settings: 'default event forecaster around a default ensemble; constants set on generated series; the last 48 training points foretold',
  needs: ['m4_hourly'],
  async run({ data, progress }) {
    const all = await readSeries(join(data, 'm4_hourly', 'Hourly-train.csv'))
    const chosen = all.filter((_, i) => i % EVERY === 0)
    const idle: number[] = []
    const raised: number[] = []
    let [within, together] = [0, 0]
    for (const [i, series] of chosen.entries()) {
      const starts = startsOf(series.length, i + 1)
      idle.push((await compared(series, starts)).ratio)
      const told = await compared(withCampaigns(series, starts), starts)
      raised.push(told.ratio)
      within += told.within
      together += HORIZON
      progress((i + 1) / chosen.length)
    }
    return {
      measures: [
        { id: 'idle', unit: 'of the loss without events', value: geometricMean(idle), must: { atMost: 1.03 } },
        {
          id: 'idle-worst-tenth',
          unit: 'of the loss without events',
          value: [...idle].sort((a, b) => a - b)[Math.floor(0.9 * idle.length)] ?? Number.NaN
        },
        { id: 'raised', unit: 'of the loss without events', value: geometricMean(raised), must: { atMost: 0.5 } },
        { id: 'coverage', unit: 'of 95 %', value: within / together, must: { from: 0.93, to: 0.98 } }
      ]
    }
  }
}

/** The pinball loss of the forecast with events, of that without, and how many values lie within 95 %. */
async function compared(series: readonly number[], starts: readonly number[]): Promise<{ ratio: number; within: number }> {
  const [history, truth] = [series.slice(0, -HORIZON), series.slice(-HORIZON)]
  const plain = new Ensemble({ horizon: HORIZON })
  await plain.fit(history)
  const told = new EventForecaster({ step: HOUR_MS })
  for (const start of starts) told.expect({ type: 'campaign', start: start * HOUR_MS, end: (start + LASTS) * HOUR_MS })
  await told.fit(history)
  const forecast = told.forecast(HORIZON, LEVELS)
  const [low, high] = [forecast.quantiles[0], forecast.quantiles[LEVELS.length - 1]] as [Float64Array, Float64Array]
  const within = truth.filter((value, i) => value >= (low[i] as number) && value <= (high[i] as number)).length
  return { ratio: lossOf(truth, forecast) / lossOf(truth, plain.forecast(HORIZON, LEVELS)), within }
}

function lossOf(truth: readonly number[], { levels, quantiles }: Forecast): number {
  return levels.reduce((sum, level, k) => sum + pinball(truth, quantiles[k] as Float64Array, level), Number.MIN_VALUE)
}

/** Every thirty to ninety hours, the same each time. */
function startsOf(length: number, seed: number): number[] {
  let state = seed
  const random = (below: number) => {
    state = (48_271 * state) % 2_147_483_647
    return state % below
  }
  const starts: number[] = []
  random(1)
  for (let at = 20 + random(50); at < length; at += 30 + random(60)) starts.push(at)
  return starts
}

function withCampaigns(series: readonly number[], starts: readonly number[]): number[] {
  return series.map((value, at) => (starts.some(start => at >= start && at < start + LASTS) ? FACTOR * value : value))
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value) / values.length, 0))
}
