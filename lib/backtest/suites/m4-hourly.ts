import { join } from 'node:path'
import { Ensemble } from '../../predict/ensemble.js'
import { forecastRivals } from '../forecast-rivals.js'
import { readSeries } from '../m4.js'
import { coverage, mase, msis, seasonalScale, smape } from '../scores.js'
import type { Chart, Suite } from '../suite.js'

const HORIZON = 48
const DAY = 24
/** What errors of the competition are measured against: Naive2 on these 414 series (Evaluation_and_Ranks.xlsx). */
const NAIVE2 = { smape: 18.383, mase: 2.395 }
/** As published there: the best of the hourly series, the winner of the whole, and simple ones. */
const PUBLISHED = {
  owa: { 'Doornik (published)': 0.41, 'Smyl (published)': 0.44, 'FFORMA (published)': 0.484, 'Theta (published)': 1.006 },
  mase: { 'Doornik (published)': 0.801, 'Smyl (published)': 0.893, 'FFORMA (published)': 0.819, 'Theta (published)': 2.455 },
  msis: { 'Doornik (published)': 6.139, 'Smyl (published)': 7.928, 'ARIMA (published)': 7.538, 'ETS (published)': 17.487 }
}
const CHARTS = [0, 170, 300]
const SEASONS = [DAY, 7 * DAY]
/** Of the series a slow rival is given one in so many. */
const SOME = 52

/** The hourly series of the M4 competition (Makridakis, Spiliotis and Assimakopoulos, Int. J. Forecasting 36(1), 2020): 48 hours ahead. */
export const m4Hourly: Suite = {
  name: 'm4-hourly',
  title: '414 hourly series, the next 48 hours from 700 or 960',
  settings:
    'default ensemble; set on the last 48 points of the training part, with the 48 test points unseen; rivals are told the seasons, and are seasonal naive where they fail; slow ones are given one series in 52',
  needs: ['m4_hourly'],
  async run({ data, rivals: withRivals, progress }) {
    const histories = await readSeries(join(data, 'm4_hourly', 'Hourly-train.csv'))
    const truths = await readSeries(join(data, 'm4_hourly', 'Hourly-test.csv'))
    const ours = new Scores()
    const naive = new Scores()
    const others = (withRivals ? await forecastRivals() : []).map(rival => ({ rival, scores: new Scores() }))
    const few = new Scores()
    const charts: Chart[] = []
    for (const [i, history] of histories.entries()) {
      const truth = truths[i] as number[]
      const ensemble = new Ensemble({ horizon: HORIZON })
      await ensemble.fit(history)
      const { point, quantiles } = ensemble.forecast(HORIZON, [0.025, 0.975])
      const [low, high] = quantiles as [Float64Array, Float64Array]
      const scale = seasonalScale(history, DAY)
      ours.add(smape(truth, point), mase(truth, point, scale), msis(truth, low, high, 0.95, scale), coverage(truth, low, high))
      const before = truth.map((_, step) => history[history.length - DAY + (step % DAY)] as number)
      const pointScores = (said: ArrayLike<number>) => [smape(truth, said), mase(truth, said, scale), Number.NaN, Number.NaN] as const
      naive.add(...pointScores(before))
      const isOfFew = i % SOME === 0
      if (isOfFew) few.add(...pointScores(point))
      for (const { rival, scores } of others) {
        if (isOfFew || !rival.slow) scores.add(...pointScores((await rival.forecast(history, SEASONS, HORIZON)) ?? before))
      }
      if (CHARTS.includes(i)) charts.push(chart(`H${i + 1}`, history, truth, point, low, high))
      progress((i + 1) / histories.length)
    }
    const beside = (of: 'owa' | 'mase' | 'smape', slow: boolean) =>
      Object.fromEntries(others.filter(({ rival }) => rival.slow === slow).map(({ rival, scores }) => [rival.name, scores[of]]))
    const rivals = (of: 'owa' | 'mase') => ({ 'seasonal naive': naive[of], ...beside(of, false), ...PUBLISHED[of] })
    const slow = (of: 'owa' | 'mase') =>
      few.count > 0 && others.length > 0 ? [{ id: `${of}-some`, unit: `of ${few.count}`, value: few[of], rivals: beside(of, true) }] : []
    return {
      measures: [
        { id: 'owa', unit: '', value: ours.owa, rivals: rivals('owa'), must: { atMost: 0.455 }, beyond: { atMost: 0.41 } },
        { id: 'mase', unit: '', value: ours.mase, rivals: rivals('mase'), must: { atMost: 0.82 } },
        {
          id: 'smape',
          unit: '%',
          value: ours.smape,
          rivals: { 'seasonal naive': naive.smape, ...beside('smape', false), 'Doornik (published)': 8.913 }
        },
        { id: 'msis', unit: '', value: ours.msis, rivals: PUBLISHED.msis, must: { atMost: 6.8 }, beyond: { atMost: 6.14 } },
        { id: 'coverage', unit: 'of 95 %', value: ours.coverage, must: { from: 0.93, to: 0.97 } },
        ...slow('owa'),
        ...slow('mase')
      ],
      charts
    }
  }
}

class Scores {
  count = 0
  private readonly sums = [0, 0, 0, 0]

  add(...scores: [smape: number, mase: number, msis: number, coverage: number]): void {
    this.count++
    for (const [i, score] of scores.entries()) this.sums[i] = (this.sums[i] as number) + score
  }

  get smape(): number {
    return (this.sums[0] as number) / this.count
  }

  get mase(): number {
    return (this.sums[1] as number) / this.count
  }

  get msis(): number {
    return (this.sums[2] as number) / this.count
  }

  get coverage(): number {
    return (this.sums[3] as number) / this.count
  }

  /** Overall weighted average: the mean of the two errors, each against that of Naive2. */
  get owa(): number {
    return (this.smape / NAIVE2.smape + this.mase / NAIVE2.mase) / 2
  }
}

function chart(
  name: string,
  history: readonly number[],
  truth: readonly number[],
  point: Float64Array,
  low: Float64Array,
  high: Float64Array
): Chart {
  const shown = history.slice(-5 * DAY)
  return {
    title: `${name}: 48 hours ahead, with the interval of 95 %`,
    x: 'hours',
    y: '',
    lines: [
      { name: 'forecast', points: [...point].map((y, x) => [x, y]), band: [...low].map((from, x) => [from, high[x] as number]) },
      { name: 'what came', points: [...shown.map((y, i) => [i - shown.length, y] as const), ...truth.map((y, x) => [x, y] as const)] }
    ]
  }
}
