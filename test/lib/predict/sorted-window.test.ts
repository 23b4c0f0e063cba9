import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SortedWindow } from '../../../lib/predict/sorted-window.js'
import { seeded } from './series.js'

test('has the quantiles of the last values, as if they had been sorted anew', () => {
  const random = seeded(6)
  const window = new SortedWindow(50)
  const all: number[] = []
  for (let i = 0; i < 500; i++) {
    const value = Math.floor(20 * random()) - 10
    window.push(value)
    all.push(value)
    const last = all.slice(-50).sort((a, b) => a - b)
    for (const level of [0, 0.05, 0.5, 0.95, 1]) {
      assert.is(window.quantile(level), last[Math.min(last.length - 1, Math.floor(level * last.length))])
    }
  }
  assert.is(window.length, 50)
})

test('knows them in the order in which they came', () => {
  const window = new SortedWindow(3)
  for (const value of [5, 1, 9, 4]) window.push(value)
  assert.equal([...window.toArray()], [1, 9, 4])
  assert.equal([window.before(0), window.before(2)], [4, 1])
})

test('has no quantile of nothing', () => {
  assert.ok(Number.isNaN(new SortedWindow(4).quantile(0.5)))
})

test.run()
