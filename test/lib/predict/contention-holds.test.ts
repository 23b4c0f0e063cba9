import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Elements } from '../../../lib/predict/contention-elements.js'
import { goesOn, HoldTimes, meanOf, overAfter } from '../../../lib/predict/contention-holds.js'
import { Parties } from '../../../lib/predict/contention-parties.js'

function world() {
  const elements = new Elements(10)
  const parties = new Parties(10)
  const times = new HoldTimes(elements, parties)
  let now = 0
  const hold = (element: string, workflow: string, ms: number, isShared = false) => {
    const [place, party] = [elements.claim(element), parties.claim(workflow).number]
    const asked = { requested: now, granted: now, ended: now + ms, party, tier: 0, isShared, id: Number.NaN }
    elements.ask(place, asked, false)
    times.learn(place, party, isShared, ms)
    now += 10_000
    return { place, party }
  }
  return { times, hold, end: () => now, elements, parties }
}

test('the holds of a workflow on an element count most, and what is not known comes from the next that is', () => {
  const { times, hold, end, parties } = world()
  for (let i = 0; i < 200; i++) hold('one', 'long', 1_000)
  for (let i = 0; i < 200; i++) hold('other', 'short', 10)
  const { place, party } = hold('one', 'short', 10)
  const long = parties.claim('long').number
  const longer = (at: number, who: number) => times.survival(at, who, false, end())(100)
  assert.ok(longer(place, long) > 0.9, String(longer(place, long)))
  assert.ok(longer(-1, party) < 0.1 && longer(-1, long) > 0.9)
  const unknown = longer(-1, 99)
  assert.ok(unknown > 0.4 && unknown < 0.6, String(unknown))
})

test('shared and exclusive holds are apart, and what ended later is not known', () => {
  const { times, hold, end } = world()
  for (let i = 0; i < 10; i++) hold('one', 'a', 1_000, true)
  for (let i = 0; i < 10; i++) hold('one', 'a', 10)
  const at = hold('one', 'a', 10)
  assert.ok(times.survival(at.place, at.party, true, end())(100) > 0.8)
  assert.ok(times.survival(at.place, at.party, false, end())(100) < 0.2)
  assert.is(times.survival(at.place, at.party, false, Number.NEGATIVE_INFINITY)(0), times.survival(-1, at.party, false, end())(0))
})

test('what has lasted goes on as those did that lasted as long', () => {
  const { times, hold, end } = world()
  for (let i = 0; i < 400; i++) hold('one', 'a', i % 2 === 0 ? 10 : 1_000)
  const { place, party } = hold('one', 'a', 10)
  const survival = times.survival(place, party, false, end())
  assert.ok(Math.abs(goesOn(survival, 0, 100) - 0.5) < 0.12, String(goesOn(survival, 0, 100)))
  assert.ok(goesOn(survival, 100, 100) > 0.9 && goesOn(survival, 100, 1_500) < 0.2)
  assert.is(goesOn(survival, 0, 0), 1)
  const beyond = goesOn(survival, 1e6, 1e3)
  assert.ok(beyond >= 0 && beyond <= 1)
})

test('quantiles and the mean of what is left are those of its distribution', () => {
  const exponential = (ms: number) => Math.exp(-ms / 200)
  assert.ok(Math.abs(overAfter(exponential, 0.5) / (200 * Math.LN2) - 1) < 0.01)
  assert.ok(Math.abs(meanOf(exponential) / 200 - 1) < 0.06, String(meanOf(exponential)))
  const never = () => 0
  assert.is(overAfter(never, 0.5), 0)
  const always = () => 1
  assert.ok(Number.isFinite(overAfter(always, 0.5)) && Number.isFinite(meanOf(always)))
})

test('the mean of an element, else of the workflow, else of all, else a guess', () => {
  const { times, hold, parties } = world()
  assert.ok(times.mean(-1, 1, false) > 0)
  const { place } = hold('one', 'a', 50)
  assert.is(times.mean(place, 0, false), 50)
  assert.ok(Math.abs(times.mean(-1, parties.claim('a').number, false) - 50) < 10)
  assert.ok(Math.abs(times.mean(-1, 99, false) - 50) < 10)
})

test.run()
