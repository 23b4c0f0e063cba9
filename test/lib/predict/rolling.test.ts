import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Median, PhaseMean } from '../../../lib/predict/naive.js'
import { RidgeAutoregression } from '../../../lib/predict/ridge.js'
import { type Origins, originsOf, type RollingModel, tried, truths } from '../../../lib/predict/rolling.js'
import { Smoothing } from '../../../lib/predict/smoothing.js'
import { normal, seeded } from './series.js'

test('the last origin leaves room for its whole horizon, for any length', () => {
  for (let length = 0; length < 1_200; length += 7) {
    for (const [horizon, isSeasonal] of [1, 5, 48, 500].flatMap(horizon => [[horizon, true] as const, [horizon, false] as const])) {
      const origins = originsOf(length, horizon, isSeasonal)
      if (origins === undefined) continue
      const last = origins.first + (origins.count - 1) * origins.every
      assert.ok(origins.first >= 4 && origins.count >= 1 && origins.horizon >= 1 && origins.horizon <= horizon)
      assert.ok(last + origins.horizon <= length)
      assert.ok(last + origins.every + origins.horizon > length)
    }
  }
})

test('models of a series without seasons are tried on more of it, for they need less', () => {
  const triedOf = (length: number, isSeasonal: boolean) => length - (originsOf(length, 48, isSeasonal)?.first ?? length)
  assert.equal(
    [200, 745, 1_243, 4_000].map(length => triedOf(length, true)),
    [74, 240, 310, 1_000]
  )
  assert.equal(
    [200, 745, 1_243, 4_000].map(length => triedOf(length, false)),
    [100, 372, 576, 1_000]
  )
})

test('there is nothing to try in a few values', () => {
  for (const length of [0, 1, 2, 3, 4]) assert.is(originsOf(length, 48, false), undefined)
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

/** What it says from each origin, one after the other. */
const oneByOne = (model: RollingModel, values: Float64Array, origins: Origins) =>
  tried({ name: model.name, fit: () => true, predict: model.predict.bind(model) }, values, origins)

test('asked from all origins at once a model says to the last bit what it says from each', () => {
  const random = seeded(5)
  const kinds: ((at: number) => number)[] = [
    at => 100 + 40 * Math.sin(at / 4) + normal(random),
    at => at ** 2,
    // Of another range at each origin, and of one that stays.
    at => (at % 7 === 0 ? 50 * at : normal(random)),
    () => 3
  ]
  const models = () => [
    new Median(13),
    new RidgeAutoregression('plain', [1, 2, 3, 24, 25], 0),
    new RidgeAutoregression('differences', [1, 2, 7], 24),
    new Smoothing(0, false),
    new Smoothing(0, true),
    new Smoothing(24, false)
  ]
  for (const kind of kinds) {
    const values = Float64Array.from({ length: 300 }, (_, at) => kind(at))
    for (const origins of [originsOf(300, 48, true), originsOf(300, 1, false), { first: 150, every: 1, count: 9, horizon: 60 }]) {
      if (origins === undefined) throw new Error('there are enough values')
      for (const model of models()) {
        assert.ok(model.fit(values, origins.first), model.name)
        const atOnce = tried(model, values, origins)
        assert.ok(atOnce)
        assert.equal(atOnce, oneByOne(model, values, origins), model.name)
      }
    }
  }
})

test('nor does it say anything at once where it cannot from one of them', () => {
  const values = Float64Array.from({ length: 40 }, (_, at) => at)
  const origins = { first: 10, every: 5, count: 4, horizon: 3 }
  for (const model of [new Median(13), new RidgeAutoregression('late', [1, 12], 0), new Smoothing(6, false)]) {
    model.fit(values, 40)
    assert.is(tried(model, values, origins), undefined, model.name)
  }
})

test.run()
