import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, type Grant, isForelockError, type LockRequest, open, unlink } from '../../lib/index.js'
import { isCoded, isSettled, macrotask, refusal, rejection, thrown, virtual } from './support.js'

class Hostile extends Error {}

const throws = () => {
  throw new Hostile('hostile')
}
const throwing = (...names: string[]) =>
  Object.defineProperties({}, Object.fromEntries(names.map(name => [name, { get: throws, enumerable: true }])))

const detached = () => {
  const view = new Uint8Array(8)
  structuredClone(view, { transfer: [view.buffer] })
  return view
}

/** Values that no function asks for. */
function values(): unknown[] {
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  return [
    undefined,
    null,
    true,
    0,
    -1,
    -0,
    0.5,
    2 ** 32,
    2 ** 53,
    1e300,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    10n ** 30n,
    '',
    'a',
    '\0',
    '\ud800',
    'x'.repeat(1e6),
    Symbol('s'),
    Symbol.iterator,
    {},
    Object.create(null),
    [],
    [[]],
    new Array(1e6),
    () => {},
    throws,
    class {},
    new Date(Number.NaN),
    new Map(),
    new Proxy({}, { get: throws, has: throws, ownKeys: throws, getPrototypeOf: throws }),
    revoked.proxy,
    detached(),
    new SharedArrayBuffer(8),
    { toString: throws, valueOf: throws, [Symbol.toPrimitive]: throws },
    // biome-ignore lint/suspicious/noThenProperty: that is what makes it hostile
    { then: throws },
    Promise.resolve(),
    new AbortController(),
    AbortSignal.abort(),
    new EventTarget(),
    globalThis
  ]
}

/** Objects of options: one bad value under each name, and getters that throw. */
function optionBags(...names: string[]): unknown[] {
  return [...values(), throwing(...names), ...names.flatMap(name => [...values().map(value => ({ [name]: value })), throwing(name)])]
}

/** Calls; what it throws, now or later, must be an error of forelock, a TypeError of the language, or the user's own. */
async function survives(call: () => unknown): Promise<void> {
  try {
    const result = call()
    const later = result instanceof Promise ? result : (result as LockRequest | null)?.granted
    if (later instanceof Promise) await Promise.race([later, macrotask()])
    else if (typeof (result as Grant | null)?.release === 'function') (result as Grant).release()
  } catch (error) {
    mustBeAllowed(error)
  }
}

function mustBeAllowed(error: unknown): void {
  const isFine = isForelockError(error) || error instanceof Hostile || error instanceof TypeError || (error as Error)?.name === 'AbortError'
  if (!isFine) throw error
}

async function stillWorks(gov: Governor): Promise<void> {
  const lock = gov.lock('still works')
  const grant = lock.tryAcquire()!
  const waiting = lock.acquire()
  grant.release()
  assert.is((await waiting).release(), true)
}

const REQUEST_OPTIONS = ['mode', 'tier', 'waitTimeout', 'ttl', 'within', 'signal', 'steal']

test('open() and unlink() survive any argument', async () => {
  const names = [
    'name',
    'dir',
    'handle',
    'fresh',
    'clock',
    'update',
    'capacity',
    'tiers',
    'ageing',
    'claimWithin',
    'autoEnclose',
    'reportLeaks'
  ]
  for (const options of optionBags(...names)) {
    await survives(() => {
      const gov = open(options as never)
      if (gov.name !== '') unlink(gov.name, { force: true })
      return gov.close()
    })
  }
  for (const capacity of optionBags('elements', 'waiters', 'participants', 'names'))
    await survives(() => open({ fresh: true, capacity: capacity as never }).close())
  for (const name of values()) await survives(() => unlink(name as never))
  for (const options of optionBags('dir', 'force')) await survives(() => unlink('no-such-arena', options as never))
})

test('the governor survives any argument', async () => {
  const gov = virtual()
  for (const value of values()) {
    await survives(() => gov.lock(value as never).tryAcquire())
    await survives(() => gov.advance(value as never))
    await survives(() => gov.toDate(value as never))
    await survives(() => gov.inspect(value as never))
    await survives(() => gov.acquireAll(value as never))
    await survives(() => gov.acquireAll([value as never]))
    await survives(() => gov.acquireAll([[value as never]]))
    await survives(() => gov.acquireAll([[gov.lock('a'), value as never]]))
  }
  for (const options of optionBags(...REQUEST_OPTIONS)) {
    await survives(() => gov.lock('a', options as never).tryAcquire())
    await survives(() => gov.acquireAll([gov.lock('b')], options as never).then(set => set.release()))
  }
  await stillWorks(gov)
  await gov.close()
})

test('a lock survives any argument, free or held', async () => {
  const gov = virtual()
  const free = gov.lock('free')
  const held = gov.lock('held')
  held.tryAcquire()
  for (const lock of [free, held]) {
    for (const options of optionBags(...REQUEST_OPTIONS)) {
      await survives(() => lock.tryAcquire(options as never))
      await survives(() => lock.acquire({ waitTimeout: 1, ...(options as object) }).then(grant => grant.release()))
      await survives(() => lock.acquire(options as never).then(grant => grant.release()))
      await survives(() => lock.with(options as never, () => {}))
      const request = lock.request(options as never)
      request.granted.then(grant => grant.release(), mustBeAllowed)
      for (const value of values().slice(0, 20)) await survives(() => request.upgrade(value as never))
      request.abort()
    }
    for (const value of values()) {
      await survives(() => lock.with(value as never))
      await survives(() => lock.with(undefined, value as never))
    }
  }
  gov.advance(10)
  await stillWorks(gov)
  await gov.close()
})

test('a method borrowed onto another object, or called without one, is a TypeError', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const grant = lock.tryAcquire()!
  const request = lock.request()
  request.granted.catch(refusal('ERR_FORELOCK_CLOSED'))
  const set = await gov.acquireAll([gov.lock('b')])
  for (const object of [gov, lock, grant, request, set]) {
    const prototype = Object.getPrototypeOf(object)
    for (const name of Reflect.ownKeys(prototype)) {
      const { value, get } = Object.getOwnPropertyDescriptor(prototype, name)!
      if (name === 'constructor' || (value === undefined && get === undefined)) continue
      for (const receiver of [undefined, null, 1, 'a', {}, prototype, Object.create(object), gov === object ? lock : gov]) {
        await survives(() => Reflect.apply(value ?? get, receiver, []))
      }
    }
  }
  assert.is(grant.ended, false)
  assert.is(set.ended, false)
  assert.is(gov.closed, false)
  assert.throws(() => Reflect.apply(lock.tryAcquire, {}, []), TypeError)
  assert.throws(() => Reflect.apply(grant.release, {}, []), TypeError)
  assert.throws(() => Reflect.apply(grant.release, Object.getPrototypeOf(grant), []), TypeError)
  await gov.close()
})

test('getters that call back into the same lock do not spoil the request they are read for', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const other = gov.lock('b')
  let inner: Grant | null = null
  const options = {
    get tier() {
      inner = other.tryAcquire({ tier: 'critical', ttl: 5 })
      lock.tryAcquire({ tier: 'background' })?.release()
      return 'interactive'
    },
    get ttl() {
      other.tryAcquire()
      return undefined
    }
  }
  const grant = lock.tryAcquire(options)!
  assert.is(grant.name, 'a')
  assert.is(grant.tier, 'interactive')
  assert.is((inner as Grant | null)?.name, 'b')
  gov.advance(100)
  assert.is(grant.ended, false)
  assert.is(grant.release(), true)
})

test('a getter that closes the governor leaves a typed error', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const closing = () => {
    gov.close()
    return 'critical'
  }
  isCoded(
    thrown(() =>
      lock.tryAcquire({
        get tier() {
          return closing()
        }
      })
    ),
    'ERR_FORELOCK_CLOSED'
  )
  isCoded(
    await rejection(
      lock.acquire({
        get tier() {
          return closing()
        }
      })
    ),
    'ERR_FORELOCK_CLOSED'
  )
})

test('a then getter on Object.prototype, which settling looks up, may call back and even throw', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const held = lock.tryAcquire()!
  const waits = Array.from({ length: 30 }, () => lock.acquire({ mode: 'shared' }))
  const side = gov.lock('side')
  Object.defineProperty(Object.prototype, 'then', {
    configurable: true,
    get() {
      side.tryAcquire()?.release()
      return undefined
    }
  })
  try {
    held.release()
  } finally {
    delete (Object.prototype as { then?: unknown }).then
  }
  const grants = await Promise.all(waits)
  assert.is(new Set(grants.map(grant => grant.token)).size, 30)
  for (const grant of grants) assert.is(grant.release(), true)
  assert.equal(gov.inspect(), [])
})

test('reactions that release, acquire, abort and close within a settlement all settle', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const held = lock.tryAcquire()!
  const controller = new AbortController()
  const outcomes = Array.from({ length: 60 }, async (_, i) => {
    try {
      const grant = await lock.acquire({ mode: i % 3 === 0 ? 'shared' : 'exclusive', signal: controller.signal, waitTimeout: 1000 })
      if (i === 20) gov.lock('b').tryAcquire()
      if (i === 30) controller.abort()
      if (i === 40) gov.close()
      grant.release()
      grant.release()
    } catch (error) {
      if (!isForelockError(error) && (error as Error).name !== 'AbortError') throw error
    }
  })
  held.release()
  await Promise.all(outcomes)
})

test('callbacks that throw anything reject with it and release', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  for (const value of values()) {
    const outcome = lock.with(() => {
      throw value
    })
    // Compared within the reaction: what was thrown may be a thenable.
    const isSame = await outcome.then(
      () => false,
      error => Object.is(error, value)
    )
    assert.ok(isSame)
  }
  assert.ok(lock.tryAcquire())
})

test('after close() every object answers with errors or false, never worse', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const grant = lock.tryAcquire()!
  const set = await gov.acquireAll([gov.lock('b')])
  const request = lock.request()
  request.granted.catch(refusal('ERR_FORELOCK_CLOSED'))
  await gov.close()
  assert.is(grant.release(), false)
  assert.is(set.release(), false)
  assert.is(request.abort(), false)
  assert.is(request.upgrade('critical'), false)
  assert.is(grant.signal.aborted, false, 'it has ended, and never aborts after that')
  for (const value of values()) {
    await survives(() => lock.tryAcquire(value as never))
    await survives(() => lock.acquire(value as never))
    await survives(() => lock.with(value as never))
    await survives(() => gov.close(value as never))
    await survives(() => gov.lock(value as never))
  }
  assert.is((await rejection(gov.locks.query())).name, 'InvalidStateError')
})

test('an abort listener that throws does not keep other waits from settling', async () => {
  const lock = virtual().lock('a')
  lock.tryAcquire()
  const controller = new AbortController()
  const errors: unknown[] = []
  const note = (error: unknown) => errors.push(error)
  process.once('uncaughtException', note)
  controller.signal.addEventListener('abort', throws)
  const waits = [lock.acquire({ signal: controller.signal }), lock.acquire({ signal: controller.signal })]
  controller.abort('over')
  assert.equal(await Promise.all(waits.map(rejection)), ['over', 'over'])
  await isSettled(Promise.resolve())
  process.off('uncaughtException', note)
  assert.instance(errors[0], Hostile)
})

test.run()
