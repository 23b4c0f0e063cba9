import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, historyOf, open, openMemoryStore, type Recorder, type Row } from '../../../lib/index.js'
import { Simulated } from '../shadow/simulated.js'
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

/** Forty runs of a and b, 100 ms each, are known; of the next one something is said after 50 ms, and it goes on for 150. */
async function foretold(body: (gov: Governor, recorder: Recorder, store: Store, runs: () => Promise<void>) => Promise<void>, options = {}) {
  const simulated = new Simulated()
  const { gov } = simulated
  const store = await openMemoryStore({ flushInterval: Number.POSITIVE_INFINITY })
  const recorder = gov.record(store, { interval: 1e6, host: false, ...options })
  await recorder.begun
  const workflow = gov.workflow('w', { metering: false, tenant: 'acme' })
  const one = () =>
    simulated.run(workflow, [
      ['a', 100],
      ['b', 100]
    ])
  for (let i = 0; i < 40; i++) {
    void one()
    await simulated.until()
  }
  const runs = async () => {
    void one()
    await simulated.until(simulated.now + 50)
    gov.shadow.replica().at(0.1)
    await simulated.until()
  }
  try {
    await body(gov, recorder, store, runs)
  } finally {
    await gov.close()
    await store.close()
  }
}

test('what a replica said of a run is kept with what came and its score, when the run is over', () =>
  foretold(async (_gov, recorder, store, runs) => {
    await runs()
    await recorder.drain()
    const [{ id }] = await store.select('runs', { order: 'desc', limit: 1 })
    const rows = await store.select('estimates')
    const rounded = (value: number | undefined) => (value === undefined ? undefined : Math.round(value * 100) / 100)
    assert.equal(
      rows.map(({ kind, subject, workflow, run, tenant, value, low, high, truth, score }) => [
        [kind, subject, workflow, run, tenant],
        [value, low, high, truth, score].map(rounded)
      ]),
      [
        [
          ['course', 'w', 'w', id, 'acme'],
          [1, undefined, undefined, 1, 0]
        ],
        [
          ['remaining', 'w', 'w', id, 'acme'],
          [150, 150, 150, 150, 0]
        ]
      ]
    )
    const scores = await historyOf(store).predictions({ workflow: 'w', kind: 'course' })
    assert.equal(scores, [{ kind: 'course', subject: 'w', workflow: 'w', made: 1, known: 1, score: rows[0].score }])
    assert.is((await store.forget({ tenant: 'acme' })).estimates, 2)
  }))

test('what is said by a governor that keeps no predictions is in no history, until it says that it is to be kept', () =>
  foretold(
    async (gov, recorder, store, runs) => {
      await runs()
      await recorder.drain()
      assert.equal(await store.select('estimates'), [])
      const end = gov.shadow.keepPredictions()
      await runs()
      end()
      await runs()
      await recorder.drain()
      assert.is((await store.select('estimates')).length, 2)
    },
    { predictions: false }
  ))

test('a note of that name by somebody else is no prediction', () =>
  foretold(async (gov, recorder, store) => {
    const bytes = (text: string) => new TextEncoder().encode(text)
    for (const text of ['{', '7', '{"id":"a","run":"b","workflow":"w","made":1,"due":2,"probability":1,"cameAfter":3,"remaining":{}}']) {
      assert.ok(gov.telemetry.note('forelock:prediction', bytes(text)))
    }
    await recorder.drain()
    assert.is(recorder.error, undefined)
    assert.equal(await store.select('estimates'), [])
  }))

test.run()
