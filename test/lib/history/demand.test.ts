import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DEMAND_NOTE } from '../../../lib/foresight/demand-note.js'
import { historyOf, openHistory, openMemoryStore, type Row } from '../../../lib/index.js'
import { macrotask, virtual } from '../support.js'

const PERIOD_MS = 100

/** Five tokens of a bucket are taken each 100 ms; after ten seconds it is foretold how it goes on, and for five more it does. */
async function foretold(options: object, governor: object, check: (rows: Row<'estimates'>[]) => Promise<void> | void) {
  const gov = virtual({ capacity: { telemetry: 8_192 }, ...governor })
  const store = await openMemoryStore({ flushInterval: Number.POSITIVE_INFINITY })
  const recorder = gov.record(store, { interval: 1e6, host: false, ...options })
  await recorder.begun
  gov.foresight.start({ period: PERIOD_MS })
  const bucket = gov.bucket('stripe', { rate: 1_000, burst: 1_000 })
  const goOn = (ms: number) => {
    for (let past = 0; past < ms; past += PERIOD_MS) {
      bucket.tryTake(5, { workflow: 'checkout', tenant: 'acme', tier: 'interactive' })
      gov.advance(PERIOD_MS)
    }
  }
  goOn(10_000)
  for (const of of [{ bucket: 'stripe' }, { workflow: 'checkout' }, { tenant: 'acme', tier: 'interactive' }, { tier: 'interactive' }]) {
    await gov.foresight.demand(of, { horizon: 1_000, levels: [0.05, 0.5, 0.95] })
  }
  goOn(5_000)
  for (const text of ['{}', 'no JSON', '{"id":1}']) gov.telemetry.note(DEMAND_NOTE, new TextEncoder().encode(text))
  await macrotask()
  await recorder.drain()
  try {
    await check(await store.select('estimates'))
    const operator = await openHistory(store, { as: 'operator' })
    const seen = JSON.stringify([await operator.select('estimates'), await operator.predictions()])
    assert.not.match(seen, /acme/, 'tenants are hidden from operators')
    const [bucketRow] = await historyOf(store).predictions({ kind: 'demand:amount' })
    if (Object.keys(options).length + Object.keys(governor).length === 0) assert.equal([bucketRow?.made, bucketRow?.known], [1, 1])
  } finally {
    await gov.close()
    await store.close()
  }
}

test('what was said of demand is kept with what came, a second of it', () =>
  foretold({}, {}, rows => {
    assert.equal(
      rows.map(({ kind, subject, workflow, tenant, tier, truth }) => [kind, subject, workflow, tenant, tier, truth]),
      [
        ['demand:amount', 'bucket:stripe', undefined, undefined, undefined, 50],
        ['demand:requests', 'workflow:checkout', 'checkout', undefined, undefined, 10],
        ['demand:requests', 'tenant', undefined, 'acme', 'interactive', 10],
        ['demand:requests', 'all', undefined, undefined, 'interactive', 10]
      ]
    )
    for (const { value, low, high, truth, score, made, due } of rows) {
      assert.ok(Math.abs((value as number) - (truth as number)) < 1, String(value))
      assert.ok((low as number) <= (value as number) && (high as number) >= (value as number))
      assert.ok((score as number) >= 0 && (score as number) < 1)
      assert.ok((due as number) > made && (due as number) - made <= PERIOD_MS + 1)
    }
  }))

test('where predictions are not kept those of demand are not', () => foretold({ predictions: false }, {}, rows => assert.equal(rows, [])))

test('an element is named as events name it', () =>
  foretold({}, { privacy: { key: 'a key of sixteen!', elements: { other: 'keep' } } }, rows => {
    assert.is(rows[0]?.subject, 'bucket:*')
  }))

test.run()
