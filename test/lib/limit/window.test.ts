import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SampleWindow } from '../../../lib/limit/window.js'

test('it sums up to the mean latency and the most in flight', () => {
  const window = new SampleWindow()
  for (const [rttMs, inFlight] of [
    [10, 2],
    [20, 7],
    [30, 3]
  ] as const)
    window.add(rttMs, inFlight, false)
  assert.is(window.samples, 3)
  assert.equal(window.summary(), { rttMs: 20, inFlight: 7, dropped: false })
})

test('one drop marks it, and does not count into its latency', () => {
  const window = new SampleWindow()
  window.add(10, 1, false)
  window.add(5000, 9, true)
  assert.is(window.samples, 2)
  assert.equal(window.summary(), { rttMs: 10, inFlight: 9, dropped: true })
})

test('of drops only, the latency is theirs', () => {
  const window = new SampleWindow()
  window.add(1000, 1, true)
  window.add(3000, 1, true)
  assert.equal(window.summary(), { rttMs: 2000, inFlight: 1, dropped: true })
})

test.run()
