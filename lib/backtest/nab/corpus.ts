import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Labelled, Profile } from './score.js'

/** One file of the benchmark. */
export interface NabFile extends Labelled {
  /** as `realKnownCause/nyc_taxi.csv` */
  readonly name: string
  /** ms, as if the times were UTC */
  readonly times: Float64Array
  readonly values: Float64Array
}

/** The names that profiles go by in results. */
export const PROFILES = { standard: 'standard', 'low-fp': 'reward_low_FP_rate', 'low-fn': 'reward_low_FN_rate' } as const

/** All files of the Numenta Anomaly Benchmark that have labels, in the order of their names. */
export async function readCorpus(folder: string): Promise<NabFile[]> {
  const labels = JSON.parse(await readFile(join(folder, 'labels', 'combined_windows.json'), 'utf8')) as Record<string, [string, string][]>
  return Promise.all(
    Object.keys(labels)
      .sort()
      .map(name => readLabelled(folder, name, labels[name] ?? []))
  )
}

export async function readProfiles(folder: string): Promise<Record<keyof typeof PROFILES, Profile>> {
  const all = JSON.parse(await readFile(join(folder, 'config', 'profiles.json'), 'utf8')) as Record<string, { CostMatrix: Profile }>
  const of = (name: string) => (all[name] as { CostMatrix: Profile }).CostMatrix
  return { standard: of(PROFILES.standard), 'low-fp': of(PROFILES['low-fp']), 'low-fn': of(PROFILES['low-fn']) }
}

async function readLabelled(folder: string, name: string, limits: readonly [string, string][]): Promise<NabFile> {
  const [, ...lines] = (await readFile(join(folder, 'data', name), 'utf8')).trim().split(/\r?\n/)
  const stamps = lines.map(line => line.slice(0, line.indexOf(',')))
  // The limits have microseconds, the rows have none; a time that comes twice (a clock set back) means its first row.
  const windows = limits.map(([from, to]) => [rowAt(stamps, from, name), rowAt(stamps, to, name)] as const)
  return {
    name,
    rows: lines.length,
    windows,
    times: Float64Array.from(stamps, stamp => Date.parse(`${stamp.replace(' ', 'T')}Z`)),
    values: Float64Array.from(lines, line => Number(line.slice(line.indexOf(',') + 1)))
  }
}

function rowAt(stamps: readonly string[], time: string, name: string): number {
  const row = stamps.indexOf(time.replace(/\.0+$/, ''))
  if (row < 0) throw new Error(`${name} has no row of ${time}, which its labels name`)
  return row
}
