import { writeFile } from 'node:fs/promises'
import { dataFolder, mustHave } from '../backtest/data.js'
import { htmlOf } from '../backtest/report.js'
import { type Ran, rowsOf, tableOf } from '../backtest/results.js'
import { isMet, type Suite } from '../backtest/suite.js'
import { SUITES } from '../backtest/suites.js'
import { refuse } from '../checks.js'

export const BACKTEST_OPTIONS = {
  suite: { type: 'string' },
  all: { type: 'boolean' },
  json: { type: 'string' },
  html: { type: 'string' },
  data: { type: 'string' },
  help: { type: 'boolean', short: 'h' }
} as const

export interface BacktestValues {
  suite?: string | undefined
  all?: boolean | undefined
  json?: string | undefined
  html?: string | undefined
  data?: string | undefined
}

/**
 * Runs backtests and writes what came of them.
 *
 * @returns whether all that had to be met is met
 * @throws ArgumentError
 */
export async function backtest(values: BacktestValues, write: (text: string) => void, progress: (text: string) => void): Promise<boolean> {
  const suites = chosen(values)
  const data = dataFolder(values.data)
  mustHave(
    data,
    suites.flatMap(({ needs }) => needs)
  )
  const all: Ran[] = []
  for (const suite of suites) {
    const began = performance.now()
    const result = await suite.run({ data, rivals: true, progress: part => progress(`${suite.name} ${Math.floor(100 * part)} %`) })
    const ran = { suite, result, seconds: (performance.now() - began) / 1000 }
    all.push(ran)
    progress('')
    write(`${tableOf(ran)}\n`)
  }
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rowsOf(all), undefined, 2)}\n`)
  if (values.html !== undefined) await writeFile(values.html, htmlOf(all, new Date()))
  return all.every(({ result }) => result.measures.every(({ value, must }) => isMet(value, must) !== false))
}

function chosen({ suite, all }: BacktestValues): readonly Suite[] {
  if (all === true && suite === undefined) return SUITES
  const found = SUITES.filter(({ name }) => name === suite)
  if (found.length === 0 || all === true) throw refuse('--suite', `one of ${SUITES.map(({ name }) => name).join(', ')} (or --all)`, suite)
  return found
}
