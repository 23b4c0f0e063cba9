import { join } from 'node:path'
import { Ensemble, membersFor } from '../../predict/ensemble.js'
import { seasonsOf } from '../../predict/season.js'
import { type ForecastRival, forecastRivals } from '../forecast-rivals.js'
import { type NabFile, readCorpus } from '../nab/corpus.js'
import { smape } from '../scores.js'
import type { Chart, Measure, Suite } from '../suite.js'

const HORIZON = 48
/** The part of each series that settings were tried on. */
const SEEN = 0.6
const FOLDER = 'realAWSCloudwatch/'
const NEAR = 1.05
/** Rivals are given so many of the last values, as they were measured with. */
const RIVAL_POINTS = 1_000
/** Of the origins a rival is given one in so many, a slow one only the first. */
const SOME = 4
const CHARTED = ['ec2_cpu_utilization_5f5533', 'rds_cpu_utilization_cc0c53']

interface Judged {
  readonly name: string
  readonly ours: number
  readonly best: { readonly name: string; readonly error: number }
  readonly chart: Chart
  readonly beside: readonly Beside[]
}

/** What a rival, and ours, erred from the same origin. */
interface Beside {
  readonly rival: ForecastRival
  readonly error: number
  readonly ours: number
}

/** What a combination is worth: against each of its members alone, on series of machines, where no model is always good. */
export const nabForecast: Suite = {
  name: 'nab-forecast',
  title: '17 series of Amazon machines at five minutes, 48 steps ahead from rolling origins',
  settings:
    'default ensemble, anew at each origin; how it combines was set on the first 60 % of each series, for how long a series without seasons is tried also on the other folders of NAB, the origins lie in the rest, 48 apart; seasons as the first 60 % have them; the best member is chosen afterwards, by the same errors; rivals learn from the last 1,000 values at one origin in 4, slow ones at the first only, and say the last value where they fail',
  needs: ['nab'],
  async run({ data, rivals, progress }) {
    const files = (await readCorpus(join(data, 'nab'))).filter(({ name }) => name.startsWith(FOLDER))
    const all: Judged[] = []
    const others = rivals ? await forecastRivals() : []
    for (const [i, file] of files.entries()) {
      all.push(await judge(file, others))
      progress((i + 1) / files.length)
    }
    const ratios = all.map(({ ours, best }) => ours / best.error)
    return {
      measures: [
        { id: 'within', unit: `of ${all.length}`, value: ratios.filter(ratio => ratio <= NEAR).length, must: { atLeast: all.length } },
        {
          id: 'better',
          unit: `of ${all.length}`,
          value: ratios.filter(ratio => ratio < 1).length,
          beyond: { atLeast: Math.ceil((all.length + 1) / 2) }
        },
        { id: 'worst', unit: 'x best', value: Math.max(...ratios), must: { atMost: NEAR } },
        {
          id: 'typical',
          unit: 'x best',
          value: Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio) / ratios.length, 0)),
          note: 'geometric mean'
        },
        ...others.map(rival => besides(rival, all)),
        ...all.map(({ name, ours, best }) => ({ id: name, unit: '% sMAPE', value: ours, rivals: { [best.name]: best.error } }))
      ],
      charts: all.filter(({ name }) => CHARTED.includes(name)).map(({ chart }) => chart)
    }
  }
}

/** The mean over all series, of the origins that the rival was given. */
function besides(rival: ForecastRival, all: readonly Judged[]): Measure {
  const found = all.flatMap(({ beside }) => beside.filter(one => one.rival === rival))
  const mean = (of: (one: Beside) => number) => found.reduce((sum, one) => sum + of(one) / found.length, 0)
  const id = `beside-${rival.name.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`
  return {
    id,
    unit: '% sMAPE',
    value: mean(one => one.ours),
    rivals: { [rival.name]: mean(one => one.error) },
    note: `${found.length} origins`
  }
}

async function judge({ name, values }: NabFile, others: readonly ForecastRival[]): Promise<Judged> {
  const title = name.slice(FOLDER.length, -'.csv'.length)
  const first = Math.floor(SEEN * values.length)
  const seasons = seasonsOf(values.subarray(0, first))
  const errors = new Map<string, number[]>()
  const add = (who: string, error: number) => errors.set(who, [...(errors.get(who) ?? []), error])
  let [origins, ours, chart] = [0, 0, undefined as Chart | undefined]
  const beside: Beside[] = []
  for (let origin = first; origin + HORIZON <= values.length; origin += HORIZON) {
    const truth = values.subarray(origin, origin + HORIZON)
    const ensemble = new Ensemble({ horizon: HORIZON, seasons })
    await ensemble.fit(values.subarray(0, origin))
    const { point, quantiles } = ensemble.forecast(HORIZON, [0.05, 0.95])
    const error = smape(truth, point)
    ours += error
    // As ours: what was never negative is not foretold to be.
    const floor = floorOf(values.subarray(0, origin))
    for (const rival of others.filter(({ slow }) => (slow ? origins === 0 : origins % SOME === 0))) {
      const said = await rival.forecast(values.subarray(Math.max(0, origin - RIVAL_POINTS), origin), seasons, HORIZON)
      const line = (said ?? new Float64Array(HORIZON).fill(values[origin - 1] as number)).map(value => Math.max(floor, value))
      beside.push({ rival, error: smape(truth, line), ours: error })
    }
    origins++
    for (const [who, said] of await alone(values, origin, seasons)) add(who, smape(truth, said))
    chart = chartOf(title, values.subarray(origin - HORIZON, origin), truth, point, quantiles)
  }
  let best = { name: 'none', error: Number.POSITIVE_INFINITY }
  for (const [who, all] of errors) {
    const error = all.reduce((sum, one) => sum + one, 0) / all.length
    if (all.length === origins && error < best.error) best = { name: who, error }
  }
  return { name: title, ours: ours / origins, best, chart: chart as Chart, beside }
}

/** Each member with what it knows, as the ensemble would have it speak. */
async function alone(values: Float64Array, length: number, seasons: readonly number[]): Promise<[string, Float64Array][]> {
  const known = values.slice(0, length)
  const floor = floorOf(known)
  const all: [string, Float64Array][] = []
  for (const model of membersFor(seasons, length)) {
    const said = new Float64Array(HORIZON)
    if (!(await model.fit(known, length)) || !model.predict(known, length, said, 0)) continue
    all.push([model.name, said.map(value => Math.max(floor, value))])
  }
  return all
}

function floorOf(known: Float64Array): number {
  return known.some(value => value < 0) ? Number.NEGATIVE_INFINITY : 0
}

function chartOf(
  name: string,
  before: Float64Array,
  truth: Float64Array,
  point: Float64Array,
  [low, high]: readonly Float64Array[]
): Chart {
  return {
    title: `${name}: 48 steps ahead, with the interval of 90 %`,
    x: 'steps of 5 minutes',
    y: '',
    lines: [
      { name: 'forecast', points: [...point].map((y, x) => [x, y]), band: [...point].map((y, x) => [low?.[x] ?? y, high?.[x] ?? y]) },
      { name: 'what came', points: [...before, ...truth].map((y, x) => [x - before.length, y]) }
    ]
  }
}
