import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Ensemble } from '../../../lib/predict/ensemble.js'
import { Median, PhaseMean } from '../../../lib/predict/naive.js'
import { independent, originsOf, tried } from '../../../lib/predict/rolling.js'
import { surpriseOf } from '../../../lib/predict/surprise.js'
import { normal, seeded } from './series.js'

const LENGTH = 600
const HORIZON = 48

function series(of: (at: number) => number, seed = 3): Float64Array {
  const random = seeded(seed)
  return Float64Array.from({ length: LENGTH }, (_, at) => of(at) + normal(random))
}

/** Of the median of the last 49, and of the last value. */
function surprises(values: Float64Array, horizon = HORIZON): number[] {
  const origins = originsOf(values.length, horizon, false)
  if (origins === undefined) throw new Error('too few values')
  return [new Median(49), new PhaseMean(1, 1)].map(model => {
    const rows = tried(model, values, origins)
    if (rows === undefined) throw new Error(`${model.name} cannot say`)
    return surpriseOf(model, values, origins, rows)
  })
}

test('a level that has just moved surprises who goes by an old one, and not who follows', () => {
  const [old, last] = surprises(series(at => (at < LENGTH - 14 ? 100 : 150)))
  assert.ok((old as number) > 5)
  assert.is(last, 1)
})

test('what has been like this before surprises nobody', () => {
  assert.equal(surprises(series(() => 100)), [1, 1])
  assert.equal(surprises(series(at => (at % 100 < 86 ? 100 : 150))), [1, 1])
})

test('a spike is no level', () => {
  assert.equal(surprises(series(at => (at >= LENGTH - 3 ? 500 : 100))), [1, 1])
  assert.equal(surprises(series(at => (at === LENGTH - 9 ? 500 : 100))), [1, 1])
})

test('one that was never wrong and is now is surprised, by no more than ten times', () => {
  const values = Float64Array.from({ length: LENGTH }, (_, at) => (at < LENGTH - 14 ? 0 : 7))
  assert.equal(surprises(values), [10, 1])
})

test('one that says of the last steps what is no number costs the others nothing', async () => {
  const values = series(at => 100 + (at % 7))
  const odd = {
    name: 'odd',
    fit: () => true,
    predict(_: Float64Array, length: number, out: Float64Array) {
      out.fill(length > LENGTH - HORIZON ? Number.NaN : 100)
      return true
    }
  }
  const ensemble = new Ensemble({ members: [odd], horizon: HORIZON })
  await ensemble.fit(values)
  const weights = ensemble.weights.map(({ weight }) => weight)
  assert.ok(weights.filter(weight => weight > 0).length > 2, String(weights))
  assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-9)
})

test('of few origins, and of a horizon of few steps, nothing is said', () => {
  const moved = series(at => (at < LENGTH - 14 ? 100 : 150))
  assert.equal(surprises(moved, 5), [1, 1])
  assert.equal(surprises(moved.subarray(LENGTH - 200), 95), [1, 1])
})

test('a model that cannot say is not surprised', () => {
  const values = series(() => 100)
  const origins = originsOf(LENGTH, HORIZON, false)
  if (origins === undefined) throw new Error('too few values')
  const mute = { name: 'mute', fit: () => true, predict: () => false }
  assert.is(surpriseOf(mute, values, origins, new Float64Array(origins.count * HORIZON)), 1)
})

test('after a level has moved the ensemble goes on from the new one', async () => {
  // An hour ago; what members erred over a whole horizon says nothing of it yet.
  const values = series(at => (at < LENGTH - 14 ? 100 : 150))
  const ensemble = new Ensemble({ horizon: HORIZON })
  await ensemble.fit(values)
  for (const value of ensemble.forecast(HORIZON).point) assert.ok(Math.abs(value - 150) < 5, String(value))
})

test('neighbouring origins count as the horizons that they span', () => {
  assert.is(independent({ first: 100, every: 6, count: 33, horizon: 48 }), 5)
  assert.is(independent({ first: 100, every: 48, count: 4, horizon: 48 }), 4)
  assert.is(independent({ first: 100, every: 1, count: 1, horizon: 48 }), 1)
})

test.run()
