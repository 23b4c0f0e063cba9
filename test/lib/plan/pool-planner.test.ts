import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PoolPlanner, type PoolPlannerOptions, type PoolView } from '../../../lib/plan/pool-planner.js'
import type { KeepPlan } from '../../../lib/plans.js'
import { randomsOf } from '../../../lib/randoms.js'

const TIERS = ['background', 'standard', 'interactive', 'critical']
const [LOW, HIGH, TOP] = [0, 2, 3]
const PERIOD_MS = 100

const plannerOf = (more: Partial<PoolPlannerOptions> = {}) =>
  new PoolPlanner({
    pool: 'p',
    capacity: 10,
    unit: 1,
    tiers: TIERS,
    waitCosts: [1, 2, 8, 32],
    idleCost: 1,
    maxReserve: 0.5,
    period: PERIOD_MS,
    lag: 1,
    ...more
  })

const viewAt = (now: number, used = 0, waiting: readonly number[] = []): PoolView => ({
  now,
  used: () => used,
  waiting: tier => waiting[tier] ?? 0
})

/** Periods of a pool that is used by half; what comes in each is said. */
function run(planner: PoolPlanner, periods: number, came: (period: number) => void, waiting: readonly number[] = []): KeepPlan[] {
  const plans: KeepPlan[] = []
  for (let period = 0; period < periods; period++) {
    came(period)
    plans.push(...planner.plan(viewAt(period * PERIOD_MS, 5, waiting)))
  }
  return plans
}

test('where nobody asks, nothing is planned', () => {
  assert.equal(
    run(plannerOf(), 200, () => {}),
    []
  )
})

test('nothing is kept for the lowest tier', () => {
  const planner = plannerOf()
  assert.equal(
    run(planner, 200, () => planner.came(LOW, 3)),
    []
  )
})

test('the quantile is by what waiting of the tier costs, against idling and what those lose who wait already', () => {
  const planner = plannerOf()
  planner.came(LOW, 1)
  planner.plan(viewAt(0, 5))
  // Until waits are known who finds nothing waits half of the horizon: 8 x 0.5 against 1.
  assert.is(planner.ratio(HIGH, viewAt(0, 5)), 4 / 5)
  // Five units are free of ten, so each of the ten who wait loses a fifth of a second by each unit that is kept: 1 x 10 / 5.
  assert.is(planner.ratio(HIGH, viewAt(0, 5, [10])), 4 / (4 + 1 + 2))
  // Who waits in the tier itself, or above, loses nothing.
  assert.is(planner.ratio(HIGH, viewAt(0, 5, [0, 0, 10, 10])), 4 / 5)
  assert.is(planner.ratio(TOP, viewAt(0, 5, [0, 0, 10])), 16 / (16 + 1 + 16))
})

test('requests of two units are half as many in the same pool', () => {
  const planner = plannerOf()
  planner.came(LOW, 2)
  planner.plan(viewAt(0, 5))
  assert.is(planner.ratio(HIGH, viewAt(0, 5, [10])), 4 / (4 + 1 + 4))
})

test('when waits are known, the quantile is by them', () => {
  const planner = plannerOf()
  planner.plan(viewAt(0, 5))
  for (let i = 0; i < 20; i++) planner.ended(HIGH, planner.horizon / 4)
  assert.is(planner.ratio(HIGH, viewAt(0, 5)), 2 / 3)
  for (let i = 0; i < 1000; i++) planner.ended(HIGH, 1e6)
  assert.is(planner.ratio(HIGH, viewAt(0, 5)), 8 / 9)
})

test('a steady stream of an upper tier has kept what comes within the horizon, in whole units and within what plans may keep', () => {
  const planner = plannerOf({ maxReserve: 1 })
  const plans = run(planner, 300, () => planner.came(HIGH, 1))
  const last = plans.at(-1) as KeepPlan
  assert.equal([last.kind, last.pool, last.tier, last.until], ['keep', 'p', 'interactive', 10 * PERIOD_MS])
  assert.is(last.amount, planner.horizon / PERIOD_MS / 10)
  const bounded = plannerOf({ maxReserve: 0.3 })
  const less = run(bounded, 300, () => bounded.came(HIGH, 1))
  assert.is(less.at(-1)?.amount, 0.3)
})

test('upper tiers choose first, and all together keep no more than plans may', () => {
  const planner = plannerOf({ maxReserve: 0.5 })
  const kept = new Map<string, number>()
  const random = randomsOf(1)
  let most = 0
  for (let period = 0; period < 2000; period++) {
    for (const tier of [1, HIGH, TOP]) if (random() < 0.3) planner.came(tier, 1 + Math.floor(random() * 3))
    for (const { tier, amount } of planner.plan(viewAt(period * PERIOD_MS, 5))) kept.set(tier, amount)
    const all = [...kept.values()].reduce((sum, amount) => sum + amount, 0)
    most = Math.max(most, all)
    assert.ok(all <= 0.5 + 1e-9, `${all} in period ${period}`)
  }
  assert.ok(most > 0.45)
  const steady = plannerOf({ maxReserve: 0.2 })
  const plans = run(steady, 300, () => {
    steady.came(HIGH, 1)
    steady.came(TOP, 1)
  })
  const last = (tier: string) => plans.filter(plan => plan.tier === tier).at(-1)?.amount ?? 0
  assert.equal([last('critical'), last('interactive')], [0.2, 0])
})

test('a plan that is the same is written anew only when it runs out', () => {
  const planner = plannerOf()
  run(planner, 500, () => planner.came(HIGH, 1))
  let written = 0
  for (let period = 500; period < 570; period++) {
    planner.came(HIGH, 1)
    written += planner.plan(viewAt(period * PERIOD_MS, 5)).length
  }
  // It lasts for ten periods, and is renewed when it has three left.
  assert.is(written, 10)
})

test('a reserve is given up when those for whom it was do not come any more', () => {
  const planner = plannerOf()
  const plans = run(planner, 2000, period => {
    if (period < 500) planner.came(HIGH, 1)
  })
  assert.is(plans.at(-1)?.amount, 0)
})

test('the sooner something comes free by itself, the less far it looks ahead', () => {
  const [busy, slow] = [plannerOf(), plannerOf()]
  run(busy, 400, () => {
    for (let i = 0; i < 4; i++) busy.ended(LOW, 0)
  })
  run(slow, 400, period => {
    if (period % 20 === 0) slow.ended(LOW, 0)
  })
  // Two completions take half a period, or forty; a plan takes two.
  assert.ok(busy.horizon <= 3 * PERIOD_MS, String(busy.horizon))
  assert.ok(slow.horizon >= 32 * PERIOD_MS && slow.horizon <= 50 * PERIOD_MS, String(slow.horizon))
})

test('a pool that is closed, times that jump, thousands at one time and any amounts give plans that can be written', () => {
  const amounts = [0, 1, 3, 1e-9, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE]
  for (let seed = 1; seed <= 30; seed++) {
    const random = randomsOf(seed)
    const capacity = [0, 1, 10, 1e5, 2 ** 40][seed % 5] as number
    const planner = plannerOf({ capacity, unit: seed % 2, maxReserve: random() })
    let now = 0
    for (let step = 0; step < 150; step++) {
      now += (random() - 0.2) * 10 ** (random() * 6)
      const count = step === 50 ? 3000 : Math.floor(random() * 4)
      for (let i = 0; i < count; i++) planner.came(i % 4, amounts[Math.floor(random() * amounts.length)] as number)
      for (let i = 0; i < count; i++) planner.ended(i % 4, random() < 0.5 ? 0 : random() * 1e6)
      const view = viewAt(now, random() < 0.5 ? 0 : capacity, [Math.floor(random() * 1e5), 0, 3])
      for (const { amount, until } of planner.plan(view)) assert.ok(amount >= 0 && amount <= 1 && until > 0, `${amount}, ${until}`)
      for (const tier of [1, HIGH, TOP]) {
        const ratio = planner.ratio(tier, view)
        assert.ok(ratio >= 0 && ratio <= 1, String(ratio))
      }
      assert.ok(planner.horizon > 0)
    }
  }
})

test('what is foreseen is said beside what there is, and until when so much has come free', () => {
  const planner = plannerOf()
  run(planner, 300, () => {
    planner.came(HIGH, 1)
    planner.ended(LOW, 0)
  })
  // One ends in each period: four that are asked for within the horizon of three and one more lack when all is used.
  const view = viewAt(300 * PERIOD_MS, 10)
  const { expected, gap, ...rest } = planner.foresees(HIGH, view)
  assert.equal(rest, { capacity: 10, free: 0, usual: 1 })
  assert.is(expected, planner.horizon / PERIOD_MS)
  assert.ok(Math.abs(gap - (expected + 1) * PERIOD_MS) < 1, `${gap} ms`)
  assert.is(planner.foresees(HIGH, viewAt(300 * PERIOD_MS, 0)).gap, 0)
})

test('where nothing comes free the gap is said to be the end of the horizon', () => {
  const planner = plannerOf()
  run(planner, 300, () => planner.came(HIGH, 1))
  assert.is(planner.foresees(HIGH, viewAt(300 * PERIOD_MS, 10)).gap, planner.horizon)
})

test.run()
