import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DEFAULT_RETENTION, keepsOf } from '../../../lib/history/retention.js'
import { TABLE_NAMES } from '../../../lib/history/rows.js'
import { openMemoryStore, type RecorderOptions } from '../../../lib/index.js'
import { isCoded, macrotask, thrown, virtual } from '../support.js'
import { DAY, HOUR, run } from './rows.js'

test('by default every table is bounded, raw rows go before their roll-ups, and the finer of these before the coarser', () => {
  const named = new Set(keepsOf(DEFAULT_RETENTION).map(({ table }) => table))
  assert.equal(
    TABLE_NAMES.filter(table => !named.has(table)),
    []
  )
  const age = (name: keyof typeof DEFAULT_RETENTION) => DEFAULT_RETENTION[name]?.age as number
  assert.ok(age('second') < age('minute') && age('minute') < age('hour'))
  assert.ok(Math.max(age('runs'), age('actions'), age('events'), age('host')) < age('minute'))
})

/** Rows of a day that is long over, and of now. */
async function pruned(options: RecorderOptions): Promise<string[]> {
  const gov = virtual({ capacity: { telemetry: 64 } })
  const store = await openMemoryStore({ flushInterval: Number.POSITIVE_INFINITY })
  store.append('runs', [run('old'), run('new', { start: Date.now(), end: Date.now() })])
  await store.flush()
  // What is looked for at last is not in the store before the recorder has pruned it.
  const recorder = gov.record(store, { interval: 1e6, host: false, pruneInterval: 1, ...options })
  await recorder.begun
  // Its timers keep no process alive.
  const alive = setInterval(() => {}, 1000)
  const removals = store.prune.bind(store)
  await new Promise<void>(resolve => {
    store.prune = async (...args) => {
      const removed = await removals(...args)
      resolve()
      return removed
    }
    if (options.retention === false) setImmediate(resolve)
  })
  clearInterval(alive)
  await macrotask()
  await gov.close()
  const left = (await store.select('runs')).map(({ id }) => id)
  await store.close()
  return left
}

test('a recorder removes, again and again, what its retention does not keep', async () => {
  assert.ok(Date.now() - DAY > 40 * 24 * HOUR, 'the clock of this machine is before the rows')
  assert.equal(await pruned({}), ['new'])
  assert.equal(await pruned({ retention: { runs: { rows: 0 } } }), [])
  assert.equal(await pruned({ retention: { events: { rows: 0 } } }), ['old', 'new'])
  assert.equal(await pruned({ retention: false }), ['old', 'new'])
})

test('a retention that names what is not there is refused', async () => {
  const gov = virtual()
  const store = await openMemoryStore()
  const wrong = [{ nothing: {} }, { rollups: {} }, { runs: { days: 1 } }, { runs: { age: -1 } }, { runs: 1 }, 1, true]
  for (const retention of wrong as never[]) {
    isCoded(
      thrown(() => gov.record(store, { retention })),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  await gov.close()
  await store.close()
})

test.run()
