import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Tally } from '../../../lib/replay/tally.js'

test('the mean is exact, and quantiles are within a hundredth', () => {
  const tally = new Tally('background')
  for (let ms = 1; ms <= 1000; ms++) tally.grant(ms, 2)
  const result = tally.result(1000, 8)
  assert.is(result.waitMean, 500.5)
  for (const [value, truth] of [
    [result.waitP50, 500],
    [result.waitP90, 900],
    [result.waitP99, 990],
    [result.waitP999, 999]
  ] as const) {
    assert.ok(Math.abs(value / truth - 1) <= 0.01, `${value} for ${truth}`)
  }
  assert.is(result.late, 0.9)
  // 500.5 s of two units each, at 8 a unit and second.
  assert.is(result.waitCost, 500.5 * 2 * 8)
})

test('those who did not wait count, too', () => {
  const tally = new Tally('background')
  for (let i = 0; i < 95; i++) tally.grant(0, 1)
  for (let i = 0; i < 5; i++) tally.grant(200, 1)
  const { waitP50, waitP90, waitP99, waited, waitMean } = tally.result(1000, 1)
  assert.equal([waitP50, waitP90, waited, waitMean], [0, 0, 0.05, 10])
  assert.ok(Math.abs(waitP99 - 200) <= 2)
})

test('a tier of which nothing came has no waits', () => {
  assert.is(new Tally('critical').result(0, 32).waitP99, 0)
})

test.run()
