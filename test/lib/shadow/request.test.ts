import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Allocation, Governor, Grant, OpenOptions } from '../../../lib/index.js'
import { isCoded, macrotask, virtual as opened, rejection, thrown } from '../support.js'
import { Course, mayEnd, measure, tiersOf } from './support.js'

/** Of an exclusive lock it is known to 4 ms since when it is held. */
const COARSE_MS = 4

const near = (got: number | undefined, wanted: number, within: number) =>
  assert.ok(got !== undefined && Math.abs(got - wanted) <= within, `${got}, not ${wanted} within ${within}`)

// ---- locks

const governors: Governor[] = []

/** Closed at the end, with all that waits: a wait keeps the process alive. */
function virtual(options?: OpenOptions): Governor {
  const gov = opened(options)
  governors.push(gov)
  return gov
}

test.after(async () => {
  for (const gov of governors) await gov.close()
})

test('what nobody holds would be granted, and so would what has never been used', () => {
  const gov = virtual()
  const lock = gov.lock('a')
  for (const _ of [1, 2]) {
    const { verdict, contention, wait, ahead, holders, displaced, plans, tier, kind, name, consistent } = lock.shadow()
    assert.equal([verdict, contention, wait, tier, kind, name], ['grant', 0, { p50: 0, p95: 0 }, 'standard', 'lock', 'a'])
    assert.equal([ahead, holders, displaced, plans, consistent], [[], [], [], [], true])
    lock.tryAcquire()?.release()
  }
})

test('a lock that is held is waited for, how long nobody knows before anything was measured', () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const held = lock.tryAcquire({ tier: 'critical' }) as Grant
  gov.advance(40)
  const { verdict, contention, wait, holders } = lock.shadow({ tier: 'interactive' })
  assert.equal([verdict, contention, wait], ['wait', 1, { p50: undefined, p95: undefined }])
  assert.is(holders.length, 1)
  const [holder] = holders
  assert.equal([holder?.tier, holder?.mode, holder?.client, holder?.remaining], ['critical', 'exclusive', gov.client, undefined])
  near(holder?.ageMs, 40, COARSE_MS)
  assert.is(lock.shadow({ waitTimeout: 0 }).verdict, 'refuse')
  held.release()
  assert.is(lock.shadow({ waitTimeout: 0 }).verdict, 'grant')
})

test('what was measured of a lock tells how long its holder goes on, and so how long the request waits', async () => {
  const gov = virtual()
  gov.telemetry.attach()
  const course = new Course(gov)
  const lock = gov.lock('a')
  measure(gov, () => lock.tryAcquire(), 100)
  course.hold(lock.tryAcquire() as Grant, 100)
  await course.pass(30)
  const { holders, wait } = lock.shadow()
  assert.is(holders[0]?.basis, 'element')
  near(holders[0]?.remaining?.p50, 70, COARSE_MS)
  near(wait.p50, 70, COARSE_MS)
  near(wait.p95, 70, COARSE_MS)
  near(wait.p50, await course.of(course.wait(lock.acquire(), 1)), COARSE_MS)
})

test('the rest of a kind stands in for a lock of which nothing was measured', () => {
  const gov = virtual({ capacity: { elements: 8192 } })
  gov.telemetry.attach()
  // More than have statistics of their own.
  for (let i = 0; i < 4200; i++) measureOnce(gov.lock(`lock ${i}`).tryAcquire() as Grant, gov)
  gov.stats()
  const lock = gov.lock('another')
  lock.tryAcquire()
  const { holders } = lock.shadow()
  assert.is(holders[0]?.basis, 'kind')
  near(holders[0]?.remaining?.p50, 2, 1)
})

function measureOnce(grant: Grant, gov: ReturnType<typeof virtual>): void {
  gov.advance(2)
  grant.release()
}

test('those of higher tiers are ahead, those of lower ones wait longer, and each says who it is', async () => {
  const gov = virtual()
  const course = new Course(gov)
  const lock = gov.lock('a', { hold: 10 })
  const held = lock.tryAcquire({ mode: 'shared', hold: 50 }) as Grant
  course.hold(held, 50)
  const waits = (tier: string, hold: number, workflow?: string) =>
    course.wait(lock.acquire({ tier, hold, workflow, waitTimeout: 60_000 }), hold)
  const background = waits('background', 5)
  waits('standard', 20, 'import')
  waits('critical', 30)
  const { ahead, displaced, wait, holders } = lock.shadow({ tier: 'interactive', hold: 7 })
  assert.equal([tiersOf(ahead), ahead[0]?.timeoutMs, ahead[0]?.mode], [['critical'], 60_000, 'exclusive'])
  assert.equal(
    displaced.map(({ tier, how, laterMs, workflow }) => [tier, how, laterMs, workflow]),
    [
      ['background', 'later', 7, undefined],
      ['standard', 'later', 7, 'import']
    ]
  )
  assert.equal([holders[0]?.basis, holders[0]?.remaining], ['declared', { p50: 50, p95: 50 }])
  assert.equal(wait, { p50: 80, p95: 80 })
  const truth = await course.of(course.wait(lock.acquire({ tier: 'interactive', hold: 7 }), 7))
  assert.is(truth, 80)
  await course.of(background)
})

test('a reader joins readers, and waits behind a writer that came first', async () => {
  const gov = virtual()
  const course = new Course(gov)
  const lock = gov.lock('a', { hold: 10 })
  course.hold(lock.tryAcquire({ mode: 'shared', hold: 40 }) as Grant, 40)
  assert.is(lock.shadow({ mode: 'shared' }).verdict, 'grant')
  assert.is(lock.shadow().verdict, 'wait')
  course.wait(lock.acquire({ hold: 15, waitTimeout: 1000 }), 15)
  const { verdict, wait, ahead } = lock.shadow({ mode: 'shared' })
  assert.equal([verdict, wait.p50, ahead.length], ['wait', 55, 1])
  assert.is(await course.of(course.wait(lock.acquire({ mode: 'shared' }), 1)), 55)
})

test('one whose wait ends before its turn is not waited for, and a ttl ends a hold', async () => {
  const gov = virtual()
  const course = new Course(gov)
  const lock = gov.lock('a')
  const shared = lock.tryAcquire({ mode: 'shared', ttl: 100, hold: 500 }) as Grant
  mayEnd(lock.acquire({ hold: 200, waitTimeout: 50 }))
  const { wait, holders, ahead } = lock.shadow()
  assert.equal([holders[0]?.remaining, holders[0]?.ttlMs], [{ p50: 100, p95: 100 }, 100])
  assert.equal(ahead, [])
  near(await course.of(course.wait(lock.acquire(), 1)), wait.p50 as number, 2)
  shared.release()
})

test('a plan that keeps a lock is told of, until it ends, the request has aged, or it may keep it no longer', async () => {
  const gov = virtual({ ageing: 10_000, maxReserve: 1 })
  const course = new Course(gov)
  const lock = gov.lock('a')
  lock.tryAcquire()?.release()
  gov.plans.write({ kind: 'hold', lock, tier: 'interactive', workflow: 'checkout', from: 500, until: 800, hold: 40 })
  const { verdict, plans, wait } = lock.shadow({ hold: 5000 })
  assert.equal([verdict, wait.p50], ['wait', 800])
  assert.equal(
    plans.map(({ kind, tier, workflow, until }) => [kind, tier, workflow, until]),
    [['hold', 'interactive', 'checkout', 800]]
  )
  assert.is(lock.shadow({ hold: 100 }).verdict, 'grant')
  assert.is(lock.shadow({ tier: 'interactive', hold: 5000 }).verdict, 'grant')
  near(await course.of(course.wait(lock.acquire({ hold: 5000 }), 1)), 800, 2)
})

test('a workflow that a plan raises stands where that puts it', () => {
  const gov = virtual()
  const lock = gov.lock('a')
  lock.tryAcquire()
  mayEnd(lock.acquire({ tier: 'interactive', waitTimeout: 1000 }))
  gov.plans.write({ kind: 'escalation', workflow: 'checkout', tier: 'critical', until: 1000 })
  assert.equal(tiersOf(lock.shadow({ workflow: 'other' }).ahead), ['interactive'])
  const { tier, ahead } = lock.shadow({ workflow: 'checkout' })
  assert.equal([tier, ahead], ['critical', []])
})

test('those who wait behind a grant of their own environment are seen, and stay where they are', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const held = await lock.acquire()
  const waits = [lock.acquire(), lock.acquire()]
  const { ahead } = lock.shadow()
  assert.equal(
    ahead.map(({ client }) => client),
    [gov.client, gov.client]
  )
  assert.is(lock.shadow({ tier: 'critical' }).displaced.length, 2)
  held.release()
  for (const wait of waits) (await wait).release()
})

test('a request to come later meets who is still there by then, and those who usually come', () => {
  const gov = virtual()
  gov.telemetry.attach()
  const lock = gov.lock('a', { hold: 10 })
  lock.tryAcquire({ mode: 'shared', hold: 100 })
  const at = (ms: number) => lock.shadow({ in: ms })
  assert.equal([at(50).verdict, at(50).wait.p50, at(50).contention], ['wait', 50, 1])
  assert.equal([at(150).verdict, at(150).wait.p50, at(150).contention], ['grant', 0, 0])
})

// ---- buckets

test('of a bucket the wait is exact: what is there, when it comes, and who is served first', async () => {
  const gov = virtual()
  const course = new Course(gov)
  const bucket = gov.bucket('b', { rate: 10, burst: 5 })
  assert.equal(bucket.shadow(5).wait, { p50: 0, p95: 0 })
  assert.is(bucket.shadow(6).verdict, 'refuse')
  bucket.tryTake(5)
  const low = bucket.take(2, { tier: 'background' })
  const high = bucket.take(1, { tier: 'critical', tenant: 'acme' })
  const { verdict, contention, wait, ahead, displaced } = bucket.shadow(2)
  assert.equal([verdict, contention, wait], ['wait', 1, { p50: 300, p95: 300 }])
  assert.equal([ahead[0]?.tier, ahead[0]?.tokens, ahead[0]?.tenant, ahead.length], ['critical', 1, 'acme', 1])
  assert.equal([displaced[0]?.tier, displaced[0]?.laterMs], ['background', 200])
  assert.is(bucket.shadow(2, { waitTimeout: 250 }).verdict, 'refuse')
  const began = course.now()
  await course.of(bucket.take(2))
  near(course.now() - began, 300, 1)
  await Promise.all([high, course.of(low)])
})

test('a reserve is counted for those whom its plan names', () => {
  const gov = virtual()
  const bucket = gov.bucket('b', { rate: 100, burst: 10 })
  gov.plans.write({ kind: 'reserve', bucket, amount: 20, workflow: 'nightly', until: 60_000 })
  gov.advance(1000)
  bucket.tryTake(1)
  gov.advance(1000)
  bucket.tryTake(10)
  const { reserved } = bucket.peek()
  assert.ok(reserved >= 5)
  assert.is(bucket.shadow(5).verdict, 'wait')
  assert.is(bucket.shadow(5, { workflow: 'nightly' }).verdict, 'grant')
  assert.is(bucket.tryTake(5, { workflow: 'nightly' }).ok, true)
})

// ---- pools

test('a pool grants what fits, refuses what never will, and waits for what is held', async () => {
  const gov = virtual()
  gov.telemetry.attach()
  const course = new Course(gov)
  const pool = gov.pool('p', { capacity: { cpu: 4, memory: 8 }, tiers: { critical: { floor: 0.25 } }, labels: ['pci'] })
  measure(gov, () => pool.tryAllocate({ cpu: 1 }), 100)
  assert.is(pool.shadow({ cpu: 3, memory: 6 }).verdict, 'grant')
  assert.is(pool.shadow({ cpu: 4 }).verdict, 'refuse')
  assert.is(pool.shadow({ cpu: 4 }, { tier: 'critical' }).verdict, 'grant')
  assert.is(pool.shadow({ cpu: 1 }, { labels: ['pci'] }).verdict, 'grant')
  assert.is(pool.shadow({ cpu: 1 }, { labels: ['hsm'] }).verdict, 'refuse')
  course.hold(pool.tryAllocate({ cpu: 2, memory: 3 }, { tenant: 'acme', workflow: 'import' }) as Allocation, 100)
  await course.pass(60)
  const { verdict, wait, holders } = pool.shadow({ cpu: 2 })
  assert.is(verdict, 'wait')
  near(wait.p50, 40, COARSE_MS)
  const [holder] = holders
  assert.equal([holder?.tenant, holder?.workflow, holder?.amounts], ['acme', 'import', { cpu: 2, memory: 3 }])
  near(await course.of(course.wait(pool.allocate({ cpu: 2 }), 1)), wait.p50 as number, COARSE_MS)
})

test('a small request may pass a large one, which then waits longer', async () => {
  const gov = virtual()
  gov.telemetry.attach()
  const course = new Course(gov)
  const semaphore = gov.semaphore('s', 4)
  measure(gov, () => semaphore.tryAcquire(), 100)
  course.hold(semaphore.tryAcquire(3) as Allocation, 100)
  await course.pass(50)
  course.wait(semaphore.acquire(4, { tier: 'background' }), 100)
  const { verdict, displaced } = semaphore.shadow()
  assert.is(verdict, 'grant')
  assert.is(displaced[0]?.how, 'later')
  near(displaced[0]?.laterMs, 50, COARSE_MS)
  assert.is(semaphore.shadow(2).verdict, 'wait')
})

test('a plan that promises a share asks for it back, and the request says from whom', () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { slots: 4 } })
  pool.tryAllocate({ slots: 2 }, { tier: 'background', revocable: true, tenant: 'old' })
  pool.tryAllocate({ slots: 2 }, { tier: 'background' })
  gov.plans.write({ kind: 'share', pool, tier: 'interactive', amount: 0.25, until: 60_000 })
  const { displaced } = pool.shadow({ slots: 1 }, { tier: 'interactive' })
  assert.equal(
    displaced.map(({ how, tenant }) => [how, tenant]),
    [['recalled', 'old']]
  )
  assert.equal(pool.shadow({ slots: 1 }).displaced, [])
})

// ---- all

test('bad options are refused, and a closed governor looks no more', async () => {
  const gov = virtual()
  const [lock, bucket, pool] = [gov.lock('a'), gov.bucket('b', { rate: 1 }), gov.pool('p', { capacity: { cpu: 1 } })]
  for (const call of [
    () => lock.shadow({ tier: 'none' }),
    () => lock.shadow({ hold: -1 }),
    () => lock.shadow({ in: Number.NaN }),
    () => lock.shadow({ mode: 'both' as 'shared' }),
    () => lock.shadow({ labels: [] } as object),
    () => bucket.shadow(0),
    () => bucket.shadow(1, { mode: 'shared' } as object),
    () => pool.shadow({ disk: 1 }),
    () => pool.shadow({ cpu: 1 }, { labels: 'pci' as unknown as string[] }),
    () => pool.shadow({ cpu: 1 }, { workflow: '' })
  ]) {
    isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
  }
  await gov.close()
  for (const call of [() => lock.shadow(), () => bucket.shadow(), () => pool.shadow({ cpu: 1 })]) {
    isCoded(thrown(call), 'ERR_FORELOCK_CLOSED')
  }
})

test('the same state gives the same answer', async () => {
  const gov = virtual()
  gov.telemetry.attach()
  const lock = gov.lock('a')
  for (const ms of [1, 3, 9, 27, 81, 160]) measure(gov, () => lock.tryAcquire(), ms, 4)
  lock.tryAcquire()
  mayEnd(lock.acquire({ waitTimeout: 5000 }))
  const [{ id: one, ...first }, { id: two, ...second }] = [lock.shadow(), lock.shadow()]
  assert.equal(first, second)
  assert.is.not(one, two)
  assert.ok((first.wait.p50 as number) < (first.wait.p95 as number))
  await macrotask()
  await rejection(lock.acquire({ waitTimeout: 0 }))
})

test.run()
