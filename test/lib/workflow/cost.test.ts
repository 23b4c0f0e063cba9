import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { GiB } from '../../../lib/index.js'
import { costOf, readPrices } from '../../../lib/workflow/cost.js'

test('without prices nothing is known of the cost', () => {
  assert.is(costOf(readPrices(undefined), { wall: 1000 }), undefined)
})

test('each thing costs its price, in seconds, GiB, and GiB held for a second', () => {
  const usage = { wall: 2000, cpu: 500, memory: 3 * GiB, diskRead: GiB, diskWritten: GiB, networkReceived: 2 * GiB, networkSent: GiB }
  const cost = (prices: object) => costOf(readPrices(prices), usage)
  assert.is(cost({}), 0)
  assert.is(cost({ each: 7 }), 7)
  assert.is(cost({ cpu: 10 }), 5)
  assert.is(cost({ memory: 10 }), 60)
  assert.is(cost({ wall: 10 }), 20)
  assert.is(cost({ disk: 10 }), 20)
  assert.is(cost({ network: 10 }), 30)
  assert.is(cost({ each: 1, cpu: 2, wall: 3 }), 8)
})

test('where nothing that has a price was measured the cost is not known, and never zero', () => {
  for (const usage of [{}, { wall: 1000, diskRead: 5 }]) assert.is(costOf(readPrices({ cpu: 1, memory: 1 }), usage), undefined)
  assert.is(costOf(readPrices({ each: 2, cpu: 1 }), {}), 2)
})

test('what could not be measured costs nothing beside what was', () => {
  assert.is(costOf(readPrices({ memory: 5, disk: 5, wall: 1 }), { wall: 1000 }), 1)
})

test.run()
