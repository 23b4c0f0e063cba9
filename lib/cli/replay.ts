import { writeFile } from 'node:fs/promises'
import { refuse } from '../checks.js'
import { mappingText, readMapping } from '../replay/adapters/mapping.js'
import { openTraces } from '../replay/adapters/open.js'
import { inferred } from '../replay/adapters/table.js'
import { replayPage } from '../replay/report.js'
import { replayRows, replayTable } from '../replay/results.js'
import { type Played, play } from '../replay/run.js'
import { settingsTable } from '../replay/settings-table.js'
import { readSettings } from '../replay/what-if.js'

export const REPLAY_OPTIONS = {
  policy: { type: 'string' },
  utilisation: { type: 'string' },
  static: { type: 'string' },
  seed: { type: 'string' },
  period: { type: 'string' },
  json: { type: 'string' },
  html: { type: 'string' },
  'what-if': { type: 'string' },
  format: { type: 'string' },
  map: { type: 'string' },
  infer: { type: 'boolean' },
  interactive: { type: 'string' },
  tiers: { type: 'string' },
  data: { type: 'string' },
  help: { type: 'boolean', short: 'h' }
} as const

/** As the command line has them; lists are separated by commas. */
export interface ReplayValues {
  policy?: string | undefined
  /** per cent */
  utilisation?: string | undefined
  static?: string | undefined
  seed?: string | undefined
  /** ms */
  period?: string | undefined
  json?: string | undefined
  html?: string | undefined
  /** settings, each compared with the trace's own */
  'what-if'?: string | undefined
  format?: string | undefined
  map?: string | undefined
  infer?: boolean | undefined
  interactive?: string | undefined
  tiers?: string | undefined
  data?: string | undefined
}

const POLICIES = ['reactive', 'static', 'predictive', 'oracle', 'adversarial']
const SEED = 1
const BAR_LENGTH = 24
const PERCENT = 100

/**
 * Plays a trace, writes a table of each workload, and rows and a page where files are named for them.
 *
 * @param place path of a trace, or the name of a public one
 * @throws ArgumentError, TraceError
 */
export async function replayTrace(
  place: string,
  values: ReplayValues,
  write: (text: string) => void,
  progress: (text: string) => void
): Promise<void> {
  if (values.infer === true) {
    write(`--map ${mappingText(await inferred(place))}\n`)
    return
  }
  const policies = list(values.policy) ?? POLICIES
  const utilisations = numbers(values.utilisation, '--utilisation', 1, 1000)?.map(percent => percent / PERCENT)
  const statics = numbers(values.static, '--static', 1, Number.MAX_SAFE_INTEGER)
  const [seed = SEED] = numbers(values.seed, '--seed', 0, 2 ** 32 - 1) ?? []
  const [period] = numbers(values.period, '--period', 1, 60_000) ?? []
  const { format, data } = values
  const mapping = values.map === undefined ? undefined : readMapping(values.map)
  const traces = openTraces(place, { format, data, mapping, interactive: list(values.interactive), tiers: list(values.tiers) })
  const settings = readSettings(list(values['what-if']) ?? [])
  const all: Played[] = []
  const told = (what: string, part: number | undefined) => progress(part === undefined ? what : `${what} ${bar(part)}`)
  for await (const played of play(traces, { policies, utilisations, statics, seed, period, settings, progress: told })) {
    all.push(played)
    progress('')
    write(`${replayTable(played)}\n\n`)
    if (settings.length === 0 || all.length % (settings.length + 1) !== 0) continue
    const [own, ...others] = all.slice(-settings.length - 1) as [Played, ...Played[]]
    write(`${settingsTable(own, others)}\n\n`)
  }
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(replayRows(all), undefined, 2)}\n`)
  if (values.html === undefined) return
  await writeFile(values.html, replayPage(all, new Date()))
  write(`charts: ${values.html}\n`)
}

function bar(part: number): string {
  const full = Math.round(Math.min(1, part) * BAR_LENGTH)
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_LENGTH - full)}] ${Math.floor(PERCENT * Math.min(1, part))} %`
}

function list(text: string | undefined): readonly string[] | undefined {
  const parts = text?.split(',').map(part => part.trim())
  return parts?.filter(part => part !== '')
}

function numbers(text: string | undefined, option: string, low: number, high: number): readonly number[] | undefined {
  return list(text)?.map(part => {
    const value = Number(part)
    if (!(value >= low && value <= high)) throw refuse(option, `numbers from ${low} to ${high}, separated by commas`, text)
    return value
  })
}
