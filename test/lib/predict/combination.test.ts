import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { combinationOf, combined } from '../../../lib/predict/combination.js'
import { normal, seeded } from './series.js'

const rows = (...all: (number[] | undefined)[]) => all.map(row => row && Float64Array.from(row))

test('a mean by weight, and a median by weight', () => {
  const said = rows([1, 1], [2, 20], [9, 3])
  assert.equal([...combined(said, { by: 'mean', weights: [0.5, 0.25, 0.25] }, 2)], [3.25, 6.25])
  assert.equal([...combined(said, { by: 'median', weights: [0.2, 0.4, 0.4] }, 2)], [2, 3])
})

test('a median lies between two that share the weight', () => {
  assert.equal([...combined(rows([1], [3]), { by: 'median', weights: [0.5, 0.5] }, 1)], [2])
  assert.equal([...combined(rows([4], [1], [2]), { by: 'median', weights: [0.25, 0.5, 0.25] }, 1)], [1.5])
})

test('one that cannot say leaves its weight to the others', () => {
  assert.equal([...combined(rows([1], undefined, [3]), { by: 'mean', weights: [0.25, 0.5, 0.25] }, 1)], [2])
  assert.ok(Number.isNaN(combined(rows(undefined), { by: 'mean', weights: [1] }, 1)[0] as number))
})

const random = seeded(8)
const steps = (count: number, of: (at: number) => number) => Float64Array.from({ length: count }, (_, at) => of(at))

test('takes the mean where forecasts err independently', () => {
  const truth = steps(480, () => 100 + 10 * normal(random))
  const all = Array.from({ length: 4 }, () => truth.map(value => value + 3 * normal(random)))
  const found = combinationOf(all, truth, { horizon: 48 })
  assert.is(found.by, 'mean')
  for (const weight of found.weights) assert.ok(weight > 0.15 && weight < 0.35)
})

test('takes the median where one is wild at times, and what is mostly nothing is foretold as nothing', () => {
  const truth = steps(480, at => (at % 40 === 0 ? 500 : 0))
  const nothing = steps(480, () => 0)
  const some = steps(480, () => 12.5)
  const found = combinationOf([nothing, some], truth, { horizon: 48 })
  assert.is(found.by, 'median')
  assert.is(combined([nothing, some], found, 480)[7], 0)
})

test('one that is never wrong takes everything', () => {
  const truth = steps(96, at => at)
  const { weights } = combinationOf([truth, truth.map(value => value + 1)], truth, { horizon: 48 })
  assert.equal(weights, [1, 0])
})

test('nobody weighs anything where none can say', () => {
  const { weights, by } = combinationOf(
    [undefined, undefined],
    steps(96, at => at),
    { horizon: 48 }
  )
  assert.equal(weights, [0, 0])
  assert.is(by, 'mean')
})

test('tells the errors of each', () => {
  const truth = steps(96, () => 5)
  const { errors } = combinationOf([truth.map(() => 7), undefined], truth, { horizon: 48 })
  assert.ok(Math.abs((errors[0] as number) - 2) < 1e-12)
  assert.ok(Number.isNaN(errors[1] as number))
})

test('after few trials the median tells members apart less sharply than after many', () => {
  const truth = steps(480, at => (at % 40 === 0 ? 500 : 0))
  const nothing = steps(480, () => 0)
  const seldom = steps(480, at => (at % 40 < 3 ? 500 : 0))
  const weightAfter = (independent: number) => combinationOf([nothing, seldom], truth, { horizon: 48, independent }).weights[0] as number
  assert.ok(weightAfter(1) < weightAfter(4) && weightAfter(4) < weightAfter(16))
  assert.is(weightAfter(16), weightAfter(1_000))
})

test('and so does the mean', () => {
  const truth = steps(480, () => 100 + 10 * normal(random))
  const all = [3, 4, 5].map(spread => truth.map(value => value + spread * normal(random)))
  const after = (independent: number) => combinationOf(all, truth, { horizon: 48, independent })
  assert.is(after(4).by, 'mean')
  const weights = [1, 4, 16, 1_000].map(independent => after(independent).weights[0] as number)
  assert.ok((weights[0] as number) < (weights[1] as number) && (weights[1] as number) < (weights[2] as number))
  assert.is(weights[2], weights[3])
})

test('one that is surprised by the last values leaves most of its weight to the others', () => {
  const truth = steps(480, () => 100 + 10 * normal(random))
  const all = Array.from({ length: 3 }, () => truth.map(value => value + 3 * normal(random)))
  const plain = combinationOf(all, truth, { horizon: 48 }).weights
  const { weights, by } = combinationOf(all, truth, { horizon: 48, surprises: [1, 5, 1] })
  assert.is(by, 'mean')
  assert.ok((weights[1] as number) < 0.01 && (plain[1] as number) > 0.15)
  assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-12)
  const same = combinationOf(all, truth, { horizon: 48, surprises: [4, 4, 4] }).weights
  for (const [i, weight] of same.entries()) assert.ok(Math.abs(weight - (plain[i] as number)) < 1e-12)
})

test.run()
