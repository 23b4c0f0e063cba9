import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, historyOf, open, openMemoryStore, type Recorder, type Row } from '../../../lib/index.js'
import { virtual } from '../support.js'

type Store = Awaited<ReturnType<typeof openMemoryStore>>

async function recording(body: (gov: Governor, recorder: Recorder, store: Store) => Promise<void>, options = {}) {
  const gov = virtual({ capacity: { telemetry: 4096 } })
  const store = await openMemoryStore({ flushInterval: Number.POSITIVE_INFINITY })
  const recorder = gov.record(store, { interval: 1e6, host: false, ...options })
  await recorder.begun
  try {
    await body(gov, recorder, store)
  } finally {
    await gov.close()
    await store.close()
  }
}

const told = (rows: Row<'estimates'>[]) =>
  rows.map(({ kind, subject, tier, value, truth, score }) => [kind, subject, tier, value, truth, score])

test('an estimate is kept as it is made, and again with its truth and score when the request was made', () =>
  recording(async (gov, recorder, store) => {
    const lock = gov.lock('invoice')
    lock.shadow({ tier: 'interactive' })
    lock.tryAcquire({ tier: 'interactive' })
    await recorder.drain()
    const about = ['lock:invoice', 'interactive', 0]
    assert.equal(told(await store.select('estimates')), [
      ['contention', ...about, undefined, undefined],
      ['wait', ...about, undefined, undefined],
      ['contention', ...about, 0, 0],
      ['wait', ...about, 0, 0]
    ])
  }))

test('a request that had to wait tells how wrong it was to say that none would', () =>
  recording(async (gov, recorder, store) => {
    const lock = gov.lock('invoice')
    lock.shadow()
    const held = lock.tryAcquire({ tier: 'critical' })
    const waits = lock.acquire()
    gov.advance(30)
    held?.release()
    await waits
    await recorder.drain()
    const known = (await store.select('estimates')).filter(({ truth }) => truth !== undefined)
    // The pinball losses of 0 at 0.5 and at 0.95, of a wait of 30 ms.
    assert.equal(told(known), [
      ['contention', 'lock:invoice', 'standard', 0, 1, 1],
      ['wait', 'lock:invoice', 'standard', 0, 30, (0.5 * 30 + 0.95 * 30) / 2]
    ])
    assert.equal(await historyOf(store).predictions({ kind: 'wait' }), [
      { kind: 'wait', subject: 'lock:invoice', tier: 'standard', made: 1, known: 1, score: 21.75, within: 0 }
    ])
  }))

test('the truth is the first request of that tier at that thing, at its time or within a second, and no other', () =>
  recording(async (gov, recorder, store) => {
    const lock = gov.lock('invoice')
    lock.shadow({ in: 100 })
    lock.tryAcquire()?.release()
    gov.advance(100)
    lock.tryAcquire({ tier: 'critical' })?.release()
    gov.lock('other').tryAcquire()?.release()
    await recorder.drain()
    const history = historyOf(store)
    const [{ made, known, score }] = await history.predictions({ kind: 'contention' })
    assert.equal([made, known, score], [1, 0, undefined])
    lock.tryAcquire()?.release()
    await recorder.drain()
    assert.is((await history.predictions({ kind: 'contention' }))[0].known, 1)
    lock.shadow()
    gov.advance(1100)
    lock.tryAcquire()?.release()
    await recorder.drain()
    assert.equal(
      (await history.predictions({ kind: 'contention' })).map(({ made, known }) => [made, known]),
      [[2, 1]]
    )
  }))

test('a refused request tells that it was not granted at once, and nothing of how long it would have waited', () =>
  recording(async (gov, recorder, store) => {
    const lock = gov.lock('invoice')
    lock.tryAcquire({ tier: 'critical' })
    lock.shadow()
    assert.is(lock.tryAcquire(), null)
    await recorder.drain()
    const scores = await historyOf(store).predictions({ subject: 'lock:invoice' })
    assert.equal(
      scores.map(({ kind, made, known, score }) => [kind, made, known, score]),
      [['contention', 1, 1, 0]]
    )
  }))

test('another environment has its estimates kept if it says so, and one that records unless it says no', () =>
  recording(
    async (gov, recorder, store) => {
      const other = open({ handle: gov.handle, autoEnclose: false })
      other.lock('a').shadow()
      const end = other.shadow.keepEstimates()
      other.lock('b').shadow()
      end()
      other.lock('c').shadow()
      gov.lock('d').shadow()
      await recorder.drain()
      const rows = await store.select('estimates')
      assert.equal([...new Set(rows.map(({ subject }) => subject))], ['lock:b'])
      assert.ok(rows[0].id.startsWith(other.client))
      await other.close()
    },
    { estimates: false }
  ))

test.run()
