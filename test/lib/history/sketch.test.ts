import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bucketOf, quantile, RELATIVE_ERROR, valueIn } from '../../../lib/history/sketch.js'

const MAGNITUDES = [Number.MIN_VALUE, 1e-300, 1e-9, 0.001, 0.5, 1, 1.02, 7, 1e3, 1e15, 1e300, Number.MAX_VALUE]
const VALUES = [...MAGNITUDES.map(value => -value).reverse(), 0, ...MAGNITUDES]

test('every value is within the error of its bucket, small and large, negative and zero', () => {
  for (const value of VALUES) {
    const given = valueIn(bucketOf(value))
    // Below the normal numbers a double has fewer digits than that.
    if (Math.abs(value) < 1e-307) assert.ok(Math.abs(given - value) <= Math.abs(value))
    else if (Math.abs(value) === Number.MAX_VALUE) assert.ok(Math.abs(given) > 1e308)
    else assert.ok(Math.abs(given - value) <= RELATIVE_ERROR * 1.000001 * Math.abs(value), `${given} for ${value}`)
  }
})

test('buckets are in the order of their values', () => {
  const buckets = VALUES.map(bucketOf)
  assert.equal(
    [...buckets].sort((a, b) => a - b),
    buckets
  )
  assert.is(new Set(buckets).size, VALUES.length)
})

test('a quantile is the value of its rank: the first for 0, the last for 1, none of nothing', () => {
  const counts = new Map([1, 2, 3, 4].map(value => [bucketOf(value), 1]))
  const near = (q: number) => Math.round(quantile(counts, q)!)
  assert.equal([0, 0.25, 0.26, 0.5, 0.75, 0.76, 1].map(near), [1, 1, 2, 2, 3, 4, 4])
  assert.is(quantile(new Map(), 0.5), undefined)
  assert.is(quantile(new Map([[bucketOf(10), 3]]), 0.5, 10, 10), 10)
})

test.run()
