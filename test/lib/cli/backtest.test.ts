import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dataFolder, missing } from '../../../lib/backtest/data.js'
import { backtest } from '../../../lib/cli/backtest.js'
import { isCoded, rejection } from '../support.js'

const quiet = () => {}
const data = dataFolder(undefined)

test('refuses a suite that there is none of, and no suite at all', async () => {
  for (const values of [{}, { suite: 'nothing' }, { suite: 'm4-hourly', all: true }]) {
    const error = await rejection(backtest(values, quiet, quiet))
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.match(error.message, 'm4-hourly')
  }
})

test('without the data it says how to name their folder', async () => {
  const error = await rejection(backtest({ suite: 'm4-hourly', data: '/nowhere' }, quiet, quiet))
  isCoded(error, 'ERR_FORELOCK_ARGUMENT')
  assert.match(error.message, '--data or FORELOCK_DATA')
})

const absent = missing(data, ['m4_hourly'])
if (absent !== undefined) console.log(`skipped: no data (${absent} is not in ${data})`)
const withData = absent === undefined ? test : test.skip

withData('writes a table, rows for machines and a page', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forelock-backtest-'))
  try {
    const [json, html] = [join(folder, 'rows.json'), join(folder, 'page.html')]
    let text = ''
    const met = await backtest({ suite: 'm4-hourly', json, html }, part => (text += part), quiet)
    assert.is(met, true)
    assert.match(text, /m4-hourly\/owa +0\.\d+ +must <= 0\.455: met/)
    const rows = JSON.parse(readFileSync(json, 'utf8')) as { id: string }[]
    assert.ok(rows.some(({ id }) => id === 'm4-hourly/owa'))
    assert.match(readFileSync(html, 'utf8'), '<svg')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
