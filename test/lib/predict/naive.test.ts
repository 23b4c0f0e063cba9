import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Model } from '../../../lib/predict/forecaster.js'
import { Median, PhaseMean } from '../../../lib/predict/naive.js'

const said = (model: Model, values: number[], steps: number) => {
  const out = new Float64Array(steps)
  return model.predict(Float64Array.from(values), values.length, out, 0) ? [...out] : undefined
}

test('with a period of one step and one cycle it is the last value', () => {
  assert.equal(said(new PhaseMean(1, 1), [1, 2, 3], 3), [3, 3, 3])
})

test('with one cycle it is the last period over again', () => {
  assert.equal(said(new PhaseMean(3, 1), [9, 1, 2, 3], 5), [1, 2, 3, 1, 2])
})

test('with several it is the mean of them, or of as many as there are', () => {
  assert.equal(said(new PhaseMean(2, 2), [5, 5, 1, 10, 3, 20], 3), [2, 15, 2])
  assert.equal(said(new PhaseMean(2, 9), [1, 10, 3, 20], 2), [2, 15])
})

test('a forecast of fewer steps than a period has no more', () => {
  assert.equal(said(new PhaseMean(4, 1), [1, 2, 3, 4], 2), [1, 2])
})

test('less than a period says nothing', () => {
  assert.is(said(new PhaseMean(4, 1), [1, 2, 3], 2), undefined)
  assert.is(new PhaseMean(4, 1).fit(new Float64Array(3), 3), false)
})

test('the median of the last values is not drawn away by an outlier', () => {
  assert.equal(said(new Median(3), [50, 1, 900, 2], 2), [2, 2])
  assert.is(said(new Median(5), [1, 2, 3], 2), undefined)
})

test.run()
