import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  averagePrecision,
  brier,
  brierSkill,
  calibration,
  calibrationError,
  coverage,
  mase,
  msis,
  pinball,
  seasonalScale,
  smape
} from '../../../lib/backtest/scores.js'

const near = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 1e-12, `${value} is not ${expected}`)

test('sMAPE is relative to both, and two zeros are equal', () => {
  near(smape([100, 0], [300, 0]), 50)
  near(smape([1], [-1]), 200)
})

test('MASE is 1 for errors as large as those of the seasonal naive forecast', () => {
  const scale = seasonalScale([1, 10, 3, 14], 2)
  near(scale, 3)
  near(mase([5, 5], [2, 8], scale), 1)
})

test('MSIS is the width, and 40 times what lies outside an interval of 95 %', () => {
  near(msis([5, 11, -2], [0, 0, 0], [10, 10, 10], 0.95, 1), 10 + (40 * 1 + 40 * 2) / 3)
  near(coverage([5, 11, -2, 10], [0, 0, 0, 0], [10, 10, 10, 10]), 0.5)
})

test('pinball loss is a quantile’s own: least at the quantile', () => {
  const truth = Array.from({ length: 1_000 }, (_, i) => i)
  const loss = (at: number) => pinball(truth, new Float64Array(1_000).fill(at), 0.9)
  assert.ok(loss(900) < loss(850) && loss(900) < loss(950))
  near(pinball([3], [1], 0.9), 1.8)
  near(pinball([1], [3], 0.9), 0.2)
})

test('Brier skill is 1 for what is certain and right, and 0 for the base rate', () => {
  const happened = [1, 0, 0, 1]
  near(brier(happened, [1, 0, 0, 0.5]), 0.0625)
  near(brierSkill(happened, happened), 1)
  near(brierSkill(happened, [0.5, 0.5, 0.5, 0.5]), 0)
})

test('average precision is that of the ranking, whatever the probabilities are', () => {
  near(averagePrecision([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]), (1 + 2 / 3) / 2)
  near(averagePrecision([1, 0, 1, 0], [9e-3, 8e-3, 7e-3, 1e-3]), (1 + 2 / 3) / 2)
  // In no order at all it is the base rate, however the places fall.
  near(averagePrecision([1, 0, 0, 0], [0.2, 0.2, 0.2, 0.2]), 0.25)
  near(averagePrecision([0, 0, 0, 1], [0.2, 0.2, 0.2, 0.2]), 0.25)
  assert.ok(Number.isNaN(averagePrecision([0, 0], [0.1, 0.2])))
})

test('calibration compares what was said with what happened, in bins of as many', () => {
  const said = [0.1, 0.1, 0.9, 0.9]
  assert.equal(calibration([0, 0, 1, 0], said, 2), [
    { said: 0.1, happened: 0, count: 2 },
    { said: 0.9, happened: 0.5, count: 2 }
  ])
  near(calibrationError([0, 0, 1, 0], said, 2), (0.1 + 0.4) / 2)
  near(calibrationError([1, 0], [0.5, 0.5], 1), 0)
})

test.run()
