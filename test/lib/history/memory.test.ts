import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openMemoryStore } from '../../../lib/history/memory.js'
import { DAY, run } from './rows.js'
import { conformance } from './store.suite.js'

conformance(test, { open: options => openMemoryStore(options), hasSql: false, nul: '\u0000' })

test('no table is larger than its bound, and it is the oldest rows and the finest roll-ups that go', async () => {
  const store = await openMemoryStore({ rows: 50, flushInterval: Number.POSITIVE_INFINITY })
  for (let i = 0; i < 40; i++) {
    const end = DAY + i * 60_000
    store.append('runs', [run(`${i * 2}`, { end, wall: 5 }), run(`${i * 2 + 1}`, { end, wall: 5 })])
    await store.flush()
  }
  const runs = await store.select('runs')
  assert.equal([runs.length, runs[0].id, runs.at(-1)!.id], [50, '30', '79'])
  const rollups = await store.select('rollups')
  assert.ok(rollups.length <= 50)
  const count = (resolution: number) => rollups.filter(row => row.resolution === resolution).reduce((sum, row) => sum + row.count, 0)
  assert.equal([count(3_600_000), count(60_000)], [80, 80])
  assert.ok(count(1000) < 80)
  await store.close()
})

test('rows that are read are copies', async () => {
  const store = await openMemoryStore()
  store.append('runs', [run('1', { input: { a: 1 } })])
  await store.flush()
  ;(((await store.select('runs'))[0] as { input: object }).input as { a: number }).a = 2
  assert.equal((await store.select('runs'))[0].input, { a: 1 })
  await store.close()
})

test.run()
