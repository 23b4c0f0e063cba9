import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open } from '../../lib/index.js'
import { rejection, uniqueName } from './web-locks.support.js'

const gov = open()
const { locks } = gov
const lock = await locks.request(uniqueName(), granted => granted)

for (const [object, name] of [
  [locks, 'LockManager'],
  [lock, 'Lock']
] as const) {
  test(`${name}: the interface object has the name and no parameters, and its prototype cannot be replaced`, () => {
    const Interface = object.constructor
    assert.is(Interface.name, name)
    assert.is(Interface.length, 0)
    const { writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(Interface, 'prototype') ?? {}
    assert.equal([writable, enumerable, configurable], [false, false, false])
  })

  test(`${name}: constructing or calling it is a TypeError`, () => {
    const Interface = object.constructor as unknown as { new (...args: unknown[]): object; (): object }
    for (const args of [[], [Symbol(name)], [undefined, 'name', 'shared']]) assert.throws(() => new Interface(...args), isTypeError)
    assert.throws(() => Interface(), isTypeError)
  })

  test(`${name}: objects have no properties of their own and show their class`, () => {
    assert.equal(Reflect.ownKeys(object), [])
    assert.is(Object.prototype.toString.call(object), `[object ${name}]`)
    assert.equal(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(object), Symbol.toStringTag), {
      value: name,
      writable: false,
      enumerable: false,
      configurable: true
    })
  })
}

test('request and query are enumerable methods, of length 2 and 0', () => {
  for (const [name, length] of [
    ['request', 2],
    ['query', 0]
  ] as const) {
    const descriptor = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(locks), name)
    assert.is(descriptor?.value.length, length)
    assert.is(descriptor?.value.name, name)
    assert.equal([descriptor?.writable, descriptor?.enumerable, descriptor?.configurable], [true, true, true])
    assert.not(Object.hasOwn(descriptor?.value, 'prototype'))
  }
})

test('name and mode of a lock are enumerable, read-only and refuse other objects', () => {
  for (const name of ['name', 'mode'] as const) {
    const descriptor = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(lock), name)
    assert.is(descriptor?.set, undefined)
    assert.equal([descriptor?.enumerable, descriptor?.configurable], [true, true])
    for (const receiver of [{}, Object.create(lock), locks, undefined]) assert.throws(() => descriptor?.get?.call(receiver), isTypeError)
    assert.throws(() => Object.assign(lock, { [name]: 'other' }), isTypeError)
  }
})

test('a lock keeps its name and mode after it was released', () => {
  assert.is(lock.mode, 'exclusive')
  assert.ok(lock.name.startsWith('web-locks'))
})

test('each grant has a lock object of its own', async () => {
  const name = uniqueName()
  const first = await locks.request(name, granted => granted)
  const second = await locks.request(name, granted => granted)
  assert.is.not(first, second)
})

test('gov.locks is the same object at every look', () => {
  assert.is(gov.locks, locks)
})

test('promises are those of this realm, whatever a script does to the global Promise', async () => {
  const { Promise: original } = globalThis
  const hostile = () => {
    throw new Error('not to be called')
  }
  const names = [uniqueName(), uniqueName()] as const
  globalThis.Promise = Object.assign(hostile, { resolve: hostile, reject: hostile }) as unknown as PromiseConstructor
  try {
    const requests = [locks.request(names[0], () => 1), locks.request(names[1], async () => 2), locks.request('-', () => 3)]
    for (const request of requests) assert.is(request.constructor, original)
    assert.is(await requests[0], 1)
    assert.is(await requests[1], 2)
    assert.is(((await rejection(requests[2] as Promise<number>)) as Error).name, 'NotSupportedError')
  } finally {
    globalThis.Promise = original
  }
})

function isTypeError(error: unknown): boolean {
  return error instanceof TypeError
}

test.after(() => gov.close())
test.run()
