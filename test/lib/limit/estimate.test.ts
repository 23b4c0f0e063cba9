import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Estimate } from '../../../lib/limit/estimate.js'
import { seeded } from './server.js'

test('a step goes the smoothed part of the way', () => {
  const estimate = new Estimate({ floor: 1, ceiling: 100, smoothing: 0.25 }, 10)
  estimate.moveTowards(30)
  assert.is(estimate.value, 15)
  estimate.moveTowards(5)
  assert.is(estimate.value, 12.5)
})

test('without smoothing it is at its target at once', () => {
  const estimate = new Estimate({ floor: 1, ceiling: 100, smoothing: 1 }, 10)
  estimate.moveTowards(30)
  assert.is(estimate.value, 30)
})

test('steps of less than one add up', () => {
  const estimate = new Estimate({ floor: 1, ceiling: 100, smoothing: 0.25 }, 10)
  const seen = [1, 2, 3, 4].map(() => {
    estimate.moveTowards(estimate.value + 1)
    return estimate.limit
  })
  assert.equal(seen, [10, 10, 10, 11])
})

test('it never leaves floor and ceiling, wherever it starts or is sent', () => {
  assert.is(new Estimate({ floor: 3, ceiling: 7, smoothing: 1 }, 1).limit, 3)
  const estimate = new Estimate({ floor: 3, ceiling: 7, smoothing: 0.5 }, 100)
  assert.is(estimate.limit, 7)
  const random = seeded(1)
  for (let i = 0; i < 1000; i++) {
    estimate.moveTowards((random() - 0.5) * 100)
    assert.ok(estimate.value >= 3 && estimate.value <= 7)
  }
  estimate.reset(1e9)
  assert.is(estimate.limit, 7)
  estimate.reset(0)
  assert.is(estimate.limit, 3)
})

test.run()
