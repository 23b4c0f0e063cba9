import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SharePlanner, type SharePlannerOptions, type ShareView } from '../../../lib/plan/share-planner.js'
import type { SharePlan } from '../../../lib/plans.js'
import { randomsOf } from '../../../lib/randoms.js'

const TIERS = ['background', 'standard', 'interactive', 'critical']
const [LOW, HIGH, TOP] = [0, 2, 3]
const PERIOD_MS = 100
const CAPACITY = 64
const part = (floor = 0, share = 0, ceiling = CAPACITY) => ({ floor, share, ceiling })
/** Most is the background's. */
const PARTS = [part(0, 40), part(), part(0, 8), part()]

const plannerOf = (more: Partial<SharePlannerOptions> = {}) =>
  new SharePlanner({
    pool: 'p',
    capacity: CAPACITY,
    parts: PARTS,
    tiers: TIERS,
    waitCosts: [1, 2, 8, 32],
    maxReserve: 0.25,
    period: PERIOD_MS,
    ...more
  })

/** Periods in which each tier has so much, or wants it. */
function run(planner: SharePlanner, from: number, periods: number, used: readonly number[], waiting: readonly number[] = []): SharePlan[] {
  const plans: SharePlan[] = []
  for (let period = from; period < from + periods; period++) {
    for (const [tier, amount] of used.entries()) if (amount > 0) planner.came(tier, 1)
    const view: ShareView = { now: period * PERIOD_MS, usedBy: tier => used[tier] ?? 0, waiting: tier => waiting[tier] ?? 0 }
    plans.push(...planner.plan(view))
  }
  return plans
}

test('what a tier has and waits for is to be in its share, and what it had configured stays its own', () => {
  const planner = plannerOf()
  const plans = run(planner, 0, 100, [40, 0, 8], [0, 0, 4])
  assert.equal(plans.at(-1), { kind: 'share', pool: 'p', tier: 'interactive', amount: 12 / CAPACITY, until: 10 * PERIOD_MS })
  assert.is(planner.grown(HIGH), 4)
})

test('within its share nothing is planned, nor for the lowest tier', () => {
  assert.equal(run(plannerOf(), 0, 100, [64, 0, 8]), [])
  assert.equal(run(plannerOf(), 0, 100, [60, 0, 4], [30]), [])
})

test('where no tier below has a part of its own a larger share would change nothing, so none is planned', () => {
  assert.equal(run(plannerOf({ parts: [part(), part(), part(0, 8), part()] }), 0, 100, [40, 0, 20]), [])
})

test('all shares together grow by no more than plans may, those of the upper tiers first', () => {
  const planner = plannerOf()
  run(planner, 0, 100, [20, 0, 20, 12])
  assert.is(planner.grown(TOP), 12)
  assert.is(planner.grown(HIGH), 4)
  const random = randomsOf(1)
  const wild = plannerOf()
  for (let period = 0; period < 2000; period++) {
    run(wild, period, 1, [0, random() * 60, random() * 60, random() * 60])
    const all = [1, HIGH, TOP].reduce((sum, tier) => sum + wild.grown(tier), 0)
    assert.ok(all <= 0.25 * CAPACITY + 1e-9, String(all))
  }
})

test('no share grows above its ceiling, whatever its floor', () => {
  const planner = plannerOf({ parts: [part(0, 40), part(), part(4, 4, 10), part()] })
  run(planner, 0, 100, [40, 0, 10], [0, 0, 30])
  assert.is(planner.grown(HIGH), 2)
})

test('when demand has gone the share is as configured again', () => {
  const planner = plannerOf()
  run(planner, 0, 100, [40, 0, 20])
  assert.is(planner.grown(HIGH), 12)
  const plans = run(planner, 100, 5000, [40, 0, 2])
  assert.is(planner.grown(HIGH), 0)
  assert.is(plans.at(-1)?.amount, 8 / CAPACITY)
})

test('the dearer those are whom it would make wait, the smaller the quantile', () => {
  assert.is(plannerOf().ratio(HIGH), 8 / 9)
  assert.is(plannerOf({ parts: [part(0, 20), part(0, 20), part(), part()] }).ratio(HIGH), 8 / 10)
  assert.is(plannerOf().ratio(LOW), 0)
})

test('a plan that is the same is written anew only when it runs out', () => {
  const planner = plannerOf()
  run(planner, 0, 300, [40, 0, 12])
  assert.is(run(planner, 300, 70, [40, 0, 12]).length, 10)
})

test('pools that are closed, and whatever is used, give plans that can be written', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomsOf(seed)
    const capacity = [0, 1, 10, 2 ** 40][seed % 4] as number
    const parts = TIERS.map(() => part(random() * capacity * 0.2, random() * capacity * 0.5, random() * capacity))
    const planner = plannerOf({ capacity, parts, maxReserve: random() })
    for (let period = 0; period < 300; period++) {
      planner.came(period % 4, [0, 1, 1e-9, Number.MAX_SAFE_INTEGER][period % 4] as number)
      const waiting = TIERS.map(() => (random() < 0.5 ? 0 : Math.floor(random() * 1e5)))
      for (const { amount, until } of run(
        planner,
        period,
        1,
        TIERS.map(() => random() * capacity * 2),
        waiting
      )) {
        assert.ok(amount >= 0 && amount <= 1 && until > 0, `${amount}, ${until}`)
      }
    }
  }
})

test.run()
