import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isForelockError, open } from '../../lib/index.js'
import { hold, rejection, stateOf, uniqueName } from './web-locks.support.js'

const gov = open()
const { locks } = gov

test('without locks, held and pending are empty', async () => {
  assert.equal(await locks.query(), { held: [], pending: [] })
})

test('the snapshot is plain data of its own, its members in the order of Web IDL', async () => {
  const name = uniqueName()
  const held = await hold(locks, name)
  const pending = locks.request(name, () => 1)
  const state = await locks.query()
  assert.equal(Object.keys(state), ['held', 'pending'])
  for (const list of [state.held, state.pending]) {
    assert.ok(Array.isArray(list))
    const [info] = list
    assert.is(Object.getPrototypeOf(info), Object.prototype)
    assert.equal(Object.keys(info ?? {}), ['clientId', 'mode', 'name'])
    const { value, ...flags } = Object.getOwnPropertyDescriptor(info, 'name') ?? {}
    assert.is(value, name)
    assert.equal(flags, { writable: true, enumerable: true, configurable: true })
  }
  state.held.length = 0
  assert.is((await locks.query()).held.length, 1)
  held.release()
  await pending
})

test('held and pending name the mode, and the client of the governor', async () => {
  const name = uniqueName()
  const held = await hold(locks, name, { mode: 'shared' })
  const pending = locks.request(name, () => 1)
  const clientId = gov.client
  assert.equal(await stateOf(locks, name), {
    held: [{ clientId, mode: 'shared', name }],
    pending: [{ clientId, mode: 'exclusive', name }]
  })
  held.release()
  await pending
})

test('each shared lock is held once, and pending requests are in the order in which they were made', async () => {
  const name = uniqueName()
  const readers = await Promise.all([1, 2].map(() => hold(locks, name, { mode: 'shared' })))
  const modes = ['exclusive', 'shared', 'exclusive', 'exclusive', 'shared'] as const
  const requests = modes.map(mode => locks.request(name, { mode }, () => mode))
  const state = await stateOf(locks, name)
  assert.is(state.held.length, 2)
  assert.equal(
    state.pending.map(info => info.mode),
    modes
  )
  for (const reader of readers) reader.release()
  await Promise.all(requests)
})

test('a query sees what was requested before it, and its promise is the only thing to wait for', async () => {
  const name = uniqueName()
  const request = locks.request(name, () => 1)
  const before = stateOf(locks, name)
  assert.is((await before).held.length, 1)
  await request
  assert.equal(await stateOf(locks, name), { held: [], pending: [] })
})

test('a lock that is handed on is never both held and pending', async () => {
  const name = uniqueName()
  const first = await hold(locks, name)
  const second = hold(locks, name)
  first.release()
  const handed = await second
  const state = await stateOf(locks, name)
  assert.is(state.held.length, 1)
  assert.is(state.pending.length, 0)
  handed.release()
  await handed.result
})

test('locks of gov.lock show, whatever their name', async () => {
  const grant = await gov.lock('-reserved').acquire()
  assert.equal((await stateOf(locks, '-reserved')).held, [{ clientId: gov.client, mode: 'exclusive', name: '-reserved' }])
  grant.release()
})

test('names come back as they were given', async () => {
  for (const name of ['', 'abc\0def', '\uD800', '\uDC00\uD800', 'ü'.repeat(300), '日本語', '🔒']) {
    const held = await hold(locks, name)
    assert.is((await stateOf(locks, name)).held.length, 1)
    held.release()
    await held.result
  }
})

test('arguments of query are ignored', async () => {
  const { query } = locks as { query(...args: unknown[]): Promise<unknown> }
  assert.equal(await Reflect.apply(query, locks, [1, 2, 3]), { held: [], pending: [] })
})

test('a closed governor refuses with an InvalidStateError, and settles what waited and was held', async () => {
  const name = uniqueName()
  const closing = open({ fresh: true })
  const held = await hold(closing.locks, name)
  const waiting = rejection(closing.locks.request(name, () => assert.unreachable()))
  const lost = rejection(held.result)
  await closing.close()
  for (const error of [await waiting, await rejection(closing.locks.request(name, () => 1)), await rejection(closing.locks.query())]) {
    assert.is((error as DOMException).name, 'InvalidStateError')
    assert.ok(isForelockError((error as DOMException).cause, 'ERR_FORELOCK_CLOSED'))
  }
  assert.is(((await lost) as DOMException).name, 'AbortError')
  assert.ok(isForelockError(((await lost) as DOMException).cause, 'ERR_FORELOCK_CLOSED'))
  held.release()
})

test.after(() => gov.close())
test.run()
