import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Column, regression } from '../../../lib/predict/regression.js'
import { normal, seeded } from './series.js'

const random = seeded(3)
const N = 2_000

/** Ones at every so many places. */
function comb(every: number, from: number, group: number, prior = 0): Column {
  const at = Array.from({ length: Math.floor((N - from) / every) }, (_, i) => from + i * every)
  return { group, prior, at, x: at.map(() => 1) }
}

function noisy(columns: readonly Column[], weights: readonly number[], noise: number): Float64Array {
  const y = Float64Array.from({ length: N }, () => 50 + noise * normal(random))
  for (const [i, { at, x }] of columns.entries()) {
    for (const [k, place] of at.entries()) y[place] = (y[place] as number) + (weights[i] as number) * (x[k] as number)
  }
  return y
}

test('finds weights that are there, within what it says of their error, whatever the level', () => {
  const columns = [comb(20, 1, 0), comb(30, 3, 1), comb(50, 7, 2)]
  const truth = [5, -3, 0.5]
  const { weights, covariance, variance } = regression(noisy(columns, truth, 1), columns, [undefined, undefined, undefined])
  for (const [i, weight] of truth.entries()) {
    const deviation = Math.sqrt(covariance[i * 3 + i] as number)
    assert.ok(Math.abs((weights[i] as number) - weight) < 4 * deviation, `${weights[i]} +- ${deviation}`)
    assert.ok(deviation < 0.25)
  }
  assert.ok(Math.abs(variance - 1) < 0.1)
})

test('what does nothing is shrunk to next to nothing', () => {
  const columns = Array.from({ length: 10 }, (_, i) => comb(20, i, 0))
  const { weights } = regression(noisy(columns, new Array(10).fill(0), 1), columns, [undefined])
  // Of least squares each would be some 0.1.
  assert.ok(weights.reduce((sum, weight) => sum + Math.abs(weight) / 10, 0) < 0.04, `${weights}`)
})

test('what was never seen stays what it was taken for', () => {
  const columns = [comb(20, 1, 0), { group: 1, prior: 2, at: [], x: [] }]
  const { weights, covariance } = regression(noisy(columns, [5, 0], 1), columns, [undefined, 0.25])
  assert.is(weights[1], 2)
  assert.is(covariance[3], 0.25)
})

test('of a group whose weights differ the spread is learnt', () => {
  const truth = Array.from({ length: 20 }, () => 3 * normal(random))
  const columns = truth.map((_, i) => comb(40, i, 0))
  const { spreads } = regression(noisy(columns, truth, 0.5), columns, [undefined])
  assert.ok((spreads[0] as number) > 4 && (spreads[0] as number) < 20, `${spreads}`)
})

test('gives numbers for columns that are the same, values that are all the same, and none', () => {
  const twice = [comb(20, 1, 0), comb(20, 1, 1)]
  const { weights } = regression(noisy(twice, [2, 2], 0.1), twice, [undefined, undefined])
  assert.ok(Math.abs((weights[0] as number) + (weights[1] as number) - 4) < 0.2)
  for (const y of [new Float64Array(N).fill(7), new Float64Array(N)]) {
    for (const weight of regression(y, twice, [undefined, undefined]).weights) assert.ok(Number.isFinite(weight))
  }
  assert.is(regression(new Float64Array(5), [], []).weights.length, 0)
})

test.run()
