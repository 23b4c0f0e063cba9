import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Grant } from '../../lib/index.js'
import { isCoded, isSettled, macrotask, rejection, thrown, virtual } from './support.js'

test('a free lock is taken by tryAcquire, and refused to a second one until released', () => {
  const lock = virtual().lock('a')
  const grant = lock.tryAcquire()
  assert.ok(grant)
  assert.is(lock.tryAcquire(), null)
  assert.is(grant.release(), true)
  assert.ok(lock.tryAcquire())
})

test('a free lock is granted by acquire with the terms of the grant on it', async () => {
  const grant = await virtual().lock('a').acquire()
  assert.is(grant.name, 'a')
  assert.is(grant.mode, 'exclusive')
  assert.is(grant.tier, 'standard')
  assert.is(grant.ownerDied, false)
  assert.is(grant.ended, false)
  assert.is(typeof grant.token, 'bigint')
})

test('two lock objects of one name are one lock, and other names are others', () => {
  const gov = virtual()
  assert.ok(gov.lock('a').tryAcquire())
  assert.is(gov.lock('a').tryAcquire(), null)
  assert.ok(gov.lock('b').tryAcquire())
})

test('names may be any string: empty, long, with NUL or lone surrogates', () => {
  const gov = virtual()
  const names = ['', '\0', '\ud800', '\udc00', 'é', 'e\u0301', 'x'.repeat(4096)]
  const taken = names.map(name => gov.lock(name).tryAcquire())
  assert.is(taken.filter(grant => grant !== null).length, names.length)
  assert.equal(
    taken.map(grant => grant?.name),
    names
  )
})

test('a name beyond 4,096 code units is refused', async () => {
  const lock = virtual().lock('x'.repeat(4097))
  isCoded(
    thrown(() => lock.tryAcquire()),
    'ERR_FORELOCK_NAME'
  )
  isCoded(await rejection(lock.acquire()), 'ERR_FORELOCK_NAME')
})

test('waiters of one tier are served first come, first served', async () => {
  const lock = virtual().lock('a')
  const order: number[] = []
  const first = await lock.acquire()
  const all = [1, 2, 3, 4, 5].map(async i => {
    const grant = await lock.acquire()
    order.push(i)
    grant.release()
  })
  first.release()
  await Promise.all(all)
  assert.equal(order, [1, 2, 3, 4, 5])
})

test('waiters of higher tiers are served before those of lower ones', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const order: string[] = []
  const first = await lock.acquire()
  const all = ['background', 'standard', 'critical', 'interactive', 'critical'].map(async tier => {
    const grant = await lock.acquire({ tier })
    assert.is(grant.tier, tier)
    order.push(tier)
    grant.release()
  })
  first.release()
  await Promise.all(all)
  assert.equal(order, ['critical', 'critical', 'interactive', 'standard', 'background'])
})

test('a lower tier that has waited longer than ageing goes before a higher one', async () => {
  const gov = virtual({ ageing: 100 })
  const lock = gov.lock('a')
  const order: string[] = []
  const queue = async (tier: string) => {
    const grant = await lock.acquire({ tier })
    order.push(tier)
    grant.release()
  }
  const first = await lock.acquire()
  const low = queue('standard')
  gov.advance(150)
  const high = queue('interactive')
  first.release()
  await Promise.all([low, high])
  assert.equal(order, ['standard', 'interactive'])
})

test('shared holders go together, and exclude an exclusive one', async () => {
  const lock = virtual().lock('a')
  const readers = await Promise.all([1, 2, 3].map(() => lock.acquire({ mode: 'shared' })))
  assert.ok(readers.every(grant => grant.mode === 'shared'))
  assert.is(new Set(readers.map(grant => grant.token)).size, 3)
  const writer = lock.acquire()
  for (const reader of readers) {
    assert.is(await isSettled(writer), false)
    reader.release()
  }
  assert.is((await writer).mode, 'exclusive')
})

test('readers that come after a waiting writer do not pass it', async () => {
  const lock = virtual().lock('a')
  const reader = await lock.acquire({ mode: 'shared' })
  const writer = lock.acquire()
  assert.is(lock.tryAcquire({ mode: 'shared' }), null)
  const later = lock.acquire({ mode: 'shared' })
  reader.release()
  const grant = await writer
  assert.is(await isSettled(later), false)
  grant.release()
  ;(await later).release()
})

test('more shared waiters than one batch holds are all granted by one release', async () => {
  const lock = virtual().lock('a')
  const writer = await lock.acquire()
  const readers = Array.from({ length: 100 }, () => lock.acquire({ mode: 'shared' }))
  writer.release()
  assert.is(new Set((await Promise.all(readers)).map(grant => grant.token)).size, 100)
})

test('tokens grow with every grant, exclusive or shared, tried or waited for', async () => {
  const lock = virtual().lock('a')
  const tokens: bigint[] = []
  for (let round = 0; round < 50; round++) {
    const tried = lock.tryAcquire() as Grant
    tokens.push(tried.token)
    const waiting = lock.acquire({ mode: round % 3 === 0 ? 'shared' : 'exclusive' })
    tried.release()
    const waited = await waiting
    tokens.push(waited.token)
    waited.release()
  }
  for (let i = 1; i < tokens.length; i++) assert.ok(tokens[i]! > tokens[i - 1]!, `token ${i}`)
})

test('a wait ends with a TimeoutError that says what was waited for and how long', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const held = await lock.acquire()
  const waiting = lock.acquire({ waitTimeout: 200 })
  gov.advance(199)
  assert.is(await isSettled(waiting), false)
  gov.advance(1)
  const error = await rejection(waiting)
  isCoded(error, 'ERR_FORELOCK_TIMEOUT')
  assert.is(error.resource, 'a')
  assert.is(error.waitedMs, 200)
  held.release()
  assert.ok(lock.tryAcquire())
})

test('with a waitTimeout of 0 acquire takes a free lock and waits for none', async () => {
  const lock = virtual().lock('a')
  const grant = await lock.acquire({ waitTimeout: 0 })
  isCoded(await rejection(lock.acquire({ waitTimeout: 0 })), 'ERR_FORELOCK_TIMEOUT')
  grant.release()
})

test('what the lock asks for by default is asked for, unless a request says otherwise', async () => {
  const gov = virtual()
  const lock = gov.lock('a', { mode: 'shared', tier: 'critical', waitTimeout: 5, ttl: 1000 })
  const shared = await lock.acquire()
  assert.is(shared.mode, 'shared')
  assert.is(shared.tier, 'critical')
  const exclusive = lock.acquire({ mode: 'exclusive', tier: 'background' })
  gov.advance(5)
  isCoded(await rejection(exclusive), 'ERR_FORELOCK_TIMEOUT')
  gov.advance(1000)
  assert.is(shared.release(), false)
})

test('an option that is misspelt is refused before anything is taken', async () => {
  const lock = virtual().lock('a')
  const misspelt = { mod: 'shared' } as never
  isCoded(await rejection(lock.acquire(misspelt)), 'ERR_FORELOCK_ARGUMENT')
  isCoded(
    thrown(() => lock.tryAcquire(misspelt)),
    'ERR_FORELOCK_ARGUMENT'
  )
  isCoded(await rejection(lock.request(misspelt).granted), 'ERR_FORELOCK_ARGUMENT')
  assert.ok(lock.tryAcquire())
})

test('what is of no use to one who does not wait is refused, not passed over', () => {
  const lock = virtual().lock('a', { waitTimeout: 5 })
  for (const options of [{ waitTimeout: 1 }, { waitTimeout: 0 }, { signal: AbortSignal.abort() }]) {
    const error = thrown(() => lock.tryAcquire(options as never))
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.is(error.option, Object.keys(options)[0])
  }
  assert.ok(lock.tryAcquire({ tier: 'critical' }))
})

test('with() holds the lock while its callback runs and returns what it returns', async () => {
  const lock = virtual().lock('a')
  const result = await lock.with(async grant => {
    assert.is(grant.name, 'a')
    assert.is(lock.tryAcquire(), null)
    await macrotask()
    return 42
  })
  assert.is(result, 42)
  assert.ok(lock.tryAcquire())
})

test('with() takes options before the callback', async () => {
  const lock = virtual().lock('a')
  assert.is(await lock.with({ mode: 'shared', tier: 'critical' }, grant => `${grant.mode} ${grant.tier}`), 'shared critical')
  assert.is(await lock.with(undefined, () => 1), 1)
})

test('with() releases when its callback throws at once, or later', async () => {
  const lock = virtual().lock('a')
  const now = new Error('now')
  const later = new Error('later')
  const throwing = lock.with(() => {
    throw now
  })
  assert.is(await rejection(throwing), now)
  const rejecting = lock.with(async () => {
    await macrotask()
    throw later
  })
  assert.is(await rejection(rejecting), later)
  assert.ok(lock.tryAcquire())
})

test('with() lets its callback end the grant early', async () => {
  const lock = virtual().lock('a')
  await lock.with(grant => {
    assert.is(grant.release(), true)
    const again = lock.tryAcquire()
    assert.ok(again)
    again.release()
  })
  assert.ok(lock.tryAcquire())
})

test('the async context of the caller is there after a wait', async () => {
  const storage = new AsyncLocalStorage<string>()
  const lock = virtual().lock('a')
  const held = await lock.acquire()
  const seen: (string | undefined)[] = []
  const waits = ['one', 'two'].map(context =>
    storage.run(context, async () => {
      const grant = await lock.acquire()
      seen.push(storage.getStore())
      grant.release()
    })
  )
  storage.run('the releaser', () => held.release())
  await Promise.all(waits)
  assert.equal(seen, ['one', 'two'])
})

test('more waiters than any page of the table holds are all served in order', async () => {
  const lock = virtual().lock('a')
  const held = await lock.acquire()
  const order: number[] = []
  const all = Array.from({ length: 1000 }, async (_, i) => {
    const grant = await lock.acquire()
    order.push(i)
    grant.release()
  })
  held.release()
  await Promise.all(all)
  assert.equal(
    order,
    Array.from({ length: 1000 }, (_, i) => i)
  )
})

test('a grant is given to nobody else before its owner has seen it', async () => {
  const lock = virtual().lock('a')
  const held = await lock.acquire()
  const waiting = lock.acquire()
  held.release()
  assert.is(lock.tryAcquire(), null)
  ;(await waiting).release()
  assert.ok(lock.tryAcquire())
})

test.run()
