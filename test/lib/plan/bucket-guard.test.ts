import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BucketGuard, type BucketGuardOptions } from '../../../lib/plan/bucket-guard.js'
import type { KeepPlan } from '../../../lib/plans.js'

const TIERS = ['background', 'standard', 'interactive', 'critical']
const [LOW, HIGH] = [0, 2]
const PERIOD_MS = 100
const BURST = 10

const guardOf = (more: Partial<BucketGuardOptions> = {}) =>
  new BucketGuard({
    rate: 10,
    burst: BURST,
    reserve: 0,
    waitCosts: [1, 2, 8, 32],
    ageing: 0,
    tiers: TIERS,
    lag: 0,
    control: 0,
    seed: 1,
    ...more
  })

const keep = (tokens: number): KeepPlan => ({
  kind: 'keep',
  bucket: 'b',
  tier: 'interactive',
  amount: tokens / BURST,
  until: 2 * PERIOD_MS
})

/** The lowest tier empties the bucket every two seconds, and the higher one asks for two at once in the middle of that. */
function run(guard: BucketGuard, from: number, until: number, wanted: (now: number) => number): (readonly KeepPlan[])[] {
  const passed: (readonly KeepPlan[])[] = []
  for (let now = from; now < until; now += PERIOD_MS) {
    const came = (tier: number, count: number) => {
      for (let i = 0; i < count; i++) guard.came({ time: now, tier, tokens: 1, isReserved: false })
    }
    if (now % 2000 === 0) came(LOW, 16)
    if (now % 2000 === 400) came(HIGH, 2)
    passed.push(guard.keep([keep(wanted(now))], now, { free: BURST, reserved: 0 }))
  }
  return passed
}

const always = () => 2
const lies = (now: number) => (now % 2000 >= 200 && now % 2000 <= 500 ? 0 : 2.5)

test('keeps that save more than they cost pass, and are proven', () => {
  const guard = guardOf()
  const passed = run(guard, 0, 300_000, always)
  assert.ok(passed.every(plans => plans.length === 1))
  const { on, proven, benefit } = guard.status()
  assert.ok(on && proven, JSON.stringify(benefit))
})

test('a source that lies is stopped, when it has cost its budget and no more than a second beyond, and what it keeps is taken back', () => {
  const guard = guardOf()
  let [stopped, lowest] = [0, 0]
  let last: readonly KeepPlan[] = []
  for (let now = 0; stopped === 0 && now < 600_000; now += PERIOD_MS) {
    last = run(guard, now, now + PERIOD_MS, lies)[0] as readonly KeepPlan[]
    if (guard.status().on) continue
    stopped = now
    lowest = guard.status().balance
  }
  assert.ok(stopped > 0)
  assert.ok(lowest < 0 && lowest > -5, String(lowest))
  assert.ok(last.every(({ amount }) => amount === 0))
})

test('one that is put out goes on when it has shown to be better, though nothing of it is in force', () => {
  const guard = guardOf()
  run(guard, 0, 60_000, lies)
  assert.not(guard.status().on)
  run(guard, 60_000, 600_000, always)
  assert.ok(guard.status().on)
})

test('in a part of the time nothing is kept, and waits are told apart by that', () => {
  const guard = guardOf({ control: 0.3 })
  let [none, some] = [0, 0]
  for (let window = 0; window < 200; window++) {
    const passed = run(guard, window * 10_000, (window + 1) * 10_000, always)
    const keeps = passed.filter(plans => plans.some(({ amount }) => amount > 0)).length > 50
    if (keeps) some++
    else none++
    guard.waited(window * 10_000, HIGH, keeps ? 10 : 30)
  }
  assert.ok(none > 30 && none < 90, `${none} of ${none + some}`)
  const { control, planned } = guard.status()
  const top = (waits: typeof control) => waits.find(({ tier }) => tier === 'interactive')
  assert.equal(
    [top(control), top(planned)],
    [
      { tier: 'interactive', requests: none, wait: 30 },
      { tier: 'interactive', requests: some, wait: 10 }
    ]
  )
})

test.run()
