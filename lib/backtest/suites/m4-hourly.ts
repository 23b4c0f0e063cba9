import { join } from 'node:path'
import { Ensemble } from '../../predict/ensemble.js'
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

/** The hourly series of the M4 competition (Makridakis, Spiliotis and Assimakopoulos, Int. J. Forecasting 36(1), 2020): 48 hours ahead. */
export const m4Hourly: Suite = {
  name: 'm4-hourly',
  title: '414 hourly series, the next 48 hours from 700 or 960',
  settings: 'default ensemble; set on the last 48 points of the training part, with the 48 test points unseen',
  needs: ['m4_hourly'],
  async run({ data, progress }) {
    const histories = await readSeries(join(data, 'm4_hourly', 'Hourly-train.csv'))
    const truths = await readSeries(join(data, 'm4_hourly', 'Hourly-test.csv'))
    const ours = new Scores()
    const naive = new Scores()
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
      naive.add(smape(truth, before), mase(truth, before, scale), Number.NaN, Number.NaN)
      if (CHARTS.includes(i)) charts.push(chart(`H${i + 1}`, history, truth, point, low, high))
      progress((i + 1) / histories.length)
    }
    const seasonal = { 'seasonal naive': 0 }
    const rivals = (of: 'owa' | 'mase' | 'msis', value: number) => ({
      ...(of === 'msis' ? {} : { ...seasonal, 'seasonal naive': value }),
      ...PUBLISHED[of]
    })
    return {
      measures: [
        { id: 'owa', unit: '', value: ours.owa, rivals: rivals('owa', naive.owa), must: { atMost: 0.455 }, beyond: { atMost: 0.41 } },
        { id: 'mase', unit: '', value: ours.mase, rivals: rivals('mase', naive.mase), must: { atMost: 0.82 } },
        { id: 'smape', unit: '%', value: ours.smape, rivals: { 'seasonal naive': naive.smape, 'Doornik (published)': 8.913 } },
        { id: 'msis', unit: '', value: ours.msis, rivals: PUBLISHED.msis, must: { atMost: 6.8 }, beyond: { atMost: 6.14 } },
        { id: 'coverage', unit: 'of 95 %', value: ours.coverage, must: { from: 0.93, to: 0.97 } }
      ],
      charts
    }
  }
}

class Scores {
  private count = 0
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
