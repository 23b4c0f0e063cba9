import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { optional } from '../../../lib/history/optional.js'
import { isForelockError, type LoadError } from '../../../lib/index.js'

test('a package that is not there is named, with the command that installs it and the reason', async () => {
  const cause = new Error('not found')
  const failed = await optional('a-database', () => Promise.reject(cause)).catch(error => error)
  assert.ok(isForelockError(failed, 'ERR_FORELOCK_LOAD'))
  assert.match(failed.message, 'npm install a-database')
  assert.equal((failed as LoadError).remedies, ['npm install a-database'])
  assert.is(failed.cause, cause)
})

test('who needs it is named', async () => {
  const needed = (who?: string) => optional('x', () => Promise.reject(new Error('not found')), who).catch(error => error.message)
  assert.match(await needed('a calendar'), /^a calendar needs the package x/)
  assert.match(await needed(), /^this history needs the package x/)
})

test('a package that is there is given', async () => {
  assert.is(await optional('path', async () => 7), 7)
})

test.run()
