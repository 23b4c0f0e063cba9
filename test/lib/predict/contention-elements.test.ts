import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Asked, Elements, RING } from '../../../lib/predict/contention-elements.js'
import { seeded } from './series.js'

const asked = (requested: number, more: Partial<Asked> = {}): Asked => ({
  requested,
  granted: Number.NaN,
  ended: Number.NaN,
  party: 1,
  tier: 0,
  isShared: false,
  id: Number.NaN,
  ...more
})

test('finds the request that an event is of: by its id, else by who and when', () => {
  const elements = new Elements(5)
  const place = elements.claim('one')
  const first = elements.ask(place, asked(0), false)
  const second = elements.ask(place, asked(100), true)
  const other = elements.ask(place, asked(90, { party: 2 }), true)
  const named = elements.ask(place, asked(95, { id: 7 }), true)
  assert.is(elements.nearest(place, false, 96, 1, 0, Number.NaN), named)
  assert.is(elements.nearest(place, false, 120, 1, 0, Number.NaN), second)
  assert.is(elements.nearest(place, false, 0, 2, 0, Number.NaN), other)
  assert.is(elements.nearest(place, false, 0, 5, 3, 7), named)
  assert.is(elements.nearest(place, true, 0, 1, 0, Number.NaN), -1)
  elements.grant(first, 5)
  assert.is(elements.nearest(place, true, 0, 1, 0, Number.NaN), first)
  elements.end(first, 10)
  assert.is(elements.nearest(place, true, 0, 1, 0, Number.NaN), -1)
  assert.ok(elements.isUnderWay(place, 7) && !elements.isUnderWay(place, 8))
  assert.is(elements.heldAt(first), 5)
})

test('remembers the last requests, those under way before those that are over', () => {
  const elements = new Elements(5)
  const place = elements.claim('one')
  const held = elements.ask(place, asked(0, { granted: 0 }), false)
  for (let i = 1; i < 3 * RING; i++) elements.ask(place, asked(i, { granted: i, ended: i + 0.5 }), false)
  assert.is(elements.requestedAt(held), 0)
  assert.is(elements.rememberedOf(place), RING)
  assert.is(elements.since(place), 2 * RING)
})

test('counts requests over some spans, and those that waited', () => {
  const elements = new Elements(5)
  const place = elements.claim('one')
  for (let i = 0; i < 1_000; i++) elements.ask(place, asked(100 * i), i % 4 === 0)
  assert.ok(Math.abs(elements.countOf(place, 0, 99_900) - 10.5) < 0.1)
  assert.ok(Math.abs(elements.countOf(place, 1, 99_900) - 100.5) < 0.5)
  assert.ok(Math.abs(elements.countOf(place, 0, 100_900) - 10.5 / Math.E) < 0.1)
  assert.ok(Math.abs(elements.collidedOf(place) / elements.askedOf(place) - 0.25) < 0.02)
})

test('of more elements than it may keep those asked for most stay', () => {
  const elements = new Elements(500)
  const random = seeded(8)
  for (let i = 0; i < 20_000; i++) {
    const name = i % 2 === 0 ? `often ${Math.floor(50 * random())}` : `once ${i}`
    elements.ask(elements.claim(name), asked(10 * i), false)
  }
  assert.is(elements.size, 500)
  for (let i = 0; i < 50; i++) assert.ok(elements.find(`often ${i}`) >= 0, `often ${i}`)
  const [first, ...rest] = elements.beginningWith('o', 60).map(place => elements.rankOf(place))
  assert.is(rest.length, 59)
  assert.ok(rest.every(rank => rank <= (first as number)))
  assert.is(elements.beginningWith('often', 60).length, 50)
})

test('what is saved is known again, but not who holds it', () => {
  const elements = new Elements(5)
  const place = elements.claim('one')
  elements.ask(place, asked(1_000, { granted: 1_000 }), true)
  elements.held(place, 40)
  elements.claim('two')
  elements.ask(elements.find('two'), asked(2_000), false)
  const heir = new Elements(5)
  heir.load(elements.save(5, 2_000))
  heir.shift(2_000)
  const again = heir.find('one')
  assert.equal([heir.meanHold(again), heir.collidedOf(again), heir.rememberedOf(again)], [40, 1, 0])
  assert.ok(Number.isNaN(heir.meanWait(again)))
  assert.ok(Math.abs(heir.rankOf(again) - elements.rankOf(place)) < 1e-9)
})

test.run()
