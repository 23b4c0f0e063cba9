import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open } from '../../lib/index.js'
import { isCoded, thrown, virtual } from './support.js'

test('a virtual clock stands still until it is advanced', () => {
  const gov = virtual()
  assert.is(gov.clock, 'virtual')
  const start = gov.now()
  assert.is(gov.now(), start)
  gov.advance(1.5)
  assert.is(gov.now() - start, 1.5e6)
  gov.advance(0)
  assert.is(gov.now() - start, 1.5e6)
})

test('a real clock cannot be advanced', async () => {
  const gov = open({ fresh: true })
  assert.is(gov.clock, 'monotonic')
  isCoded(
    thrown(() => gov.advance(1)),
    'ERR_FORELOCK_ARGUMENT'
  )
  await gov.close()
})

test('the clock goes forward by finite milliseconds only', () => {
  const gov = virtual()
  const start = gov.now()
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e300, '1', null, undefined, {}, 1n] as never[]) {
    isCoded(
      thrown(() => gov.advance(ms)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  assert.is(gov.now(), start)
})

test('a virtual clock stops at its end, 2^63 ns, and does not begin again', () => {
  const gov = virtual()
  let before = gov.now()
  for (let step = 0; step < 25; step++) {
    gov.advance(8.9e11)
    assert.ok(gov.now() >= before)
    before = gov.now()
  }
  assert.is(before, 2 ** 63)
  gov.lock('a').tryAcquire()?.release()
})

test('one step passes all timeouts on its way', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  lock.tryAcquire()
  const waits = Array.from({ length: 40 }, (_, i) => lock.acquire({ waitTimeout: i + 1 }))
  gov.advance(1000)
  const outcomes = await Promise.allSettled(waits)
  for (const outcome of outcomes) {
    assert.is(outcome.status, 'rejected')
    isCoded((outcome as PromiseRejectedResult).reason, 'ERR_FORELOCK_TIMEOUT')
  }
})

test('times on the arena clock map to dates, in step with the wall clock', async () => {
  const gov = open({ fresh: true })
  const before = Date.now()
  const ns = gov.now()
  const date = gov.toDate(ns)
  assert.instance(date, Date)
  assert.ok(Math.abs(date.getTime() - before) < 10_000)
  assert.is(gov.toDate(ns + 5e9).getTime() - date.getTime(), 5000)
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined, 1n] as never[]) {
    isCoded(
      thrown(() => gov.toDate(bad)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  assert.ok(Number.isFinite(gov.toDate(Number.MAX_VALUE).getTime()))
  await gov.close()
})

test.run()
