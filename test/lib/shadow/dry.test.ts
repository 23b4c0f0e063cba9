import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Allocation, type Governor, type Grant, open } from '../../../lib/index.js'
import { isCoded, isSettled, macrotask, rejection, thrown, virtual } from '../support.js'

const rules = (gov: Governor) => Object.fromEntries(gov.shadow.rules().map(({ kind, name, ...counts }) => [`${kind} ${name}`, counts]))

test('a lock that runs dry grants what it would refuse or make wait, and counts it', async () => {
  const gov = virtual()
  const lock = gov.lock('a', { shadow: true })
  const first = lock.tryAcquire() as Grant
  const second = lock.tryAcquire() as Grant
  const third = await lock.acquire({ tier: 'background' })
  const now = await lock.acquire({ waitTimeout: 0 })
  assert.equal(rules(gov), { 'lock a': { grants: 1, waits: 1, refusals: 2 } })
  for (const grant of [first, second, third, now]) {
    assert.is(grant.name, 'a')
    assert.is(grant.release(), true)
    assert.is(grant.release(), false)
  }
  lock.tryAcquire()?.release()
  assert.equal(rules(gov), { 'lock a': { grants: 2, waits: 1, refusals: 2 } })
})

test('a dry grant is all that a grant is: it has a tier, a token, a signal and a ttl of its own', async () => {
  const gov = virtual()
  const lock = gov.lock('a', { shadow: true, ttl: 50 })
  const real = lock.tryAcquire() as Grant
  const dry = await lock.acquire({ tier: 'critical' })
  assert.equal([dry.tier, dry.mode, typeof dry.token, dry.ended], ['critical', 'exclusive', 'bigint', false])
  const { signal } = dry
  gov.advance(60)
  assert.is(signal.aborted, true)
  assert.is(real.signal.aborted, true)
})

test('what runs dry is in nobody\u2019s way, and what is enforced does not show there', async () => {
  const gov = virtual()
  const [dry, real] = [gov.lock('a', { shadow: true }), gov.lock('a')]
  const [dryGrant, grant] = [dry.tryAcquire(), real.tryAcquire()]
  assert.ok(dryGrant)
  assert.ok(grant)
  const waits = real.acquire()
  assert.is(await isSettled(waits), false)
  assert.ok(dry.tryAcquire())
  assert.is(real.tryAcquire(), null)
  grant?.release()
  ;(await waits).release()
  assert.equal(rules(gov), { 'lock a': { grants: 1, waits: 0, refusals: 1 } })
})

test('keyed buckets that run dry grant what they would refuse, count it, and take nothing of those that are enforced', () => {
  const gov = virtual()
  const dry = gov.buckets('users', { rate: 2, shadow: true })
  const real = gov.buckets('users', { rate: 2 })
  assert.equal(
    [dry.tryTake('ada', 2), dry.tryTake('ada'), dry.tryTake('bob'), dry.tryTake('bob', 9)].map(({ ok, waitMs }) => [ok, waitMs]),
    Array.from({ length: 4 }, () => [true, 0])
  )
  assert.equal(rules(gov), { 'buckets users': { grants: 2, waits: 0, refusals: 2 } })
  assert.is(dry.peek('ada').ok, false)
  assert.is(real.tryTake('ada', 2).ok, true)
  assert.is(real.tryTake('ada').ok, false)
  gov.advance(1000)
  dry.tryTake('ada')
  assert.equal(rules(gov), { 'buckets users': { grants: 3, waits: 0, refusals: 2 } })
})

test('a key that a dry family has no room for is granted all the same', () => {
  const gov = virtual()
  const dry = gov.buckets('users', { rate: 1, keys: 1, shadow: true })
  for (let i = 0; i < 5000; i++) assert.is(dry.tryTake(`user ${i}`).ok, true)
  const { grants, refusals } = rules(gov)['buckets users'] ?? { grants: 0, refusals: 0 }
  assert.is(grants + refusals, 5000)
  assert.ok(refusals > 0 && grants > 0)
})

test('Web Locks run dry with their governor: nobody waits, and who holds one is shown by its name', async () => {
  const gov = virtual({ shadow: true })
  const held = await new Promise<() => void>(resolve => {
    void gov.locks.request('a', () => new Promise<void>(release => resolve(release)))
  })
  assert.is(await gov.locks.request('a', async lock => lock.name), 'a')
  assert.is(await gov.locks.request('a', { ifAvailable: true }, async lock => lock?.mode), 'exclusive')
  assert.equal(rules(gov), { 'lock a': { grants: 1, waits: 1, refusals: 1 } })
  assert.equal(await gov.locks.query(), { held: [{ clientId: gov.client, mode: 'exclusive', name: 'a' }], pending: [] })
  held()
})

test('a Web Lock that is stolen dry is taken from who holds it dry, and from nobody else', async () => {
  const dry = virtual({ shadow: true })
  const real = virtual({ handle: dry.handle })
  const enforced = real.lock('a').tryAcquire()
  const robbed = rejection(dry.locks.request('a', () => new Promise<void>(() => {})))
  await macrotask()
  assert.is(await dry.locks.request('a', { steal: true }, async lock => lock.name), 'a')
  assert.is((await robbed).name, 'AbortError')
  assert.is(enforced?.ended, false)
  assert.is(real.lock('a').tryAcquire(), null)
})

test('who holds a dry lock is shown under the name that users know, and told apart', () => {
  const gov = virtual()
  gov.lock('a').tryAcquire()
  const dry = gov.lock('a', { shadow: true })
  dry.tryAcquire()
  assert.equal(
    gov.inspect('a').map(({ name, shadow }) => [name, shadow]),
    [
      ['a', false],
      ['a', true]
    ]
  )
  dry.tryAcquire()
  assert.equal(
    gov
      .inspect()
      .map(({ name, shadow }) => `${name} ${shadow}`)
      .sort(),
    ['a false', 'a true', 'a true']
  )
})

test('its shadow requests tell of the dry ones', () => {
  const gov = virtual()
  gov.lock('a').tryAcquire()
  const dry = gov.lock('a', { shadow: true })
  assert.is(dry.shadow().verdict, 'grant')
  dry.tryAcquire()
  assert.is(dry.shadow().verdict, 'wait')
})

test('several that run dry are counted against each other in all environments of the arena', () => {
  const one = virtual()
  const two = open({ handle: one.handle, clock: 'virtual', autoEnclose: false })
  const held = one.lock('a', { shadow: true }).tryAcquire()
  two.lock('a', { shadow: true }).tryAcquire()
  assert.equal([rules(one)['lock a']?.grants, rules(two)['lock a']?.refusals], [1, 1])
  held?.release()
})

test('a bucket that runs dry gives tokens that are not there, also more than it could ever hold', async () => {
  const gov = virtual()
  const bucket = gov.bucket('b', { rate: 10, burst: 2, shadow: true })
  assert.equal(bucket.tryTake(2), { ok: true, waitMs: 0, remaining: 0 })
  assert.equal(bucket.tryTake(), { ok: true, waitMs: 0, remaining: 0 })
  assert.equal(await bucket.take(2, { tier: 'background' }), { ok: true, waitMs: 0, remaining: 0 })
  assert.is(bucket.tryTake(3).ok, true)
  assert.is((await bucket.take(1, { waitTimeout: 0 })).ok, true)
  assert.equal(rules(gov), { 'bucket b': { grants: 1, waits: 1, refusals: 3 } })
  // What it gave without having it is no debt.
  gov.advance(200)
  assert.is(bucket.peek(2).ok, true)
  isCoded(
    thrown(() => bucket.tryTake(0)),
    'ERR_FORELOCK_ARGUMENT'
  )
})

test('a bucket and the one above it run dry together, or neither does', () => {
  const gov = virtual()
  const above = gov.bucket('above', { rate: 1, burst: 1, shadow: true })
  isCoded(
    thrown(() => gov.bucket('b', { rate: 10, parent: above })),
    'ERR_FORELOCK_ARGUMENT'
  )
  const bucket = gov.bucket('b', { rate: 10, parent: above, shadow: true })
  bucket.tryTake()
  assert.is(bucket.tryTake().ok, true)
  assert.equal(rules(gov), { 'bucket b': { grants: 1, waits: 0, refusals: 1 } })
})

test('a pool that runs dry hands out what there is not, and gets it back without harm', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 4 }, labels: ['pci'], shadow: true })
  const first = pool.tryAllocate({ cpu: 3 }) as Allocation
  const second = pool.tryAllocate({ cpu: 3 }) as Allocation
  const third = await pool.allocate({ cpu: 2 }, { tier: 'background' })
  const never = pool.tryAllocate({ cpu: 9 }) as Allocation
  assert.equal(never.amounts, { cpu: 9 })
  assert.equal(pool.usage().used, { cpu: 3 })
  assert.equal(rules(gov), { 'pool p': { grants: 1, waits: 1, refusals: 2 } })
  assert.is(first.tryResize({ cpu: 6 }), true)
  await second.resize({ cpu: 1 })
  await second.resize({ cpu: 5 })
  assert.equal([first.amounts.cpu, second.amounts.cpu], [6, 5])
  for (const allocation of [first, second, third, never]) assert.is(allocation.release(), true)
  assert.equal(pool.usage().used, { cpu: 0 })
  assert.ok(pool.tryAllocate({ cpu: 1 }, { labels: ['hsm'] }))
  assert.is(rules(gov)['pool p']?.refusals, 4)
})

test('a semaphore that runs dry is counted as one', async () => {
  const gov = virtual()
  const semaphore = gov.semaphore('s', 1, { shadow: true })
  const held = [semaphore.tryAcquire(), semaphore.tryAcquire(), await semaphore.acquire()]
  assert.equal(rules(gov), { 'semaphore s': { grants: 1, waits: 1, refusals: 1 } })
  assert.is(semaphore.held, 1)
  for (const one of held) one?.release()
  assert.is(semaphore.held, 0)
})

test('a governor that runs dry does so with all its rules, but those that say otherwise', async () => {
  const gov = virtual({ shadow: true })
  const pool = gov.pool('p', { capacity: { cpu: 1 } })
  const bucket = gov.bucket('b', { rate: 1, burst: 1 })
  const lock = gov.lock('a')
  const parts = { pool: [pool, { cpu: 1 }], tokens: [[bucket, 1]], locks: [lock] } as const
  const first = await gov.admit(parts)
  const second = gov.tryAdmit(parts)
  const third = await gov.admit(parts, { waitTimeout: 5 })
  assert.is(second.ok, true)
  for (const rule of ['pool p', 'bucket b', 'lock a']) assert.is(rules(gov)[rule]?.grants, 1, rule)
  first.release()
  third.release()
  const enforced = gov.lock('e', { shadow: false })
  assert.ok(enforced.tryAcquire())
  assert.is(enforced.tryAcquire(), null)
  assert.is('lock e' in rules(gov), false)
})

test('the arena counts them too, by the name that they are known by', () => {
  const gov = virtual()
  gov.telemetry.attach()
  const lock = gov.lock('a', { shadow: true })
  const held = lock.tryAcquire()
  lock.tryAcquire()?.release()
  held?.release()
  const element = gov.stats().elements.find(({ shadow, tiers }) => shadow === true && tiers.standard?.refusals === 1)
  assert.equal([element?.name, element?.kind], ['a', 'lock'])
})

test('how it runs is true or false, and a queue, which holds what others want, does not run dry', () => {
  const gov = virtual()
  isCoded(
    thrown(() => gov.lock('a', { shadow: 1 as unknown as boolean })),
    'ERR_FORELOCK_ARGUMENT'
  )
  isCoded(
    thrown(() => gov.bucket('b', { rate: 1, shadow: 'yes' as unknown as boolean })),
    'ERR_FORELOCK_ARGUMENT'
  )
  isCoded(
    thrown(() => gov.queue('q', { shadow: true } as object)),
    'ERR_FORELOCK_ARGUMENT'
  )
  isCoded(
    thrown(() => open({ shadow: 1 as unknown as boolean })),
    'ERR_FORELOCK_ARGUMENT'
  )
  isCoded(
    thrown(() => gov.bucket('none', { shadow: true } as never)),
    'ERR_FORELOCK_NOT_FOUND'
  )
})

test.run()
