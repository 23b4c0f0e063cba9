import type { Row, Trial } from '../trials.js'
import type { Facts } from './facts.js'
import { type Bound, bound } from './limits.js'
import type { Entry } from './measure.js'
import { summary } from './statistics.js'

export interface Contestant {
  node: string
  /** of its package */
  version?: string
}

/** A row of the JSON file; the same shape in every bench, backtest and replay of the project. */
export interface Result {
  suite: 'bench'
  id: string
  unit: string
  /** null when forelock was not measured */
  value: number | null
  rivals: Record<string, number>
  floor: Record<string, number>
  /** the limit in the unit of the row, worked out where it is relative; null: none, or it depends on what was not measured */
  must: number | null
  beyond: number | null
  meta: Facts & {
    /** the limits in words */
    mustText: string | null
    beyondText: string | null
    met: boolean | null
    metBeyond: boolean | null
    /** processes and samples behind the value */
    processes: number
    samples: number
    /** under which Node, and in which version, each rival ran */
    contestants: Record<string, Contestant>
    /** what could not be measured, and why */
    missing: Record<string, string>
    notes: Record<string, string | number>
  }
}

export function resultsOf(trial: Trial, entries: Entry[], facts: Facts, rows: Map<string, number>): Result[] {
  return trial.rows.map(row => {
    const result = resultOf(row, entries, facts, rows)
    if (result.value !== null) rows.set(row.id, result.value)
    return result
  })
}

function resultOf(row: Row, entries: Entry[], facts: Facts, rows: ReadonlyMap<string, number>): Result {
  const own = entries.find(({ role }) => role === 'own')
  const value = own === undefined ? undefined : figureOf(row, own)
  const rivals = valuesOf(row, entries, 'rival')
  const floor = valuesOf(row, entries, 'floor')
  const must = bound(row.must, row.unit, { rivals, floors: floor, rows })
  const beyond = bound(row.beyond, row.unit, { rivals, floors: floor, rows })
  return {
    suite: 'bench',
    id: row.id,
    unit: row.unit,
    value: value ?? null,
    rivals,
    floor,
    must: rounded(must),
    beyond: rounded(beyond),
    meta: {
      ...facts,
      mustText: must?.text ?? null,
      beyondText: beyond?.text ?? null,
      met: verdict(value, must),
      metBeyond: verdict(value, beyond),
      processes: own?.findings.length ?? 0,
      samples: own === undefined ? 0 : samplesOf(row, own).flat().length,
      contestants: contestantsOf(entries),
      missing: missingOf(entries),
      notes: Object.assign({}, ...(own?.findings.map(({ notes }) => notes) ?? []))
    }
  }
}

function contestantsOf(entries: Entry[]): Record<string, Contestant> {
  const all: Record<string, Contestant> = {}
  for (const { name, runtime } of entries) {
    if (runtime !== undefined) all[name] = { node: runtime.node, ...(runtime.version !== undefined && { version: runtime.version }) }
  }
  return all
}

function missingOf(entries: Entry[]): Record<string, string> {
  const all: Record<string, string> = {}
  for (const { name, missing, error } of entries) {
    const why = missing ?? error
    if (why !== undefined) all[name] = why
  }
  return all
}

function samplesOf(row: Row, { role, findings }: Entry): number[][] {
  // A rival that finds the same series is compared by it; one that does another kind of work has but one figure.
  const series = row.series ?? 'value'
  return findings
    .map(found => found.series[series] ?? (role === 'own' ? [] : (found.series.value ?? [])))
    .filter(samples => samples.length > 0)
}

function figureOf(row: Row, entry: Entry): number | undefined {
  const samples = entry.error === undefined ? samplesOf(row, entry) : []
  return samples.length === 0 ? undefined : round(summary(row.id, samples))
}

function valuesOf(row: Row, entries: Entry[], role: Entry['role']): Record<string, number> {
  const values: Record<string, number> = {}
  if (row.ownOnly) return values
  for (const entry of entries) {
    const value = entry.role === role ? figureOf(row, entry) : undefined
    if (value !== undefined) values[entry.name] = value
  }
  return values
}

const verdict = (value: number | undefined, bound: Bound | undefined) =>
  value === undefined || bound?.value === undefined ? null : bound.isLeast ? value >= bound.value : value <= bound.value

const rounded = (bound: Bound | undefined) => (bound?.value === undefined ? null : round(bound.value))

const round = (value: number) => Number(value.toPrecision(4))

const number = (value: number) => (value >= 1000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3))))

/** One result for people. */
export function describe(result: Result): string {
  const { id, unit, value, rivals, floor, meta } = result
  const lines = [`${id.padEnd(24)} ${value === null ? 'not measured' : `${number(value)} ${unit}`}`]
  lines.push(...limitLines('must', meta.mustText, result.must, meta.met, unit))
  lines.push(...limitLines('beyond', meta.beyondText, result.beyond, meta.metBeyond, unit))
  for (const [name, theirs] of Object.entries(rivals)) lines.push(against(name, theirs, value, unit, meta.contestants[name], meta.node))
  for (const [name, least] of Object.entries(floor)) lines.push(against(`floor ${name}`, least, value, unit, undefined, meta.node))
  for (const [name, why] of Object.entries(meta.missing)) lines.push(`    ${name.padEnd(20)} missing: ${why.trim().split('\n')[0]}`)
  for (const [what, note] of Object.entries(meta.notes)) lines.push(`    ${what}: ${note}`)
  return lines.join('\n')
}

function limitLines(name: string, text: string | null, limit: number | null, met: boolean | null, unit: string): string[] {
  if (text === null) return []
  const verdict = met === null ? 'not comparable' : met ? 'met' : 'NOT MET'
  return [`    ${name.padEnd(20)} ${limit === null ? '' : `${number(limit)} ${unit} `}(${text}): ${verdict}`]
}

function against(
  name: string,
  theirs: number,
  ours: number | null,
  unit: string,
  contestant: Contestant | undefined,
  node: string
): string {
  const ratio = ours === null ? '' : `, forelock / it = ${Number((ours / theirs).toPrecision(2))}`
  const version = contestant?.version === undefined ? '' : ` ${contestant.version}`
  const other = contestant === undefined || contestant.node === node ? '' : `, on Node ${contestant.node}`
  return `    ${(name + version).padEnd(20)} ${number(theirs)} ${unit}${ratio}${other}`
}
