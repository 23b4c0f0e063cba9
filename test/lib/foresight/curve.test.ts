import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Curve } from '../../../lib/foresight/curve.js'

test('a horizon is looked at in the finest steps of which it has sixty at most', () => {
  const curve = new Curve(0, 'sum')
  assert.equal(
    [1, 6_000, 6_001, 60_000, 60_001, 1e9].map(horizon => curve.for(horizon).step),
    [100, 100, 1_000, 1_000, 60_000, 60_000]
  )
})

test('what comes once is seen at each length of step', () => {
  const curve = new Curve(0, 'sum')
  curve.add(61_250, 3)
  const at = (horizon: number) => curve.for(horizon).until(120_000)
  for (const horizon of [1, 10_000, 100_000]) {
    const { first, values } = at(horizon)
    const { step } = curve.for(horizon)
    assert.is(values[Math.floor(61_250 / step) - first], 3)
    assert.is(
      values.reduce((all, one) => all + one, 0),
      3
    )
  }
})

test('what comes in a step after it was looked at counts, and so does what comes late', () => {
  for (const [take, expected] of [
    ['sum', 7],
    ['max', 4]
  ] as const) {
    const curve = new Curve(0, take)
    curve.add(110, 1)
    curve.for(1)
    curve.add(120, 4)
    curve.add(230, 1)
    curve.add(130, 2)
    for (const [horizon, at] of [
      [1, 1],
      [10_000, 0]
    ] as const) {
      const { first, values } = curve.for(horizon).until(60_000)
      assert.is(values[at - first], horizon === 10_000 && take === 'sum' ? expected + 1 : expected)
    }
  }
})

test.run()
