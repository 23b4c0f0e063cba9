import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Gradient2, type Gradient2Terms } from '../../../lib/limit/gradient2.js'

const NEVER = 1_000_000
const gradient2 = (initial: number, terms: Partial<Gradient2Terms> = {}) =>
  new Gradient2({ floor: 1, ceiling: 1000, smoothing: 1, tolerance: 1, baseline: 600, probe: NEVER, ...terms }, initial)

/** One whose baseline is 10 ms, learnt while nothing pressed it. */
function taught(initial: number, terms: Partial<Gradient2Terms> = {}): Gradient2 {
  const limit = gradient2(initial, terms)
  for (let i = 0; i < 10; i++) limit.onSample({ rttMs: 10, inFlight: 0, dropped: false })
  return limit
}

/** As many samples as wanted of a latency, with all of the limit in use. */
function press(limit: Gradient2, rttMs: number, samples = 1): number {
  let inForce = limit.limit
  for (let i = 0; i < samples; i++) inForce = limit.onSample({ rttMs, inFlight: inForce, dropped: false })
  return inForce
}

test('the baseline is the mean of the first samples', () => {
  const limit = gradient2(10)
  assert.is(limit.insight.baselineMs, undefined)
  for (const rttMs of [10, 20, 30]) limit.onSample({ rttMs, inFlight: 0, dropped: false })
  assert.is(limit.insight.baselineMs, 20)
})

test('at the baseline it rises by the square root of itself', () => {
  const limit = taught(100)
  assert.is(press(limit, 10), 110)
  assert.is(limit.insight.gradient, 1)
})

test('from a limit of one it rises by one', () => {
  assert.is(press(taught(1), 10), 2)
})

test('above the baseline it falls by the ratio, and not by more than half', () => {
  const limit = taught(100)
  assert.is(press(limit, 12.5), 80)
  assert.is(limit.insight.gradient, 0.8)
  assert.is(press(limit, 1000), 40)
  assert.is(limit.insight.gradient, 0.5)
})

test('it does not grow at a gradient of 0.8, however long that lasts', () => {
  const limit = taught(100, { smoothing: 0.2 })
  let before = limit.limit
  for (let i = 0; i < 200; i++) {
    const now = press(limit, 12.5)
    assert.ok(now <= before)
    before = now
  }
  assert.is(before, 1)
})

test('it does not learn the queue that it tolerates: the baseline stays, however long that lasts', () => {
  const limit = taught(100, { tolerance: 1.5, baseline: 10 })
  press(limit, 14, 1000)
  assert.is(limit.insight.baselineMs, 10)
})

test('tolerance moves the latency at which it falls, and nothing else', () => {
  for (const tolerance of [1, 1.5, 2, 4]) {
    const limit = taught(100, { tolerance })
    assert.is(press(limit, 10 * tolerance), 110)
    assert.is(press(limit, 12.5 * tolerance), 88)
  }
})

test('smoothing moves the size of a step, and not its direction or gradient', () => {
  for (const smoothing of [0.1, 0.5, 1]) {
    const rising = taught(100, { smoothing })
    assert.is(press(rising, 10), 100 + 10 * smoothing)
    const falling = taught(100, { smoothing })
    assert.is(press(falling, 20), 100 - 50 * smoothing)
    assert.is(falling.insight.gradient, 0.5)
  }
})

test('while less than half of it is used, it neither rises nor falls', () => {
  const limit = taught(100)
  for (const rttMs of [1, 10, 100]) {
    for (let i = 0; i < 100; i++) assert.is(limit.onSample({ rttMs, inFlight: 49, dropped: false }), 100)
  }
})

test('a drop halves its target, used or not, and teaches no latency', () => {
  const limit = taught(100, { smoothing: 0.2 })
  assert.is(limit.onSample({ rttMs: 5000, inFlight: 1, dropped: true }), 90)
  assert.is(limit.insight.gradient, 0.5)
  assert.is(limit.insight.baselineMs, 10)
})

test('a baseline that is more than twice the latency decays, so that it recovers from a load it was taught under', () => {
  const limit = gradient2(10)
  for (let i = 0; i < 10; i++) limit.onSample({ rttMs: 100, inFlight: 0, dropped: false })
  press(limit, 10, 60)
  assert.ok((limit.insight.baselineMs as number) <= 21, `${limit.insight.baselineMs}`)
  const slow = gradient2(10, { baseline: NEVER })
  for (let i = 0; i < 10; i++) slow.onSample({ rttMs: 19, inFlight: 0, dropped: false })
  press(slow, 10, 60)
  assert.ok((slow.insight.baselineMs as number) > 18.9)
})

test('after so many samples under load it probes: it is lowered until no more than that is in flight, and learns from that', () => {
  const limit = taught(100, { probe: 3, smoothing: 0.2, tolerance: 1.5 })
  assert.equal([press(limit, 10), press(limit, 10)], [102, 104])
  const probed = press(limit, 10)
  assert.is(probed, 52) // half of the 104 that were in flight
  assert.is(limit.limit, 106)
  assert.is(limit.insight.probing, true)
  assert.is(limit.onSample({ rttMs: 30, inFlight: 104, dropped: false }), 52)
  assert.is(limit.insight.baselineMs, 10)
  assert.is(limit.onSample({ rttMs: 30, inFlight: 52, dropped: false }), 106)
  assert.is(limit.insight.probing, false)
  assert.is(limit.insight.baselineMs, 20)
})

test('a probe that does not empty is given up, and nothing is learnt from it', () => {
  const limit = taught(100, { probe: 1, smoothing: 0.2 })
  const lowered = press(limit, 10)
  assert.ok(lowered < limit.limit)
  for (let i = 0; i < 9; i++) assert.is(limit.onSample({ rttMs: 90, inFlight: 100, dropped: false }), lowered)
  assert.is(limit.onSample({ rttMs: 90, inFlight: 100, dropped: false }), limit.limit)
  assert.is(limit.insight.baselineMs, 10)
})

test('a probe is low enough that the queue it would tolerate shows', () => {
  for (const tolerance of [1, 1.5, 3, 10]) {
    const limit = taught(100, { probe: 1, tolerance })
    assert.ok(press(limit, 10) * tolerance < 0.8 * limit.limit)
  }
})

test('a probe never goes below the floor, and at the floor there is none', () => {
  const limit = taught(100, { probe: 1, floor: 90 })
  assert.is(press(limit, 10), 90)
  const least = taught(90, { probe: 1, floor: 90 })
  press(least, 15)
  assert.is(least.insight.probing, false)
})

test('a drop ends a probe', () => {
  const limit = taught(100, { probe: 1, smoothing: 0.2 })
  press(limit, 10)
  assert.is(limit.insight.probing, true)
  assert.is(limit.onSample({ rttMs: 10, inFlight: 50, dropped: true }), limit.limit)
  assert.is(limit.insight.probing, false)
})

test('an app that uses less than half is not probed', () => {
  const limit = taught(100, { probe: 1 })
  for (let i = 0; i < 10; i++) assert.is(limit.onSample({ rttMs: 10, inFlight: 40, dropped: false }), 100)
})

test('work that became slower for good is learnt at the floor, from where it rises again', () => {
  const limit = taught(10, { tolerance: 1.5, smoothing: 0.2, floor: 2 })
  press(limit, 25, 60)
  assert.ok((limit.insight.baselineMs as number) > 16)
  assert.ok(limit.limit > 2)
})

test('without probes the baseline averages in both directions, as published', () => {
  const limit = taught(10, { probe: 0, baseline: 3, tolerance: 2, floor: 10, ceiling: 10 })
  press(limit, 14)
  assert.is(limit.insight.baselineMs, 12)
  press(limit, 8)
  assert.is(limit.insight.baselineMs, 10)
})

test('told a limit in force that is not its own, it says what that one should become', () => {
  const limit = taught(4, { smoothing: 0.5, probe: 1 })
  for (let i = 0; i < 50; i++) limit.onSample({ rttMs: 10, inFlight: 4, dropped: false, limit: 4 })
  assert.is(limit.limit, 5) // 4 + sqrt(4), from below
  for (let i = 0; i < 50; i++) limit.onSample({ rttMs: 1000, inFlight: 4, dropped: false, limit: 4 })
  assert.is(limit.insight.probing, false)
  for (let i = 0; i < 50; i++) limit.onSample({ rttMs: 10, inFlight: 4, dropped: true, limit: 400 })
  assert.ok(Math.abs(limit.limit - 200) <= 1)
})

test('told a limit in force that is not its own in a probe, it ends the probe', () => {
  const limit = taught(100, { probe: 1, smoothing: 0.2 })
  assert.ok(press(limit, 10) < limit.limit)
  assert.is(limit.onSample({ rttMs: 10, inFlight: 100, dropped: false, limit: 100 }), limit.limit)
  assert.is(limit.insight.probing, false)
})

test('it goes on from where it is reset to, without a probe', () => {
  const limit = taught(100, { probe: 1 })
  press(limit, 10)
  limit.reset(400)
  assert.is(limit.limit, 400)
  assert.is(limit.insight.probing, false)
})

test('it stays from floor to ceiling', () => {
  const limit = taught(10, { floor: 4, ceiling: 12, probe: 5 })
  for (let i = 0; i < 50; i++) assert.ok(press(limit, 10) <= 12)
  for (let i = 0; i < 50; i++) assert.ok(press(limit, 1e6) >= 4)
})

test('a sample that cannot be learnt from changes nothing, in a probe either', () => {
  const limit = taught(100, { probe: 2 })
  const bad = () => {
    const before = { ...limit.insight, limit: limit.limit }
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
      limit.onSample({ rttMs: value, inFlight: 100, dropped: false })
      limit.onSample({ rttMs: value, inFlight: 100, dropped: true })
      limit.onSample({ rttMs: 10, inFlight: value, dropped: false })
      limit.onSample({ rttMs: 10, inFlight: 10, dropped: false, limit: value })
    }
    limit.onSample({ rttMs: 0, inFlight: 100, dropped: false })
    assert.equal({ ...limit.insight, limit: limit.limit }, before)
  }
  bad()
  press(limit, 10, 2)
  assert.is(limit.insight.probing, true)
  bad()
})

test.run()
