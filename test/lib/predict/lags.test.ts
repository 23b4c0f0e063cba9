import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Lags } from '../../../lib/predict/lags.js'
import { seeded } from './series.js'

test('quantiles are right within a fifth, from a millisecond to a day', () => {
  for (const longest of [1, 5, 1_000, 86_400_000]) {
    const random = seeded(1)
    const lags = new Lags()
    for (let i = 0; i < 3_000; i++) lags.add(longest * random())
    const { low, median, high } = lags.quantiles() ?? { low: 0, median: 0, high: 0 }
    for (const [found, level] of [
      [low, 0.1],
      [median, 0.5],
      [high, 0.9]
    ] as const) {
      assert.ok(Math.abs(found / (level * longest) - 1) < 0.2, `${found} of ${longest}`)
    }
  }
})

test('of none there are none, and what is no lag is the shortest or the longest', () => {
  assert.is(new Lags().quantiles(), undefined)
  const lags = new Lags()
  for (const ms of [-5, 0, 1e300]) lags.add(ms)
  const { low, high } = lags.quantiles() ?? { low: 0, high: 0 }
  assert.ok(low > 0 && low < 0.02 && high > 1e8 && Number.isFinite(high))
})

test('tells how many took longer', () => {
  const lags = new Lags()
  for (let ms = 1; ms <= 1_000; ms++) lags.add(ms)
  assert.is(lags.count, 1_000)
  for (const ms of [3, 50, 400, 900]) assert.ok(Math.abs(lags.above(ms) - (1_000 - ms)) < 0.05 * ms + 1, `${lags.above(ms)} above ${ms}`)
  assert.is(lags.above(0), 1_000)
  assert.is(lags.above(2_000), 0)
  assert.is(lags.above(1e300), 0)
})

test('old ones fade, and a copy is the same', () => {
  const lags = new Lags()
  for (let i = 0; i < 4_000; i++) lags.add(1)
  for (let i = 0; i < 6_000; i++) lags.add(100)
  assert.ok((lags.quantiles()?.median as number) > 80)
  assert.equal(new Lags(lags.toJSON()).quantiles(), lags.quantiles())
})

test.run()
