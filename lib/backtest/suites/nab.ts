import { join } from 'node:path'
import { AnomalyDetector } from '../../predict/anomaly.js'
import { type NabFile, PROFILES, readCorpus, readProfiles } from '../nab/corpus.js'
import { readPublished } from '../nab/published.js'
import { bestScore, type Judged, scoreAt } from '../nab/score.js'
import { windowedGaussian } from '../nab/windowed-gaussian.js'
import type { Chart, Suite } from '../suite.js'

/** results/final_results.json of the benchmark, version 1.1: standard, few false positives, few false negatives. */
const PUBLISHED = {
  'ARTime (published)': [74.85, 65.15, 80.36],
  'Numenta HTM (published)': [70.1, 63.12, 74.32],
  'CAD OSE (published)': [69.9, 66.98, 73.18],
  'earthgecko Skyline (published)': [58.2, 46.2, 63.8],
  'Random Cut Forest (published)': [51.72, 38.36, 59.75],
  'windowed Gaussian (published)': [39.65, 20.87, 47.41]
} as const
const BARS = { standard: { must: { atLeast: 55 }, beyond: { atLeast: 74.9 } }, 'low-fp': {}, 'low-fn': {} } as const
/** Whose scores of each row are in the data, for the 24 files of Amazon's machines and of known causes. */
const ROWS_OF = ['ARTime', 'numenta', 'randomCutForest']
const ALERT_AT = 0.9
const CHARTED = ['realKnownCause/nyc_taxi.csv', 'realAWSCloudwatch/rds_cpu_utilization_cc0c53.csv']

/** The Numenta Anomaly Benchmark (Lavin and Ahmad, ICMLA 2015), version 1.1, as it scores itself. */
export const nab: Suite = {
  name: 'nab',
  title: '116 labelled anomalies in 58 series, found while the values come in',
  settings:
    'default detector for all files, each value judged by those before it; set on every second file by name, from the first ("set"); nothing was tuned on the others ("unseen"), but they were looked at some five times, and two kinds of evidence came after that; a threshold for each profile over the whole corpus, as the benchmark has it, or the default one',
  needs: ['nab'],
  async run({ data, progress }) {
    const folder = join(data, 'nab')
    const [files, profiles] = [await readCorpus(folder), await readProfiles(folder)]
    const rows = files.reduce((sum, file) => sum + file.rows, 0)
    let done = 0
    const ours = files.map((file): NabFile & Judged => {
      const scores = severities(file.values)
      done += file.rows
      progress((0.7 * done) / rows)
      return { ...file, scores }
    })
    const gaussian = files.map(file => ({ ...file, scores: windowedGaussian(file.values) }))
    const names = Object.keys(PROFILES) as (keyof typeof PROFILES)[]
    const measures = names.map((id, i) => {
      const { score, found, wrong, threshold } = bestScore(ours, profiles[id])
      const published = Object.fromEntries(Object.entries(PUBLISHED).map(([name, scores]) => [name, scores[i] as number]))
      const rivals = { 'windowed Gaussian (run here)': bestScore(gaussian, profiles[id]).score, ...published }
      const note = `found ${found} of 116, ${wrong} rows wrongly, from a severity of ${threshold.toFixed(3)}`
      return { id, unit: 'of 100', value: score, rivals, ...BARS[id], note }
    })
    const half = (of: number) =>
      bestScore(
        ours.filter((_, i) => i % 2 === of),
        profiles.standard
      ).score
    const byDefault = scoreAt(ours, profiles.standard, ALERT_AT)
    const beside: Record<string, number> = {}
    let shared: readonly (NabFile & Judged)[] = ours
    for (const [i, name] of ROWS_OF.entries()) {
      const published = await readPublished(folder, name, files)
      const theirs = [...published].map(([file, { scores }]) => ({ ...file, scores }))
      beside[`${name} (its scores)`] = bestScore(theirs, profiles.standard).score
      shared = shared.filter(({ name: one }) => theirs.some(({ name: other }) => other === one))
      progress(0.7 + (0.3 * (i + 1)) / ROWS_OF.length)
    }
    const known = bestScore(shared, profiles.standard).score
    return {
      measures: [
        ...measures,
        { id: 'standard-default', unit: 'of 100', value: byDefault.score, note: 'at the default threshold, chosen for no corpus' },
        {
          id: 'standard-known',
          unit: 'of 100',
          value: known,
          rivals: beside,
          note: `the ${shared.length} files with published scores, each detector at its best threshold there`
        },
        { id: 'standard-set', unit: 'of 100', value: half(0), note: 'the half that the detector was set on' },
        { id: 'standard-unseen', unit: 'of 100', value: half(1), note: 'the other half' }
      ],
      charts: ours.filter(({ name }) => CHARTED.includes(name)).map(chartOf)
    }
  }
}

function severities(values: Float64Array): Float64Array {
  const detector = new AnomalyDetector()
  return values.map(value => detector.update(value).severity)
}

function chartOf({ name, values, windows, scores }: NabFile & Judged): Chart {
  const [least, most] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)] as const, [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY
  ] as readonly [number, number])
  const within = (row: number) => windows.some(([first, last]) => row >= first && row <= last)
  const every = Math.ceil(values.length / 2_000)
  const thinned = [...values.keys()].filter(row => row % every === 0)
  return {
    title: `${name}: values between 0 and 1, severity from 1 to 2, labelled windows from 2 to 2.2`,
    x: 'rows',
    y: '',
    lines: [
      { name: 'values', points: thinned.map(row => [row, ((values[row] as number) - least) / (most - least)]) },
      { name: 'severity', points: thinned.map(row => [row, 1 + Math.max(...Array.from(scores).slice(row, row + every))]) },
      { name: 'labelled', points: thinned.map(row => [row, within(row) ? 2.2 : 2]) }
    ]
  }
}
