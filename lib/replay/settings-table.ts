import type { ReplayResult } from './engine.js'
import type { Played } from './run.js'

/** What a table of settings shows of each. */
const MEASURES: readonly (readonly [head: string, of: (result: ReplayResult, tier: number) => number])[] = [
  ['wait mean', ({ tiers }, tier) => tiers[tier]?.waitMean ?? Number.NaN],
  ['p99', ({ tiers }, tier) => tiers[tier]?.waitP99 ?? Number.NaN],
  ['done', ({ tiers }, tier) => tiers[tier]?.done ?? Number.NaN],
  ['refused', ({ tiers }, tier) => tiers[tier]?.refusals ?? Number.NaN],
  ['makespan s', ({ makespan }) => makespan / 1000],
  ['cost', ({ cost }) => cost]
]

/** Each policy and tier, highest first, under the trace's own setting and each other one. */
export function settingsTable(own: Played, others: readonly Played[]): string {
  const rows = own.results.flatMap((result, r) =>
    [...result.tiers.keys()].reverse().flatMap(tier =>
      [own, ...others].map(played => {
        const one = played.results[r] as ReplayResult
        const isFirst = played === own
        const setting = isFirst ? 'as it is' : played.workload.setting.slice(own.workload.setting.length + 1)
        const names = isFirst ? [result.policy, result.tiers[tier]?.tier ?? ''] : ['', '']
        return [...names, setting, ...MEASURES.map(([, of]) => numberText(of(one, tier)))]
      })
    )
  )
  const all = [['policy', 'tier', 'setting', ...MEASURES.map(([head]) => head)], ...rows]
  const widths = (all[0] as string[]).map((_, c) => Math.max(...all.map(row => (row[c] as string).length)))
  const lines = all.map(row =>
    row.map((cell, c) => (c < 3 ? cell.padEnd(widths[c] as number) : cell.padStart(widths[c] as number))).join('  ')
  )
  return [`${own.workload.trace}@${own.workload.setting}, what if`, ...lines.map(line => `  ${line}`.trimEnd())].join('\n')
}

function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : value < 10 ? value.toFixed(2) : value.toFixed(0)
}
