import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Holdings } from '../../../lib/foresight/holdings.js'
import { activity as lockActivity } from './support.js'

/** Of a pool, of which each grant is remembered. */
const activity: typeof lockActivity = given => lockActivity({ kind: 'pool', ...given })

test('the end of a grant tells when it was asked for, how long it waited, and how long it was held', () => {
  const holdings = new Holdings()
  assert.is(holdings.of(activity({ time: 50, waited: 20 })), undefined)
  assert.equal(holdings.of(activity({ event: 'end', time: 90, held: 40 })), { asked: 30, waited: 20, held: 40 })
  assert.is(holdings.of(activity({ event: 'end', time: 90, held: 40 })), undefined)
})

test('of several the one that began nearest is over', () => {
  const holdings = new Holdings()
  for (const time of [10, 20, 30]) holdings.of(activity({ time, waited: time / 10 }))
  assert.is(holdings.of(activity({ event: 'end', time: 60, held: 41 }))?.waited, 2)
  assert.is(holdings.of(activity({ event: 'end', time: 61, held: 31 }))?.waited, 3)
  assert.is(holdings.of(activity({ event: 'reclaim', time: 70, held: 60 }))?.waited, 1)
})

test('what another environment, tier, kind or name was granted is not over', () => {
  const holdings = new Holdings()
  holdings.of(activity({}))
  for (const other of [{ environment: 4 }, { tier: 0 }, { kind: 'bucket' }, { name: 'other' }] as const) {
    assert.is(holdings.of(activity({ event: 'end', time: 9, held: 9, ...other })), undefined)
  }
  assert.is(holdings.of(activity({ event: 'end', time: 9, held: 9 }))?.held, 9)
})

test('what has no end is not remembered for ever, nor is a name', () => {
  const holdings = new Holdings()
  const many = 70_000
  for (let i = 0; i < many; i++) holdings.of(activity({ time: i }))
  holdings.of(activity({ name: 'first' }))
  holdings.of(activity({ name: 'first', event: 'end', time: 5, held: 5 }))
  for (let i = 0; i < many; i++) {
    holdings.of(activity({ name: String(i) }))
    holdings.of(activity({ name: String(i), event: 'end', time: 5, held: 5 }))
  }
  holdings.of(activity({ name: 'held', time: 1 }))
  assert.is(holdings.of(activity({ name: 'held', event: 'end', time: 9, held: 8 }))?.held, 8)
  assert.is(holdings.of(activity({ name: 'row', event: 'end', time: many, held: 1 })), undefined)
})

test('of a lock the grants that waited are remembered; the end of another one says that it was granted at once', () => {
  const holdings = new Holdings()
  const lock = lockActivity
  assert.is(holdings.of(lock({ time: 50, waited: 20 })), undefined)
  // Known to 4 ms only.
  assert.equal(holdings.of(lock({ event: 'end', time: 90, held: 43 })), { asked: 30, waited: 20, held: 43 })
  assert.is(holdings.of(lock({ time: 100 })), undefined)
  assert.equal(holdings.of(lock({ event: 'end', time: 140, held: 40 })), { asked: 100, waited: 0, held: 40 })
  holdings.of(lock({ time: 200, waited: 9 }))
  assert.equal(holdings.of(lock({ event: 'end', time: 250, held: 40 })), { asked: 210, waited: 0, held: 40 }, 'it began 10 ms later')
  assert.equal(holdings.of(lock({ event: 'end', time: 260, held: 60 })), { asked: 191, waited: 9, held: 60 })
})

test('what was granted before anybody looked has an end of which nothing is known', () => {
  const holdings = new Holdings()
  holdings.of(lockActivity({ time: 1_000 }))
  assert.is(holdings.of(lockActivity({ event: 'end', time: 1_001, held: 2 })), undefined)
})

test.run()
