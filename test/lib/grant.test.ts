import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isSettled, virtual } from './support.js'

for (const ending of ['release', 'success', 'ignore', 'drop'] as const) {
  test(`${ending}() ends a grant once`, () => {
    const lock = virtual().lock('a')
    const grant = lock.tryAcquire()!
    assert.is(grant[ending](), true)
    assert.is(grant.ended, true)
    const next = lock.tryAcquire()!
    for (const again of ['release', 'success', 'ignore', 'drop'] as const) assert.is(grant[again](), false)
    assert.is(next.ended, false)
    assert.is(lock.tryAcquire(), null)
    assert.is(next.release(), true)
  })
}

test('a second release of a shared grant takes nothing from the others', async () => {
  const lock = virtual().lock('a')
  const one = await lock.acquire({ mode: 'shared' })
  const two = await lock.acquire({ mode: 'shared' })
  assert.is(one.release(), true)
  assert.is(one.release(), false)
  assert.is(lock.tryAcquire(), null)
  assert.is(two.release(), true)
  assert.ok(lock.tryAcquire())
})

test('a grant ends at the end of its using block, also when the block throws', () => {
  const lock = virtual().lock('a')
  try {
    using grant = lock.tryAcquire()!
    assert.is(lock.tryAcquire(), null)
    assert.is(grant.ended, false)
    throw new Error('out of the block')
  } catch (error) {
    assert.is((error as Error).message, 'out of the block')
  }
  assert.ok(lock.tryAcquire())
})

test('a grant released in its using block is not released again at the end', () => {
  const lock = virtual().lock('a')
  let next: ReturnType<typeof lock.tryAcquire>
  {
    using grant = lock.tryAcquire()!
    grant.release()
    next = lock.tryAcquire()
  }
  assert.is(next?.ended, false)
  assert.is(lock.tryAcquire(), null)
})

test('a release gives the lock to the next waiter before it returns', async () => {
  const lock = virtual().lock('a')
  const grant = lock.tryAcquire()!
  const waiting = lock.acquire()
  assert.is(grant.release(), true)
  assert.is(lock.tryAcquire(), null)
  assert.is(await isSettled(waiting), true)
})

test('a grant is no thenable, so promises pass it on', async () => {
  const grant = virtual().lock('a').tryAcquire()!
  assert.is(await grant, grant)
  assert.is(await Promise.resolve(grant), grant)
})

test('the facts of a grant outlast it', () => {
  const grant = virtual().lock('a').tryAcquire({ tier: 'critical' })!
  const { token } = grant
  grant.release()
  assert.is(grant.token, token)
  assert.is(grant.name, 'a')
  assert.is(grant.tier, 'critical')
  assert.is(grant.mode, 'exclusive')
})

test.run()
