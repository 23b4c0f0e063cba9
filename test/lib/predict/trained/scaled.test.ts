import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Scale } from '../../../../lib/predict/trained/scaled.js'

test('what goes in comes back, within [-1, 1], whatever it is', () => {
  for (const values of [
    [1, 2, 5],
    [-1e300, 1e300],
    [Number.MAX_VALUE, -Number.MAX_VALUE, 0],
    [1e-310, 3e-310]
  ]) {
    const scale = Scale.of(Float64Array.from(values)) as Scale
    for (const value of values) {
      const scaled = scale.into(value)
      assert.ok(Math.abs(scaled) <= 1 + 1e-9)
      assert.ok(Math.abs(scale.back(scaled) - value) <= Math.max(1e-9 * Math.abs(value), 1e-320))
    }
  }
})

test('there is none of values that do not differ, of none, or of what is no number', () => {
  for (const values of [[], [4, 4], [Number.NaN, 1]]) assert.is(Scale.of(Float64Array.from(values)), undefined)
  for (const [middle, half] of [
    [0, 0],
    [0, -1],
    [Number.NaN, 1],
    ['0', 1]
  ]) {
    assert.is(Scale.from(middle, half), undefined)
  }
})

test('nothing goes far beyond the range', () => {
  const scale = Scale.of(Float64Array.of(0, 10)) as Scale
  assert.equal([scale.near(5), scale.near(1e9), scale.near(-1e9)], [5, 20, -10])
  const wide = Scale.of(Float64Array.of(-Number.MAX_VALUE, Number.MAX_VALUE)) as Scale
  for (const value of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) assert.ok(Number.isFinite(wide.near(value)))
})

test.run()
