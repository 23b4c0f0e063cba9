import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PhaseMean } from '../../../lib/predict/naive.js'
import { originsOf, tried, truths } from '../../../lib/predict/rolling.js'

test('the last origin leaves room for its whole horizon, for any length', () => {
  for (let length = 0; length < 1_200; length += 7) {
    for (const horizon of [1, 5, 48, 500]) {
      const origins = originsOf(length, horizon)
      if (origins === undefined) continue
      const last = origins.first + (origins.count - 1) * origins.every
      assert.ok(origins.first >= 4 && origins.count >= 1 && origins.horizon >= 1 && origins.horizon <= horizon)
      assert.ok(last + origins.horizon <= length)
      assert.ok(last + origins.every + origins.horizon > length)
    }
  }
})

test('there is nothing to try in a few values', () => {
  for (const length of [0, 1, 2, 3, 4]) assert.is(originsOf(length, 48), undefined)
})

test('a model is asked from each origin, and compared with what came then', () => {
  const values = Float64Array.from({ length: 20 }, (_, i) => i * i)
  const origins = { first: 10, every: 3, count: 3, horizon: 2 }
  assert.equal([...(tried(new PhaseMean(1, 1), values, origins) ?? [])], [81, 81, 144, 144, 225, 225])
  assert.equal([...truths(values, origins)], [100, 121, 169, 196, 256, 289])
})

test('a model that cannot say at one of them is not compared', () => {
  const late = { name: 'late', fit: () => true, predict: (_: Float64Array, length: number) => length > 12 }
  assert.is(tried(late, new Float64Array(20), { first: 10, every: 3, count: 3, horizon: 2 }), undefined)
})

test('nor is one that says what is no number', () => {
  for (const said of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const says = {
      name: 'says',
      fit: () => true,
      predict: (_: Float64Array, length: number, out: Float64Array) => !!out.fill(length > 12 ? said : 1)
    }
    assert.is(tried(says, new Float64Array(20), { first: 10, every: 3, count: 3, horizon: 2 }), undefined)
  }
})

test.run()
