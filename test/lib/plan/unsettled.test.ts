import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Unsettled } from '../../../lib/plan/unsettled.js'

const near = (given: number, wanted: number) => assert.ok(Math.abs(given - wanted) < 1e-9, `${given}, not ${wanted}`)

test('of a source of which nothing is known half of what it may have cost counts', () => {
  const unsettled = new Unsettled(1)
  assert.is(unsettled.sum, 0)
  unsettled.add(100, 2)
  unsettled.add(200, 4)
  near(unsettled.sum, 3)
})

test('what trials have come to counts no more, for it is in what they say', () => {
  const unsettled = new Unsettled(1)
  for (const time of [100, 200, 300]) unsettled.add(time, 1)
  unsettled.settle(1000, 200, 0, 0)
  near(unsettled.sum, 0.5)
  unsettled.settle(2000, 300, 0, 0)
  assert.is(unsettled.sum, 0)
})

test('one that never made up for what it cost is trusted less and less, and one that did is not held up', () => {
  const liar = new Unsettled(1)
  liar.settle(1000, 0, 0, 9)
  liar.add(1000, 1)
  near(liar.trust, 0.05)
  near(liar.sum, 0.95)
  const right = new Unsettled(1)
  right.settle(1000, 0, 20, 9)
  right.add(1000, 1)
  assert.equal([right.trust, right.sum], [1, 0])
})

test('who was right for long and lies now is trusted less within half an hour', () => {
  const unsettled = new Unsettled(1)
  unsettled.settle(0, 0, 1000, 0)
  assert.is(unsettled.trust, 1)
  for (let minute = 1; minute <= 60; minute++) unsettled.settle(minute * 60_000, 0, 1000, 20 * minute)
  assert.ok(unsettled.trust < 0.5, String(unsettled.trust))
})

test('however many losses there are at once, none is left out, and no more are kept than are bounded', () => {
  const unsettled = new Unsettled(1)
  for (let time = 1; time <= 10_000; time++) unsettled.add(time, 1)
  near(unsettled.sum, 5_000)
  unsettled.settle(10_001, 10_000, 0, 0)
  assert.is(unsettled.sum, 0)
})

test.run()
