import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BucketKeepPlanner, type BucketKeepPlannerOptions } from '../../../lib/plan/bucket-keep-planner.js'
import type { KeepPlan } from '../../../lib/plans.js'

const TIERS = ['background', 'standard', 'interactive', 'critical']
const [LOW, MIDDLE, HIGH, TOP] = [0, 1, 2, 3]
const PERIOD_MS = 100
const MINUTE_MS = 60_000

const plannerOf = (more: Partial<BucketKeepPlannerOptions> = {}) =>
  new BucketKeepPlanner({
    bucket: 'b',
    rate: 20,
    burst: 20,
    reserve: 0,
    tiers: TIERS,
    waitCosts: [1, 2, 8, 32],
    maxReserve: 0.25,
    period: PERIOD_MS,
    lag: 1,
    ...more
  })

type Ask = (planner: BucketKeepPlanner, now: number) => void

const came = (planner: BucketKeepPlanner, time: number, tier: number, tokens: number, isReserved = false) =>
  planner.came({ time, tier, tokens, isReserved })
/** More than there is. */
const busy: Ask = (planner, now) => {
  for (let i = 0; i < 3; i++) came(planner, now, LOW, 1)
}
/** So many tokens at once, so often. */
const bursts =
  (tier: number, tokens: number, every: number, isReserved = false): Ask =>
  (planner, now) => {
    if (now % every === 0) for (let i = 0; i < tokens; i++) came(planner, now, tier, 1, isReserved)
  }

interface Written extends KeepPlan {
  readonly at: number
}

function run(planner: BucketKeepPlanner, from: number, until: number, ...asks: readonly Ask[]): Written[] {
  const all: Written[] = []
  for (let now = from; now < until; now += PERIOD_MS) {
    for (const ask of asks) ask(planner, now)
    for (const plan of planner.plan(now)) all.push({ ...plan, at: now })
  }
  return all
}

test('tokens are kept for an upper tier whose bursts find none, by the backlog that it has eight parts of nine of the time', () => {
  // Three tokens are asked for every second, so for 50 ms there are more than two, and so on: a seventh of the time any.
  const often = run(plannerOf(), 0, 3 * MINUTE_MS, busy, bursts(HIGH, 3, 1000))
  const { at, ...last } = often.at(-1) as Written
  assert.equal([last.kind, last.bucket, last.tier], ['keep', 'b', 'interactive'])
  assert.ok(last.amount * 20 > 0.3 && last.amount * 20 < 2, String(last.amount * 20))
  assert.ok(at > 2 * MINUTE_MS && last.until > 1000)
  const many = run(plannerOf(), 0, 3 * MINUTE_MS, busy, bursts(HIGH, 8, 1000)).at(-1) as Written
  assert.ok(many.amount > last.amount)
})

test('it is never more than plans may keep, and than lets a request of one token through', () => {
  const asks = [busy, bursts(HIGH, 30, 1000)]
  assert.is(run(plannerOf(), 0, MINUTE_MS, ...asks).at(-1)?.amount, 0.25)
  assert.is(run(plannerOf({ maxReserve: 0.1 }), 0, MINUTE_MS, ...asks).at(-1)?.amount, 0.1)
  assert.is(run(plannerOf({ burst: 2, maxReserve: 1 }), 0, MINUTE_MS, ...asks).at(-1)?.amount, 0.5)
  for (const more of [{ burst: 1 }, { maxReserve: 0 }]) assert.equal(run(plannerOf(more), 0, MINUTE_MS, ...asks), [])
})

test('nothing is kept for who asks too seldom to be worth what the others wait, but for one for whom waiting is dearer', () => {
  const seldom = bursts(HIGH, 3, 3000)
  assert.ok(run(plannerOf(), 0, 3 * MINUTE_MS, busy, seldom).every(({ amount }) => amount === 0))
  const dear = run(plannerOf({ waitCosts: [1, 2, 80, 100] }), 0, 3 * MINUTE_MS, busy, seldom)
  assert.ok((dear.at(-1)?.amount ?? 0) > 0)
})

test('nothing is kept for the lowest tier, from nobody, nor in a bucket that is never short', () => {
  for (const asks of [[busy], [bursts(HIGH, 30, 1000)], [bursts(LOW, 1, 1000), bursts(HIGH, 3, 1000)]]) {
    assert.equal(run(plannerOf(), 0, MINUTE_MS, ...asks), [])
  }
})

test('what a reserve gives the tier need not be kept', () => {
  const calm =
    (asks: Ask): Ask =>
    (planner, now) =>
      now % 20_000 < 10_000 ? asks(planner, now) : undefined
  const [with_, without] = [true, false].map(isReserved =>
    run(plannerOf({ reserve: 50 }), 0, 10 * MINUTE_MS, calm(busy), bursts(HIGH, 3, 1000, isReserved)).at(-1)
  )
  assert.ok((without?.amount ?? 0) > 0)
  assert.is(with_?.amount, 0)
})

test('a plan is written anew when it is about to end, or is to be another, and not each period', () => {
  const planner = plannerOf()
  run(planner, 0, MINUTE_MS, busy, bursts(HIGH, 30, 1000))
  const plans = run(planner, MINUTE_MS, 2 * MINUTE_MS, busy, bursts(HIGH, 30, 1000))
  assert.ok(plans.length >= 6 && plans.length <= 12, String(plans.length))
  for (const [i, { at }] of plans.entries()) {
    const before = plans[i - 1]
    if (before !== undefined) assert.ok(at < before.at + before.until, 'without a gap')
  }
})

test('when the tier, or those below it, have gone what is kept is given back', () => {
  const [high, low] = [bursts(HIGH, 6, 1000), busy]
  for (const left of [high, low]) {
    const planner = plannerOf()
    run(planner, 0, MINUTE_MS, high, low)
    const plans = run(planner, MINUTE_MS, 10 * MINUTE_MS, left)
    const last = plans.at(-1) as Written
    assert.is(last.amount, 0)
    assert.ok(last.at < 4 * MINUTE_MS, String(last.at))
  }
})

test('of two tiers the lower one has a keep of its own only where that is the larger one', () => {
  const last = (all: readonly Written[], tier: number) => all.filter(plan => plan.tier === TIERS[tier]).at(-1)?.amount ?? 0
  const same = run(plannerOf(), 0, MINUTE_MS, busy, bursts(TOP, 40, 1000), bursts(HIGH, 1, 1000))
  assert.equal([last(same, TOP), last(same, HIGH)], [0.25, 0])
  // What is kept for a tier is for those above it, so it is of what both ask for.
  const more = run(plannerOf(), 0, MINUTE_MS, busy, bursts(TOP, 2, 1000), bursts(MIDDLE, 12, 1000))
  assert.ok(last(more, MIDDLE) > last(more, TOP) && last(more, TOP) > 0, `${last(more, MIDDLE)} and ${last(more, TOP)}`)
})

test('requests are weighed by what they ask for: a large one that waits is one that waits', () => {
  const asking =
    (tokens: number): Ask =>
    (planner, now) => {
      if (now % 1000 === 0) came(planner, now, HIGH, tokens)
    }
  const single = run(plannerOf(), 0, 3 * MINUTE_MS, busy, bursts(HIGH, 3, 1000)).at(-1)?.amount ?? 0
  const large = run(plannerOf(), 0, 3 * MINUTE_MS, busy, asking(3)).at(-1)?.amount ?? 0
  assert.ok(large < single, `${large} and ${single}`)
})

test('what was not written is written as soon as it is to be', () => {
  const planner = plannerOf()
  run(planner, 0, MINUTE_MS, busy, bursts(HIGH, 30, 1000))
  planner.begin()
  assert.is(run(planner, MINUTE_MS, MINUTE_MS + PERIOD_MS, busy).length, 1)
})

test('numbers stay sound whatever is asked for, and whenever it is told of', () => {
  for (const more of [{ rate: 0 }, { rate: 1e9, burst: 1e9 }, { rate: 1e-9, burst: 2 }]) {
    const planner = plannerOf(more)
    for (let i = 0; i < 2000; i++) {
      came(planner, (i * 7919) % 100_000, i % 4, [1, 0.001, 1e12][i % 3] as number, i % 2 === 0)
      for (const { amount, until } of planner.plan(i * 50)) assert.ok(amount >= 0 && amount <= 0.25 && until > 0)
    }
  }
})

test.run()
