import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PoolGuard, type PoolGuardOptions } from '../../../lib/plan/pool-guard.js'
import type { KeepPlan } from '../../../lib/plans.js'

const TIERS = ['background', 'standard', 'interactive', 'critical']
const [LOW, HIGH] = [0, 2]
const PERIOD_MS = 100
const WINDOW_MS = 10_000

const guardOf = (more: Partial<PoolGuardOptions> = {}) =>
  new PoolGuard({ capacity: 2, waitCosts: [1, 2, 8, 32], ageing: 0, tiers: TIERS, lag: 0, control: 0, seed: 1, ...more })

const keep = (amount: number, until = 2 * PERIOD_MS): KeepPlan => ({ kind: 'keep', pool: 'p', tier: 'interactive', amount, until })

/**
 * A pool of two that the lowest tier fills by half on average: two each 400 ms that have it for 200 ms, and at 300 ms of each second one of the higher tier, now and
 * then in its way. Each is over at once, as for who looks back.
 */
function asks(guard: PoolGuard, from: number, until: number): void {
  for (let time = from; time < until; time += 100) {
    if (time % 400 === 0) {
      for (let i = 0; i < 2; i++) {
        guard.came(time, LOW, 1)
        guard.ended(time, LOW, 0, 200)
      }
    }
    if (time % 1000 === 300) {
      guard.came(time, HIGH, 1)
      guard.ended(time, HIGH, 0, 50)
    }
  }
}

/** The plans of a time, as they are let through. @param wanted part of the pool, by time */
function run(guard: PoolGuard, from: number, until: number, wanted: (now: number) => number): (readonly KeepPlan[])[] {
  const passed: (readonly KeepPlan[])[] = []
  for (let now = from; now < until; now += PERIOD_MS) {
    asks(guard, now, now + PERIOD_MS)
    passed.push(guard.pass([keep(wanted(now))], now))
  }
  return passed
}

/** Keeps a unit whenever lower tiers come, and none when the higher one does. */
const lies = (now: number) => (now % 1000 === 300 ? 0 : 0.5)
/** Keeps one for the moment at which the higher one comes. */
const truth = (now: number) => (now % 1000 >= 200 && now % 1000 <= 300 ? 0.5 : 0)

test('a source that lies is stopped, when it has cost its budget and no more than a second beyond', () => {
  const guard = guardOf()
  let lowest = 0
  let stopped = 0
  for (let now = 0; stopped === 0 && now < 600_000; now += PERIOD_MS) {
    run(guard, now, now + PERIOD_MS, lies)
    if (guard.status().on) continue
    stopped = now
    lowest = guard.status().balance
  }
  assert.ok(stopped > 0)
  // In a second at most five requests of the lowest tier wait.
  assert.ok(lowest < 0 && lowest > -5, String(lowest))
  assert.not(guard.status().proven)
})

/** The lowest tier has one unit. */
const usedBy = (tier: number) => (tier === LOW ? 1 : 0)

test('who is kept waiting counts at once, though nobody is done for a minute yet: it is written no more while it may have cost more than its budget', () => {
  const guard = guardOf()
  const use = { used: () => 1, usedBy, waiting: (tier: number) => (tier === LOW ? 3 : 0) }
  const passed: number[] = []
  for (let now = 0; now < 30_000; now += PERIOD_MS) {
    guard.came(now, LOW, 1)
    if (guard.keep([keep(0.5)], now, use).some(({ amount }) => amount > 0)) passed.push(now)
  }
  assert.ok(guard.status().on, 'nothing is known yet')
  // How much one asks for is not known yet, so all three may be kept waiting; half of that counts, and a second may be lost.
  assert.equal(passed, [0, 100, 200, 300, 400, 500, 600])
})

test('who waits for more than is free, or for his like, is kept waiting by nobody', () => {
  for (const use of [
    { used: () => 2, usedBy, waiting: () => 3 },
    { used: () => 1, usedBy, waiting: (tier: number) => (tier === HIGH ? 3 : 0) }
  ]) {
    const guard = guardOf()
    let passed = 0
    for (let now = 0; now < 30_000; now += PERIOD_MS) {
      guard.came(now, LOW, 1)
      if (guard.keep([keep(0.5)], now, use).length > 0) passed++
    }
    assert.is(passed, 300)
  }
})

test('who waits at the ceiling of its tier, or for the floor of another, is kept waiting by no plan', () => {
  const all = { floor: 0, share: 0, ceiling: 2 }
  for (const parts of [
    [{ ...all, ceiling: 1 }, all, all, all],
    [all, { ...all, floor: 1 }, all, all]
  ]) {
    const guard = guardOf({ parts })
    const use = { used: () => 1, usedBy, waiting: (tier: number) => (tier === LOW ? 3 : 0) }
    let passed = 0
    for (let now = 0; now < 30_000; now += PERIOD_MS) {
      guard.came(now, LOW, 1)
      if (guard.keep([keep(0.5)], now, use).some(({ amount }) => amount > 0)) passed++
    }
    assert.is(passed, 300)
  }
})

test('nothing is written while it is stopped, and it is let through again when it has told the truth for long enough', () => {
  const guard = guardOf()
  run(guard, 0, 60_000, lies)
  assert.not(guard.status().on)
  const silent = run(guard, 60_000, 61_000, truth)
  assert.equal(
    silent.flatMap(plans => [...plans]),
    []
  )
  run(guard, 61_000, 3_600_000, truth)
  assert.ok(guard.status().on)
  const again = run(guard, 3_600_000, 3_601_000, truth)
  assert.is(again.flatMap(plans => [...plans]).filter(({ amount }) => amount > 0).length, 2)
})

test('one that tells the truth is let through all the time, and is proven', () => {
  const guard = guardOf()
  const passed = run(guard, 0, 300_000, truth)
  assert.ok(passed.every(plans => plans.length === 1))
  const { on, proven, benefit, balance } = guard.status()
  assert.ok(on && proven && benefit.low > 0 && balance > 1)
})

test('of windows the stated part is left alone, and others for another seed', () => {
  const controlsOf = (seed: number) => {
    const guard = guardOf({ control: 0.25, seed })
    const controls: number[] = []
    for (let window = 0; window < 4000; window++) {
      const written = guard.pass([keep(0.5)], window * WINDOW_MS)
      if (written.every(({ amount }) => amount === 0)) controls.push(window)
    }
    return controls
  }
  const controls = controlsOf(1)
  // Four standard deviations are 0.027.
  assert.ok(Math.abs(controls.length / 4000 - 0.25) < 0.028, String(controls.length))
  assert.equal(controlsOf(1), controls)
  const others = new Set(controlsOf(2))
  assert.ok(Math.abs(controls.filter(window => others.has(window)).length / controls.length - 0.25) < 0.06)
})

test('a clock that began long ago costs no more than one that begins now', () => {
  const guard = guardOf({ control: 0.5 })
  const days = 20_000 * 86_400_000
  let written = 0
  for (let window = 0; window < 1000; window++)
    written += guard.pass([keep(0.5)], days + window * WINDOW_MS).filter(p => p.amount > 0).length
  assert.ok(written > 400 && written < 600, String(written))
})

test('what is in force is taken back when a window without plans begins, and put back when it is over', () => {
  const guard = guardOf({ control: 0.3 })
  const long = keep(0.5, 1e9)
  guard.pass([], 0)
  const changes: [number, readonly KeepPlan[]][] = []
  for (let window = 0; window < 50; window++) {
    const now = window * WINDOW_MS + 5000
    const written = guard.pass(window === 0 ? [long] : [], now)
    if (written.length > 0) changes.push([now, written])
  }
  assert.ok(changes.length > 4)
  const isOn = changes.map(([, plans]) => (plans[0] as KeepPlan).amount > 0)
  for (let i = 1; i < isOn.length; i++) assert.not(isOn[i] === isOn[i - 1])
  for (const [now, plans] of changes) {
    const [plan] = plans as [KeepPlan]
    assert.is(plans.length, 1)
    assert.equal([plan.pool, plan.tier], ['p', 'interactive'])
    // It goes on until it would have ended, or ends at once.
    if (plan.amount > 0) assert.equal([plan.amount, plan.until], [0.5, 5000 + 1e9 - now])
    else assert.is(plan.until, 1)
  }
})

test('what is over by itself is not put back', () => {
  const guard = guardOf({ control: 0.5 })
  guard.pass([keep(0.5, 1000)], 0)
  for (let window = 1; window < 50; window++) assert.equal(guard.pass([], window * WINDOW_MS), [])
})

test('waits are told apart by whether there were plans when the request came', () => {
  const guard = guardOf({ control: 0.5 })
  const isControl: boolean[] = []
  for (let window = 0; window < 200; window++) {
    const now = window * WINDOW_MS
    isControl.push(guard.pass([keep(0.1)], now).every(({ amount }) => amount === 0))
  }
  for (const [window, control] of isControl.entries()) {
    guard.came(window * WINDOW_MS, HIGH, 1)
    guard.ended(window * WINDOW_MS + 1, HIGH, control ? 40 : 10, 5)
  }
  const controls = isControl.filter(control => control).length
  const { control, planned } = guard.status()
  assert.equal(control[HIGH], { tier: 'interactive', requests: controls, wait: 40 })
  assert.equal(planned[HIGH], { tier: 'interactive', requests: 200 - controls, wait: 10 })
  assert.equal(planned[LOW], { tier: 'background', requests: 0, wait: 0 })
})

test.run()
