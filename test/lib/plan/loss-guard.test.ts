import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Course, LossGuard } from '../../../lib/plan/loss-guard.js'

const course = (lostMs: number, saved: number, lowerMs: number) => (): Course => ({ lostMs, saved, lowerCost: lowerMs / 1000 })

/** One that has looked before anything was lost. */
function guardOf(...terms: ConstructorParameters<typeof LossGuard>): LossGuard {
  const guard = new LossGuard(...terms)
  guard.passes(-1000, course(0, 0, 0))
  return guard
}

const begins = (guard: LossGuard, now: number, ms: number) => {
  const isAdmitted = guard.admits(ms)
  if (isAdmitted) guard.begun(now, ms)
  return isAdmitted
}

test('plans are let through until they kept things from others for a second', () => {
  const guard = guardOf(1)
  assert.ok(guard.passes(0, course(0, 0, 0)))
  assert.ok(guard.passes(1000, course(900, 0, 900)))
  assert.not(guard.passes(2000, course(1100, 0, 1100)))
  const { on, proven, balance } = guard.status()
  assert.equal([on, proven], [false, false])
  assert.ok(Math.abs(balance + 0.1) < 0.01, String(balance))
})

test('where lower tiers wait a long time anyway it may be two per cent more', () => {
  const guard = guardOf(1)
  // 50 s without what was lost: a second more.
  assert.ok(guard.passes(0, course(1900, 0, 51_900)))
  assert.not(guard.passes(1000, course(2200, 0, 52_200)))
})

test('what was saved counts by its cost', () => {
  const guard = guardOf(1)
  assert.ok(guard.passes(0, course(5000, 8, 5000)))
  assert.not(guard.passes(1000, course(9500, 8, 9500)))
})

test('it looks once a second, and says the same in between', () => {
  const guard = guardOf(1)
  let looks = 0
  const look = () => {
    looks++
    return { lostMs: 0, saved: 0, lowerCost: 0 }
  }
  for (let now = 0; now < 3000; now += 100) guard.passes(now, look)
  assert.is(looks, 3)
})

test('a source that stopped losing is let through again', () => {
  const guard = guardOf(1)
  guard.passes(0, course(1010, 0, 1010))
  let back = 0
  for (let now = 1000; back === 0 && now < 600_000; now += 1000) if (guard.passes(now, course(1010, 0, 1010 + now))) back = now
  // Ten seconds at the earliest, by what else lower tiers waited since.
  assert.is(back, 10_000)
})

test('no more is let through at once than could be paid for', () => {
  const guard = guardOf(1)
  guard.passes(0, course(0, 0, 0))
  // A second of budget is two of half a second each.
  assert.equal([begins(guard, 0, 500), begins(guard, 0, 500), begins(guard, 0, 500)], [true, true, false])
  // They are over, and cost nothing.
  guard.passes(1000, course(0, 0, 0))
  assert.ok(begins(guard, 1000, 500))
})

test('a source that is tried again may cost a tenth of a second, not a second', () => {
  const guard = guardOf(1)
  guard.passes(0, course(5000, 0, 5000))
  assert.not(begins(guard, 0, 1))
  assert.ok(guard.passes(10_000, course(5000, 0, 5000)))
  assert.equal([begins(guard, 10_000, 60), begins(guard, 10_000, 60)], [true, false])
})

test('a second that is lost costs what it costs those who lose then', () => {
  let price = 8
  const guard = guardOf(1, () => price)
  assert.ok(guard.passes(0, course(100, 0, 800)))
  price = 1
  assert.ok(guard.passes(1000, course(250, 0, 950)))
  assert.ok(begins(guard, 1000, 40))
  assert.not(begins(guard, 1000, 40), 'eight tenths and a twentieth are gone, and a twenty-fifth is at stake')
  assert.not(guard.passes(2000, course(360, 0, 1060)))
})

test('what others lost before it began is not its own', () => {
  const guard = new LossGuard(1)
  assert.ok(guard.passes(0, course(60_000, 0, 60_000)))
  assert.ok(guard.passes(1000, course(60_500, 0, 60_500)))
})

test.run()
