import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open } from '../../lib/index.js'
import { hold, rejection, uniqueName } from './web-locks.support.js'

const gov = open()
const { locks } = gov
// The wrong arguments are the point of these tests.
const request = locks.request.bind(locks) as (...args: unknown[]) => Promise<unknown>
const never = () => assert.unreachable('the callback must not be called')

async function refusedAsTypeError(...args: unknown[]): Promise<void> {
  const promise = request(...args)
  assert.instance(promise, Promise)
  assert.instance(await rejection(promise), TypeError)
}

async function refusedAs(name: string, ...args: unknown[]): Promise<void> {
  const error = await rejection(request(...args))
  assert.instance(error, DOMException)
  assert.is((error as DOMException).name, name)
}

test('a request needs a name and a callback', async () => {
  await refusedAsTypeError()
  await refusedAsTypeError(uniqueName())
})

test('too few arguments are refused before the name is converted', async () => {
  const name = {
    toString() {
      throw new RangeError('converted')
    }
  }
  await refusedAsTypeError(name)
  assert.instance(await rejection(request(name, undefined)), RangeError)
})

test('the callback must be a function, also where options are given', async () => {
  for (const callback of [undefined, null, 123, 'abc', [], {}, Promise.resolve(), Symbol('callback')]) {
    await refusedAsTypeError(uniqueName(), callback)
    await refusedAsTypeError(uniqueName(), {}, callback)
  }
})

test('a third argument, even undefined, makes the second one options', async () => {
  await refusedAsTypeError(uniqueName(), never, undefined)
})

test('further arguments are ignored', async () => {
  assert.is(await request(uniqueName(), {}, () => 1, never), 1)
})

test('a name is converted to a string and a symbol is refused', async () => {
  const nameOf = (name: unknown) => request(name, (lock: { name: string }) => lock.name)
  assert.is(await nameOf(42), '42')
  assert.is(await nameOf(null), 'null')
  assert.is(await nameOf(undefined), 'undefined')
  assert.is(await nameOf({ toString: () => 'from toString' }), 'from toString')
  await refusedAsTypeError(Symbol('name'), never)
})

test('options must be an object, null or undefined', async () => {
  for (const options of [1, 'exclusive', true, Symbol('options'), 1n]) await refusedAsTypeError(uniqueName(), options, never)
  assert.is(await request(uniqueName(), null, () => 1), 1)
  assert.is(await request(uniqueName(), undefined, () => 2), 2)
})

test('a function serves as options', async () => {
  const options = Object.assign(() => {}, { mode: 'shared' })
  assert.is(await request(uniqueName(), options, (lock: { mode: string }) => lock.mode), 'shared')
})

test('inherited options count', async () => {
  const options = Object.create({ mode: 'shared' })
  assert.is(await request(uniqueName(), options, (lock: { mode: string }) => lock.mode), 'shared')
})

test('arguments are converted from left to right, options in lexicographical order, each member at once', async () => {
  const log: string[] = []
  const logged = (what: string, value: unknown) => () => {
    log.push(what)
    return value
  }
  const options = Object.defineProperties(
    {},
    {
      steal: { get: logged('steal', false) },
      signal: { get: logged('signal', undefined) },
      mode: { get: logged('mode', { toString: logged('mode to string', 'exclusive') }) },
      ifAvailable: { get: logged('ifAvailable', false) }
    }
  )
  await refusedAsTypeError({ toString: logged('name', uniqueName()) }, options, 'no callback')
  assert.equal(log, ['name', 'ifAvailable', 'mode', 'mode to string', 'signal', 'steal'])
})

test('a member that cannot be converted keeps the later ones from being read', async () => {
  let read = false
  const options = {
    mode: 'neither',
    get signal() {
      read = true
      return undefined
    }
  }
  await refusedAsTypeError(uniqueName(), options, never)
  assert.not(read)
})

test('what a getter throws is what the request rejects with', async () => {
  const options = {
    get mode() {
      throw new RangeError('from the getter')
    }
  }
  assert.instance(await rejection(request(uniqueName(), options, never)), RangeError)
})

test('mode is exclusive or shared and exclusive by default', async () => {
  for (const mode of ['foo', null, '', 'Exclusive', 0, Symbol('mode'), {}]) await refusedAsTypeError(uniqueName(), { mode }, never)
  const modeOf = (options: unknown) => request(uniqueName(), options, (lock: { mode: string }) => lock.mode)
  assert.is(await modeOf({}), 'exclusive')
  assert.is(await modeOf({ mode: undefined }), 'exclusive')
  assert.is(await modeOf({ mode: 'exclusive' }), 'exclusive')
  assert.is(await modeOf({ mode: 'shared' }), 'shared')
  assert.is(await modeOf({ mode: { toString: () => 'shared' } }), 'shared')
})

test('ifAvailable and steal are converted to booleans', async () => {
  const name = uniqueName()
  const held = await hold(locks, name)
  const stolen = rejection(held.result)
  assert.is(await request(name, { ifAvailable: 'yes' }, (lock: unknown) => lock), null)
  assert.is(await request(name, { steal: 1 }, (lock: { name: string }) => lock.name), name)
  assert.is(((await stolen) as Error).name, 'AbortError')
})

test('signal must be an AbortSignal, not something of its shape', async () => {
  const lookalike = { aborted: false, reason: undefined, addEventListener() {}, removeEventListener() {} }
  for (const signal of [
    'string',
    12.34,
    false,
    null,
    {},
    Symbol('signal'),
    () => {},
    globalThis,
    lookalike,
    Object.create(AbortSignal.prototype)
  ]) {
    await refusedAsTypeError(uniqueName(), { signal }, never)
  }
})

test('names that start with a hyphen are not supported', async () => {
  await refusedAs('NotSupportedError', '-', never)
  await refusedAs('NotSupportedError', '-foo', never)
  assert.is(await request('x-anything', () => 'granted'), 'granted')
})

test('steal and ifAvailable exclude each other', async () => {
  await refusedAs('NotSupportedError', uniqueName(), { steal: true, ifAvailable: true }, never)
})

test('a shared lock cannot be stolen', async () => {
  await refusedAs('NotSupportedError', uniqueName(), { mode: 'shared', steal: true }, never)
})

test('signal excludes steal and ifAvailable, aborted or not', async () => {
  for (const signal of [new AbortController().signal, AbortSignal.abort()]) {
    await refusedAs('NotSupportedError', uniqueName(), { signal, steal: true }, never)
    await refusedAs('NotSupportedError', uniqueName(), { signal, ifAvailable: true }, never)
  }
})

test('a reserved name is refused before an aborted signal is looked at', async () => {
  await refusedAs('NotSupportedError', '-', { signal: AbortSignal.abort(new RangeError('aborted')) }, never)
})

test('a name may be empty, and lone surrogates and NUL stay as they are', async () => {
  for (const name of ['', 'abc\0def', '\uD800', '\uDC00', '\uDC00\uD800', '\uFFFF']) {
    assert.is(await request(name, (lock: { name: string }) => lock.name), name)
  }
})

test('names that differ in a lone surrogate only are different locks', async () => {
  const held = await hold(locks, '\uD800')
  assert.is(await request('\uFFFD', { ifAvailable: true }, (lock: { name: string } | null) => lock?.name), '\uFFFD')
  assert.is(await request('\uDBFF', { ifAvailable: true }, (lock: { name: string } | null) => lock?.name), '\uDBFF')
  assert.equal(
    (await locks.query()).held.map(info => info.name),
    ['\uD800']
  )
  held.release()
  await held.result
})

test('request and query on anything but a lock manager reject with a TypeError', async () => {
  for (const receiver of [undefined, null, {}, Object.create(locks)]) {
    const requested = Reflect.apply(locks.request, receiver, [uniqueName(), never])
    assert.instance(await rejection(requested), TypeError)
    const queried = Reflect.apply(locks.query, receiver, [])
    assert.instance(await rejection(queried), TypeError)
  }
})

test.after(() => gov.close())
test.run()
