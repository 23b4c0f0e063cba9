import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EscalationPlanner, type WantedEscalation } from '../../../lib/plan/escalation-planner.js'
import { PoolPlanner, type PoolView } from '../../../lib/plan/pool-planner.js'
import { randomsOf } from '../../../lib/randoms.js'

const TIERS = ['background', 'standard', 'interactive', 'critical']
const [LOW, STANDARD] = [0, 1]
const PERIOD_MS = 100
const CAPACITY = 10
const CLOSE = 'month-close'

interface Scene {
  readonly cost?: number
  /** units that are used, and requests that wait, by tier */
  readonly used?: number
  readonly waiting?: readonly number[]
  /** requests of the standard tier, and of the workflow, in each period */
  readonly orders?: (period: number) => number
  readonly closes?: (period: number) => number
  /** ms for which each has its unit */
  readonly ordersHold?: number
  readonly closesHold?: number
  readonly tier?: number
}

const always = () => 1

function play(scene: Scene, periods = 300): WantedEscalation[] {
  const { cost = 16, used = 10, waiting = [0, 5], orders = always, closes = always, ordersHold = 100, closesHold = 100, tier = LOW } = scene
  const terms = { tiers: TIERS, waitCosts: [1, 2, 8, 32], period: PERIOD_MS }
  const keeps = new PoolPlanner({ ...terms, pool: 'p', capacity: CAPACITY, unit: 1, idleCost: 1, maxReserve: 0.5, lag: 1 })
  const planner = new EscalationPlanner({ ...terms, workflowCosts: new Map([[CLOSE, cost]]) })
  planner.pool('p', keeps, CAPACITY)
  const wanted: WantedEscalation[] = []
  for (let period = 0; period < periods; period++) {
    for (let i = 0; i < orders(period); i++) {
      planner.came('p', STANDARD, 1, 'orders')
      planner.ended('p', STANDARD, ordersHold, 'orders')
    }
    for (let i = 0; i < closes(period); i++) {
      planner.came('p', tier, 1, CLOSE)
      planner.ended('p', tier, closesHold, CLOSE)
    }
    const view: PoolView = { now: period * PERIOD_MS, used: () => used, waiting: of => waiting[of] ?? 0 }
    keeps.plan(view)
    wanted.push(...planner.plan(view.now, () => view))
  }
  return wanted
}

test('a workflow that is dearer than its tier is raised where it is about to come and others wait, to the highest tier that is no dearer', () => {
  const plan = (cost: number) => play({ cost }).at(-1)?.plan
  assert.equal(plan(16), { kind: 'escalation', workflow: CLOSE, tier: 'interactive', until: 10 * PERIOD_MS })
  assert.is(plan(8)?.tier, 'interactive')
  assert.is(plan(7)?.tier, 'standard')
  assert.is(plan(40)?.tier, 'critical')
})

test('one that is no dearer than its tier, or has no cost of its own, is not', () => {
  assert.equal(play({ cost: 1 }), [])
  assert.equal(play({ cost: 2, tier: STANDARD }), [])
  assert.equal(play({ closes: () => 0 }), [])
})

test('where there is room for all who will come it is not raised', () => {
  assert.equal(play({ used: 0, waiting: [] }), [])
})

test('nobody need wait yet: what will be asked for within the time that it takes to come free is enough', () => {
  assert.ok(play({ used: 9, waiting: [], orders: () => 3 }).length > 0)
})

test('a workflow that came once and comes no more is not raised any more', () => {
  const last = play({ closes: period => (period < 100 ? 1 : 0) }, 3000).length
  assert.is(play({ closes: period => (period < 100 ? 1 : 0) }, 2000).length, last)
  assert.ok(last > 0)
})

test('one that would keep those whom it passes waiting for longer than it is worth is not raised', () => {
  // 16 a second for 100 ms of others, against 2 a second for what it holds.
  assert.ok(play({ closesHold: 700 }).length > 0)
  assert.equal(play({ closesHold: 900 }), [])
})

test('it is written anew only when it runs out', () => {
  const before = play({}, 300).length
  assert.is(play({}, 370).length - before, 10)
})

test('it says for which request, at which pool', () => {
  const last = play({}).at(-1)
  assert.equal([last?.pool, last?.tier, last?.amount], ['p', LOW, 1])
})

test('whatever comes, in whatever amounts, it says tiers that there are', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomsOf(seed)
    const amounts = [0, 1, 3, 1e-9, Number.MAX_SAFE_INTEGER]
    const capacity = [0, 1, 10, 1e6][seed % 4] as number
    const terms = { tiers: TIERS, waitCosts: [1, 2, 8, 32], period: PERIOD_MS }
    const keeps = new PoolPlanner({ ...terms, pool: 'p', capacity, unit: seed % 2, idleCost: 1, maxReserve: random(), lag: 1 })
    const planner = new EscalationPlanner({ ...terms, workflowCosts: new Map([[CLOSE, random() * 50]]) })
    planner.pool('p', keeps, capacity)
    for (let step = 0; step < 200; step++) {
      for (let i = 0; i < 5; i++) {
        const workflow = random() < 0.5 ? CLOSE : undefined
        planner.came(random() < 0.9 ? 'p' : 'q', i % 4, amounts[Math.floor(random() * amounts.length)] as number, workflow)
        planner.ended('p', i % 4, random() * 1e9, workflow)
      }
      const view = { now: step * PERIOD_MS * (random() + 0.5), used: () => random() * capacity, waiting: () => (random() < 0.5 ? 0 : 3) }
      keeps.plan(view)
      for (const { plan, amount } of planner.plan(view.now, () => view)) {
        assert.ok(TIERS.includes(plan.tier) && plan.until > 0 && !Number.isNaN(amount))
      }
    }
  }
})

test.run()
