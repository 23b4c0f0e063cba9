import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BINS } from '../../../lib/predict/binned-logistic.js'
import { type Asked, Elements } from '../../../lib/predict/contention-elements.js'
import { HoldTimes } from '../../../lib/predict/contention-holds.js'
import { Parties } from '../../../lib/predict/contention-parties.js'
import { GROUPS, type Question, View } from '../../../lib/predict/contention-view.js'

const OVERALL = { collided: 0, asked: 0, lately: 0, justNow: 0, load: [0, 0] as [number, number], loadAt: 0 }

function world() {
  const elements = new Elements(10)
  const view = new View(elements, new HoldTimes(elements, new Parties(10)))
  const place = elements.claim('one')
  const ask = (requested: number, more: Partial<Asked> = {}) =>
    elements.ask(
      place,
      { requested, granted: Number.NaN, ended: Number.NaN, party: 1, tier: 0, isShared: false, id: Number.NaN, ...more },
      false
    )
  const look = (more: Partial<Question> = {}) => {
    const question = { place, isShared: false, party: undefined, tier: 0, tenant: Number.NaN, now: 100, at: 100, rate: Number.NaN }
    view.look({ ...question, ...more }, OVERALL)
    return { ways: view.inTheWay.length, held: view.held, structure: view.structure, bins: Uint8Array.from(view.bins) }
  }
  return { ask, look }
}

test('who holds it is in the way, until it lets go', () => {
  const { ask, look } = world()
  ask(50, { granted: 50, ended: 150 })
  assert.equal([look({ now: 49, at: 49 }).held, look().held, look({ now: 150, at: 150 }).held], [0, 1, 0])
})

test('what came later than it may know is as if it had not been', () => {
  const { ask, look } = world()
  ask(10, { granted: 10, ended: 20 })
  const before = look({ at: 400 })
  for (let i = 0; i < 5; i++) ask(200 + i, { granted: 200 + i, ended: 300 })
  const after = look({ at: 400 })
  assert.equal(after.bins, before.bins)
})

test('readers are in the way of writers only, and who waits of a lower tier of nobody above', () => {
  const { ask, look } = world()
  ask(50, { granted: 50, isShared: true })
  assert.equal([look({ isShared: true }).ways, look().ways], [0, 1])
  ask(60, { tier: 1 })
  assert.equal([look({ isShared: true, tier: 1 }).ways, look({ isShared: true, tier: 2 }).ways], [1, 0])
})

test('what is held may be free by then, and somebody may have come', () => {
  const { ask, look } = world()
  ask(90, { granted: 90 })
  const [soon, late] = [look({ at: 101 }), look({ at: 1e9 })]
  assert.ok(soon.held > 0.9 && late.held < 0.01, `${soon.held} ${late.held}`)
  assert.ok(look({ at: 1e9, rate: 1 }).structure > late.structure)
})

test('bins are bins, whatever is asked, and each time ahead has a group', () => {
  const { ask, look } = world()
  for (let i = 0; i < 100; i++) ask(i, { granted: i, isShared: i % 3 === 0 })
  for (const [now, at] of [
    [0, 0],
    [1e15, 1e15],
    [-1e15, 1e15],
    [50, 50.5]
  ] as const) {
    assert.ok(look({ now, at, tier: 15, rate: 1e9, tenant: 1 }).bins.every(bin => bin < BINS))
  }
  const groups = [0, 0.5, 5, 20, 100, 500, 5_000, 1e9, Number.NaN].map(View.groupOf)
  assert.equal(
    [...new Set(groups)].sort(),
    Array.from({ length: GROUPS }, (_, i) => i)
  )
})

test.run()
