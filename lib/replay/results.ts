import { machineOf, type ResultRow, rowOf, short } from '../backtest/results.js'
import type { Measure } from '../backtest/suite.js'
import type { ReplayResult } from './engine.js'
import type { Played } from './run.js'
import type { TierResult } from './tally.js'

/** In place of a tier, where a measure is of all of them. */
const ALL = 'all'

const TIER_MEASURES: readonly (readonly [id: string, unit: string, of: (tier: TierResult) => number])[] = [
  ['wait-mean', 'ms', tier => tier.waitMean],
  ['wait-p50', 'ms', tier => tier.waitP50],
  ['wait-p90', 'ms', tier => tier.waitP90],
  ['wait-p99', 'ms', tier => tier.waitP99],
  ['wait-p99.9', 'ms', tier => tier.waitP999],
  ['waited', 'of requests', tier => tier.waited],
  ['late', 'of requests', tier => tier.late],
  ['requests', '', tier => tier.requests],
  ['done', '', tier => tier.done],
  ['throughput', '1/s', tier => tier.throughput],
  ['refusals', '', tier => tier.refusals],
  ['wait-cost', 'cost', tier => tier.waitCost]
]

const ALL_MEASURES: readonly (readonly [id: string, unit: string, of: (result: ReplayResult) => number | undefined])[] = [
  ['idle', 'of capacity', result => result.idle],
  ['plan-written', '', result => result.written],
  ['plan-refused', '', result => result.refused],
  ['plan-hits', '', result => result.hits],
  ['plan-waste', 'unit seconds', result => result.kept],
  ['makespan', 'ms', result => result.makespan],
  ['memory-waste', 'x used', result => result.waste],
  ['under-allocated', 'of requests', result => result.under],
  ['cost', 'cost', result => result.cost]
]

/** Rows for machines: of each policy, and of each fixed setting that was tried. What it took is not among them: those are the same each time. */
export function replayRows(all: readonly Played[]): ResultRow[] {
  const machine = machineOf()
  return all.flatMap(played => measuresOf(played).map(measure => rowOf('replay', measure, machine)))
}

function measuresOf({ workload, results, statics }: Played): Measure[] {
  const begin = `${workload.trace}@${workload.setting}`
  const reactive = results.find(({ policy }) => policy === 'reactive')
  return [...results, ...statics].flatMap(result => {
    const measure = (tier: string, id: string, unit: string, value: number | undefined, beside: number | undefined): Measure[] => {
      const rivals: Record<string, number> = beside === undefined || result === reactive ? {} : { reactive: beside }
      return value === undefined ? [] : [{ id: `${begin}/${result.policy}/${tier}/${id}`, unit, value, rivals }]
    }
    const ofTiers = result.tiers.flatMap((tier, t) =>
      TIER_MEASURES.flatMap(([id, unit, of]) => {
        const beside = reactive?.tiers[t]
        return measure(tier.tier, id, unit, of(tier), beside === undefined ? undefined : of(beside))
      })
    )
    const ofAll = ALL_MEASURES.flatMap(([id, unit, of]) =>
      measure(ALL, id, unit, of(result), reactive === undefined ? undefined : of(reactive))
    )
    return [...ofTiers, ...ofAll]
  })
}

const HEAD = ['policy', 'tier', 'wait mean', 'p50', 'p90', 'p99', 'p99.9', 'late', 'done', 'refused', 'a second']
const ALL_HEAD = ['policy', 'idle', 'plans', 'hits', 'waste', 'makespan', 'memory', 'under', 'cost', 'requests/s']

/** A table for people: waits in ms, of each policy and tier, highest tier first. */
export function replayTable(played: Played): string {
  const { trace, workload, results, statics, best } = played
  const named = (policy: string) => (policy === 'static' ? `static (${best})` : policy)
  const tiers = results.flatMap(result =>
    [...result.tiers]
      .reverse()
      .map((tier, i) => [
        i === 0 ? named(result.policy) : '',
        tier.tier,
        ...[tier.waitMean, tier.waitP50, tier.waitP90, tier.waitP99, tier.waitP999].map(msText),
        `${(100 * tier.late).toFixed(1)} %`,
        String(tier.done),
        String(tier.refusals),
        short(tier.throughput)
      ])
  )
  const whole = results.map(result => [
    named(result.policy),
    result.idle === undefined ? '' : `${(100 * result.idle).toFixed(1)} %`,
    String(result.written),
    String(result.hits),
    short(result.kept),
    durationText(result.makespan),
    result.waste === undefined ? '' : `${result.waste.toFixed(3)} x`,
    result.under === undefined ? '' : `${(100 * result.under).toFixed(1)} %`,
    short(result.cost),
    (result.requests / (result.took / 1000)).toFixed(0)
  ])
  const capacity = [
    ...workload.pools.map(({ name, capacity }) => `${name} ${JSON.stringify(capacity)}`),
    ...(workload.buckets.length > 0 ? [`${workload.buckets.length} buckets`] : [])
  ].join(', ')
  const tried =
    statics.length === 0 ? [] : [`  fixed settings tried: ${statics.map(({ policy }) => policy.slice('static-'.length)).join(', ')}`]
  return [
    `${workload.trace}@${workload.setting}${capacity === '' ? '' : `: ${capacity}`}`,
    `  ${trace.title}`,
    ...columns([HEAD, ...tiers], 2),
    '',
    ...columns([ALL_HEAD, ...whole], 1),
    ...tried
  ].join('\n')
}

/** @param left how many columns are of words */
function columns(rows: readonly (readonly string[])[], left: number): string[] {
  const widths = (rows[0] as readonly string[]).map((_, c) => Math.max(...rows.map(row => (row[c] as string).length)))
  const used = widths.map((_, c) => rows.slice(1).some(row => row[c] !== ''))
  return rows.map(row => {
    const cells = row.flatMap((cell, c) =>
      used[c] ? [c < left ? cell.padEnd(widths[c] as number) : cell.padStart(widths[c] as number)] : []
    )
    return `  ${cells.join('  ')}`.trimEnd()
  })
}

function msText(ms: number): string {
  return ms === 0 ? '0' : ms < 0.01 ? ms.toExponential(1) : ms < 10 ? ms.toFixed(2) : ms < 1000 ? ms.toFixed(1) : ms.toFixed(0)
}

function durationText(ms: number): string {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 3_600_000).toFixed(3)} h`
}
