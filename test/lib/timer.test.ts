import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open } from '../../lib/index.js'
import type { Session } from '../../lib/session.js'
import { after } from '../../lib/timer.js'
import { NS_PER_MS } from '../../lib/units.js'

/** A session as far as a timer knows it. */
function clock(virtual: boolean): { session: Session; moveTo(ms: number): void; listeners: Set<() => void> } {
  let now = 0
  const listeners = new Set<() => void>()
  const session = { binding: { virtual, now: () => now * NS_PER_MS }, waiting: { onAdvance: listeners } } as unknown as Session
  const moveTo = (ms: number) => {
    now = ms
    for (const moved of [...listeners]) moved()
  }
  return { session, moveTo, listeners }
}

test('on a virtual clock it calls back once, when that has come to the time', () => {
  const { session, moveTo, listeners } = clock(true)
  let calls = 0
  after(session, 10, () => calls++, true)
  moveTo(9)
  assert.is(calls, 0)
  moveTo(10)
  moveTo(20)
  assert.is(calls, 1)
  assert.is(listeners.size, 0)
})

test('on a virtual clock it does not call back when it was stopped, however late', () => {
  const { session, moveTo, listeners } = clock(true)
  const stop = after(session, 10, () => assert.unreachable(), true)
  stop()
  stop()
  moveTo(100)
  assert.is(listeners.size, 0)
})

test('on the real clock it calls back when the time has come, unless stopped', async () => {
  const { session } = clock(false)
  const stop = after(session, 1, () => assert.unreachable(), true)
  stop()
  await new Promise<void>(resolve => after(session, 2, resolve, true))
})

/** Those that keep the process alive. */
const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

test('what is further away than a timer can wait never comes, instead of at once: there is no timer for it', () => {
  const before = timers()
  for (const ms of [2 ** 31, Number.POSITIVE_INFINITY]) after(clock(false).session, ms, () => assert.unreachable(), true)()
  after(clock(false).session, 2 ** 40, () => assert.unreachable(), true)
  assert.is(timers(), before)
  const stop = after(clock(false).session, 2 ** 31 - 1, () => assert.unreachable(), true)
  assert.is(timers(), before + 1)
  stop()
})

test('a timer that is not to keep the process alive is told so to Node', () => {
  const { session } = clock(false)
  const before = timers()
  const stop = after(session, 60_000, () => {}, false)
  assert.is(timers(), before)
  stop()
})

test('close({ drain }) follows the virtual clock', async () => {
  const gov = open({ clock: 'virtual' })
  gov.lock('a').tryAcquire()
  const closing = gov.close({ drain: 1_000 })
  gov.advance(1_000)
  await closing
})

test.run()
