import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { TwoGroups } from '../../../lib/plan/two-groups.js'
import { randomsOf } from '../../../lib/randoms.js'

/** Cases of both groups in turn, each a second after the one before. @returns ms of the last */
function cases(groups: TwoGroups, done: () => number, control: () => number, count: number, from = 0): number {
  let now = from
  for (let i = 0; i < count; i++, now += 1000) {
    if (groups.isOn(now)) groups.add(false, done(), now)
    groups.add(true, control(), now)
  }
  return now
}

test('the interval holds what doing it saves, nineteen of twenty times', () => {
  let missed = 0
  for (let seed = 1; seed <= 400; seed++) {
    const random = randomsOf(seed)
    const groups = new TwoGroups()
    cases(
      groups,
      () => 10 * random(),
      () => 2 + 20 * random(),
      60
    )
    const { low, high } = groups.worth(60_000).effect
    if (!(low <= 7 && high >= 7)) missed++
  }
  assert.ok(missed > 5 && missed < 40, String(missed))
})

test('of fewer than five there is no interval, and nothing is put out', () => {
  const groups = new TwoGroups()
  cases(
    groups,
    () => 100,
    () => 1,
    4
  )
  const { on, effect } = groups.worth(4000)
  assert.equal([on, effect.mean, effect.low, effect.high], [true, -99, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])
})

test('what costs more than it brings is put out, for twice as long each time, and comes back when it brings something', () => {
  const groups = new TwoGroups()
  const random = randomsOf(1)
  const control = () => random()
  cases(groups, () => 10 + random(), control, 5)
  assert.ok(groups.isOn(0) === false && !groups.isOn(13_999) && groups.isOn(14_000))
  assert.ok(groups.worth(5000).effect.high < 0, 'it says by what')
  const again = cases(groups, () => 10 + random(), control, 14, 14_000)
  assert.not(groups.isOn(again))
  const later = cases(groups, () => random() - 10, control, 1000, again)
  assert.ok(groups.isOn(later) && groups.worth(later).effect.low > 0)
})

test('what was begun before it was put out does not put it out once more', () => {
  const groups = new TwoGroups()
  for (let i = 0; i < 5; i++) groups.add(true, i, 1000, 0)
  for (let i = 0; i < 64; i++) groups.add(false, 100 + (i % 2), 2000 + i, i)
  assert.not(groups.isOn(12_003))
  assert.ok(groups.isOn(12_004), 'ten seconds after the fifth, and not twice as long with each five more')
  for (let i = 0; i < 64; i++) groups.add(false, 100 + (i % 2), 13_000 + i, i)
  assert.ok(groups.isOn(13_100), 'those that are over when it is tried again neither')
  assert.is(groups.worth(13_100).done, 0)
})

test.run()
