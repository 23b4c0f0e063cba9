import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isCoded, virtual } from './support.js'

/** An element counts its ttl in whole milliseconds, rounded up: it ends within one after its time. */
const ROUNDING_MS = 1

test('at the end of its ttl a grant is lost: its signal aborts and the lock passes on', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const grant = await lock.acquire({ ttl: 50 })
  const waiting = lock.acquire()
  const { signal } = grant
  gov.advance(49)
  assert.is(signal.aborted, false)
  gov.advance(1 + ROUNDING_MS)
  assert.is(signal.aborted, true)
  isCoded(signal.reason, 'ERR_FORELOCK_TTL')
  assert.is(signal.reason.resource, 'a')
  assert.is(signal.reason.token, grant.token)
  assert.is(grant.ended, true)
  const next = await waiting
  assert.ok(next.token > grant.token)
  assert.is(grant.release(), false)
  assert.is(next.release(), true)
})

test('a ttl counts from the grant, not from the request', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const held = await lock.acquire()
  const waiting = lock.acquire({ ttl: 50 })
  gov.advance(100)
  held.release()
  const grant = await waiting
  gov.advance(49)
  assert.is(grant.signal.aborted, false)
  gov.advance(1 + ROUNDING_MS)
  isCoded(grant.signal.reason, 'ERR_FORELOCK_TTL')
})

test('a ttl also ends a shared grant and one that was tried for', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const shared = await lock.acquire({ mode: 'shared', ttl: 10 })
  const other = await lock.acquire({ mode: 'shared' })
  const tried = gov.lock('b').tryAcquire({ ttl: 10 })!
  const signals = [shared.signal, other.signal, tried.signal]
  gov.advance(10 + ROUNDING_MS)
  assert.equal(
    signals.map(signal => signal.aborted),
    [true, false, true]
  )
  assert.is(shared.release(), false)
  assert.is(tried.release(), false)
  assert.is(other.release(), true)
  assert.ok(lock.tryAcquire())
})

test('the signal of a grant lost before the first look is aborted at that look', async () => {
  const gov = virtual()
  const grant = await gov.lock('a').acquire({ ttl: 10 })
  gov.advance(10 + ROUNDING_MS)
  assert.is(grant.signal.aborted, true)
  isCoded(grant.signal.reason, 'ERR_FORELOCK_TTL')
})

test('a stolen grant is told so, and its release takes nothing from the thief', async () => {
  const lock = virtual().lock('a')
  const grant = await lock.acquire()
  const { signal } = grant
  const thief = await lock.acquire({ steal: true })
  assert.is(grant.release(), false)
  assert.is(signal.aborted, true)
  isCoded(signal.reason, 'ERR_FORELOCK_STOLEN')
  assert.is(thief.ended, false)
  assert.is(lock.tryAcquire(), null)
  assert.is(thief.release(), true)
})

test('a theft aborts the signal on its own', async () => {
  const lock = virtual().lock('a')
  const { signal } = await lock.acquire()
  const aborted = new Promise(resolve => signal.addEventListener('abort', resolve))
  // A governor keeps no process alive for what it might have to say.
  const alive = setInterval(() => {}, 1000)
  await lock.acquire({ steal: true })
  await aborted
  clearInterval(alive)
  isCoded(signal.reason, 'ERR_FORELOCK_STOLEN')
})

test('a theft passes those who wait', async () => {
  const lock = virtual().lock('a')
  await lock.acquire()
  const waiting = lock.acquire()
  const thief = await lock.acquire({ steal: true })
  thief.release()
  ;(await waiting).release()
})

test('a signal never aborts after the release', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const early = await lock.acquire({ ttl: 10 })
  const { signal } = early
  early.release()
  const late = await lock.acquire({ ttl: 10 })
  late.release()
  gov.advance(20)
  await gov.close()
  assert.is(signal.aborted, false)
  assert.is(late.signal.aborted, false)
})

test('a grant has one signal', async () => {
  const grant = await virtual().lock('a').acquire()
  assert.is(grant.signal, grant.signal)
})

test('a listener that releases, acquires and looks again does not confuse the watch', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const one = await lock.acquire({ ttl: 10 })
  const two = await gov.lock('b').acquire({ ttl: 10 })
  let again: unknown
  one.signal.addEventListener('abort', () => {
    two.release()
    again = lock.tryAcquire()
  })
  two.signal.addEventListener('abort', () => one.release())
  gov.advance(10 + ROUNDING_MS)
  assert.ok(again)
})

test.run()
