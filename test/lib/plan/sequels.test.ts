import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readSequels, type SavedSequels } from '../../../lib/plan/saved-sequels.js'
import { type Due, Sequels } from '../../../lib/plan/sequels.js'
import { randomsOf } from '../../../lib/randoms.js'

interface Days {
  readonly sequels: Sequels
  /** ms at which it ends */
  readonly now: number
}

const TIERS = 4

/** A at random every two to eight seconds, and B 300 ms later with this probability. */
function days({ probability = 0.9, rounds = 200, sequels = new Sequels(), from = 0 } = {}): Days {
  const random = randomsOf(3)
  let now = from
  for (let round = 0; round < rounds; round++) {
    now += 2000 + 6000 * random()
    sequels.advance(now)
    sequels.came('A', now, 'lock', 'a', 1, 1)
    if (random() >= probability) continue
    sequels.advance(now + 300)
    sequels.came('B', now + 300, 'pool', 'p', 2, 2)
    sequels.came('B', now + 350, 'lock', 'l', 2, 1)
  }
  return { sequels, now: now + 10_000 }
}

const dueOf = (sequels: Sequels, now: number): Due[] => {
  sequels.advance(now)
  return [...sequels.due(now)]
}

test('the beginning of what raises another foretells that one, when, and what it asks for', () => {
  const { sequels, now } = days()
  assert.equal(dueOf(sequels, now), [])
  sequels.came('A', now)
  const [due, ...others] = dueOf(sequels, now)
  assert.equal([due?.workflow, others.length], ['B', 0])
  assert.ok(Math.abs((due?.probability ?? 0) - 0.9) < 0.07, String(due?.probability))
  assert.ok((due?.from ?? 0) > 150 && (due?.from ?? 0) < 300 && (due?.until ?? 0) > 300 && (due?.until ?? 0) < 600)
  assert.equal(
    due?.asks.map(({ kind, name, tier, amounts: [amount] }) => [kind, name, tier, amount]),
    [
      ['pool', 'p', 2, 2],
      ['lock', 'l', 2, 1]
    ]
  )
})

test('it is the likelier the nearer its time, less likely when that has passed, and then no more', () => {
  const { sequels, now } = days()
  sequels.came('A', now)
  const within = (ago: number, ms: number) => dueOf(sequels, now + ago)[0]?.within(ms) ?? 0
  assert.ok(within(0, 100) < 0.01)
  assert.ok(within(0, 1000) > 0.8)
  assert.ok(within(200, 200) > 0.7)
  const before = dueOf(sequels, now + 100)[0]?.probability as number
  const after = dueOf(sequels, now + 400)[0]?.probability as number
  assert.ok(after < before, `${after} of ${before}`)
  assert.equal(dueOf(sequels, now + 700), [])
})

test('when it has come it is due no more, and its requests were foretold; those of another time were not', () => {
  const { sequels, now } = days()
  assert.not(sequels.came('B', now, 'pool', 'p', 2, 2))
  const later = now + 5000
  sequels.came('A', later)
  assert.ok(sequels.came('B', later + 300, 'pool', 'p', 2, 2))
  assert.equal(dueOf(sequels, later + 320), [])
  assert.ok(sequels.came('B', later + 700, 'lock', 'l', 2, 1), 'of the same beginning')
  assert.not(sequels.came('B', later + 1500, 'pool', 'p', 2, 2), 'a second later')
})

test('where one raises nothing, nothing is foretold', () => {
  const { sequels, now } = days({ probability: 0 })
  sequels.came('A', now)
  assert.equal(dueOf(sequels, now), [])
  assert.equal(sequels.status(), { known: 0, foretold: 0, came: 0, missed: 0 })
})

test('what raised another once and does so no more is believed less and less', () => {
  const { sequels, now } = days()
  const after = days({ probability: 0, rounds: 100, sequels, from: now }).now
  sequels.came('A', after)
  const probability = dueOf(sequels, after)[0]?.probability ?? 0
  assert.ok(probability < 0.2, String(probability))
  const { foretold, came, missed } = sequels.status()
  assert.ok(missed > 100 && came > 100)
  assert.is(foretold, came + missed + 1)
})

test('a workflow that asks all the time begins never, and foretells nothing', () => {
  const sequels = new Sequels()
  for (let now = 0; now < 400_000; now += 100) {
    sequels.advance(now)
    sequels.came('busy', now)
    if (now % 4000 === 0) sequels.came('B', now + 50)
  }
  assert.is(sequels.status().known, 0)
})

test('more workflows than are known make it forget those that came first', () => {
  const { sequels, now } = days({ rounds: 100 })
  for (let i = 0; i < 300; i++) sequels.came(`other:${i}`, now + i)
  sequels.came('A', now + 1000)
  for (const { workflow, asks } of dueOf(sequels, now + 1000)) assert.equal([workflow, asks], ['B', []])
})

test('times that jump leave probabilities what they are', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = randomsOf(seed)
    const { sequels, now: from } = days({ rounds: 60 })
    let now = from
    for (let step = 0; step < 300; step++) {
      now += (random() - 0.3) * 10 ** (random() * 5)
      sequels.came('AB'[Math.floor(random() * 2)] as string, now, 'pool', 'p', 2, random() * 10)
      for (const due of dueOf(sequels, now)) {
        for (const p of [due.probability, due.within(0), due.within(100), due.within(1e9)]) assert.ok(p >= 0 && p <= 1 + 1e-9, `${p}`)
        assert.ok(due.from >= 0 && due.until >= 0)
      }
    }
  }
})

const reread = (sequels: Sequels) => {
  const saved = readSequels(sequels.save(), TIERS)
  assert.ok(saved)
  const loaded = new Sequels()
  loaded.load(saved as SavedSequels)
  return loaded
}

test('what was saved foretells the same, at once', () => {
  const { sequels, now } = days()
  const loaded = reread(sequels)
  assert.is(loaded.status().known, sequels.status().known)
  const said = [sequels, loaded].map(one => {
    one.came('A', now)
    return dueOf(one, now).map(({ within, ...due }) => ({ ...due, soon: within(300) }))
  })
  assert.is(said[0]?.length, 1)
  assert.equal(said[1], said[0])
})

test('what is loaded is learnt on: what raises something no more is believed less and less', () => {
  const { sequels, now } = days()
  const loaded = reread(sequels)
  const from = now + 1000
  const { now: later } = days({ sequels: loaded, from, probability: 0, rounds: 100 })
  loaded.came('A', later)
  assert.ok((dueOf(loaded, later)[0]?.probability ?? 0) < 0.4)
  assert.is(loaded.status().missed > 50, true)
})

test('nothing saved is as good as nothing, and more than is kept is left out', () => {
  assert.equal(reread(new Sequels()).status(), { known: 0, foretold: 0, came: 0, missed: 0 })
  const many = new Sequels()
  for (let i = 0; i < 1000; i++) many.came(`w${i}`, i * 1000, 'lock', 'l', 0, 1)
  const saved = readSequels(many.save(), TIERS) as SavedSequels
  assert.is(saved.workflows.length, 256)
  const twice = { ...saved, workflows: [...saved.workflows, ...saved.workflows.map(one => ({ ...one, name: `${one.name} again` }))] }
  const loaded = new Sequels()
  loaded.load(twice)
  assert.is((readSequels(loaded.save(), TIERS) as SavedSequels).workflows.length, 256)
})

test.run()
