import { getEventListeners } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open } from '../../lib/index.js'
import { hold, macrotask, rejection, stateOf, uniqueName } from './web-locks.support.js'

const gov = open()
const { locks } = gov
const never = () => assert.unreachable('the callback must not be called')

test('an aborted signal rejects the request at once with its reason, be it undefined-like or an AbortError', async () => {
  for (const reason of ['My dog ate it.', 0, null, new RangeError('reason')]) {
    assert.is(await rejection(locks.request(uniqueName(), { signal: AbortSignal.abort(reason) }, never)), reason)
  }
  const signal = AbortSignal.abort()
  const error = await rejection(locks.request(uniqueName(), { signal }, never))
  assert.is(error, signal.reason)
  assert.is((error as DOMException).name, 'AbortError')
})

test('the reason is passed on as it is, even an error of forelock', async () => {
  const other = open({ fresh: true })
  await other.close()
  const reason = await rejection(other.lock('any').acquire())
  const name = uniqueName()
  assert.is(await rejection(locks.request(name, { signal: AbortSignal.abort(reason) }, never)), reason)
  const held = await hold(locks, name)
  const controller = new AbortController()
  const waiting = locks.request(name, { signal: controller.signal }, never)
  controller.abort(reason)
  assert.is(await rejection(waiting), reason)
  held.release()
  await held.result
})

test('an abort while the request waits rejects it with the reason and takes it out of the queue', async () => {
  const name = uniqueName()
  const held = await hold(locks, name)
  const controller = new AbortController()
  const result = locks.request(name, { signal: controller.signal }, never)
  assert.is((await stateOf(locks, name)).pending.length, 1)
  const reason = new Error('changed my mind')
  controller.abort(reason)
  assert.is((await stateOf(locks, name)).pending.length, 0)
  assert.is(await rejection(result), reason)
  held.release()
  await held.result
})

test('a request that waits behind an aborted one is granted', async () => {
  const name = uniqueName()
  const controller = new AbortController()
  const reader = await hold(locks, name, { mode: 'shared' })
  const writer = locks.request(name, { signal: controller.signal }, never)
  const behind = locks.request(name, { mode: 'shared' }, () => 'granted')
  controller.abort()
  assert.is(((await rejection(writer)) as Error).name, 'AbortError')
  assert.is(await behind, 'granted')
  reader.release()
  await reader.result
})

test('an abort before the callback of a free lock has run wins, and the lock goes to the next', async () => {
  const name = uniqueName()
  const controller = new AbortController()
  const first = locks.request(name, { signal: controller.signal }, never)
  const next = locks.request(name, () => 'next')
  const reason = new Error('at once')
  controller.abort(reason)
  assert.is(await rejection(first), reason)
  assert.is(await next, 'next')
  assert.equal(await stateOf(locks, name), { held: [], pending: [] })
})

test('an abort between the hand-off and the callback wins, and the lock goes to the next', async () => {
  const name = uniqueName()
  const controller = new AbortController()
  const grant = await gov.lock(name).acquire()
  const second = locks.request(name, { signal: controller.signal }, never)
  const third = locks.request(name, () => 'third')
  grant.release()
  const reason = new Error('just in time')
  controller.abort(reason)
  assert.is(await rejection(second), reason)
  assert.is(await third, 'third')
})

test('an abort while the callback runs has no effect, nor has one after the release', async () => {
  const name = uniqueName()
  const controller = new AbortController()
  const held = await hold(locks, name, { signal: controller.signal })
  controller.abort()
  await macrotask()
  assert.is((await stateOf(locks, name)).held.length, 1)
  held.release('resolved')
  assert.is(await held.result, 'resolved')

  const later = new AbortController()
  const result = locks.request(name, { signal: later.signal }, () => 'released')
  await macrotask()
  later.abort()
  assert.is(await result, 'released')
})

test('an abort by the callback itself has no effect', async () => {
  const controller = new AbortController()
  const result = locks.request(uniqueName(), { signal: controller.signal }, () => {
    controller.abort()
    return 'done'
  })
  assert.is(await result, 'done')
})

test('a signal that never aborts changes nothing and keeps no listener', async () => {
  const name = uniqueName()
  const { signal } = new AbortController()
  const held = await hold(locks, name, { signal })
  const waiting = Array.from({ length: 20 }, (_, i) => locks.request(name, { signal }, () => i))
  held.release()
  assert.equal(
    await Promise.all(waiting),
    Array.from({ length: 20 }, (_, i) => i)
  )
  assert.equal(getEventListeners(signal, 'abort'), [])
})

test('a wait that ends because the governor closes keeps no listener', async () => {
  const name = uniqueName()
  const { signal } = new AbortController()
  const closing = open({ fresh: true })
  const held = await hold(closing.locks, name)
  const ends = [rejection(held.result), rejection(closing.locks.request(name, { signal }, never))]
  await closing.close()
  await Promise.all(ends)
  assert.equal(getEventListeners(signal, 'abort'), [])
})

test('a signal still ends the other requests when the first of them was granted', async () => {
  const name = uniqueName()
  const controller = new AbortController()
  const { signal } = controller
  const held = await hold(locks, name)
  const first = hold(locks, name, { signal })
  const second = locks.request(name, { signal }, never)
  held.release()
  const granted = await first
  controller.abort('the rest')
  assert.is(await rejection(second), 'the rest')
  granted.release('kept')
  assert.is(await granted.result, 'kept')
})

test('many requests with one signal end with one abort, and no warning', async () => {
  const name = uniqueName()
  const warnings: Error[] = []
  const warned = (warning: Error) => warnings.push(warning)
  process.on('warning', warned)
  const controller = new AbortController()
  const held = await hold(locks, name)
  const waiting = Array.from({ length: 100 }, () => rejection(locks.request(name, { signal: controller.signal }, never)))
  const reason = new Error('all of them')
  controller.abort(reason)
  assert.ok((await Promise.all(waiting)).every(error => error === reason))
  assert.equal((await stateOf(locks, name)).pending, [])
  held.release()
  await held.result
  await macrotask()
  process.off('warning', warned)
  assert.equal(warnings, [])
})

test('an abort reaches the request even if a listener stops the event', async () => {
  const name = uniqueName()
  const controller = new AbortController()
  controller.signal.addEventListener('abort', event => event.stopImmediatePropagation())
  const held = await hold(locks, name)
  const waiting = locks.request(name, { signal: controller.signal }, never)
  const reason = new Error('not to be stopped')
  controller.abort(reason)
  assert.equal((await stateOf(locks, name)).pending, [])
  assert.is(await rejection(waiting), reason)
  held.release()
  await held.result
})

test('properties that a script puts on a signal do not count', async () => {
  const name = uniqueName()
  const { signal } = new AbortController()
  Object.defineProperty(signal, 'aborted', { value: true })
  Object.defineProperty(signal, 'reason', { value: 'not the reason' })
  assert.is(await locks.request(name, { signal }, () => 'granted'), 'granted')
})

test('the signals of AbortSignal.any and AbortSignal.timeout end a wait', async () => {
  const name = uniqueName()
  const held = await hold(locks, name)
  const controller = new AbortController()
  const any = locks.request(name, { signal: AbortSignal.any([controller.signal]) }, never)
  const timeout = locks.request(name, { signal: AbortSignal.timeout(1) }, never)
  controller.abort('any')
  assert.is(await rejection(any), 'any')
  assert.is(((await rejection(timeout)) as DOMException).name, 'TimeoutError')
  held.release()
  await held.result
})

test.after(() => gov.close())
test.run()
