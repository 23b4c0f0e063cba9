import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Values } from '../../../lib/predict/values.js'

const of = (most: number, given: number[]) => {
  const values = new Values(most)
  values.replace(given)
  return values
}

test('keeps the last values in their order', () => {
  const values = of(3, [1, 2])
  for (let i = 3; i <= 5_000; i++) {
    values.push(i)
    assert.equal([...values.all], [i - 2, i - 1, i])
  }
})

test('a missing value is the middle of those around it, or the last one', () => {
  assert.equal([...of(9, [Number.NaN, 2, Number.NaN, 6, Number.POSITIVE_INFINITY]).all], [2, 4, 6, 6])
  assert.equal([...of(9, [1, Number.NaN, Number.NaN, 9]).all], [1, 1, 5, 9])
})

test('the middle of the two ends of the numbers is a number', () => {
  assert.equal([...of(9, [Number.MAX_VALUE, Number.NaN, Number.MAX_VALUE]).all], new Array(3).fill(Number.MAX_VALUE))
})

test('knows whether any was negative', () => {
  const values = of(2, [0, 1])
  assert.is(values.neverNegative, true)
  values.push(-1)
  assert.is(values.neverNegative, false)
})

test('what replaces all is all there is', () => {
  const values = of(5, [-1, 2, 3])
  values.replace([7])
  assert.equal([...values.all], [7])
  assert.is(values.neverNegative, true)
})

test.run()
