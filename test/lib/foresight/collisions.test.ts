import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { collisionEvent, readProfile } from '../../../lib/foresight/collisions.js'
import { isCoded, thrown } from '../support.js'
import { activity, TIERS } from './support.js'

test('what happens to locks is told on, and nothing else', () => {
  const { event, element, waited, held } = collisionEvent(activity({ name: 'a', event: 'end', held: 12, waited: 3 })) ?? {}
  assert.equal([event, element, waited, held], ['end', 'a', 3, 12])
  assert.is(collisionEvent(activity({ event: 'grant' }))?.held, undefined)
  assert.equal(
    [false, true].map(shared => collisionEvent(activity({ shared }))?.mode),
    ['exclusive', 'shared']
  )
  for (const other of [{ kind: 'pool' }, { kind: 'bucket' }, { event: 'plan' }, { event: 'unknown' }] as const)
    assert.is(collisionEvent(activity(other)), undefined)
})

test('a profile is read in the terms of the model: tiers by index, times from now, patterns by their asterisk', () => {
  const needs = [{ lock: 'invoice:1' }, { lock: 'invoice:*', mode: 'shared' }]
  const read = readProfile({ needs, tier: 'interactive', workflow: 'w', in: 200, duration: 50 }, TIERS, 1_000)
  assert.equal([read.tier, read.now, read.at, read.duration, read.workflow], [2, 1_000, 1_200, 50, 'w'])
  assert.equal(read.needs, [
    { element: 'invoice:1', mode: undefined },
    { pattern: 'invoice:*', mode: 'shared' }
  ])
})

test('a profile that says nothing is refused by the name of what is wrong', () => {
  const bad: [unknown, string][] = [
    [undefined, 'profile'],
    [{}, 'needs'],
    [{ needs: 'a' }, 'needs'],
    [{ needs: [7] }, 'needs'],
    [{ needs: [{ lock: 7 }] }, 'lock'],
    [{ needs: [{ lok: 'a' }] }, 'lok'],
    [{ needs: [], tier: 'x' }, 'tier'],
    [{ needs: [], in: Number.NaN }, 'in'],
    [{ needs: [], in: 1e15 }, 'in'],
    [{ needs: [], duration: -1 }, 'duration'],
    [{ needs: [], workflow: 7 }, 'workflow']
  ]
  for (const [profile, option] of bad) {
    const error = thrown(() => readProfile(profile, TIERS, 0))
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.is(error.option, option)
  }
})

test.run()
