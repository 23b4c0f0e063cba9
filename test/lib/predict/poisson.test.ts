import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { logTail } from '../../../lib/predict/poisson.js'

test('the tail is the sum of its terms', () => {
  for (const mean of [1e-6, 0.5, 3, 40, 150]) {
    for (const count of [0, 1, 2, 10, 50, 200]) {
      let [term, head] = [Math.exp(-mean), 0]
      for (let i = 0; i < count; i++) {
        head += term
        term *= mean / (i + 1)
      }
      const expected = 1 - head
      if (expected > 1e-6) assert.ok(Math.abs(Math.exp(logTail(count, mean)) / expected - 1) < 1e-6, `${count} of ${mean}`)
    }
  }
})

test('a tail too thin for a double has a logarithm', () => {
  assert.ok(logTail(1_000, 1) < -5_000)
  assert.ok(logTail(1_000_000, 1) < logTail(100_000, 1))
  assert.ok(logTail(100, 1_000_000) <= 0)
})

test.run()
