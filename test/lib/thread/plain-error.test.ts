import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ArgumentError, isForelockError, LoadError } from '../../../lib/index.js'
import { errorOf, plainError } from '../../../lib/thread/plain-error.js'

const sent = (error: unknown) => errorOf(structuredClone(plainError(error)))

test('an error of forelock arrives as one, with its code and its facts', () => {
  const error = sent(new ArgumentError('bad', { option: 'period', given: 7 })) as ArgumentError
  assert.ok(isForelockError(error))
  assert.equal([error.name, error.message, error.code, error.option], ['ArgumentError', 'bad', 'ERR_FORELOCK_ARGUMENT', 'period'])
})

test('what cannot be sent of the facts stays behind', () => {
  const error = sent(new ArgumentError('bad', { option: 'fn', given: () => {} }))
  assert.is(error.message, 'bad')
  const loading = sent(new LoadError('no addon', { attempts: [{ path: 'a', error: new Error('b') }] } as never))
  assert.is(loading.message, 'no addon')
})

test('an error of the system keeps its code, and any other its message', () => {
  assert.is((sent(Object.assign(new Error('full'), { code: 'ENOSPC' })) as { code?: string }).code, 'ENOSPC')
  assert.is(sent(new TypeError('x')).message, 'x')
  assert.is(sent('only words').message, 'only words')
})

test('it tells where it came from', () => {
  const error = new Error('x')
  assert.is(sent(error).stack, error.stack)
})

test.run()
