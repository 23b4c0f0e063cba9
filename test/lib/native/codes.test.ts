import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Code } from '../../../lib/native/binding.js'
import { failure, fromNative, isGone } from '../../../lib/native/codes.js'
import { type Caught, isCoded } from '../support.js'

const capacity = { elements: 10, waiters: 20, names: 30, memory: 40 }

test('every negative answer is its error', () => {
  const expected = [
    [Code.Closed, 'ERR_FORELOCK_CLOSED'],
    [Code.Corrupt, 'ERR_FORELOCK_CORRUPT'],
    [Code.NoElements, 'ERR_FORELOCK_CAPACITY'],
    [Code.NoWaiters, 'ERR_FORELOCK_CAPACITY'],
    [Code.NoNames, 'ERR_FORELOCK_CAPACITY'],
    [Code.NoHeap, 'ERR_FORELOCK_CAPACITY'],
    [Code.NoKeys, 'ERR_FORELOCK_CAPACITY'],
    [Code.NameTooLong, 'ERR_FORELOCK_NAME'],
    [Code.OutOfMemory, 'ERR_FORELOCK_MEMORY'],
    [Code.Retired, 'ERR_FORELOCK_RETIRED'],
    [Code.Forked, 'ERR_FORELOCK_FORKED'],
    [Code.BadArgument, 'ERR_FORELOCK_ARGUMENT'],
    [-99, 'ERR_FORELOCK_CORRUPT']
  ] as const
  for (const [code, name] of expected) isCoded(failure(code, { resource: 'a', capacity }), name)
})

test('running out names the option to raise and its limit', () => {
  for (const [code, option, limit] of [
    [Code.NoElements, 'capacity.elements', 10],
    [Code.NoWaiters, 'capacity.waiters', 20],
    [Code.NoNames, 'capacity.names', 30],
    [Code.NoHeap, 'capacity.memory', 40]
  ] as const) {
    const error = failure(code, { capacity }) as Caught
    assert.is(error.option, option)
    assert.is(error.limit, limit)
    assert.match(error.message, `${option} = ${limit}`)
  }
})

test('huge names are cut in messages', () => {
  const error = failure(Code.NameTooLong, { resource: 'x'.repeat(1e6) })
  assert.ok(error.message.length < 300)
  assert.ok((error as Caught).resource.length <= 100)
})

test('an answer that a grant is gone is told from damage', () => {
  for (const code of [Code.Lost, Code.Closed, Code.Retired, Code.Forked]) assert.is(isGone(code), true)
  for (const code of [Code.Ok, Code.Corrupt, Code.BadArgument]) assert.is(isGone(code), false)
})

test('errors thrown by the addon become their classes, with message, facts and cause', () => {
  for (const name of [
    'ARGUMENT',
    'CAPACITY',
    'CLOSED',
    'CONFIG',
    'CORRUPT',
    'FORKED',
    'IN_USE',
    'MEMORY',
    'NAME',
    'OWNER',
    'RETIRED',
    'VERSION'
  ]) {
    const thrown = Object.assign(new Error('said'), { code: `ERR_FORELOCK_${name}`, option: 'ageing', stored: 1, given: 2 })
    const error = fromNative(thrown, 'orders') as Caught
    isCoded(error, `ERR_FORELOCK_${name}` as never)
    assert.is(error.message, 'said')
    assert.is(error.cause, thrown)
  }
})

test('anything else that is thrown is passed on as it is', () => {
  const plain = new Error('x')
  for (const value of [plain, 1, null, undefined, { code: 'ERR_FORELOCK_NAME' }]) assert.is(fromNative(value, 'a'), value)
})

test.run()
