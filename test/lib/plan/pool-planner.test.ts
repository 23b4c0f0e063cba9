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

/** A burst of the upper tier each 20 s, of thirty in a second, with which a pool of ten that is used by half is short. */
const burst = (planner: PoolPlanner) => (period: number) => {
  if (period % 200 < 10) for (let i = 0; i < 3; i++) planner.came(HIGH, 1)
}

/** What is kept in each period. */
function keptIn(planner: PoolPlanner, periods: number): number[] {
  const kept: number[] = []
  for (let period = 0; period < periods; period++) {
    burst(planner)(period)
    planner.plan(viewAt(period * PERIOD_MS, 5))
    kept.push(planner.kept(HIGH))
  }
  return kept
}

test('extra: the share that is said is kept from the threshold on, and before and after nothing', () => {
  const kept = keptIn(plannerOf({ extra: { threshold: 0.5, share: 0.3 } }), 2000).slice(1000)
  assert.equal([...new Set(kept)].sort(), [0, 3])
  const contended = kept.filter(units => units > 0).length
  assert.ok(contended > 20 && contended < 500, String(contended))
  // Five bursts: it neither begins nor ends more often.
  assert.is(kept.filter((units, i) => i > 0 && units > 0 && kept[i - 1] === 0).length, 5)
})

test('extra: a share above what plans may keep is as much as they may', () => {
  const kept = keptIn(plannerOf({ maxReserve: 0.2, extra: { threshold: 0.5, share: 1 } }), 1000)
  assert.is(Math.max(...kept), 2)
})

test('extra: with a threshold alone it is the quantile, but only from the threshold on', () => {
  const [plain, gated, never] = [plannerOf(), plannerOf({ extra: { threshold: 0.5 } }), plannerOf({ extra: { threshold: 1 } })].map(
    planner => keptIn(planner as PoolPlanner, 1000)
  ) as [number[], number[], number[]]
  const on = gated.findIndex((units, i) => i > 500 && units > 0)
  assert.ok(on > 0)
  assert.is(gated[on], plain[on])
  const count = (kept: number[]) => kept.filter(units => units > 0).length
  assert.ok(count(never) < count(gated) && count(gated) < count(plain), `${count(never)}, ${count(gated)}, ${count(plain)}`)
})

test('extra: with a share alone it begins where keeping pays', () => {
  // o / (u + o), with 8 x 0.5 against 1: a fifth.
  const kept = keptIn(plannerOf({ extra: { share: 0.3 } }), 2000)
  const dear = keptIn(plannerOf({ extra: { share: 0.3 }, idleCost: 100 }), 2000)
  const count = (all: number[]) => all.filter(units => units > 0).length
  assert.ok(count(kept) > count(dear), `${count(kept)}, ${count(dear)}`)
})

test('a collision is told of where extra begins, and by default where it is as likely as not', () => {
  const first = (planner: PoolPlanner) => {
    for (let period = 0; period < 1500; period++) {
      burst(planner)(period)
      const view = viewAt(period * PERIOD_MS, 5)
      planner.plan(view)
      if (period > 1000 && planner.collides(HIGH, view, false)) return planner.contention(HIGH, view)
    }
    return -1
  }
  assert.ok(first(plannerOf()) >= 0.5)
  const rare = plannerOf({ extra: { threshold: 0.01 } })
  assert.ok(first(rare) >= 0)
  assert.ok(rare.kept(HIGH) > 0)
})

test('a stream beside the tiers is foretold as they are, and nothing is kept for it', () => {
  const planner = plannerOf()
  const stream = planner.stream()
  const plans = run(planner, 500, () => stream.add(2))
  assert.equal(plans, [])
  assert.is(stream.exceeds(0), 1)
  assert.is(stream.exceeds(1000), 0)
  const none = plannerOf({ maxReserve: 0 })
  const beside = none.stream()
  assert.equal(
    run(none, 100, () => beside.add(2)),
    []
  )
  assert.is(beside.exceeds(0), 1)
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

test('what is foretold is kept free when it is near, in units, and is no part of what comes anyway', () => {
  const planner = plannerOf()
  const expected = (tier: number) => (tier === HIGH ? [{ probability: 0.9, amounts: [3] }] : [])
  const plan = (now: number, isNear: boolean) => planner.plan({ ...viewAt(now, 5), ...(isNear && { expected }) })
  for (let period = 0; period < 200; period++) {
    if (period % 20 === 0) planner.came(HIGH, 3, true)
    assert.equal(plan(period * PERIOD_MS, false), [], `in period ${period}`)
  }
  const [kept] = plan(20_000, true)
  assert.equal([kept?.tier, kept?.amount], ['interactive', 0.3])
  assert.is(planner.kept(HIGH), 3)
  assert.is(planner.contention(HIGH, { ...viewAt(20_000, 8), expected }), 0.9)
  assert.is(planner.contention(HIGH, viewAt(20_000, 8)), 0)
  // It has come, or comes no more.
  assert.is(plan(20_100, false)[0]?.amount, 0)
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

test('of a pool of which nothing can be kept it is foretold all the same that it will be short', () => {
  for (const more of [{ capacity: 1 }, { maxReserve: 0 }, { maxReserve: 0, unit: 0 }]) {
    const planner = plannerOf(more)
    const plans = run(planner, 300, () => planner.came(HIGH, 1))
    assert.equal(plans, [])
    const { capacity = 10 } = more as { capacity?: number }
    assert.ok(planner.contention(HIGH, viewAt(300 * PERIOD_MS, capacity)) > 0.9)
  }
})

for (const capacity of [64, 200, 1000, 1e6]) {
  test(`of ${capacity} units, of which an eighth may be kept, contention is foretold whatever is free`, () => {
    const planner = plannerOf({ capacity, maxReserve: 0.125 })
    // Each second, three eighths of it at once.
    const came = (period: number) => {
      if (period % 10 === 0) for (let i = 0; i < 3; i++) planner.came(HIGH, capacity / 8)
      planner.ended(HIGH, 0)
    }
    run(planner, 3000, came)
    const about = (used: number) => planner.contention(HIGH, viewAt(300_000, used * capacity))
    // Looked ahead are some four of ten periods.
    assert.ok(about(0.75) > 0.3, `a quarter is free: ${about(0.75)}`)
    assert.ok(about(0.875) > 0.3 && about(1) > 0.3)
    assert.is(about(0.5), 0, 'half is free')
    assert.is(about(0), 0)
    const { expected } = planner.foresees(HIGH, viewAt(300_000, capacity))
    assert.ok(expected >= (3 / 8) * capacity && expected < (3 / 8 + 1 / 32) * capacity, String(expected))
  })
}

test('contention is foretold of a pool of which all is free where more than all is asked for', () => {
  for (const capacity of [10, 63, 64, 5000]) {
    const planner = plannerOf({ capacity, maxReserve: 0.25 })
    run(planner, 3000, period => {
      if (period % 3 === 0) for (let i = 0; i < 9; i++) planner.came(HIGH, capacity / 4)
      planner.ended(HIGH, 0)
    })
    assert.ok(planner.contention(HIGH, viewAt(300_000, 0)) > 0.9, String(capacity))
  }
})

test.run()
