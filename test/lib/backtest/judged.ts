import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dataFolder, missing } from '../../../lib/backtest/data.js'
import { isMet, type Suite } from '../../../lib/backtest/suite.js'

/**
 * Runs suites on the real data, where they are, and checks that they keep their bars.
 *
 * @param open ids of measures that are known to miss theirs; one that keeps it is to be taken off the list
 */
export function judge(suites: readonly Suite[], open: readonly string[] = []): void {
  for (const suite of suites) judgeOne(suite, open)
  test.run()
}

function judgeOne(suite: Suite, open: readonly string[]): void {
  const data = dataFolder(undefined)
  const absent = missing(data, suite.needs)
  if (absent !== undefined) console.log(`skipped: no data for ${suite.name} (${absent} is not in ${data})`)
  const judged = absent === undefined ? test : test.skip
  judged(`${suite.name} keeps its bars, and tells how far it is`, async () => {
    const told: number[] = []
    const { measures } = await suite.run({ data, rivals: false, progress: part => told.push(part) })
    for (const { id, value, must } of measures) {
      assert.ok(Number.isFinite(value), `${id} is ${value}`)
      // A time is no test: on a busy machine all take longer.
      if (must !== undefined && suite.timed !== true) assert.is(isMet(value, must), !open.includes(id), `${id} is ${value}`)
    }
    assert.is(told.at(-1), 1)
    assert.ok(told.every((part, i) => i === 0 || part >= (told[i - 1] as number)))
  })
}
