import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { memoryOf, whitened, whitenedColumn } from '../../../lib/predict/whiten.js'
import { hourly, normal, seeded } from './series.js'

function correlation(values: Float64Array, lag: number): number {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0)
  const around = values.map(value => value - mean)
  const product = (by: number) => around.slice(by).reduce((sum, value, i) => sum + value * (around[i] as number), 0)
  return product(lag) / product(0)
}

test('what is left of a series is new: it has no memory and no season', () => {
  const random = seeded(4)
  let level = 0
  const values = Float64Array.from(hourly(1_500, 0), value => {
    level = 0.8 * level + 5 * normal(random)
    return value + level
  })
  const left = whitened(values, memoryOf(values, [24, 168]))
  for (const lag of [1, 2, 24]) assert.ok(Math.abs(correlation(left, lag)) < 0.15, `lag ${lag}: ${correlation(left, lag)}`)
  assert.ok(correlation(values, 1) > 0.8)
})

test('a column is whitened as the values are', () => {
  const memory = { lags: [1, 3], weights: [0.5, -0.25] }
  const values = Float64Array.of(0, 0, 2, 0, 0, 1, 0, 0)
  const column = whitenedColumn({ group: 0, prior: 0, at: [2, 5], x: [2, 1] }, values.length, memory)
  const dense = new Float64Array(5)
  for (const [k, at] of column.at.entries()) dense[at] = column.x[k] as number
  assert.equal(dense, whitened(values, memory))
})

test('of few values nothing is learnt, and they stay as they are', () => {
  const values = Float64Array.of(1, 2, 3)
  const memory = memoryOf(values, [24])
  assert.equal(memory.lags, [])
  assert.equal(whitened(values, memory), values)
})

test.run()
