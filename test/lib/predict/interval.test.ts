import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Intervals } from '../../../lib/predict/interval.js'
import { normal, seeded } from './series.js'

/** Rows of ten steps whose errors grow with the step. */
const errors = (rows: number) => {
  const random = seeded(3)
  return Float64Array.from({ length: rows * 10 }, (_, i) => (1 + (i % 10)) * normal(random))
}

test('lie about a middle, further out for a rarer level', () => {
  const intervals = Intervals.of(errors(50), 10)
  const [rare, common, middle] = [0.975, 0.75, 0.5].map(level => intervals.offset(4, level)) as [number, number, number]
  assert.ok(rare > common && common > middle)
  assert.is(middle, 0)
  assert.is(intervals.offset(4, 0.025), -rare)
})

test('are as wide as the errors of that step and its neighbours were', () => {
  const intervals = Intervals.of(errors(400), 10)
  assert.ok(intervals.offset(9, 0.9) > 1.3 * intervals.offset(0, 0.9))
})

test('of each step they are those of its errors and of those up to six steps beside it, whatever the horizon', () => {
  const random = seeded(8)
  for (const horizon of [1, 3, 6, 7, 13, 20]) {
    // Many are the same, so that what leaves is not always what came.
    const rows = Float64Array.from({ length: 15 * horizon }, () => Math.round(4 * normal(random)))
    const intervals = Intervals.of(rows, horizon)
    for (let step = 0; step < horizon; step++) {
      const around = rows
        .filter((_, i) => Math.abs((i % horizon) - step) <= 6)
        .map(Math.abs)
        .sort()
      for (const coverage of [0.1, 0.5, 0.8, 0.99]) {
        const expected = 1.2 * (around[Math.min(around.length, Math.ceil((around.length + 1) * coverage)) - 1] as number)
        assert.ok(Math.abs(intervals.offset(step, (1 + coverage) / 2) - expected) < 1e-9)
      }
    }
  }
})

test('beyond what was tried they grow with the square root of the steps', () => {
  const intervals = Intervals.of(errors(50), 10)
  assert.ok(Math.abs(intervals.offset(39, 0.9) / intervals.offset(9, 0.9) - 2) < 1e-9)
})

test('misses widen them, hits narrow them, and in balance they stay', () => {
  const intervals = Intervals.of(errors(50), 10)
  const before = intervals.offset(0, 0.95)
  const coverage = 2 * 0.95 - 1
  for (let i = 0; i < 100; i++) intervals.saw(coverage, i % 10 !== 0)
  assert.ok(Math.abs(intervals.offset(0, 0.95) / before - 1) < 1e-9)
  intervals.saw(coverage, false)
  assert.ok(intervals.offset(0, 0.95) > before)
  for (let i = 0; i < 20; i++) intervals.saw(coverage, true)
  assert.ok(intervals.offset(0, 0.95) < before)
})

test('neither luck nor misfortune carries them off', () => {
  const intervals = Intervals.of(errors(50), 10)
  const before = intervals.offset(0, 0.95)
  const coverage = 2 * 0.95 - 1
  for (let i = 0; i < 1e5; i++) intervals.saw(coverage, true)
  assert.ok(intervals.offset(0, 0.95) > 0.1 * before)
  for (let i = 0; i < 1e5; i++) intervals.saw(coverage, false)
  assert.ok(intervals.offset(0, 0.95) < 10 * before)
})

test.run()
