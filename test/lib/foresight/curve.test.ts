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

test.run()
