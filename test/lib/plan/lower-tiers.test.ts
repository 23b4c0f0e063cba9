import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LowerTiers } from '../../../lib/plan/lower-tiers.js'

const COSTS = [1, 2, 8, 32]

test('what waits of all tiers below the highest that asks cost is summed up, and what a second costs one of them is known', () => {
  const lower = new LowerTiers(COSTS)
  assert.is(lower.price, 1)
  lower.ended(0, 1000)
  lower.ended(2, 5000)
  lower.ended(1, 500)
  assert.is(lower.cost, 2)
  assert.is(lower.price, 1.5)
})

test('the highest that asks waits for nobody who could be kept waiting', () => {
  const lower = new LowerTiers(COSTS)
  lower.ended(1, 1000)
  assert.is(lower.cost, 0)
  lower.ended(3, 1000)
  lower.ended(1, 1000)
  assert.is(lower.cost, 2)
})

test('the price follows who waits now', () => {
  const lower = new LowerTiers(COSTS)
  lower.ended(2, 0)
  for (let i = 0; i < 1_000; i++) lower.ended(0, 10)
  for (let i = 0; i < 10_000; i++) lower.ended(1, 10)
  assert.ok(lower.price > 1.99, String(lower.price))
})

test.run()
