import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeRecord, type Governor, type GrantSet, type Lock, open, RECORD_BYTES } from '../../lib/index.js'
import { isCoded, isSettled, macrotask, rejection, virtual } from './support.js'

const locksOf = (gov: Governor, ...names: string[]): Lock[] => names.map(name => gov.lock(name))

test('all are taken, in the order asked for, and end together', async () => {
  const gov = virtual()
  const list = locksOf(gov, 'c', 'a', 'b')
  const set = await gov.acquireAll(list)
  assert.equal(
    set.grants.map(grant => grant.name),
    ['c', 'a', 'b']
  )
  assert.is(set.ended, false)
  assert.equal(
    list.map(lock => lock.tryAcquire()),
    [null, null, null]
  )
  assert.is(set.release(), true)
  assert.is(set.ended, true)
  assert.is(set.release(), false)
  for (const lock of list) assert.ok(lock.tryAcquire())
})

test('a set ends at the end of its using block', async () => {
  const gov = virtual()
  {
    using set = await gov.acquireAll(locksOf(gov, 'a', 'b'))
    assert.is(set.grants.length, 2)
  }
  assert.equal(gov.inspect(), [])
})

test('while one is held elsewhere none of the others is kept', async () => {
  const gov = virtual()
  const [a, b, c] = locksOf(gov, 'a', 'b', 'c') as [Lock, Lock, Lock]
  const held = b.tryAcquire()!
  const all = gov.acquireAll([a, b, c])
  assert.is(await isSettled(all), false)
  for (const lock of [a, c]) {
    const grant = lock.tryAcquire()
    assert.ok(grant, `${lock.name} is free`)
    grant.release()
  }
  held.release()
  assert.is((await all).grants.length, 3)
})

test('it moves on to the lock that refuses next, with its first arrival', async () => {
  const gov = virtual()
  const [a, b] = locksOf(gov, 'a', 'b') as [Lock, Lock]
  const holdsA = a.tryAcquire()!
  const holdsB = b.tryAcquire()!
  const all = gov.acquireAll([a, b])
  await macrotask()
  gov.advance(10)
  const order: string[] = []
  const later = b.acquire().then(grant => {
    order.push('later')
    grant.release()
  })
  const done = all.then(set => {
    order.push('all')
    set.release()
  })
  holdsA.release()
  await macrotask()
  holdsB.release()
  await Promise.all([later, done])
  assert.equal(order, ['all', 'later'])
})

test('modes, tiers and ttl may differ from lock to lock', async () => {
  const gov = virtual()
  const [a, b] = locksOf(gov, 'a', 'b') as [Lock, Lock]
  const set = await gov.acquireAll([a, [b, { mode: 'shared', tier: 'background', ttl: 10 }]], { tier: 'critical' })
  assert.equal(
    set.grants.map(grant => `${grant.mode} ${grant.tier}`),
    ['exclusive critical', 'shared background']
  )
  assert.ok(b.tryAcquire({ mode: 'shared' }))
  const { signal } = set
  gov.advance(11)
  assert.is(signal.aborted, true)
  isCoded(signal.reason, 'ERR_FORELOCK_TTL')
  assert.is(set.ended, true)
  assert.is(set.release(), false)
  assert.ok(a.tryAcquire())
})

test('it is asked for on behalf of the workflow, tenant and client that it names', async () => {
  const gov = virtual()
  gov.telemetry.attach()
  const set = await gov.acquireAll(locksOf(gov, 'a', 'b'), { workflow: 'w', tenant: 't', client: 'c' })
  const buffer = new Uint8Array(16 * RECORD_BYTES)
  const records = Array.from({ length: gov.telemetry.drain(buffer) }, (_, i) => decodeRecord(buffer, i * RECORD_BYTES))
  const ids = ['w', 't', 'c'].map(name => gov.telemetry.intern(name))
  assert.equal(
    records.map(({ event, workflow, tenant, client }) => [event, workflow, tenant, client]),
    [
      ['grant', ...ids],
      ['grant', ...ids]
    ]
  )
  set.release()
})

test('an option that is unknown is refused, of all and of one', async () => {
  const gov = virtual()
  const [lock] = locksOf(gov, 'a') as [Lock]
  for (const options of [{ mod: 'shared' }, { steal: true }] as object[]) {
    isCoded(await rejection(gov.acquireAll([lock], options)), 'ERR_FORELOCK_ARGUMENT')
    isCoded(await rejection(gov.acquireAll([[lock, options]])), 'ERR_FORELOCK_ARGUMENT')
  }
  assert.ok(lock.tryAcquire())
})

test('no locks are a set of none', async () => {
  const set = await virtual().acquireAll([])
  assert.equal(set.grants, [])
  assert.is(set.release(), true)
})

test('a lock that is in the list twice is refused, under whatever object', async () => {
  const gov = virtual()
  isCoded(await rejection(gov.acquireAll(locksOf(gov, 'a', 'b', 'a'))), 'ERR_FORELOCK_ARGUMENT')
  assert.equal(gov.inspect(), [])
})

test('what is no lock, or one of another arena, is refused', async () => {
  const gov = virtual()
  for (const list of [undefined, {}, 'ab', [1], [null], [[]], [['a']], [virtual().lock('a')], [[gov.lock('a'), 5]]] as never[]) {
    isCoded(await rejection(gov.acquireAll(list)), 'ERR_FORELOCK_ARGUMENT')
  }
})

test('the timeout is of the whole, and nothing is kept', async () => {
  const gov = virtual()
  const [a, b] = locksOf(gov, 'a', 'b') as [Lock, Lock]
  const holdsA = a.tryAcquire()!
  const holdsB = b.tryAcquire()!
  const all = gov.acquireAll([a, b], { waitTimeout: 100 })
  await macrotask()
  gov.advance(60)
  holdsA.release()
  await macrotask()
  gov.advance(60)
  const error = await rejection(all)
  isCoded(error, 'ERR_FORELOCK_TIMEOUT')
  assert.is(error.resource, 'b')
  assert.ok(a.tryAcquire())
  holdsB.release()
  assert.ok(b.tryAcquire())
})

test('with a waitTimeout of 0 all are taken at once, or none', async () => {
  const gov = virtual()
  const [a, b] = locksOf(gov, 'a', 'b') as [Lock, Lock]
  const held = b.tryAcquire()!
  isCoded(await rejection(gov.acquireAll([a, b], { waitTimeout: 0 })), 'ERR_FORELOCK_TIMEOUT')
  assert.ok(a.tryAcquire()?.release())
  held.release()
  assert.is((await gov.acquireAll([a, b], { waitTimeout: 0 })).grants.length, 2)
})

test('an abort ends it with the reason, and nothing is kept', async () => {
  const gov = virtual()
  const [a, b] = locksOf(gov, 'a', 'b') as [Lock, Lock]
  const held = b.tryAcquire()!
  const controller = new AbortController()
  const all = gov.acquireAll([a, b], { signal: controller.signal })
  await macrotask()
  controller.abort('enough')
  assert.is(await rejection(all), 'enough')
  assert.is(await rejection(gov.acquireAll([a], { signal: controller.signal })), 'enough')
  held.release()
  assert.equal(gov.inspect(), [])
})

test('close() settles one that waits', async () => {
  const gov = virtual()
  const [a, b] = locksOf(gov, 'a', 'b') as [Lock, Lock]
  b.tryAcquire()
  const all = gov.acquireAll([a, b])
  await macrotask()
  await gov.close()
  isCoded(await rejection(all), 'ERR_FORELOCK_CLOSED')
})

test('many that want overlapping locks in all orders are all served, never two at once', async () => {
  const gov = open({ fresh: true, autoEnclose: false })
  const names = ['a', 'b', 'c', 'd', 'e']
  const holders = new Map<string, number>()
  let random = 12345
  const below = (n: number) => {
    random = (Math.imul(random, 1103515245) + 12345) & 0x7fffffff
    return (random >> 8) % n
  }
  const work = async () => {
    for (let round = 0; round < 30; round++) {
      const wanted = names.filter(() => below(2) === 0).sort(() => below(3) - 1)
      const set = await gov.acquireAll(locksOf(gov, ...wanted))
      for (const name of wanted) {
        assert.is(holders.get(name) ?? 0, 0, `${name} is held once`)
        holders.set(name, 1)
      }
      await (below(4) === 0 ? macrotask() : null)
      for (const name of wanted) holders.set(name, 0)
      set.release()
    }
  }
  await Promise.all(Array.from({ length: 12 }, work))
  assert.equal(gov.inspect(), [])
  await gov.close()
})

test('one that is never lucky takes its locks in order, holding what it has', async () => {
  const gov = virtual({ ageing: 1000 })
  const [a, b] = locksOf(gov, 'a', 'b') as [Lock, Lock]
  const holdsA = a.tryAcquire()!
  const holdsB = b.tryAcquire()!
  const all = gov.acquireAll([a, b])
  await macrotask()
  gov.advance(2000)
  holdsA.release()
  await macrotask()
  // Aged: it has a and keeps it, while it waits for b.
  assert.is(a.tryAcquire(), null)
  holdsB.release()
  assert.is((await all).grants.length, 2)
})

test('in a cycle with somebody who orders differently it gives everything back, and wins later', async () => {
  const gov = virtual({ ageing: 10 })
  const [a, b] = locksOf(gov, 'a', 'b') as [Lock, Lock]
  const holdsA = a.tryAcquire()!
  const holdsB = b.tryAcquire()!
  const all = gov.acquireAll([a, b])
  await macrotask()
  gov.advance(100)
  holdsA.release()
  await macrotask()
  assert.is(a.tryAcquire(), null, 'it holds a and waits for b')
  // Older than the whole, so that the whole is the one to be refused: as a request it would be younger.
  const other = a.acquire({ within: holdsB })
  const outcome = other.then(
    grant => grant,
    error => error
  )
  for (let turn = 0; turn < 10; turn++) {
    gov.advance(50)
    await macrotask()
  }
  const got = await outcome
  // Whoever was the younger was refused or gave way; nobody hangs.
  if ('release' in got) got.release()
  else isCoded(got, 'ERR_FORELOCK_DEADLOCK')
  holdsB.release()
  for (let turn = 0; turn < 10; turn++) {
    gov.advance(50)
    await macrotask()
  }
  const set: GrantSet = await all
  assert.is(set.grants.length, 2)
})

test("a cycle of the caller's own making is reported, not tried for ever", async () => {
  const gov = virtual()
  const [a, b] = locksOf(gov, 'a', 'b') as [Lock, Lock]
  const outer = a.tryAcquire()!
  // Awaited from the beginning: on a virtual clock every tick of the arena looks for cycles, so it may be found before the clock moves.
  const refused = rejection(gov.acquireAll([a, b], { within: outer }))
  gov.advance(200)
  isCoded(await refused, 'ERR_FORELOCK_DEADLOCK')
  outer.release()
  assert.equal(gov.inspect(), [])
})

test.run()
