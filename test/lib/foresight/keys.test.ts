import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Keys } from '../../../lib/foresight/keys.js'

test('an element has the same number each time, in every process, and another than one of another kind or name', () => {
  const [keys, others] = [new Keys(), new Keys()]
  const { hash } = keys.of('lock', 'a')
  assert.is(keys.of('lock', 'a').hash, hash)
  assert.is(others.of('lock', 'a').hash, hash)
  assert.is(new Set([hash, keys.of('pool', 'a').hash, keys.of('lock', 'b').hash]).size, 3)
})

test('the number tells the element', () => {
  const keys = new Keys()
  const { number, hash, low, high } = keys.of('lock', 'a')
  assert.is(keys.number('lock', 'a'), number)
  assert.equal(keys.byHash(hash), { number, kind: 'lock', name: 'a', hash, low, high })
  assert.is((BigInt(high) << 32n) | BigInt(low), hash)
  assert.is(keys.byHash(1n), undefined)
})

test('of more than are kept the first are forgotten, and are the same when they come again', () => {
  const keys = new Keys()
  const { hash } = keys.of('lock', 'first')
  for (let i = 0; i < 200_000; i++) keys.of('lock', String(i))
  assert.is(keys.byHash(hash), undefined)
  assert.is(keys.of('lock', 'first').hash, hash)
  assert.is(keys.byHash(hash)?.name, 'first')
})

test.run()
