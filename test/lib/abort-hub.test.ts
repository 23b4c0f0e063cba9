import { getEventListeners } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isForelockError } from '../../lib/index.js'
import { isCoded, isSettled, rejection, virtual } from './support.js'

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

test('an aborted signal rejects at once with its reason, free lock or not', async () => {
  const lock = virtual().lock('a')
  const reason = { any: 'thing' }
  const signal = AbortSignal.abort(reason)
  assert.is(await rejection(lock.acquire({ signal })), reason)
  const grant = lock.tryAcquire()!
  assert.is(await rejection(lock.acquire({ signal })), reason)
  assert.is(await rejection(lock.with({ signal }, () => assert.unreachable())), reason)
  assert.is(await rejection(lock.request({ signal }).granted), reason)
  grant.release()
  assert.is(listeners(signal), 0)
})

test('an abort ends the wait with the reason, and those behind move up', async () => {
  const lock = virtual().lock('a')
  const grant = lock.tryAcquire()!
  const controller = new AbortController()
  const aborted = lock.acquire({ signal: controller.signal })
  const behind = lock.acquire()
  const reason = new Error('enough')
  controller.abort(reason)
  assert.is(await rejection(aborted), reason)
  assert.is(await isSettled(behind), false)
  grant.release()
  assert.ok(await behind)
})

test('an abort after the grant takes nothing away', async () => {
  const lock = virtual().lock('a')
  const held = lock.tryAcquire()!
  const controller = new AbortController()
  const waiting = lock.acquire({ signal: controller.signal })
  held.release()
  controller.abort()
  const grant = await waiting
  assert.is(grant.ended, false)
  assert.is(lock.tryAcquire(), null)
})

test('no listener stays after a grant, a timeout, an abort, a failure or a close', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const { signal } = new AbortController()
  ;(await lock.acquire({ signal })).release()
  assert.is(listeners(signal), 0)

  const held = lock.tryAcquire()!
  const granted = lock.acquire({ signal })
  assert.is(listeners(signal), 1)
  held.release()
  const grant = await granted
  assert.is(listeners(signal), 0)

  const timed = lock.acquire({ signal, waitTimeout: 5 })
  gov.advance(5)
  isCoded(await rejection(timed), 'ERR_FORELOCK_TIMEOUT')
  assert.is(listeners(signal), 0)

  const request = lock.request({ signal })
  request.abort()
  await rejection(request.granted)
  assert.is(listeners(signal), 0)

  const controller = new AbortController()
  const aborted = lock.acquire({ signal: controller.signal })
  controller.abort()
  await rejection(aborted)
  assert.is(listeners(controller.signal), 0)

  const closed = lock.acquire({ signal })
  await gov.close()
  isCoded(await rejection(closed), 'ERR_FORELOCK_CLOSED')
  assert.is(listeners(signal), 0)
  grant.release()
})

test('10,000 waits on one signal share one listener, without a warning', async () => {
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  const lock = virtual().lock('a')
  const held = lock.tryAcquire()!
  const controller = new AbortController()
  const { signal } = controller
  const waits = Array.from({ length: 10_000 }, () => lock.acquire({ signal }))
  assert.is(listeners(signal), 1)
  held.release()
  const first = await waits[0]!
  controller.abort('over')
  const outcomes = await Promise.allSettled(waits)
  assert.is(outcomes.filter(outcome => outcome.status === 'rejected' && outcome.reason === 'over').length, 9_999)
  assert.is(listeners(signal), 0)
  first.release()
  assert.ok(lock.tryAcquire())
  await isSettled(Promise.resolve())
  process.off('warning', note)
  assert.equal(warnings, [])
})

test('one signal serves waits on several locks and governors', async () => {
  const controller = new AbortController()
  const waits = [virtual(), virtual()].map(gov => {
    gov.lock('a').tryAcquire()
    return gov.lock('a').acquire({ signal: controller.signal })
  })
  controller.abort('both')
  assert.equal(await Promise.all(waits.map(rejection)), ['both', 'both'])
})

test('a signal of AbortSignal.any ends a wait', async () => {
  const lock = virtual().lock('a')
  const held = lock.tryAcquire()!
  const controller = new AbortController()
  const waiting = lock.acquire({ signal: AbortSignal.any([controller.signal, new AbortController().signal]) })
  controller.abort('any')
  assert.is(await rejection(waiting), 'any')
  held.release()
})

test('what only looks like a signal leaves nothing behind', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const held = lock.tryAcquire()!
  const impostor = Object.setPrototypeOf({ aborted: false, reason: 1 }, EventTarget.prototype)
  const waiting = rejection(lock.acquire({ signal: impostor, waitTimeout: 5 }))
  gov.advance(5)
  // Node before 24 sees through it; later ones take it for a signal that never aborts.
  const error = await waiting
  assert.ok(isForelockError(error, 'ERR_FORELOCK_ARGUMENT') || isForelockError(error, 'ERR_FORELOCK_TIMEOUT'))
  held.release()
  assert.equal(gov.inspect(), [])
  assert.ok(lock.tryAcquire())
})

test('a proxy of a signal ends the wait, or is refused', async () => {
  const lock = virtual().lock('a')
  const held = lock.tryAcquire()!
  const controller = new AbortController()
  const waiting = lock.acquire({ signal: new Proxy(controller.signal, {}) })
  controller.abort()
  assert.instance(await rejection(waiting), Error)
  held.release()
  assert.ok(lock.tryAcquire())
})

test('a signal whose own methods were replaced by throwing ones still works', async () => {
  const lock = virtual().lock('a')
  const held = lock.tryAcquire()!
  const controller = new AbortController()
  const hostile = () => {
    throw new Error('hostile')
  }
  const signal = Object.assign(controller.signal, { addEventListener: hostile, removeEventListener: hostile })
  const one = lock.acquire({ signal })
  const two = lock.acquire()
  controller.abort('done')
  assert.is(await rejection(one), 'done')
  held.release()
  assert.ok(await two)
})

test.run()
