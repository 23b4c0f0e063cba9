import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Scores } from '../../../lib/foresight/scores.js'
import { isCoded, thrown } from '../support.js'
import { activity, TIERS } from './support.js'

/** A lock that is asked for every four seconds, and one that is not any more. */
function told(scores = new Scores(TIERS)): Scores {
  for (let at = 0; at < 2_000_000; at += 4_000) {
    const request = { kind: 'lock', name: 'steady', tier: 2 } as const
    scores.asked([{ time: at, activity: activity(request) }])
    if (at < 200_000) scores.asked([{ time: at + 1, activity: activity({ kind: 'lock', name: 'gone' }) }])
  }
  return scores
}
const LAST = 1_996_000

test('an element that is due is likely to be asked for, and one that has just been is not', () => {
  const scores = told()
  const early = scores.score({ lock: 'steady' }, undefined, LAST + 1_000)
  const due = scores.score({ lock: 'steady' }, undefined, LAST + 3_700)
  assert.ok(due > 0.5 && early < 0.1, `${due}, ${early}`)
  assert.ok(scores.score({ lock: 'gone' }, undefined, LAST + 3_700) < 0.05)
})

test('of two elements of one name the kind tells', () => {
  const scores = told()
  assert.ok(scores.score({ bucket: 'steady' }, undefined, LAST + 3_700) < 0.05)
})

test('a request of a lower tier is none of a higher one', () => {
  const scores = told()
  const at = LAST + 3_700
  assert.ok(scores.score({ lock: 'steady' }, { tier: 'critical' }, at) < scores.score({ lock: 'steady' }, { tier: 'interactive' }, at) / 2)
})

test('those that are likely come first, with their names', () => {
  const likely = told().likely({ least: 0.2, most: 5 }, LAST + 3_700)
  assert.equal(
    likely.map(({ kind, name }) => [kind, name]),
    [['lock', 'steady']]
  )
})

test('what was asked for a moment ago can be left out of the likely, however long a moment is', () => {
  const names = (idle: number) =>
    told()
      .likely({ least: 0.2, idle }, LAST + 3_700)
      .map(({ name }) => name)
  assert.equal(names(3_600), ['steady'])
  assert.equal(names(3_800), [])
  assert.equal(names(Number.POSITIVE_INFINITY), [])
})

test('another time is learnt from the question on', () => {
  const scores = new Scores(TIERS)
  assert.ok(scores.score({ lock: 'steady' }, { within: 5_000 }, 0) < 0.5)
  told(scores)
  assert.ok(scores.score({ lock: 'steady' }, { within: 5_000 }, LAST + 1_000) > 0.5)
})

test('what was learnt of how requests come can be carried over', () => {
  const saved = told().save()
  const other = new Scores(TIERS)
  other.load(saved)
  assert.equal(other.save(), saved)
})

test('beside times that are learnt already those of the saved are taken as far as there is room, and one that is none is refused', () => {
  const [one, other] = [new Scores(TIERS), new Scores(TIERS)]
  for (const within of [1, 2, 3]) one.score({ lock: 'a' }, { within }, 0)
  for (const within of [2, 11]) other.score({ lock: 'a' }, { within }, 0)
  other.load(one.save())
  assert.equal(
    other.save().map(([within]) => within),
    [500, 2, 11, 1]
  )
  const [[, model]] = one.save() as [[number, Uint8Array]]
  for (const within of [0, -1, Number.NaN, 1e12])
    isCoded(
      thrown(() => other.load([[within, model]])),
      'ERR_FORELOCK_CORRUPT'
    )
})

test('bad questions are refused by name', () => {
  const scores = new Scores(TIERS)
  const bad: [unknown, unknown][] = [
    [undefined, undefined],
    [{}, undefined],
    [{ lock: 'a', pool: 'a' }, undefined],
    [{ lock: 3 }, undefined],
    [{ mutex: 'a' }, undefined],
    [{ lock: 'a' }, { within: 0 }],
    [{ lock: 'a' }, { within: 1e9 }],
    [{ lock: 'a' }, { tier: 'x' }],
    [{ lock: 'a' }, { least: 1 }],
    [{ lock: 'a' }, 7]
  ]
  for (const [of, options] of bad)
    isCoded(
      thrown(() => scores.score(of, options, 0)),
      'ERR_FORELOCK_ARGUMENT'
    )
  for (const options of [{ least: 2 }, { most: 0 }, { most: 1e6 }])
    isCoded(
      thrown(() => scores.likely(options, 0)),
      'ERR_FORELOCK_ARGUMENT'
    )
})

test('a fifth time is refused, with those that there are', () => {
  const scores = new Scores(TIERS)
  for (const within of [100, 1_000, 2_000]) scores.score({ lock: 'a' }, { within }, 0)
  const error = thrown(() => scores.score({ lock: 'a' }, { within: 3_000 }, 0))
  isCoded(error, 'ERR_FORELOCK_ARGUMENT')
  assert.match(error.message, '500, 100, 1000, 2000')
})

test.run()
