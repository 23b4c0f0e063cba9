import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FAST_ROWS, fastRate, SLOW_ROWS, slowRate } from '../../../lib/plan/fading-rate.js'

const HORIZON = 10

/** The row after so many periods with so many requests in each. */
function after(rate: ReturnType<typeof fastRate>, periods: number, requests: number): number {
  let row = 0
  for (let i = 0; i < periods; i++) row = rate.tick(requests)
  return row
}

for (const [name, rateOf, rows] of [
  ['fast', fastRate, FAST_ROWS],
  ['slow', slowRate, SLOW_ROWS]
] as const) {
  test(`rows go up with the ${name} rate, from the first for none to the last`, () => {
    assert.is(after(rateOf(HORIZON), 1000, 0), 0)
    const all = Array.from({ length: 120 }, (_, i) => after(rateOf(HORIZON), 2000, 2 ** ((i - 60) / 4)))
    assert.equal(
      all,
      [...all].sort((a, b) => a - b)
    )
    assert.is(all.at(-1), rows - 1)
    assert.is(new Set(all).size, rows)
  })
}

test('when nobody comes any more the fast rate is none before the slow one', () => {
  const [fast, slow] = [fastRate(HORIZON), slowRate(HORIZON)]
  after(fast, 1000, 5)
  after(slow, 1000, 5)
  const until = (rate: typeof fast) => {
    let periods = 1
    while (rate.tick(0) > 0) periods++
    return periods
  }
  const [first, second] = [until(fast), until(slow)]
  assert.ok(first < second / 3, `${first} and ${second} periods`)
})

test.run()
