import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as errors from '../../lib/errors/index.js'
import { isForelockError } from '../../lib/index.js'

const samples: errors.ForelockError[] = [
  new errors.AccessError('m', { role: 'viewer', action: 'sql', subject: 's' }),
  new errors.ArgumentError('m', { option: 'o', given: 1 }),
  new errors.CapacityError('m', { option: 'capacity.elements', limit: 5 }),
  new errors.ClosedError('m', { resource: 'r' }),
  new errors.ConfigError('m', { option: 'o', stored: 1, given: 2 }),
  new errors.CorruptError('m', {}),
  new errors.DeadlockError('m', { resource: 'r', waitedMs: 1, cycle: 'a → b' }),
  new errors.ForkedError('m', {}),
  new errors.InUseError('m', {}),
  new errors.LoadError('m', { attempts: [], remedies: [] }),
  new errors.MemoryError('m', {}),
  new errors.NameError('m', { resource: 'r' }),
  new errors.NotFoundError('m', { resource: 'r' }),
  new errors.OwnerError('m', {}),
  new errors.ReplayError('m', { id: 'i' }),
  new errors.RetiredError('m', {}),
  new errors.SchemaError('m', { field: 'f', given: 1 }),
  new errors.SignatureError('m', { reason: 'mismatch' }),
  new errors.StolenError('m', { resource: 'r', token: 1n }),
  new errors.TimeoutError('m', { resource: 'r', waitedMs: 1 }),
  new errors.TraceError('m', { file: 'f', line: 2 }),
  new errors.TtlError('m', { resource: 'r', token: 1n }),
  new errors.UnsupportedError('m', {}),
  new errors.VersionError('m', { option: 'o', stored: 1, given: 2 })
]

test('every error has a code of its own, its name, and its facts as properties', () => {
  assert.is(new Set(samples.map(error => error.code)).size, samples.length)
  for (const error of samples) {
    assert.instance(error, Error)
    assert.instance(error, errors.ForelockError)
    assert.match(error.code, /^ERR_FORELOCK_[A-Z_]+$/)
    assert.is(error.name, error.constructor.name)
    assert.is(String(error), `${error.name}: m`)
    assert.ok(error.stack?.startsWith(`${error.name}: m`))
    for (const [fact, value] of Object.entries(error.facts)) assert.is((error as never as Record<string, unknown>)[fact], value)
  }
})

test('a cause is kept where there is one, and no property where there is none', () => {
  const cause = new Error('why')
  assert.is(new errors.CorruptError('m', {}, cause).cause, cause)
  assert.is('cause' in new errors.CorruptError('m', {}), false)
})

test('the type guard knows all of them, by code, and nothing else', () => {
  for (const error of samples) {
    assert.is(isForelockError(error), true)
    assert.is(isForelockError(error, error.code), true)
    assert.is(isForelockError(error, error.code === 'ERR_FORELOCK_TTL' ? 'ERR_FORELOCK_NAME' : 'ERR_FORELOCK_TTL'), false)
  }
  for (const other of [undefined, null, 1, 'ERR_FORELOCK_TTL', {}, new Error('x'), { code: 'ERR_FORELOCK_TTL' }, () => {}]) {
    assert.is(isForelockError(other), false)
  }
})

test('with a code the compiler knows the facts of the error', () => {
  const error: unknown = new errors.ConfigError('m', { option: 'rate', stored: 1, given: 2 })
  if (!isForelockError(error, 'ERR_FORELOCK_CONFIG')) throw error
  const option: string = error.facts.option
  assert.equal([option, error.stored, error.given], ['rate', 1, 2])
})

test.run()
