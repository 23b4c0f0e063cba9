import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type LockRequest, scaleFor, simulate, waitedFor } from '../../../lib/backtest/locks.js'
import { seeded } from '../predict/series.js'

const request = (time: number, hold: number, more: Partial<LockRequest> = {}): LockRequest => ({
  element: 'one',
  workflow: '',
  mode: 'exclusive',
  tier: 0,
  time,
  hold,
  ...more
})

const waits = (requests: readonly LockRequest[], scale = 1) => [...simulate(requests, scale)]

test('who comes while it is held waits until it is free, one after the other, and elements are apart', () => {
  assert.equal(
    waits([request(0, 10), request(4, 10), request(5, 10), request(5, 10, { element: 'other' }), request(40, 1)]),
    [0, 6, 15, 0, 0]
  )
})

test('the moment of a release is free', () => {
  assert.equal(waits([request(0, 10), request(10, 10)]), [0, 0])
})

test('readers share, and a writer who waits keeps later readers out', () => {
  const shared = { mode: 'shared' } as const
  assert.equal(
    waits([request(0, 10, shared), request(1, 10, shared), request(2, 5), request(3, 10, shared), request(4, 10, shared)]),
    [0, 0, 9, 13, 12]
  )
})

test('a higher tier goes first, and a reader of one passes a writer of a lower one', () => {
  assert.equal(waits([request(0, 10), request(1, 10), request(2, 10, { tier: 2 })]), [0, 19, 8])
  const shared = { mode: 'shared' } as const
  assert.equal(waits([request(0, 10, shared), request(1, 10), request(2, 3, { ...shared, tier: 2 })]), [0, 9, 0])
})

test('tells what happens in the order of time', () => {
  const told: string[] = []
  simulate([request(0, 2), request(1, 2)], 5, {
    request: at => told.push(`request ${at}`),
    grant: (at, time) => told.push(`grant ${at} at ${time}`),
    end: (at, time) => told.push(`end ${at} at ${time}`)
  })
  assert.equal(told, ['grant 0 at 0', 'request 1', 'end 0 at 10', 'grant 1 at 10', 'end 1 at 20'])
})

test('tells for whom somebody waited who came later', () => {
  const requests = [request(0, 10), request(4, 10), request(15, 3), request(18, 5, { element: 'other' }), request(30, 5)]
  assert.equal(waitedFor(requests, simulate(requests, 1), 1), [true, true, false, false, false])
})

test('finds the scale at which so many wait', () => {
  const random = seeded(3)
  let time = 0
  const requests = Array.from({ length: 20_000 }, () => {
    time += -10 * Math.log(1 - random())
    return request(time, -Math.log(1 - random()), { element: random() < 0.5 ? 'one' : 'other' })
  })
  const part = waits(requests, scaleFor(requests, 0.1)).filter(ms => ms > 0).length / requests.length
  assert.ok(Math.abs(part - 0.1) < 0.002, String(part))
})

test.run()
