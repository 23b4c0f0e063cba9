import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Aimd, type AimdTerms } from '../../../lib/limit/aimd.js'

const aimd = (initial: number, terms: Partial<AimdTerms> = {}) =>
  new Aimd({ floor: 1, ceiling: 100, smoothing: 1, backoff: 0.5, timeout: Number.POSITIVE_INFINITY, ...terms }, initial)
const pressed = { rttMs: 10, inFlight: 1000, dropped: false }

test('it rises by one a sample while it is pressed', () => {
  const limit = aimd(10)
  assert.equal(
    [1, 2, 3].map(() => limit.onSample(pressed)),
    [11, 12, 13]
  )
})

test('it falls by its factor with a drop, and rises again from there', () => {
  const limit = aimd(40)
  assert.is(limit.onSample({ ...pressed, dropped: true }), 20)
  assert.is(limit.onSample({ ...pressed, dropped: true, inFlight: 1 }), 10)
  assert.is(limit.onSample(pressed), 11)
})

test('it does not rise while less than half of it is used', () => {
  const limit = aimd(10)
  for (let i = 0; i < 100; i++) assert.is(limit.onSample({ ...pressed, inFlight: 4 }), 10)
  assert.is(limit.onSample({ ...pressed, inFlight: 5 }), 11)
})

test('latency above the timeout counts as a drop; at the timeout it does not', () => {
  const limit = aimd(40, { timeout: 100 })
  assert.is(limit.onSample({ ...pressed, rttMs: 100 }), 41)
  assert.is(limit.onSample({ ...pressed, rttMs: 100.1 }), 20)
})

test('without a timeout no latency counts', () => {
  assert.is(aimd(40).onSample({ ...pressed, rttMs: 1e12 }), 41)
})

test('smoothing slows both ways', () => {
  const limit = aimd(40, { smoothing: 0.5 })
  assert.is(limit.onSample({ ...pressed, dropped: true }), 30)
  assert.equal([limit.onSample(pressed), limit.onSample(pressed)], [30, 31])
})

test('it stays from floor to ceiling', () => {
  const limit = aimd(10, { floor: 4, ceiling: 12 })
  for (let i = 0; i < 10; i++) assert.ok(limit.onSample(pressed) <= 12)
  assert.is(limit.limit, 12)
  for (let i = 0; i < 10; i++) assert.ok(limit.onSample({ ...pressed, dropped: true }) >= 4)
  assert.is(limit.limit, 4)
})

test('a sample that cannot be learnt from changes nothing', () => {
  const limit = aimd(10)
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -1, 0]) {
    assert.is(limit.onSample({ ...pressed, rttMs: bad }), 10)
    assert.is(limit.onSample({ ...pressed, rttMs: bad, dropped: true }), 10)
  }
  assert.is(limit.onSample({ ...pressed, inFlight: Number.NaN }), 10)
})

test('told a limit in force that is not its own, it goes one step from that', () => {
  const limit = aimd(10)
  assert.is(limit.onSample({ ...pressed, limit: 40 }), 41)
  assert.is(limit.onSample({ ...pressed, limit: 40 }), 41)
  assert.is(limit.onSample({ ...pressed, limit: 40, dropped: true }), 20)
  assert.is(limit.onSample({ ...pressed, limit: 40, dropped: true }), 20)
})

test('it goes on from where it is reset to', () => {
  const limit = aimd(10)
  limit.reset(50)
  assert.is(limit.onSample(pressed), 51)
})

test.run()
