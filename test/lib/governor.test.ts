import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open, unlink } from '../../lib/index.js'
import { type Caught, isCoded, rejection, thrown, virtual } from './support.js'

const arena = `test-governor-${process.pid}`
test.after(() => {
  unlink(arena, { force: true })
})

test('open() without a name is one arena for the whole process', async () => {
  const one = open()
  const two = open()
  assert.is(one.handle, two.handle)
  assert.is(one.name, '')
  const grant = one.lock('a').tryAcquire()!
  assert.is(two.lock('a').tryAcquire(), null)
  grant.release()
  await one.close()
  assert.ok(two.lock('a').tryAcquire())
  await two.close()
})

test('a fresh arena is another one, which its handle joins', async () => {
  const base = open()
  const fresh = open({ fresh: true })
  const joined = open({ handle: fresh.handle })
  assert.is.not(fresh.handle, base.handle)
  assert.is(joined.handle, fresh.handle)
  const grant = fresh.lock('a').tryAcquire()!
  assert.is(joined.lock('a').tryAcquire(), null)
  assert.ok(base.lock('a').tryAcquire()?.release())
  grant.release()
  await Promise.all([base.close(), fresh.close(), joined.close()])
})

test('a handle that nobody has given out is refused', () => {
  for (const handle of ['', 'x', '0'.repeat(32), '../../etc/passwd']) {
    isCoded(
      thrown(() => open({ handle })),
      'ERR_FORELOCK_NOT_FOUND'
    )
  }
})

test('a named arena is shared by its name, and its locks are others than those of private ones', async () => {
  const one = open({ name: arena })
  const two = open({ name: arena })
  assert.is(one.name, arena)
  assert.is(one.handle, '')
  const grant = one.lock('a').tryAcquire()!
  assert.is(two.lock('a').tryAcquire(), null)
  grant.release()
  await one.close()
  await two.close()
  assert.is(unlink(arena), true)
  assert.is(unlink(arena), false)
})

test('unlink refuses while the arena is in use, unless forced; then its users are told', async () => {
  const gov = open({ name: arena })
  const lock = gov.lock('a')
  const grant = lock.tryAcquire()!
  const waiting = rejection(lock.acquire())
  isCoded(
    thrown(() => unlink(arena)),
    'ERR_FORELOCK_IN_USE'
  )
  assert.is(unlink(arena, { force: true }), true)
  isCoded(await waiting, 'ERR_FORELOCK_RETIRED')
  isCoded(await rejection(gov.lock('b').acquire()), 'ERR_FORELOCK_RETIRED')
  assert.type(grant.release(), 'boolean')
  await gov.close()
})

test('the options of the first opener stand: another value is an error with both', async () => {
  const gov = open({ name: arena, ageing: 500, tiers: ['low', 'high'] })
  assert.is(gov.ageing, 500)
  assert.equal(gov.tiers, ['low', 'high'])
  const error = thrown(() => open({ name: arena, ageing: 700 }))
  isCoded(error, 'ERR_FORELOCK_CONFIG')
  assert.is(error.option, 'ageing')
  assert.is(error.stored, 500)
  assert.is(error.given, 700)
  const same = open({ name: arena, ageing: 500 })
  const updated = open({ name: arena, ageing: 700, update: true })
  assert.is(updated.ageing, 700)
  await Promise.all([gov.close(), same.close(), updated.close()])
  unlink(arena)
})

test('capacities are as chosen, and running out of one names the option', async () => {
  const gov = open({ fresh: true, capacity: { elements: 64, waiters: 128, participants: 3 } })
  assert.is(gov.capacity.participants, 3)
  const grants = []
  let error: Caught
  for (let i = 0; i < 10_000 && error === undefined; i++) {
    try {
      grants.push(gov.lock(`lock ${i}`).tryAcquire())
    } catch (thrown) {
      error = thrown
    }
  }
  isCoded(error, 'ERR_FORELOCK_CAPACITY')
  assert.is(error.option, 'capacity.elements')
  assert.is(error.limit, gov.capacity.elements)
  // Nothing was lost: what is released makes room.
  for (const grant of grants) assert.is(grant?.release(), true)
  assert.ok(gov.lock('another').tryAcquire())
  await gov.close()
})

test('running out of waiters names the option, and who waits is still served', async () => {
  const gov = open({ fresh: true, capacity: { waiters: 128 } })
  const lock = gov.lock('a')
  const held = lock.tryAcquire()!
  const waits = Array.from({ length: 1000 }, () => lock.acquire({ waitTimeout: 60_000 }).then(grant => grant.release()))
  const outcomes = Promise.allSettled(waits)
  held.release()
  const refused = (await outcomes).filter(outcome => outcome.status === 'rejected') as PromiseRejectedResult[]
  assert.ok(refused.length > 0 && refused.length < 1000)
  for (const { reason } of refused) {
    isCoded(reason, 'ERR_FORELOCK_CAPACITY')
    assert.is(reason.option, 'capacity.waiters')
  }
  assert.ok(lock.tryAcquire())
  await gov.close()
})

test('an endless stream of distinct names does not fill the arena', async () => {
  const gov = open({ fresh: true, capacity: { elements: 64 } })
  for (let i = 0; i < 5000; i++) assert.is(gov.lock(`key ${i}`).tryAcquire()?.release(), true)
  await gov.close()
})

test('a lock object stays good when its element is recycled, and its tokens go on growing', async () => {
  const gov = open({ fresh: true, capacity: { elements: 64 } })
  const lock = gov.lock('a')
  const first = lock.tryAcquire()!
  first.release()
  for (let i = 0; i < 1000; i++) gov.lock(`other ${i}`).tryAcquire()!.release()
  const second = await lock.acquire()
  assert.ok(second.token > first.token)
  assert.is(first.release(), false)
  assert.is(second.release(), true)
  await gov.close()
})

test('tokens go on growing when a named arena is made anew', async () => {
  const tokens: bigint[] = []
  for (let round = 0; round < 3; round++) {
    const gov = open({ name: arena })
    tokens.push((await gov.lock('a').acquire()).token)
    await gov.close()
    unlink(arena)
  }
  assert.ok(tokens[0]! < tokens[1]! && tokens[1]! < tokens[2]!)
})

test('lock names and defaults of the wrong kind are refused', () => {
  const gov = virtual()
  for (const name of [undefined, null, 1, {}, Symbol('a'), ['a']] as never[]) {
    isCoded(
      thrown(() => gov.lock(name)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  for (const defaults of [
    null,
    1,
    'shared',
    { mode: 'both' },
    { tier: 'urgent' },
    { waitTimeout: -1 },
    { ttl: 0 },
    { signal: 1 }
  ] as never[]) {
    isCoded(
      thrown(() => gov.lock('a', defaults)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test('gov.locks is one lock manager, whose locks are those of gov.lock()', async () => {
  const gov = virtual()
  assert.is(gov.locks, gov.locks)
  await gov.locks.request('a', () => assert.is(gov.lock('a').tryAcquire(), null))
})

test('the getters tell what was opened', () => {
  const gov = virtual({ ageing: 250 })
  assert.equal(gov.tiers, ['background', 'standard', 'interactive', 'critical'])
  assert.is(gov.ageing, 250)
  assert.is(gov.closed, false)
  assert.type(gov.client, 'string')
  assert.ok(gov.capacity.elements > 0)
  assert.throws(() => (gov.tiers as string[]).push('more'))
})

test.run()
