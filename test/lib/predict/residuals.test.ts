import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Residuals } from '../../../lib/predict/residuals.js'
import { normal, seeded } from './series.js'

const of = (errors: Iterable<number>) => {
  const residuals = new Residuals()
  for (const error of errors) residuals.add(error)
  return residuals
}

test('keeps the last 128, oldest first', () => {
  const residuals = of(Array.from({ length: 300 }, (_, i) => (i * 7919) % 301))
  assert.is(residuals.length, 128)
  assert.equal(
    residuals.all,
    Array.from({ length: 128 }, (_, i) => ((172 + i) * 7919) % 301)
  )
})

test('its quantiles are those of the last 128, whatever came before and however often a value comes', () => {
  const random = seeded(4)
  const errors = Array.from({ length: 1_000 }, () => Math.fround(Math.round(20 * normal(random)) / 4))
  const residuals = of(errors)
  const sorted = errors.slice(-128).sort((a, b) => a - b)
  assert.is(residuals.median, ((sorted[63] as number) + (sorted[64] as number)) / 2)
  assert.is(residuals.above(0.1, 1), sorted[Math.ceil(129 * 0.9) - 1])
  assert.is(residuals.below(0.1, 1), sorted[Math.floor(129 * 0.1) - 1])
})

test('what is rarer than all that was seen lies beyond it by an exponential tail', () => {
  const residuals = of([1, 2, 3])
  assert.ok(Math.abs(residuals.above(0.01, 0.5) - (3 + 0.5 * Math.log(100 / 4))) < 1e-12)
  assert.ok(Math.abs(residuals.below(0.01, 0.5) - (1 - 0.5 * Math.log(100 / 4))) < 1e-12)
})

test('a new value exceeds what is said as often as is said', () => {
  const random = seeded(8)
  const residuals = new Residuals()
  let beyond = 0
  for (let i = 0; i < 20_000; i++) {
    const value = normal(random)
    if (i >= 128 && value > residuals.above(0.05, 0.4)) beyond++
    residuals.add(value)
  }
  assert.ok(Math.abs(beyond / 19_872 - 0.05) < 0.006, `${beyond / 19_872}`)
})

test('the largest quarter is what lies beyond the rest', () => {
  assert.equal(of([5, 1, 4, 2, 3, 0, 7, 6]).upper, { base: 5, count: 2, excess: 3 })
  assert.equal(of([4]).upper, { base: 4, count: 0, excess: 0 })
  assert.equal(of([]).upper, { base: 0, count: 0, excess: 0 })
})

test('of none it says what an exponential distribution about 0 says', () => {
  const none = of([])
  assert.is(none.median, 0)
  assert.is(none.above(0.05, 2), 2 * Math.log(20))
  assert.is(none.below(0.05, 2), -2 * Math.log(20))
})

test.run()
