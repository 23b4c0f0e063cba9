import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Held } from '../../../lib/predict/held.js'
import { hourly, normal, seeded } from './series.js'

test('a stream with a season goes on as it was a season ago', () => {
  const known = Float64Array.from(hourly(400, 1))
  const held = new Held(known, 450, 24)
  assert.equal([...held.values.subarray(400, 424)], [...known.subarray(376)])
  assert.is(held.values[430], held.values[406])
  assert.is(held.doubt(399), 0)
  assert.ok(held.doubt(400) > 0.5 && held.doubt(449) === held.doubt(400))
})

test('one without goes on as it was last, with more doubt from step to step, up to that of knowing nothing', () => {
  const random = seeded(1)
  let level = 0
  const held = new Held(
    Float64Array.from({ length: 300 }, () => (level += normal(random))),
    400,
    undefined
  )
  for (const value of held.values.subarray(300)) assert.is(value, held.values[299])
  assert.ok(Math.abs(held.doubt(303) - 2 * held.doubt(300)) < 1e-9)
  assert.ok(held.doubt(1e9) < 50)
})

test('of nothing it knows nothing', () => {
  for (const known of [new Float64Array(0), Float64Array.of(Number.NaN, Number.NaN)]) {
    const held = new Held(known, 5, undefined)
    assert.is(held.values.length, 5)
    assert.ok(Number.isNaN(held.values[4]))
    assert.is(held.doubt(4), 0)
  }
})

test.run()
