import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Session } from '../../lib/session.js'
import { LockNames } from '../../lib/web-locks/lock-names.js'

// All that a lock wants of its session before the first request.
const session = { plainTerms: {} } as Session
const GENERATION = 512

test('a name that comes again has the same lock', () => {
  const names = new LockNames(session)
  const lock = names.get('a')
  assert.is(lock.name, 'a')
  assert.is(names.get('a'), lock)
  assert.is.not(names.get('b'), lock)
})

test('a name that is used now and then keeps its lock through an endless stream of names', () => {
  const names = new LockNames(session)
  const lock = names.get('kept')
  for (let i = 0; i < 10 * GENERATION; i++) {
    names.get(`stream ${i}`)
    if (i % (GENERATION / 2) === 0) assert.is(names.get('kept'), lock)
  }
})

test('a name that has not been used for two generations is forgotten', () => {
  const names = new LockNames(session)
  const lock = names.get('forgotten')
  for (let i = 0; i < 2 * GENERATION; i++) names.get(`stream ${i}`)
  assert.is.not(names.get('forgotten'), lock)
})

test.run()
