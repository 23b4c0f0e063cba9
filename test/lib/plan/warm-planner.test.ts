import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Likely, WarmPlanner, type WarmTerms } from '../../../lib/plan/warm-planner.js'
import { randomsOf } from '../../../lib/randoms.js'

const [LOW, HIGH] = [0, 2]
const TERMS: WarmTerms = { threshold: undefined, most: 64, within: 500, cold: 1000, costs: undefined }

const plannerOf = (warm: Partial<WarmTerms> = {}) => new WarmPlanner({ waitCosts: [1, 2, 8, 32], idleCost: 1, warm: { ...TERMS, ...warm } })

const lock = (name: string, score: number, more: Partial<Likely> = {}): Likely => ({ kind: 'lock', name, score, ...more })

/** Names of what is warmed up. */
const planned = (planner: WarmPlanner, now: number, ...likely: Likely[]) => planner.plan(now, likely).map(({ name }) => name)

test('a thing is warmed up from where it pays: by what waiting costs those who ask for it, and what idling does', () => {
  const planner = plannerOf()
  for (const name of ['a', 'b']) planner.came('lock', name, HIGH, 0)
  for (const name of ['c', 'd']) planner.came('lock', name, LOW, 0)
  // 8 p against 1 - p, and p against 1 - p.
  assert.equal(planned(planner, 2000, lock('a', 0.12), lock('b', 0.11), lock('c', 0.51), lock('d', 0.49)), ['a', 'c'])
  assert.is(planner.least, 1 / 33)
})

test('costs that are given, or a threshold, take the place of that', () => {
  const costly = plannerOf({ costs: { miss: 1, waste: 3 } })
  assert.is(costly.least, 0.75)
  assert.equal(planned(costly, 0, lock('a', 0.74), lock('b', 0.76)), ['b'])
  const fixed = plannerOf({ threshold: 0.3 })
  assert.is(fixed.least, 0.3)
  assert.equal(planned(fixed, 0, lock('a', 0.29), lock('b', 0.3)), ['b'])
  assert.equal(planned(plannerOf({ costs: { miss: 0, waste: 0 } }), 0, lock('a', 1)), [])
})

test('what was asked for a moment ago is warm, and what is warmed up is not warmed up again', () => {
  const planner = plannerOf()
  planner.came('lock', 'a', HIGH, 0)
  assert.equal(planned(planner, 999, lock('a', 0.9)), [])
  assert.equal(planned(planner, 1000, lock('a', 0.9)), ['a'])
  assert.equal(planned(planner, 1400, lock('a', 0.9)), [])
  assert.equal(planned(planner, 1501, lock('a', 0.9)), ['a'])
})

test('who comes in time used it, who comes later or for another thing did not', () => {
  const planner = plannerOf()
  planner.plan(0, [lock('a', 0.9), lock('b', 0.9), { kind: 'workflow', name: 'a', score: 0.9, workflow: 'a', until: 2000 }])
  planner.came('lock', 'a', HIGH, 500)
  planner.came('bucket', 'b', HIGH, 100)
  planner.came('lock', 'b', HIGH, 501)
  planner.plan(600, [])
  planner.came('workflow', 'a', HIGH, 1900)
  const { written, used, reclaimed, precision, workflows } = planner.status()
  assert.equal({ written, used, reclaimed, precision }, { written: 3, used: 2, reclaimed: 1, precision: 2 / 3 })
  assert.equal(workflows, { written: 1, used: 1, reclaimed: 0, precision: 1 })
})

test('no more are in force than may be, and those that bring most come first', () => {
  const planner = plannerOf({ most: 2 })
  planner.came('lock', 'dear', HIGH, -5000)
  assert.equal(planned(planner, 0, lock('a', 0.7), lock('b', 0.9), lock('dear', 0.7)), ['dear', 'b'])
  assert.equal(planned(planner, 100, lock('c', 1)), [])
  planner.came('lock', 'b', LOW, 200)
  assert.equal(planned(planner, 300, lock('c', 1)), ['c'])
})

test('what is called likely and does not come is believed less, also where nothing is warmed up, and more when it comes again', () => {
  const planner = plannerOf()
  const name = (i: number) => `l${i % 50}`
  let now = 0
  for (let i = 0; i < 200; i++, now += 600) planner.plan(now, [lock(name(i), 0.6)])
  assert.ok(planner.trust < 0.25, String(planner.trust))
  const { written } = planner.status()
  assert.ok(written < 20, `${written} of 200`)
  for (let i = 0; i < 400; i++, now += 600) {
    planner.plan(now, [lock(name(i), 0.6)])
    planner.came('lock', name(i), LOW, now + 100)
  }
  assert.is(planner.trust, 1)
  assert.ok(planner.status().written > written + 200)
})

test('with a threshold of the user nothing is believed less', () => {
  const planner = plannerOf({ threshold: 0.5 })
  for (let i = 0; i < 100; i++) planner.plan(600 * i, [lock('l', 0.6)])
  assert.is(planner.status().written, 100)
})

test('of several reasons for one thing either may do, and the latest time counts', () => {
  const planner = plannerOf()
  const [one] = planner.plan(0, [lock('a', 0.5, { until: 100 }), lock('a', 0.5, { workflow: 'b', until: 300 })])
  assert.equal(one, { kind: 'lock', name: 'a', probability: 0.75, workflow: 'b', until: 300 })
})

test('it is asked for some times within the time that scores are meant for', () => {
  const planner = plannerOf()
  assert.ok(planner.isDue(0))
  planner.plan(0, [])
  assert.equal([planner.isDue(99), planner.isDue(100)], [false, true])
})

test('whatever is called likely, at whatever times, what is written and counted adds up', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomsOf(seed)
    const planner = plannerOf({ most: 8 })
    let [now, written] = [0, 0]
    for (let step = 0; step < 500; step++) {
      now += (random() - 0.3) * 10 ** (random() * 5)
      const scores = [random(), Number.NaN, 2, 0, -1, random()]
      written += planner.plan(
        now,
        scores.map(score => lock(`l${Math.floor(random() * 30)}`, score))
      ).length
      planner.came('lock', `l${Math.floor(random() * 30)}`, Math.floor(random() * 4), now)
      const status = planner.status()
      assert.is(status.written, written)
      const inForce = written - status.used - status.reclaimed
      assert.ok(inForce >= 0 && inForce <= 8, `seed ${seed}: ${inForce} in force`)
      assert.ok(status.trust > 0 && status.trust <= 1)
    }
  }
})

test.run()
