import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { describe } from '../../lib/checks.js'
import { thrown, virtual } from './support.js'

test('what is refused is called by its kind, and what is of a class by that: one from another copy of the package looks like ours', async () => {
  class Bucket {}
  assert.is(describe(new Bucket()), 'an object of class Bucket')
  assert.is(describe(new Map()), 'an object of class Map')
  for (const plain of [{}, Object.create(null), { constructor: Bucket }, new (class {})()]) assert.is(describe(plain), 'an object')
  assert.equal([null, undefined, 1, 1n, 'x', [1, 2], Bucket].map(describe), [
    'null',
    'undefined',
    '1',
    'a bigint',
    '"x"',
    'an array of 2',
    'a function'
  ])
  const gov = virtual()
  const refused = thrown(() => gov.bucket('below', { rate: 1, parent: new Bucket() as never }))
  assert.is(refused.message, 'parent must be a bucket, not an object of class Bucket')
  await gov.close()
})

test('nothing of what is refused is called', () => {
  const never = () => {
    throw new Error('called')
  }
  const traps = { get: never, getPrototypeOf: never, getOwnPropertyDescriptor: never, has: never, ownKeys: never }
  const named = (property: PropertyDescriptor) => Object.create({ constructor: Object.defineProperty(() => {}, 'name', property) })
  const hostile = [
    new Proxy({}, traps),
    Object.create(new Proxy({}, traps)),
    Object.create(Object.defineProperty({}, 'constructor', { get: never })),
    Object.create({ constructor: new Proxy(class Some {}, traps) }),
    named({ get: never }),
    named({ value: 'Two\nlines' }),
    named({ value: 1 })
  ]
  assert.equal(
    hostile.map(describe),
    hostile.map(() => 'an object')
  )
})

test.run()
