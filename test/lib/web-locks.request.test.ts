import { AsyncLocalStorage } from 'node:async_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open } from '../../lib/index.js'
import { hold, macrotask, rejection, stateOf, uniqueName } from './web-locks.support.js'

const gov = open()
const { locks } = gov

test('the callback gets the lock with its name and mode', async () => {
  const name = uniqueName()
  await locks.request(name, lock => {
    assert.is(lock.name, name)
    assert.is(lock.mode, 'exclusive')
  })
  await locks.request(name, { mode: 'shared' }, lock => {
    assert.is(lock.name, name)
    assert.is(lock.mode, 'shared')
  })
})

test('the callback is called without this and with one argument', async () => {
  await locks.request(uniqueName(), function (this: unknown, ...args: unknown[]) {
    assert.is(this, undefined)
    assert.is(args.length, 1)
  })
})

test('the callback is never called before request has returned, granted or not', async () => {
  const name = uniqueName()
  let returned = false
  const check = () => assert.ok(returned)
  const results = [locks.request(name, check), locks.request(name, check), locks.request(name, { ifAvailable: true }, check)]
  returned = true
  await Promise.all(results)
})

test('what the callback returns, promise or not, is what the request resolves to', async () => {
  const name = uniqueName()
  assert.is(await locks.request(name, () => 123), 123)
  assert.is(await locks.request(name, async () => 'async'), 'async')
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what this is about
  const thenable = { then: (resolve: (value: string) => void) => resolve('thenable') }
  assert.is(await locks.request(name, () => thenable), 'thenable')
  assert.is(await locks.request(name, () => undefined), undefined)
})

test('a callback that throws at once rejects the request and keeps no lock', async () => {
  const name = uniqueName()
  const error = { name: 'thrown' }
  const result = locks.request(name, () => {
    throw error
  })
  assert.is(await rejection(result), error)
  assert.equal(await stateOf(locks, name), { held: [], pending: [] })
  assert.is(await locks.request(name, { ifAvailable: true }, lock => lock?.name), name)
})

test('a callback whose promise rejects rejects the request and keeps no lock', async () => {
  const name = uniqueName()
  const error = new Error('later')
  const held = await hold(locks, name)
  held.fail(error)
  assert.is(await rejection(held.result), error)
  assert.equal(await stateOf(locks, name), { held: [], pending: [] })
})

test('a thrown thenable is the reason as it is: its then is not called', async () => {
  let called = false
  const error = {
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what this test is about
    then() {
      called = true
    }
  }
  const thrown = locks.request(uniqueName(), () => {
    throw error
  })
  const [reason] = await thrown.then(
    () => [],
    reason => [reason]
  )
  assert.is(reason, error)
  assert.not(called)
})

test('a then getter that throws rejects the request', async () => {
  const error = new Error('from the getter')
  const result = {
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what this test is about
    get then(): never {
      throw error
    }
  }
  assert.is(await rejection(locks.request(uniqueName(), () => result)), error)
})

test('microtasks that a callback has queued still run under the lock', async () => {
  const name = uniqueName()
  const available: unknown[] = []
  const tryLater = () => queueMicrotask(() => available.push(gov.lock(name).tryAcquire()))
  await locks.request(name, tryLater)
  const thrown = locks.request(name, () => {
    tryLater()
    throw new Error('thrown')
  })
  await rejection(thrown)
  assert.equal(available, [null, null])
})

test('the lock is held until the promise of the callback settles, and released when the request does', async () => {
  const name = uniqueName()
  const held = await hold(locks, name)
  const log: string[] = []
  held.result.then(() => log.push('first settled'))
  const second = locks.request(name, () => log.push('second granted'))
  await macrotask()
  assert.equal(log, [])
  held.release('done')
  assert.is(await held.result, 'done')
  await second
  assert.equal([...log].sort(), ['first settled', 'second granted'])
})

test('the request settles after the promise that its callback returned', async () => {
  const name = uniqueName()
  const order: string[] = []
  let release!: () => void
  const holding = new Promise<void>(resolve => {
    release = resolve
  })
  const returned = locks.request(name, () => holding)
  const both = Promise.all([returned.then(() => order.push('returned')), holding.then(() => order.push('holding'))])
  release()
  await both
  assert.equal(order, ['holding', 'returned'])
})

test('when a request has settled its lock is free', async () => {
  const name = uniqueName()
  for (const mode of ['exclusive', 'shared'] as const) {
    await locks.request(name, { mode }, () => 1)
    const free = gov.lock(name).tryAcquire()
    assert.is.not(free, null)
    free?.release()
  }
})

test('exclusive requests are granted in the order of the calls', async () => {
  const name = uniqueName()
  const granted: number[] = []
  await Promise.all(Array.from({ length: 50 }, (_, i) => locks.request(name, () => granted.push(i))))
  assert.equal(
    granted,
    Array.from({ length: 50 }, (_, i) => i)
  )
})

test('requests of free locks call back in the order of the calls, whatever the names and modes', async () => {
  const names = [uniqueName(), uniqueName(), uniqueName()]
  const granted: number[] = []
  const request = (i: number) => locks.request(names[i % 3] as string, { mode: 'shared' }, () => granted.push(i))
  await Promise.all(Array.from({ length: 30 }, (_, i) => request(i)))
  assert.equal(
    granted,
    Array.from({ length: 30 }, (_, i) => i)
  )
})

test('only one exclusive lock of a name is held at a time', async () => {
  const name = uniqueName()
  let inside = 0
  const enter = async () => {
    assert.is(++inside, 1)
    await macrotask()
    inside--
  }
  await Promise.all(Array.from({ length: 10 }, () => locks.request(name, enter)))
})

test('shared locks are held together', async () => {
  const name = uniqueName()
  const readers = await Promise.all([1, 2, 3].map(() => hold(locks, name, { mode: 'shared' })))
  assert.is((await stateOf(locks, name)).held.length, 3)
  for (const reader of readers) reader.release()
  await Promise.all(readers.map(reader => reader.result))
})

test('a shared request waits behind an exclusive one that waits', async () => {
  const name = uniqueName()
  const order: string[] = []
  const reader = await hold(locks, name, { mode: 'shared' })
  const writer = locks.request(name, () => order.push('exclusive'))
  const late = locks.request(name, { mode: 'shared' }, () => order.push('shared'))
  await macrotask()
  assert.equal(order, [])
  reader.release()
  await Promise.all([writer, late])
  assert.equal(order, ['exclusive', 'shared'])
})

test('the release of an exclusive lock grants all shared requests up to the next exclusive one', async () => {
  const name = uniqueName()
  const writer = await hold(locks, name)
  const readers = [1, 2, 3].map(() => hold(locks, name, { mode: 'shared' }))
  const next = hold(locks, name)
  const late = hold(locks, name, { mode: 'shared' })
  writer.release()
  const held = await Promise.all(readers)
  const state = await stateOf(locks, name)
  assert.equal(
    state.held.map(info => info.mode),
    ['shared', 'shared', 'shared']
  )
  assert.equal(
    state.pending.map(info => info.mode),
    ['exclusive', 'shared']
  )
  for (const reader of held) reader.release()
  ;(await next).release()
  ;(await late).release()
  await (await late).result
})

test('a lock of another name does not block', async () => {
  const held = await hold(locks, uniqueName())
  assert.is(await locks.request(uniqueName(), () => 'granted'), 'granted')
  held.release()
  await held.result
})

test('ifAvailable grants what is free and calls back with null what is not', async () => {
  const name = uniqueName()
  const available = (options: { mode?: 'shared' }) => locks.request(name, { ...options, ifAvailable: true }, lock => lock?.mode ?? null)
  assert.is(await available({}), 'exclusive')
  const writer = await hold(locks, name)
  assert.is(await available({}), null)
  assert.is(await available({ mode: 'shared' }), null)
  writer.release()
  await writer.result
  const reader = await hold(locks, name, { mode: 'shared' })
  assert.is(await available({}), null)
  assert.is(await available({ mode: 'shared' }), 'shared')
  reader.release()
  await reader.result
})

test('ifAvailable gets null where somebody waits, even if the modes would go together', async () => {
  const name = uniqueName()
  const reader = await hold(locks, name, { mode: 'shared' })
  const writer = locks.request(name, () => 'written')
  assert.is(await locks.request(name, { mode: 'shared', ifAvailable: true }, lock => lock), null)
  reader.release()
  assert.is(await writer, 'written')
})

test('a callback with null decides the result like any other', async () => {
  const name = uniqueName()
  const held = await hold(locks, name)
  const unavailable = <T>(callback: (lock: unknown) => T) => locks.request(name, { ifAvailable: true }, callback)
  assert.is(await unavailable(async () => 123), 123)
  const error = new Error('thrown')
  assert.is(
    await rejection(
      unavailable(() => {
        throw error
      })
    ),
    error
  )
  assert.is(await rejection(unavailable(() => Promise.reject(error))), error)
  held.release()
  await held.result
})

test('a callback may request its own lock without awaiting it, for as long as it likes', async () => {
  const name = uniqueName()
  let inner!: Promise<string>
  await locks.request(name, async () => {
    inner = locks.request(name, () => 'inner')
    // Longer than any search for deadlocks waits before it looks.
    for (let start = performance.now(); performance.now() - start < 60; ) await macrotask()
  })
  assert.is(await inner, 'inner')
})

test('the callback runs in the async context of the request, granted at once or after a wait', async () => {
  const storage = new AsyncLocalStorage<string>()
  const name = uniqueName()
  const held = await hold(locks, name)
  const waiting = storage.run('waiting', () => locks.request(name, () => storage.getStore()))
  const free = storage.run('free', () => locks.request(uniqueName(), () => storage.getStore()))
  storage.run('releasing', () => held.release())
  assert.is(await free, 'free')
  assert.is(await waiting, 'waiting')
})

test('a lock of gov.lock and one of gov.locks of the same name are the same', async () => {
  const name = uniqueName()
  const grant = await gov.lock(name).acquire()
  assert.is(await locks.request(name, { ifAvailable: true }, lock => lock), null)
  const waiting = locks.request(name, () => 'granted')
  grant.release()
  assert.is(await waiting, 'granted')
})

test('a request that has settled is kept alive by nobody', async () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const name = uniqueName()
  const used = async () => {
    const result = {}
    await locks.request(name, () => result)
    await locks.request(name, { mode: 'shared', signal: new AbortController().signal }, async () => result)
    return new WeakRef(result)
  }
  const reference = await used()
  await macrotask()
  gc()
  assert.is(reference.deref(), undefined)
})

test('an endless stream of names is served', async () => {
  for (let i = 0; i < 5_000; i++) assert.is(await locks.request(`${uniqueName()} stream`, () => i), i)
})

test('a name that comes again after its element was recycled is served', async () => {
  const name = uniqueName()
  await locks.request(name, () => 1)
  for (let i = 0; i < 600; i++) await locks.request(uniqueName(), () => i)
  assert.is(await locks.request(name, lock => lock.name), name)
})

test.after(() => gov.close())
test.run()
