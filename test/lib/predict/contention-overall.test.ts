import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { OverallRequests } from '../../../lib/predict/contention-overall.js'

test('knows how it was a while ago, and not what came since', () => {
  const overall = new OverallRequests()
  for (let i = 0; i < 300; i++) overall.add(10 * i, false)
  for (let i = 300; i < 400; i++) overall.add(10 * i, true)
  const before = { ...overall.asOf(2_995) }
  assert.equal([before.lately, before.justNow, before.loadAt], [0, 0, 2_990])
  const now = overall.asOf(4_000)
  assert.ok(now.lately > 0.6 && now.justNow > 0.99)
  assert.ok(Math.abs(now.load[0] - 100) < 3 && now.load[1] > 300)
})

test('of before all it knows nothing, and of too long ago what is oldest', () => {
  const overall = new OverallRequests()
  assert.equal(overall.asOf(5).load, [0, 0])
  for (let i = 0; i < 10_000; i++) overall.add(i, true)
  assert.is(overall.asOf(0).loadAt, 10_000 - 4_096)
  assert.is(overall.asOf(20_000).loadAt, 9_999)
})

test.run()
