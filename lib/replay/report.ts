import { escaped, figure, pageOf } from '../backtest/report.js'
import type { Chart } from '../backtest/suite.js'
import type { ReplayResult } from './engine.js'
import { belowHull, hullCurve, type Point } from './hull.js'
import { replayTable } from './results.js'
import type { Played } from './run.js'
import type { TierResult } from './tally.js'

/** The results as one page that needs nothing else. */
export function replayPage(all: readonly Played[], made: Date): string {
  return pageOf('Replays', all.map(section).join('\n'), made)
}

function section(played: Played): string {
  const { workload, trace } = played
  const charts = [frontierOf(played), ...workload.tiers.map(tier => waitsOf(played, tier)).reverse()]
  return `<h2>${escaped(`${workload.trace}@${workload.setting}`)}</h2><p>${escaped(trace.title)}.</p>
<pre>${escaped(replayTable(played))}</pre>
${verdict(played)}${charts.flatMap(chart => (chart === undefined ? [] : [figure(chart)])).join('\n')}`
}

/** What each policy makes the lowest tier wait, and the top one. */
export function pointOf({ tiers }: ReplayResult): Point {
  return [(tiers[0] as TierResult).waitMean, (tiers.at(-1) as TierResult).waitMean]
}

/** The fixed settings, among them to keep nothing. */
export function staticPoints({ results, statics }: Played): Point[] {
  return [...results.filter(({ policy }) => policy === 'reactive'), ...statics].map(pointOf)
}

function verdict(played: Played): string {
  const statics = staticPoints(played)
  if (statics.length < 2 || played.workload.tiers.length < 2) return ''
  const others = played.results.filter(({ policy }) => policy !== 'reactive' && policy !== 'static')
  const words = others.map(
    result => `${result.policy}: ${belowHull(pointOf(result), statics) ? 'below' : 'not below'} the hull of the fixed settings`
  )
  return words.length === 0 ? '' : `<p>${escaped(words.join('; '))}.</p>\n`
}

function frontierOf(played: Played): Chart | undefined {
  const { results, statics, workload } = played
  const points = staticPoints(played)
  if (statics.length === 0 || workload.tiers.length < 2) return undefined
  const [low, top] = [workload.tiers[0] as string, workload.tiers.at(-1) as string]
  const others = results.filter(({ policy }) => policy !== 'static')
  return {
    title: `what a reserve brings ${top}, and what it costs ${low}: to the lower left is better`,
    x: `mean wait of ${low}, ms`,
    y: `mean wait of ${top}, ms`,
    logX: true,
    lines: [
      { name: 'lower hull of the fixed settings', points: hullCurve(points) },
      { name: 'fixed settings', points: statics.map(pointOf), marks: statics.map(({ policy }) => policy.slice('static-'.length)) },
      { name: 'policies', points: others.map(pointOf), marks: others.map(({ policy }) => policy) }
    ]
  }
}

function waitsOf({ results, workload }: Played, tier: string): Chart {
  const lines = results.map(({ policy, tiers }) => {
    const { waitP50, waitP90, waitP99, waitP999 } = tiers.find(one => one.tier === tier) as TierResult
    const points = [waitP50, waitP90, waitP99, waitP999].map((wait, i) => [i + 1, wait] as const)
    return { name: policy, points }
  })
  return { title: `waits of ${tier} in ${workload.trace}@${workload.setting}`, x: 'p50, p90, p99, p99.9', y: 'ms', lines }
}
