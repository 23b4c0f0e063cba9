import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fieldRules, recordedFields } from '../../../lib/access/fields.js'
import { Privacy } from '../../../lib/access/privacy.js'
import { isCoded, thrown } from '../support.js'

const privacy = new Privacy({ key: 'a key that is long enough' })
const recorded = (input: unknown, keep: string[], hash: string[]) => recordedFields(input, fieldRules(keep, hash), privacy)

test('what is neither kept nor hashed does not leave the run', () => {
  const fields = recorded({ bytes: 7, user: 'ada', card: '4111', ok: true }, ['bytes', 'ok'], ['user'])
  assert.equal(Object.keys(fields), ['bytes', 'ok', 'user'])
  assert.equal([fields.bytes, fields.ok], [7, true])
  assert.match(String(fields.user), /^~[\w-]{22}$/)
})

test('of what cannot be told in a word nothing is recorded, in the clear or as a hash', () => {
  const input = { list: [1], none: undefined, nan: Number.NaN, long: 'x'.repeat(300) }
  assert.equal(recorded(input, ['list', 'none'], ['nan', 'toString']), {})
  assert.equal(recorded(input, ['long'], []), { long: 'x'.repeat(256) })
  assert.equal(recorded('text', ['length'], ['0']), {})
})

test('the hash of a long string is that of all of it', () => {
  const one = recorded({ user: `${'x'.repeat(300)}1` }, [], ['user'])
  const other = recorded({ user: `${'x'.repeat(300)}2` }, [], ['user'])
  assert.is.not(one.user, other.user)
})

test('the same value has the same hash in a field, and another in another field or of another type', () => {
  const { a, b, c } = recorded({ a: '1', b: '1', c: 1 }, [], ['a', 'b', 'c'])
  assert.is(new Set([a, b, c]).size, 3)
  assert.is(recorded({ a: '1' }, [], ['a']).a, a)
  assert.is.not(recorded({ a: 1 }, [], ['a']).a, a)
})

test('a field is kept or hashed, not both', () => {
  isCoded(
    thrown(() => fieldRules(['user'], ['user'])),
    'ERR_FORELOCK_ARGUMENT'
  )
})

test.run()
