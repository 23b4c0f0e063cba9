import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, open } from '../../lib/index.js'
import { isCoded, isSettled, macrotask, rejection, thrown, virtual } from './support.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test('close() rejects what waits and resolves', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  lock.tryAcquire()
  const waits = [lock.acquire(), lock.acquire({ mode: 'shared' }), lock.request().granted, lock.with(() => assert.unreachable())]
  const closing = gov.close()
  assert.is(gov.closed, true)
  for (const wait of waits) {
    const error = await rejection(wait)
    isCoded(error, 'ERR_FORELOCK_CLOSED')
    assert.is(error.resource, 'a')
  }
  assert.is(await closing, undefined)
})

test('a closed governor lets nothing in', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  await gov.close()
  for (const call of [
    () => lock.tryAcquire(),
    () => gov.inspect(),
    () => gov.now(),
    () => gov.toDate(0),
    () => gov.advance(1),
    () => gov.counters()
  ]) {
    isCoded(thrown(call), 'ERR_FORELOCK_CLOSED')
  }
  for (const promise of [
    lock.acquire(),
    lock.acquire({ tier: 'critical' }),
    lock.with(() => 1),
    lock.request().granted,
    gov.acquireAll([lock])
  ]) {
    isCoded(await rejection(promise), 'ERR_FORELOCK_CLOSED')
  }
})

test('nothing new is let in while it drains, and what waits is still granted', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const held = lock.tryAcquire()!
  const waiting = lock.acquire()
  const closing = gov.close({ drain: 1000 })
  isCoded(await rejection(lock.acquire()), 'ERR_FORELOCK_CLOSED')
  held.release()
  const grant = await waiting
  assert.is(await isSettled(closing), false)
  assert.is(grant.signal.aborted, false)
  grant.release()
  await closing
})

test('after the drain time what waits is rejected and what is held is told', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const grant = lock.tryAcquire()!
  const { signal } = grant
  const waiting = lock.acquire()
  const closing = gov.close({ drain: 100 })
  assert.is(await isSettled(closing), false)
  gov.advance(99)
  assert.is(await isSettled(waiting), false)
  gov.advance(1)
  isCoded(await rejection(waiting), 'ERR_FORELOCK_CLOSED')
  await closing
  assert.is(signal.aborted, true)
  isCoded(signal.reason, 'ERR_FORELOCK_CLOSED')
  assert.is(grant.release(), false)
})

test('with nothing to wait for, a drain ends at once', async () => {
  const gov = virtual()
  gov.lock('a').tryAcquire()!.release()
  await gov.close({ drain: 60_000 })
})

test('a drain on a real clock ends with the last grant', async () => {
  const gov = open({ fresh: true })
  const grant = gov.lock('a').tryAcquire()!
  const closing = gov.close({ drain: 60_000 })
  setImmediate(() => grant.release())
  await closing
})

test('a drain on a real clock ends after its time', async () => {
  const gov = open({ fresh: true })
  const lock = gov.lock('a')
  lock.tryAcquire()
  const waiting = lock.acquire()
  const closing = gov.close({ drain: 5 })
  isCoded(await rejection(waiting), 'ERR_FORELOCK_CLOSED')
  await closing
})

test('every call of close() is the first one', async () => {
  const gov = virtual()
  const closing = gov.close()
  assert.is(gov.close({ drain: 5 }), closing)
  await closing
  assert.is(gov.close(), closing)
})

test('a bad drain is refused, and nothing is closed', async () => {
  const gov = virtual()
  for (const drain of [-1, Number.NaN, '5', {}, null] as never[]) isCoded(await rejection(gov.close({ drain })), 'ERR_FORELOCK_ARGUMENT')
  isCoded(await rejection(gov.close(5 as never)), 'ERR_FORELOCK_ARGUMENT')
  assert.is(gov.closed, false)
  assert.ok(gov.lock('a').tryAcquire())
})

/** A lock that is shared, and a pool and a bucket of which half is taken. */
function halfTaken(gov: Governor) {
  const lock = gov.lock('l')
  const pool = gov.pool('p', { capacity: { slots: 4 } })
  const bucket = gov.bucket('b', { rate: 1e-6, burst: 4 })
  const held = [lock.tryAcquire({ mode: 'shared' })!, pool.tryAllocate({ slots: 2 })!]
  bucket.tryTake(2)
  return { lock, pool, bucket, held }
}

test('however many wait for what the end of one lets the next have, all are rejected, and nothing of it stays taken', async () => {
  const many = 8_000
  const begun: ((gov: Governor) => Promise<unknown>[])[] = [
    gov => [gov.pool('p').allocate({ slots: 4 }), ...Array.from({ length: many }, () => gov.pool('p').allocate({ slots: 2 }))],
    gov => [gov.bucket('b').take(4), ...Array.from({ length: many }, () => gov.bucket('b').take(2))],
    gov => [gov.lock('l').acquire(), ...Array.from({ length: many }, () => gov.lock('l').acquire({ mode: 'shared' }))]
  ]
  for (const begin of begun) {
    const one = open({ fresh: true, capacity: { waiters: 4 * many } })
    const two = open({ handle: one.handle })
    const { lock, pool, bucket, held } = halfTaken(two)
    const ended = Promise.all(begin(one).map(rejection))
    await one.close()
    assert.equal([...new Set((await ended).map(({ code }) => code))], ['ERR_FORELOCK_CLOSED'])
    for (const one of held) one.release()
    assert.ok(lock.tryAcquire())
    assert.equal(pool.usage().used, { slots: 0 })
    assert.is(bucket.peek().remaining, 2)
    await two.close()
  }
})

test('closing one of two governors of an arena settles only its own', async () => {
  const one = open({ fresh: true })
  const two = open({ handle: one.handle })
  const held = two.lock('a').tryAcquire()!
  const mine = one.lock('a').acquire()
  const theirs = two.lock('a').acquire()
  const { signal } = held
  await one.close()
  isCoded(await rejection(mine), 'ERR_FORELOCK_CLOSED')
  assert.is(await isSettled(theirs), false)
  assert.is(signal.aborted, false)
  held.release()
  ;(await theirs).release()
  await two.close()
})

test('what waits is rejected also where the end of another wait would have granted it, and nothing of it stays taken', async () => {
  const one = open({ fresh: true })
  const two = open({ handle: one.handle })
  const { lock, pool, bucket, held } = halfTaken(two)
  const waits = [
    one.lock('l').acquire(),
    one.lock('l').acquire({ mode: 'shared' }),
    one.pool('p').allocate({ slots: 4 }),
    one.pool('p').allocate({ slots: 1 }),
    one.bucket('b').take(4),
    one.bucket('b').take(1)
  ]
  const ended = Promise.all(waits.map(rejection))
  await one.close()
  for (const error of await ended) isCoded(error, 'ERR_FORELOCK_CLOSED')
  for (const one of held) one.release()
  assert.ok(lock.tryAcquire())
  assert.equal(pool.usage().used, { slots: 0 })
  assert.is(bucket.peek().remaining, 2)
  await two.close()
})

test('what waits to grow is rejected also where the end of another wait would have let it grow, and is as large as before', async () => {
  const one = open({ fresh: true })
  const two = open({ handle: one.handle })
  const { pool, held } = halfTaken(two)
  const allocation = one.pool('p').tryAllocate({ slots: 1 })!
  const ended = Promise.all([one.pool('p').allocate({ slots: 3 }), allocation.resize({ slots: 2 })].map(rejection))
  await one.close()
  for (const error of await ended) isCoded(error, 'ERR_FORELOCK_CLOSED')
  assert.equal([allocation.amounts, pool.usage().used], [{ slots: 1 }, { slots: 3 }])
  for (const one of [allocation, ...held]) one.release()
  assert.equal(pool.usage().used, { slots: 0 })
  await two.close()
})

test('a grant of a closed governor can be released while another keeps the arena', async () => {
  const one = open({ fresh: true })
  const two = open({ handle: one.handle })
  const grant = one.lock('a').tryAcquire()!
  const { signal } = grant
  const late = one.lock('b').tryAcquire()!
  await one.close()
  isCoded(signal.reason, 'ERR_FORELOCK_CLOSED')
  isCoded(late.signal.reason, 'ERR_FORELOCK_CLOSED')
  assert.is(two.lock('a').tryAcquire(), null)
  assert.is(grant.release(), true)
  assert.ok(two.lock('a').tryAcquire())
  await two.close()
})

test('close() from within a settlement, a listener or a callback is no harm', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const grant = await lock.acquire({ ttl: 10 })
  let closing: Promise<void> | undefined
  grant.signal.addEventListener('abort', () => {
    closing = gov.close()
  })
  const waiting = lock.acquire()
  gov.advance(10)
  await closing
  await waiting.then(
    late => late.release(),
    error => isCoded(error, 'ERR_FORELOCK_CLOSED')
  )
})

test('a governor closes at the end of its await using block', async () => {
  let gov: ReturnType<typeof virtual>
  {
    await using inner = virtual()
    gov = inner
    assert.is(gov.closed, false)
  }
  assert.is(gov.closed, true)
})

test('what was known of an arena goes with the last who closes it, not with the next turn of the event loop', async () => {
  const many = 200
  const openAndClose = async () => {
    for (let i = 0; i < many; i++) await open({ fresh: true }).close()
  }
  await openAndClose()
  await macrotask()
  collect()
  const before = process.memoryUsage().heapUsed
  await openAndClose()
  collect()
  // 0.2 KB by now; what an arena is to JavaScript is 50.
  assert.ok((process.memoryUsage().heapUsed - before) / many < 10_000)
})

test.run()
