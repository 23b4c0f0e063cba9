import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { here } from '../native/here.js'
import type { Bound, Measure, Suite, SuiteResult } from './suite.js'
import { boundText, isMet } from './suite.js'

/** A suite and what came of it. */
export interface Ran {
  readonly suite: Suite
  readonly result: SuiteResult
  readonly seconds: number
}

/** As benches and replays write them, too. */
export interface ResultRow {
  readonly suite: string
  /** `suite/measure` */
  readonly id: string
  readonly unit: string
  readonly value: number
  readonly rivals: Readonly<Record<string, number>>
  readonly floor: Readonly<Record<string, number>>
  /** the limit, or the two between which the value is to lie; null: there is none */
  readonly must: number | readonly [number, number] | null
  readonly beyond: number | readonly [number, number] | null
  readonly meta: {
    readonly node: string
    readonly cpu: string
    readonly commit: string | null
    readonly mustText: string | null
    readonly met: boolean | null
    readonly metBeyond: boolean | null
  }
}

export function rowsOf(all: readonly Ran[]): ResultRow[] {
  const meta = machineOf()
  return all.flatMap(({ suite, result }) =>
    result.measures.map(measure => rowOf(suite.name, { ...measure, id: `${suite.name}/${measure.id}` }, meta))
  )
}

/** What ran, and on what. */
export type Machine = Pick<ResultRow['meta'], 'node' | 'cpu' | 'commit'>

export function machineOf(): Machine {
  return { node: process.versions.node, cpu: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`, commit: commit() }
}

/** @param measure with its whole id */
export function rowOf(suite: string, { id, unit, value, rivals = {}, must, beyond }: Measure, machine: Machine): ResultRow {
  return {
    suite,
    id,
    unit,
    value,
    rivals,
    floor: {},
    must: limitOf(must),
    beyond: limitOf(beyond),
    meta: {
      ...machine,
      mustText: must === undefined ? null : boundText(must),
      met: isMet(value, must) ?? null,
      metBeyond: isMet(value, beyond) ?? null
    }
  }
}

function limitOf(bound: Bound | undefined): ResultRow['must'] {
  if (bound === undefined) return null
  if ('atMost' in bound) return bound.atMost
  return 'atLeast' in bound ? bound.atLeast : [bound.from, bound.to]
}

/** A table for people. */
export function tableOf({ suite, result, seconds }: Ran): string {
  const lines = result.measures.map(measure => {
    const { id, unit, rivals = {}, note } = measure
    const others = Object.entries(rivals).map(([name, value]) => `${name} ${short(value)}`)
    const said = [...verdicts(measure), ...others, ...(note === undefined ? [] : [note])]
    return `  ${`${suite.name}/${id}`.padEnd(32)} ${short(measure.value).padStart(9)} ${unit.padEnd(10)} ${said.join(', ')}`.trimEnd()
  })
  return [`${suite.name}: ${suite.title} (${seconds.toFixed(1)} s)`, `  ${suite.settings}`, ...lines].join('\n')
}

export function verdicts({ value, must, beyond }: Measure): string[] {
  const words: string[] = []
  if (must !== undefined) words.push(`must ${boundText(must)}: ${isMet(value, must) === true ? 'met' : 'MISSED'}`)
  if (beyond !== undefined) words.push(`beyond ${boundText(beyond)}: ${isMet(value, beyond) === true ? 'met' : 'no'}`)
  return words
}

export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (size !== 0 && size < 1e-3) return value.toExponential(2)
  return size < 10 ? value.toFixed(4) : size < 1_000 ? value.toFixed(2) : value.toFixed(0)
}

/** Short hash of what runs, with a + where files differ from it; null outside of a repository. */
function commit(): string | null {
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', here, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+')
  } catch {
    return null // an installed package, or no git: there is no commit to tell
  }
}
