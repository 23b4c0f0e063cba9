import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { replayTrace } from '../../../lib/cli/replay.js'
import { inFolder } from '../replay/support.js'
import { isCoded, rejection } from '../support.js'

const quiet = () => {}

/** Batch work that fills the machine, and bursts of short requests. */
function day(): string {
  const rows: [number, number, string][] = []
  for (let time = 0; time < 60_000; time += 250) rows.push([time, 1900, 'batch'])
  for (let time = 4000; time < 60_000; time += 5000) for (let i = 0; i < 4; i++) rows.push([time + i, 100, 'web'])
  return `ts,took,service\n${rows
    .sort(([a], [b]) => a - b)
    .map(row => row.join())
    .join('\n')}\n`
}

test('it writes a table, rows for machines and a page, and the rows are the same each time', async () => {
  await inFolder(async folder => {
    const file = join(folder, 'day.csv')
    writeFileSync(file, day())
    const rowsOf = async (name: string) => {
      const json = join(folder, name)
      let text = ''
      const told: string[] = []
      const html = join(folder, 'page.html')
      await replayTrace(
        file,
        { interactive: 'web', utilisation: '80,95', json, html },
        part => (text += part),
        one => told.push(one)
      )
      assert.match(text, /day@80: pool \{"units":\d+\}/)
      assert.match(text, /static \(static-\d\) +interactive/)
      assert.match(text, 'day@95')
      assert.ok(told.some(one => one.includes('oracle')))
      const page = readFileSync(html, 'utf8')
      for (const part of ['<svg', 'lower hull', 'the hull of the fixed settings']) assert.match(page, part)
      return JSON.parse(readFileSync(json, 'utf8')) as { id: string; value: number; suite: string; rivals: object; unit: string }[]
    }
    const rows = await rowsOf('one.json')
    const ids = rows.map(({ id }) => id)
    assert.is(new Set(ids).size, ids.length)
    for (const id of [
      'day@80/reactive/interactive/wait-mean',
      'day@80/static-1/background/done',
      'day@95/static/interactive/wait-p99.9',
      'day@95/adversarial/all/cost'
    ]) {
      assert.ok(ids.includes(id), id)
    }
    assert.is(
      rows.every(({ suite, value }) => suite === 'replay' && Number.isFinite(value)),
      true
    )
    const measured = (id: string) => rows.find(row => row.id === id)?.value as number
    assert.ok(measured('day@80/oracle/interactive/wait-mean') < measured('day@80/reactive/interactive/wait-mean'))
    const values = (all: typeof rows) => all.map(({ id, value }) => [id, value])
    assert.equal(values(await rowsOf('two.json')), values(rows))
  })
})

test('it proposes which column is what', async () => {
  await inFolder(async folder => {
    const file = join(folder, 'day.csv')
    writeFileSync(file, day())
    let text = ''
    await replayTrace(file, { infer: true }, part => (text += part), quiet)
    assert.is(text, '--map time=ts:ms,duration=took:ms,workflow=service\n')
  })
})

test('what cannot be is refused before anything is written', async () => {
  await inFolder(async folder => {
    const file = join(folder, 'day.csv')
    writeFileSync(file, day())
    const json = join(folder, 'rows.json')
    for (const values of [
      { policy: 'reactive,lucky' },
      { utilisation: '0' },
      { utilisation: 'much' },
      { static: '0' },
      { seed: '-1' },
      { period: '0' },
      { format: 'wood' },
      { map: 'nonsense' }
    ]) {
      isCoded(await rejection(replayTrace(file, { ...values, json }, quiet, quiet)), 'ERR_FORELOCK_ARGUMENT')
    }
    isCoded(await rejection(replayTrace(join(folder, 'none.csv'), { json }, quiet, quiet)), 'ERR_FORELOCK_ARGUMENT')
    assert.is(existsSync(json), false)
  })
})

test.run()
