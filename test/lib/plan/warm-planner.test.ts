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

/** Each second a lock that is asked for 100 ms later, and held for so long. @returns how often it was warmed up */
function compared(planner: WarmPlanner, rounds: number, held: (isWarm: boolean, round: number) => number, from = 0): number {
  let warmed = 0
  for (let round = 0; round < rounds; round++) {
    const now = from + 1000 * round
    const name = `l${round % 50}`
    const isWarm = planned(planner, now, lock(name, 0.9)).length > 0
    if (isWarm) warmed++
    planner.came('lock', name, HIGH, now + 100)
    planner.ended('lock', name, now + 100, 10, held(isWarm, round))
  }
  return warmed
}

const controlled = (control: number) => new WarmPlanner({ waitCosts: [1, 2, 8, 32], idleCost: 1, warm: TERMS, control, seed: 3 })

test('a part of what would be warmed up is left alone, and what warming up saves is told with its interval', () => {
  const planner = controlled(0.1)
  const warmed = compared(planner, 1000, (isWarm, round) => (isWarm ? 50 : 200) + (round % 7))
  assert.ok(warmed > 870 && warmed < 930, String(warmed))
  const { worth, written } = planner.status()
  assert.is(written, warmed)
  assert.is(worth.on, true)
  assert.ok(worth.effect.low > 140 && worth.effect.high < 160, JSON.stringify(worth))
  assert.ok(worth.control > 60 && worth.done === 128)
})

test('where requests are over later for it nothing is warmed up for a while, each time for longer, until it saves something', () => {
  const planner = controlled(0.2)
  compared(planner, 200, (isWarm, round) => (isWarm ? 200 : 50) + (round % 7))
  const { worth } = planner.status()
  assert.ok(worth.effect.high < 0, JSON.stringify(worth))
  const warmed = compared(planner, 2000, (isWarm, round) => (isWarm ? 200 : 50) + (round % 7), 200_000)
  assert.ok(warmed < 100, String(warmed))
  const workflow = planner.plan(3e6, [{ kind: 'workflow', name: 'w', score: 0.9 }])
  assert.is(workflow.length, 1, 'of workflows nothing is measured')
  assert.ok(compared(planner, 2000, isWarm => (isWarm ? 50 : 200), 1e7) > 1000)
})

test('without a control group nothing is left alone, and nothing is known of what it brings', () => {
  const planner = plannerOf()
  assert.is(
    compared(planner, 100, () => 50),
    100
  )
  const { control, effect } = planner.status().worth
  assert.equal([control, effect.low], [0, Number.NEGATIVE_INFINITY])
})

test('requests that are never over take no memory for ever', () => {
  const planner = controlled(0.1)
  for (let i = 0; i < 10_000; i++) {
    planner.plan(i * 1000, [lock(`l${i}`, 0.9)])
    planner.came('lock', `l${i}`, HIGH, i * 1000 + 10)
  }
  // The first ones are forgotten.
  planner.ended('lock', 'l0', 10, 0, 50)
  assert.is(planner.status().worth.done + planner.status().worth.control, 0)
  planner.ended('lock', 'l9999', 9_999_010, 0, 50)
  assert.is(planner.status().worth.done + planner.status().worth.control, 1)
})

test.run()
