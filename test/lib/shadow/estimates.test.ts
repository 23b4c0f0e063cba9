import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Estimate, type Grant, scoreEstimate } from '../../../lib/index.js'
import { isCoded, macrotask, thrown, virtual } from '../support.js'

test('each shadow request leaves an estimate with whoever asked for it', async () => {
  const gov = virtual()
  const estimates: Estimate[] = []
  const stop = gov.shadow.onEstimate(estimate => estimates.push(estimate))
  const lock = gov.lock('a', { hold: 40 })
  const held = lock.tryAcquire({ mode: 'shared' }) as Grant
  const answer = lock.shadow({ tier: 'critical', in: 10 })
  await macrotask()
  assert.is(estimates.length, 1)
  const [{ made, due, ...rest }] = estimates as [Estimate]
  const value = { verdict: 'wait', contention: 1, p50: 30, p95: 30 }
  assert.equal(rest, { id: answer.id, what: 'wait', kind: 'lock', name: 'a', tier: 'critical', value })
  assert.is(Math.round(due - made), 10)
  assert.ok(Math.abs(made - gov.toDate(gov.now()).getTime()) <= 1)
  stop()
  lock.shadow()
  await macrotask()
  assert.is(estimates.length, 1)
  held.release()
})

test('an admission is estimated as a whole, and each of its parts', async () => {
  const gov = virtual()
  const estimates: Estimate[] = []
  gov.shadow.onEstimate(estimate => estimates.push(estimate))
  const { id } = gov.shadow.admit({ locks: [gov.lock('a')], tokens: [[gov.bucket('b', { rate: 1 }), 1]] })
  await macrotask()
  assert.equal(
    estimates.map(({ kind, name }) => [kind, name]),
    [
      ['lock', 'a'],
      ['bucket', 'b'],
      ['admission', 'a + b']
    ]
  )
  assert.is(estimates.at(-1)?.id, id)
  assert.is(new Set(estimates.map(estimate => estimate.id)).size, 3)
})

test('a listener has to be a function', () => {
  isCoded(
    thrown(() => virtual().shadow.onEstimate(1 as never)),
    'ERR_FORELOCK_ARGUMENT'
  )
})

test('an estimate is scored by the wait that came of it', () => {
  const value = { verdict: 'wait', contention: 0.75, p50: 10, p95: 40 } as const
  const estimate = { id: '1', made: 0, due: 0, what: 'wait', kind: 'lock', name: 'a', tier: 'standard', value } as const
  assert.equal(scoreEstimate(estimate, 20), { brier: 0.0625, p50: 5, p95: (1 - 0.95) * 20 })
  assert.equal(scoreEstimate(estimate, 0), { brier: 0.5625, p50: 5, p95: (1 - 0.95) * 40 })
  const unknown = { ...estimate, value: { ...value, p50: undefined, p95: undefined } }
  assert.equal(scoreEstimate(unknown, 20), { brier: 0.0625, p50: undefined, p95: undefined })
})

test.run()
