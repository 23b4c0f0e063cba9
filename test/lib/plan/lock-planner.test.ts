import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type KeyScores, LockPlanner, type LockPlannerOptions } from '../../../lib/plan/lock-planner.js'
import type { HoldPlan } from '../../../lib/plans.js'
import { randomsOf } from '../../../lib/randoms.js'

const TIERS = ['background', 'standard', 'interactive', 'critical']
const [LOW, STANDARD, HIGH, TOP] = [0, 1, 2, 3]
const WITHIN_MS = 500

/** Says of each lock the same all the time: that requests of a tier come. */
function saying(scores: Readonly<Record<string, number>>, of = HIGH): KeyScores {
  return {
    *likely(_now, tier, least, most) {
      if (tier > of) return
      let count = 0
      for (const [name, score] of Object.entries(scores))
        if ((score >= least || Number.isNaN(score)) && count++ < most) yield { name, score }
    }
  }
}

const plannerOf = (scores: KeyScores, more: Partial<LockPlannerOptions> = {}) =>
  new LockPlanner({ tiers: TIERS, waitCosts: [1, 2, 8, 32], idleCost: 1, within: WITHIN_MS, control: 0, seed: 1, ...more }, scores)

/** Readers that hold it for 300 ms, and writers of the higher tier that come in the middle of each: every 10 s. */
function blocked(planner: LockPlanner, lock: string, rounds: number, from = 0, tier = HIGH): number {
  for (let round = 0; round < rounds; round++) {
    const time = from + round * 10_000
    planner.came(lock, LOW, time)
    planner.came(lock, tier, time + 100)
    planner.ended(lock, LOW, time, 0, 300)
    planner.ended(lock, tier, time + 100, 200, 10)
  }
  return from + rounds * 10_000
}

test('a lock is held where those of upper tiers wait for lower ones that hold it', () => {
  const planner = plannerOf(saying({ a: 0.9 }))
  const now = blocked(planner, 'a', 10)
  assert.equal(planner.plan(now), [{ kind: 'hold', lock: 'a', tier: 'interactive', until: WITHIN_MS, hold: 300 }])
  assert.equal(planner.plan(now + 100), [], 'there is one in force')
  assert.is(planner.plan(now + WITHIN_MS + 1).length, 1)
})

test('no lock is held where upper tiers wait only for their like', () => {
  const planner = plannerOf(saying({ a: 0.9 }))
  for (let time = 0; time < 100_000; time += 10_000) {
    for (const at of [time, time + 10]) planner.came('a', HIGH, at)
    planner.ended('a', HIGH, time, 0, 300)
    planner.ended('a', HIGH, time + 10, 290, 300)
  }
  assert.equal(planner.plan(100_000), [])
})

test('a lock is held from every tier below the one that waits, and what each of them loses counts by its cost', () => {
  const planner = plannerOf(saying({ a: 0.9 }))
  let now = 0
  for (; now < 100_000; now += 10_000) {
    planner.came('a', STANDARD, now)
    planner.came('a', HIGH, now + 100)
    planner.ended('a', STANDARD, now, 0, 300)
    planner.ended('a', HIGH, now + 100, 200, 10)
  }
  assert.equal(planner.plan(now), [{ kind: 'hold', lock: 'a', tier: 'interactive', until: WITHIN_MS, hold: 300 }])
  // The hold saves 0.9 x 200 ms x 8, and costs 250 ms x (2 + 1) for each who comes within the half second: two are too many.
  const later = now + WITHIN_MS + 1
  for (let i = 0; i < 4 * 60; i++) planner.came('a', STANDARD, later)
  assert.equal(planner.plan(later), [])
})

test('what a burst of its like holds one after the other does not hide who kept all of them waiting', () => {
  const planner = plannerOf(saying({ a: 0.9 }))
  let now = 0
  for (; now < 100_000; now += 10_000) {
    planner.came('a', LOW, now)
    planner.ended('a', LOW, now, 0, 2000)
    for (let i = 0; i < 16; i++) {
      planner.came('a', HIGH, now + 100)
      planner.ended('a', HIGH, now + 100, 1900 + i, 1)
    }
  }
  planner.plan(now)
  planner.came('a', HIGH, now + 1)
  // 1.9 s, at 8 a second.
  assert.ok(Math.abs(planner.saved - 15.2) < 0.5, String(planner.saved))
})

test('no lock is held of which nothing is known, or whose request is not likely', () => {
  const planner = plannerOf(saying({ a: 0.3, unknown: 0.9, b: Number.NaN }))
  blocked(planner, 'a', 5)
  assert.equal(planner.plan(blocked(planner, 'b', 5)), [])
})

test('no lock is held that so many of lower tiers want that they would lose more', () => {
  const planner = plannerOf(saying({ a: 0.9 }))
  const now = blocked(planner, 'a', 10)
  // The hold saves 0.9 x 200 ms x 8. It costs 250 ms x (1 + 1) for each who comes within the half second: three are too many.
  for (let i = 0; i < 6 * 60; i++) planner.came('a', LOW, now)
  assert.equal(planner.plan(now), [])
  // A minute later, a third of them count, which is one.
  assert.is(planner.plan(now + 60_000).length, 1)
})

test('what was used and what was not is counted, and what was not makes it trust less', () => {
  const planner = plannerOf(saying({ a: 0.9, b: 0.9 }))
  blocked(planner, 'a', 10)
  let now = blocked(planner, 'b', 10)
  assert.is(planner.trust, 1)
  assert.is(planner.plan(now).length, 2)
  planner.came('a', HIGH, now + 100)
  now += WITHIN_MS + 1
  planner.plan(now)
  assert.equal(planner.status(), { written: 4, used: 1, reclaimed: 1 })
  // 200 ms, at 8 a second.
  assert.ok(Math.abs(planner.saved - 1.6) < 1e-9)
  // Two of four are over: one was used. Those in force are not judged yet.
  assert.ok(Math.abs(planner.trust - 21 / (20 + 2 * 0.9)) < 1e-9)
  // From now on nobody comes: then no more is written, as long as there is nothing that says better.
  for (let i = 1; i <= 1000; i++) planner.plan(now + i * (WITHIN_MS + 1))
  const { written, reclaimed } = planner.status()
  assert.ok(reclaimed >= written - 3)
  assert.ok(written < 60, String(written))
  assert.ok(planner.trust * 0.9 < 1 / 3)
})

test('one that comes after the hold is over does not use it, and who is of a lower tier than it neither', () => {
  const planner = plannerOf(saying({ a: 0.9 }, TOP))
  const now = blocked(planner, 'a', 10, 0, TOP)
  assert.is(planner.plan(now)[0]?.tier, 'critical')
  planner.came('a', STANDARD, now + 10)
  planner.came('a', LOW, now + 10)
  planner.came('a', TOP, now + WITHIN_MS + 1)
  assert.is(planner.status().used, 0)
})

test('waits under a plan of its own teach nothing, for without it they would be others', () => {
  const planner = plannerOf(saying({ a: 0.9 }))
  const now = blocked(planner, 'a', 1)
  planner.plan(now)
  planner.came('a', HIGH, now + 10)
  planner.ended('a', HIGH, now + 10, 0, 10)
  const again = now + 10_000
  planner.plan(again)
  planner.came('a', HIGH, again + 10)
  assert.ok(Math.abs(planner.saved - 2 * 1.6) < 1e-9, String(planner.saved))
})

test('the stated part of the locks is never held, and others for another seed', () => {
  const names = Array.from({ length: 2000 }, (_, i) => `extent:${i}`)
  const scores = Object.fromEntries(names.map(name => [name, 0.9]))
  const leftAlone = (seed: number) => {
    const planner = plannerOf(
      {
        *likely(now, tier) {
          // All in their turn: no more than 256 are in force at once.
          const from = Math.floor(now / 1000) % 10
          if (tier === HIGH) for (const name of names.slice(200 * from, 200 * from + 200)) yield { name, score: scores[name] as number }
        }
      },
      { control: 0.3, seed }
    )
    for (const name of names) blocked(planner, name, 1)
    const held = new Set<unknown>()
    for (let i = 0; i < 30; i++) {
      for (const { lock } of planner.plan(100_000 + i * 1000)) {
        held.add(lock)
        planner.came(lock as string, HIGH, 100_000 + i * 1000 + 1)
      }
    }
    return names.filter(name => !held.has(name))
  }
  const alone = leftAlone(1)
  // Four standard deviations are 0.041.
  assert.ok(Math.abs(alone.length / names.length - 0.3) < 0.042, String(alone.length))
  assert.equal(leftAlone(1), alone)
  assert.not.equal(leftAlone(2), alone)
})

test('no more than 256 are in force at once', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `l${i}`)
  const planner = plannerOf(saying(Object.fromEntries(names.map(name => [name, 0.9]))))
  for (const name of names) blocked(planner, name, 1)
  const plans: HoldPlan[] = []
  for (let now = 10_000; now < 10_000 + WITHIN_MS; now += 100) plans.push(...planner.plan(now))
  assert.is(plans.length, 256)
})

test('more locks than it can know make it forget those that it met first', () => {
  const planner = plannerOf(saying({ first: 0.9, last: 0.9 }))
  blocked(planner, 'first', 5)
  for (let i = 0; i < 100_000; i++) planner.came(`l${i}`, LOW, 0)
  const now = blocked(planner, 'last', 5)
  assert.equal(
    planner.plan(now).map(({ lock }) => lock),
    ['last']
  )
})

test('times that jump, thousands at one time and waits of any length give plans that can be written', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomsOf(seed)
    const planner = plannerOf(saying({ a: 0.9, b: 0.5, c: 0.34 }))
    let now = 0
    for (let step = 0; step < 100; step++) {
      now += (random() - 0.4) * 10 ** (random() * 12)
      const count = step === 50 ? 2000 : 3
      for (let i = 0; i < count; i++) {
        const lock = 'abc'[i % 3] as string
        planner.came(lock, i % 4, now)
        planner.ended(lock, i % 4, now, random() * 10 ** (random() * 12), random() * 1e9)
      }
      for (const { until, hold = 0 } of planner.plan(now)) assert.ok(until > 0 && hold >= 0 && Number.isFinite(hold))
      assert.ok(Number.isFinite(planner.saved) && planner.trust > 0 && planner.trust <= 1)
    }
  }
})

test('a hold for a workflow that is foretold is for that one, from when it may come, and is used by no other', () => {
  const foretold: KeyScores = { likely: (_now, tier) => (tier === HIGH ? [{ name: 'a', score: 0.9, workflow: 'w', from: 200 }] : []) }
  const planner = plannerOf(foretold)
  const now = blocked(planner, 'a', 10)
  assert.equal(planner.plan(now), [{ kind: 'hold', lock: 'a', tier: 'interactive', workflow: 'w', from: 200, until: WITHIN_MS, hold: 300 }])
  planner.came('a', HIGH, now + 100, 'other')
  planner.came('a', HIGH, now + 150)
  assert.is(planner.status().used, 0)
  planner.came('a', HIGH, now + 300, 'w')
  assert.is(planner.status().used, 1)
})

/** The same, each of a workflow. */
function blockedBy(planner: LockPlanner, lock: string, rounds: number, from = 0): number {
  for (let round = 0; round < rounds; round++) {
    const time = from + round * 10_000
    planner.came(lock, LOW, time, 'import')
    planner.came(lock, HIGH, time + 100, 'page')
    planner.ended(lock, LOW, time, 0, 300)
    planner.ended(lock, HIGH, time + 100, 200, 10)
  }
  return from + rounds * 10_000
}

test('who uses a lock is learnt from the first wait for a lower tier on', () => {
  const planner = plannerOf(saying({ a: 0.9 }))
  planner.came('a', LOW, 0, 'early')
  planner.ended('a', LOW, 0, 0, 10)
  const now = blocked(planner, 'a', 20, 10_000)
  assert.equal(planner.collisions(now), [], 'nobody named has used it since')
  planner.came('a', LOW, now, 'late')
  assert.equal(
    planner.collisions(now).map(({ users }) => Object.keys(users)),
    [['late']]
  )
})

test('who will wait behind whom is foretold once, as likely as it comes and then waits, to those who use the lock', () => {
  const score = { a: 0.9, b: 0.9, c: 0.9 }
  const planner = plannerOf(saying(score))
  blockedBy(planner, 'a', 20)
  // Nobody waits for b; of c nobody knows who uses it.
  for (let time = 0; time < 200_000; time += 10_000) {
    planner.came('b', HIGH, time, 'page')
    planner.ended('b', HIGH, time, 0, 10)
  }
  const now = blocked(planner, 'c', 20)
  const [collision, ...others] = planner.collisions(now)
  assert.equal(others, [])
  const { lock, tier, probability, within, gap, held, isKept, users } = collision as NonNullable<typeof collision>
  assert.equal([lock, tier, within, gap, held, isKept], ['a', HIGH, WITHIN_MS, WITHIN_MS + 10, 300, false])
  assert.ok(probability > 0.75 && probability <= 0.9, String(probability))
  assert.equal(Object.keys(users), ['import', 'page'])
  assert.equal(planner.collisions(now + 100), [], 'it is told once')
  score.a = 0
  assert.equal(planner.collisions(now + 200), [])
  score.a = 0.9
  assert.is(planner.collisions(now + 300).length, 1, 'it was over meanwhile')
})

test('of many collisions at once the likeliest are told of first, and the others later', () => {
  const names = Array.from({ length: 40 }, (_, i) => `l${i}`)
  const planner = plannerOf(saying(Object.fromEntries(names.map((name, i) => [name, 0.8 + i / 400]))))
  let now = 0
  for (const name of names) now = Math.max(now, blockedBy(planner, name, 20))
  const told = [0, 100, 200, 300].map(later => planner.collisions(now + later).map(({ lock }) => lock))
  assert.equal(
    told.map(({ length }) => length),
    [16, 16, 8, 0]
  )
  assert.equal(told[0], names.slice(-16).reverse())
  assert.is(new Set(told.flat()).size, 40)
})

test('it is said whether a hold keeps the lock by then', () => {
  const planner = plannerOf(saying({ a: 0.9 }))
  const now = blockedBy(planner, 'a', 20)
  assert.is(planner.plan(now).length, 1)
  assert.equal(
    planner.collisions(now).map(({ isKept }) => isKept),
    [true]
  )
})

test.run()
