import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Allocation, type Governor, open, type Taken } from '../../lib/index.js'
import { isCoded, isSettled, macrotask, refusal, rejection, thrown, virtual } from './support.js'

const nowMs = (gov: Governor) => gov.now() / 1e6

/** Goes forward in steps, so that what settles in between can act at its time. */
async function forward(gov: Governor, ms: number, step = 10): Promise<void> {
  for (let gone = 0; gone < ms; gone += step) {
    gov.advance(Math.min(step, ms - gone))
    await macrotask()
  }
}

/** Notes whose turn it was, and ends it. */
function noted(log: string[], whose: string, held: { release(): boolean }): void {
  log.push(whose)
  held.release()
}

// ---- holds

test('a held lock is free, and yet kept from lower tiers until the hold ends', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  gov.plans.write({ kind: 'hold', lock, tier: 'interactive', until: 500 })
  assert.is(lock.tryAcquire({ tier: 'standard' }), null)
  const low = lock.acquire({ tier: 'background' })
  gov.advance(499)
  assert.is(await isSettled(low), false)
  gov.advance(1)
  assert.is(await isSettled(low), true)
})

test('the expected request is granted at once, past those who wait, and uses the hold up', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  gov.plans.write({ kind: 'hold', lock, tier: 'interactive', until: 500 })
  const low = lock.acquire({ tier: 'standard' })
  gov.advance(100)
  const high = lock.tryAcquire({ tier: 'interactive' })
  assert.ok(high)
  assert.equal(gov.plans.list(), [])
  high.release()
  assert.is(await isSettled(low), true)
})

test('a request that will be done before the expected one comes need not wait', () => {
  const gov = virtual()
  const lock = gov.lock('a')
  gov.plans.write({ kind: 'hold', lock, tier: 'interactive', from: 200, hold: 50, until: 500 })
  const quick = lock.tryAcquire({ tier: 'standard' })
  assert.ok(quick)
  quick.release()
  gov.advance(160)
  assert.is(lock.tryAcquire({ tier: 'standard' }), null, 'at 160 ms one of 50 ms would still hold it at 200')
})

test('inside its own tier a hold changes nothing: who waits longer comes first', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const holder = lock.tryAcquire()!
  const order: string[] = []
  const first = lock.acquire({ tier: 'interactive' }).then(grant => noted(order, 'first', grant))
  const second = lock.acquire({ tier: 'interactive' }).then(grant => noted(order, 'second', grant))
  gov.plans.write({ kind: 'hold', lock, tier: 'interactive', until: 500 })
  holder.release()
  await Promise.all([first, second])
  assert.equal(order, ['first', 'second'])
})

test('the ageing bound holds under endlessly renewed holds', async () => {
  const gov = virtual({ ageing: 300, maxReserve: 1 })
  const lock = gov.lock('a')
  const renew = () => gov.plans.write({ kind: 'hold', lock, tier: 'critical', until: 1000 })
  renew()
  let grantedAt = 0
  const began = nowMs(gov)
  lock.acquire({ tier: 'background' }).then(() => {
    grantedAt = nowMs(gov) - began
  })
  for (let i = 0; i < 120 && grantedAt === 0; i++) {
    await forward(gov, 10)
    renew()
  }
  assert.is(grantedAt, 900, 'three tiers of 300 ms each')
})

test('all holds together keep a free lock from others for at most maxReserve of any ten seconds', async () => {
  const gov = virtual({ maxReserve: 0.1 })
  const lock = gov.lock('a')
  const renew = () => gov.plans.write({ kind: 'hold', lock, tier: 'interactive', until: 60_000 })
  renew()
  let waited = 0
  const began = nowMs(gov)
  lock.acquire({ tier: 'standard' }).then(() => {
    waited = nowMs(gov) - began
  })
  for (let i = 0; i < 300 && waited === 0; i++) {
    await forward(gov, 10)
    renew()
  }
  assert.is(waited, 1000)
  assert.is(gov.plans.scores()[0]?.waitedMs, 1000)
})

for (const [how, next] of [
  ['of several sources', undefined],
  ['one after the other', (gov: Governor) => gov.advance(1)],
  ['withdrawn and written again', (gov: Governor, id: string) => gov.plans.withdraw(id)]
] as const) {
  test(`holds ${how} share one maxReserve`, async () => {
    const gov = virtual({ maxReserve: 0.25 })
    const lock = gov.lock('a')
    const until = next === undefined ? 60_000 : 1000
    const write = (source: number) => gov.plans.write({ kind: 'hold', lock, tier: 'critical', source, until })
    let id = write(0)
    if (next === undefined) for (let source = 1; source < 4; source++) write(source)
    let kept = 0
    for (let ms = 0; ms < 9000; ms += 10) {
      if (next !== undefined && ms % 1000 === 990) {
        next(gov, id)
        id = write(0)
      }
      const grant = lock.tryAcquire({ tier: 'background' })
      grant?.release()
      if (grant === null) {
        const asked = nowMs(gov)
        const waiting = lock
          .acquire({ tier: 'background', waitTimeout: 10 })
          .then(granted => granted.release(), refusal('ERR_FORELOCK_TIMEOUT'))
        await forward(gov, 10)
        await waiting
        kept += nowMs(gov) - asked
      } else {
        await forward(gov, 10)
      }
    }
    assert.ok(kept <= 2500 + 10, `kept ${kept} ms of 9 s`)
    assert.ok(kept >= 2000, `kept ${kept} ms of 9 s`)
  })
}

test('a hold for one workflow is used by that workflow only', () => {
  const gov = virtual()
  const lock = gov.lock('a')
  gov.plans.write({ kind: 'hold', lock, tier: 'interactive', workflow: 'checkout', until: 500 })
  lock.tryAcquire({ tier: 'interactive' })!.release()
  assert.is(gov.plans.list().length, 1)
})

test('an element without plans has none to look at, and one whose plan ended is as before', () => {
  const gov = virtual()
  const lock = gov.lock('a')
  gov.plans.write({ kind: 'hold', lock, tier: 'critical', until: 10 })
  gov.advance(10)
  assert.ok(lock.tryAcquire({ tier: 'background' }))
  assert.equal(gov.plans.list(), [])
})

// ---- reserves

const who = { workflow: 'nine o’clock' }

test('a reserve is filled by what the full bucket would discard, and by nothing else', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 10 })
  gov.plans.write({ kind: 'reserve', bucket, amount: 8, ...who, until: 60_000 })
  bucket.tryTake(10)
  gov.advance(1000)
  bucket.tryTake(1)
  assert.is(bucket.peek().reserved, 0, 'the bucket was not full before now')
  gov.advance(600)
  bucket.tryTake(1)
  assert.is(bucket.peek().reserved, 5, 'it was full 0.1 s after, and for 0.5 s then')
  gov.advance(5000)
  bucket.tryTake(1)
  assert.is(bucket.peek().reserved, 8, 'up to its cap')
})

test('the expected request is jump-started from the reserve, and takes the rest from the bucket', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 10 })
  gov.plans.write({ kind: 'reserve', bucket, amount: 4, ...who, until: 60_000 })
  gov.advance(1000)
  bucket.tryTake(1)
  gov.advance(100)
  assert.is(bucket.peek().remaining, 10)
  assert.is(bucket.tryTake(10, who).remaining, 4, '4 of the reserve, 6 of the bucket')
  assert.is(bucket.peek().reserved, 0)
})

test('several reserves of one bucket are filled once by what was discarded once', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 10 })
  for (const workflow of ['one', 'two', 'three']) gov.plans.write({ kind: 'reserve', bucket, amount: 8, workflow, until: 1e6 })
  gov.advance(300)
  assert.is(bucket.tryTake(1, { workflow: 'one' }).ok, true)
  assert.is(bucket.peek().reserved, 2)
  assert.is(bucket.peek().remaining, 10)
})

test('a request that nobody planned for does not touch the reserve', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 10 })
  gov.plans.write({ kind: 'reserve', bucket, amount: 4, ...who, until: 60_000 })
  gov.advance(1000)
  bucket.tryTake(10)
  assert.is(bucket.tryTake(1, { workflow: 'other' }).ok, false)
  assert.is(bucket.peek().reserved, 4)
  assert.is(bucket.tryTake(4, who).ok, true)
})

test('a reserve is reclaimed at its deadline', () => {
  const gov = virtual()
  const bucket = gov.bucket('a', { rate: 10, burst: 10 })
  gov.plans.write({ kind: 'reserve', bucket, amount: 4, ...who, until: 2000 })
  gov.advance(1000)
  bucket.tryTake(10)
  gov.advance(1000)
  assert.is(bucket.peek().reserved, 0)
  assert.is(bucket.tryTake(10, who).ok, true)
  assert.is(bucket.tryTake(1, who).ok, false)
})

test('over any time T no more than rate * T + burst + cap is admitted, and without a plan no more than rate * T + burst', () => {
  for (const cap of [0, 7]) {
    let seed = 12345 + cap
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed / 2147483648
    }
    const gov = virtual()
    const bucket = gov.bucket('a', { rate: 20, burst: 5 })
    const taken: { at: number; n: number }[] = []
    for (let i = 0; i < 2000; i++) {
      if (cap > 0 && i % 100 === 0) gov.plans.write({ kind: 'reserve', bucket, amount: cap, ...who, until: 20_000 })
      gov.advance(random() < 0.1 ? random() * 1500 : random() * 60)
      const n = 1 + Math.floor(random() * 5)
      if (random() < 0.05 && taken.length > 0) bucket.refund(taken.pop()!.n)
      if (bucket.tryTake(n, random() < 0.5 ? who : {}).ok) taken.push({ at: nowMs(gov), n })
    }
    for (let from = 0; from < taken.length; from++) {
      let sum = 0
      for (let to = from; to < Math.min(taken.length, from + 200); to++) {
        sum += taken[to]!.n
        const time = taken[to]!.at - taken[from]!.at
        assert.ok(sum <= (20 * time) / 1000 + 5 + cap + 1e-6, `${sum} in ${time} ms with a cap of ${cap}`)
      }
    }
  }
})

test('a cap is bounded by maxReserve of the tokens of ten seconds', () => {
  const gov = virtual({ maxReserve: 0.1 })
  const bucket = gov.bucket('a', { rate: 10, burst: 10 })
  gov.plans.write({ kind: 'reserve', bucket, amount: 1e6, ...who, until: 1e6 })
  gov.advance(100_000)
  bucket.tryTake(1)
  assert.is(bucket.peek().reserved, 10)
})

// ---- shares

test('a planned share goes first to its tier when something is given back, and revocable grants beyond their part are recalled for it', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 4 } })
  const running = [1, 2, 3, 4].map(() => pool.tryAllocate({ cpu: 1 }, { tier: 'background', revocable: { grace: 100 } })!)
  const recalled: Allocation[] = []
  for (const one of running) one.on('recall', () => recalled.push(one))
  const above = pool.allocate({ cpu: 1 }, { tier: 'critical' })
  await macrotask()
  assert.is(recalled.length, 0, 'without a plan nothing is asked for')
  gov.plans.write({ kind: 'share', pool, tier: 'interactive', amount: 0.25, until: 10_000 })
  const wanting = pool.allocate({ cpu: 1 }, { tier: 'interactive' })
  await macrotask()
  assert.is(recalled.length, 1)
  const { signal } = recalled[0]!
  assert.is(signal.aborted, false)
  gov.advance(100)
  isCoded(signal.reason, 'ERR_FORELOCK_RECALLED')
  assert.equal(recalled[0]!.amounts, { cpu: 1 }, 'it is asked for, not taken')
  recalled[0]!.release()
  assert.is(await isSettled(wanting), true, 'the planned share comes before the higher tier')
  assert.is(await isSettled(above), false)
  const refused = rejection(above)
  await gov.close()
  isCoded(await refused, 'ERR_FORELOCK_CLOSED')
})

test('a tenant with a planned weight gets its part of what is given back', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 6 } })
  gov.plans.write({ kind: 'share', pool, tenant: 'a', amount: 2, until: 10_000 })
  const all = pool.tryAllocate({ cpu: 6 })!
  const got = { a: 0, b: 0 }
  for (let i = 0; i < 6; i++) {
    for (const tenant of ['b', 'a'] as const)
      pool.allocate({ cpu: 1 }, { tenant }).then(() => got[tenant]++, refusal('ERR_FORELOCK_CLOSED'))
  }
  all.release()
  await macrotask()
  assert.equal(got, { a: 4, b: 2 })
  await gov.close()
})

test('plans of several sources move each the tier or the tenant that it names', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 12 } })
  gov.plans.write({ kind: 'share', pool, tenant: 'a', amount: 3, until: 10_000, source: 1 })
  gov.plans.write({ kind: 'share', pool, tenant: 'b', amount: 2, until: 10_000, source: 2 })
  gov.plans.write({ kind: 'share', pool, tenant: 'a', amount: 1, until: 10_000, source: 3 })
  const all = pool.tryAllocate({ cpu: 12 })!
  const got = { a: 0, b: 0, c: 0 }
  for (let i = 0; i < 12; i++) {
    for (const tenant of ['c', 'b', 'a'] as const) {
      pool.allocate({ cpu: 1 }, { tenant }).then(() => got[tenant]++, refusal('ERR_FORELOCK_CLOSED'))
    }
  }
  all.release()
  await macrotask()
  assert.equal(got, { a: 6, b: 4, c: 2 })
  await gov.close()
})

test('what two planners promise to two tiers goes to both before a higher tier', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 8 } })
  gov.plans.write({ kind: 'share', pool, tier: 'standard', amount: 0.125, until: 10_000, source: 1 })
  gov.plans.write({ kind: 'share', pool, tier: 'interactive', amount: 0.125, until: 10_000, source: 2 })
  const running = Array.from({ length: 8 }, () => pool.tryAllocate({ cpu: 1 }, { tier: 'background' })!)
  const order: string[] = []
  const waits = ['critical', 'standard', 'interactive'].map(tier =>
    pool.allocate({ cpu: 1 }, { tier }).then(one => noted(order, tier, one))
  )
  running[0]?.release()
  await Promise.all(waits)
  assert.equal(order, ['interactive', 'standard', 'critical'])
  await gov.close()
})

// ---- keeps

test('kept units are free, and yet kept from lower tiers until the plan ends', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 8, memory: 80 } })
  gov.plans.write({ kind: 'keep', pool, tier: 'interactive', amount: 0.25, until: 500 })
  assert.is(pool.tryAllocate({ cpu: 7 }, { tier: 'standard' }), null)
  const rest = pool.tryAllocate({ cpu: 6, memory: 60 }, { tier: 'standard' })
  assert.ok(rest)
  const low = pool.allocate({ cpu: 1 }, { tier: 'standard' })
  gov.advance(499)
  assert.is(await isSettled(low), false)
  gov.advance(1)
  assert.is(await isSettled(low), true)
  assert.ok(pool.tryAllocate({ cpu: 1 }), 'and then it is as if there had been none')
})

test('the tier that units are kept for, and those above it, are granted them at once, past those who wait', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 8 } })
  gov.plans.write({ kind: 'keep', pool, tier: 'interactive', amount: 0.25, until: 500, source: 3 })
  pool.tryAllocate({ cpu: 6 })
  const low = pool.allocate({ cpu: 1 })
  const one = pool.tryAllocate({ cpu: 1 }, { tier: 'interactive' })
  const other = pool.tryAllocate({ cpu: 1 }, { tier: 'critical' })
  assert.ok(one && other)
  assert.is(await isSettled(low), false)
  assert.equal(
    gov.plans.scores().map(({ source, waits, hits, written }) => [source, waits, hits, written]),
    [[3, 1, 2, 1]]
  )
  other.release()
  one.release()
  assert.is(await isSettled(low), false, 'what comes back is kept again')
  const refused = rejection(low)
  await gov.close()
  isCoded(await refused, 'ERR_FORELOCK_CLOSED')
})

test('the time for which free units are kept from somebody is the loss of the source, and no other time', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 8 } })
  gov.plans.write({ kind: 'keep', pool, tier: 'interactive', amount: 0.25, until: 10_000, source: 5 })
  const lost = () => gov.plans.scores()[0]?.waitedMs
  const all = pool.tryAllocate({ cpu: 6 })
  gov.advance(1_000)
  assert.is(lost(), 0, 'nobody waits')
  const low = pool.allocate({ cpu: 1 })
  gov.advance(300)
  all?.release()
  assert.is(await isSettled(low), true)
  assert.is(Math.round(lost() ?? 0), 300)
  const full = pool.tryAllocate({ cpu: 7 }, { tier: 'interactive' })
  const behind = pool.allocate({ cpu: 1 })
  gov.advance(400)
  assert.is(Math.round(lost() ?? 0), 300, 'there was nothing free')
  full?.release()
  assert.is(await isSettled(behind), true)
})

test('all keeps together keep at most maxReserve of each dimension', () => {
  const gov = virtual({ maxReserve: 0.25 })
  const pool = gov.pool('p', { capacity: { cpu: 8 } })
  gov.plans.write({ kind: 'keep', pool, tier: 'interactive', amount: 1, until: 1_000, source: 1 })
  gov.plans.write({ kind: 'keep', pool, tier: 'critical', amount: 1, until: 1_000, source: 2 })
  assert.is(pool.tryAllocate({ cpu: 7 }), null)
  assert.ok(pool.tryAllocate({ cpu: 6 }))
})

test('who has aged into the tier passes a keep, however often it is renewed', async () => {
  const gov = virtual({ ageing: 1_000 })
  const pool = gov.pool('p', { capacity: { cpu: 4 } })
  const renew = () => gov.plans.write({ kind: 'keep', pool, tier: 'interactive', amount: 0.25, until: 200 })
  renew()
  pool.tryAllocate({ cpu: 3 }, { tier: 'critical' })
  const low = pool.allocate({ cpu: 1 }, { tier: 'background' })
  let waited = 0
  while (!(await isSettled(low)) && waited < 10_000) {
    gov.advance(100)
    renew()
    waited += 100
  }
  assert.is(waited, 2_000)
})

test('a keep taken back serves who it kept', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { cpu: 4 } })
  const id = gov.plans.write({ kind: 'keep', pool, tier: 'interactive', amount: 0.25, until: 60_000 })
  assert.equal(
    gov.plans.list().map(({ kind, what, tier, amount }) => [kind, what, tier, amount]),
    [['keep', 'p', 'interactive', 0.25]]
  )
  const low = pool.allocate({ cpu: 4 })
  assert.is(await isSettled(low), false)
  assert.is(gov.plans.withdraw(id), true)
  assert.is(await isSettled(low), true)
})

test('what is kept of a bucket is there for the tier and those above, and not for those below it until the plan ends', async () => {
  const gov = virtual()
  const bucket = gov.bucket('b', { rate: 10, burst: 10 })
  gov.plans.write({ kind: 'keep', bucket, tier: 'interactive', amount: 0.2, until: 500, source: 6 })
  const high = { tier: 'interactive' }
  assert.equal(bucket.tryTake(8), { ok: true, waitMs: 0, remaining: 0 }, 'as far as such a request goes')
  assert.equal(bucket.tryTake(1), { ok: false, waitMs: 100, remaining: 0 })
  assert.equal(bucket.tryTake(1, high), { ok: true, waitMs: 0, remaining: 1 })
  const low = bucket.take(1)
  assert.is(bucket.tryTake(1, { tier: 'critical' }).ok, true, 'past who waits')
  assert.is(await isSettled(low), false)
  gov.advance(299)
  assert.is(await isSettled(low), false, 'one came, and another, and both are kept')
  gov.advance(1)
  assert.is(await isSettled(low), true)
  const [score] = gov.plans.scores()
  assert.equal([score?.source, score?.waits, Math.round(score?.waitedMs ?? 0), score?.hits], [6, 2, 200, 2])
  gov.advance(200)
  assert.is(bucket.tryTake(4).ok, true, 'the plan is over')
})

test('an admission that a keep refuses takes nothing, and one of the tier that it is for all', () => {
  const gov = virtual()
  const bucket = gov.bucket('b', { rate: 10, burst: 10 })
  const other = gov.bucket('o', { rate: 1, burst: 5 })
  gov.plans.write({ kind: 'keep', bucket, tier: 'interactive', amount: 0.2, until: 60_000 })
  bucket.tryTake(4)
  const parts = { tokens: [[other, 1] as const, [bucket, 5] as const] }
  const refused = gov.tryAdmit(parts)
  assert.equal(refused.ok ? undefined : [refused.name, refused.waitMs], ['b', 100])
  assert.is(other.peek().remaining, 5)
  assert.is(gov.tryAdmit(parts, { tier: 'interactive' }).ok, true)
})

// ---- escalation

test('escalation alone: the same requests, with and without it', async () => {
  const order = async (escalated: boolean): Promise<string[]> => {
    const gov = virtual()
    const semaphore = gov.semaphore('s', 1)
    const bucket = gov.bucket('b', { rate: 1, burst: 1 })
    const held = semaphore.tryAcquire()!
    bucket.tryTake()
    if (escalated) gov.plans.write({ kind: 'escalation', workflow: 'w', tier: 'critical', until: 60_000 })
    const log: string[] = []
    const waits = [
      semaphore.acquire(1, { tier: 'standard' }).then(one => noted(log, 'standard unit', one)),
      semaphore.acquire(1, { tier: 'background', workflow: 'w' }).then(one => noted(log, 'workflow unit', one)),
      bucket.take(1, { tier: 'standard' }).then(() => log.push('standard token')),
      bucket.take(1, { tier: 'background', workflow: 'w' }).then(() => log.push('workflow token'))
    ] as Promise<unknown>[]
    held.release()
    await forward(gov, 3000, 500)
    await Promise.all(waits)
    return log
  }
  assert.equal(await order(false), ['standard unit', 'workflow unit', 'standard token', 'workflow token'])
  assert.equal(await order(true), ['workflow unit', 'standard unit', 'workflow token', 'standard token'])
})

test('an escalation ends at its deadline', async () => {
  const gov = virtual()
  const semaphore = gov.semaphore('s', 1)
  gov.plans.write({ kind: 'escalation', workflow: 'w', tier: 'critical', until: 10 })
  gov.advance(10)
  const held = semaphore.tryAcquire()!
  const log: string[] = []
  const waits = [
    semaphore.acquire(1, { tier: 'background', workflow: 'w' }).then(one => noted(log, 'workflow', one)),
    semaphore.acquire(1).then(one => noted(log, 'standard', one))
  ]
  held.release()
  await Promise.all(waits)
  assert.equal(log, ['standard', 'workflow'])
})

// ---- the book

test('a plan of the same kind, thing, tier and source replaces the one before', () => {
  const gov = virtual()
  const first = gov.plans.write({ kind: 'hold', lock: 'a', tier: 'critical', until: 100 })
  const second = gov.plans.write({ kind: 'hold', lock: 'a', tier: 'critical', until: 200 })
  assert.equal(
    gov.plans.list().map(({ id, until }) => ({ id, until })),
    [{ id: second, until: 200 }]
  )
  assert.is(gov.plans.withdraw(first), false)
  assert.is(gov.plans.withdraw(second), true)
  assert.is(gov.plans.withdraw(second), false)
})

test('withdrawing a hold serves who it kept', async () => {
  const gov = virtual()
  const id = gov.plans.write({ kind: 'hold', lock: 'a', tier: 'critical', until: 1000 })
  const low = gov.lock('a').acquire()
  assert.is(await isSettled(low), false)
  gov.plans.withdraw(id)
  assert.is(await isSettled(low), true)
})

test('a thing has room for sixteen plans, and the seventeenth is refused without harm', () => {
  const gov = virtual()
  for (let source = 0; source < 16; source++) gov.plans.write({ kind: 'hold', lock: 'a', tier: 'critical', until: 100, source })
  isCoded(
    thrown(() => gov.plans.write({ kind: 'hold', lock: 'a', tier: 'critical', until: 100, source: 16 })),
    'ERR_FORELOCK_CAPACITY'
  )
  assert.is(gov.plans.list().length, 16)
})

test('what is written for another thread is obeyed by it', async () => {
  const gov = virtual()
  const other = open({ handle: gov.handle, autoEnclose: false })
  other.plans.write({ kind: 'hold', lock: 'a', tier: 'critical', until: 100 })
  assert.is(gov.lock('a').tryAcquire(), null)
  await other.close()
})

test('bad plans are refused with what is wrong, and nothing is written', () => {
  const gov = virtual()
  const foreign = virtual()
  gov.bucket('b', { rate: 1 })
  gov.pool('p', { capacity: { slots: 1 } })
  // biome-ignore lint/suspicious/noExplicitAny: what JavaScript may pass
  const bad: any[] = [
    undefined,
    null,
    {},
    { kind: 'steal' },
    { kind: 'hold', lock: 'a', tier: 'critical' },
    { kind: 'hold', lock: 'a', tier: 'critical', until: 0 },
    { kind: 'hold', lock: 'a', tier: 'critical', until: Number.NaN },
    { kind: 'hold', lock: 'a', tier: 'critical', until: Number.POSITIVE_INFINITY },
    { kind: 'hold', lock: 'a', tier: 'none', until: 1 },
    { kind: 'hold', lock: 7, tier: 'critical', until: 1 },
    { kind: 'hold', lock: 'a', tier: 'critical', until: 1, source: 64 },
    { kind: 'hold', lock: 'a', tier: 'critical', until: 1, amount: 1 },
    { kind: 'reserve', bucket: 'b', amount: 0, until: 1 },
    { kind: 'reserve', bucket: 'b', amount: 1, workflow: 'a', tenant: 'b', until: 1 },
    { kind: 'share', pool: 'p', amount: 0.5, until: 1 },
    { kind: 'share', pool: 'p', tier: 'critical', amount: 2, until: 1 },
    { kind: 'keep', pool: 'p', tier: 'critical', amount: 2, until: 1 },
    { kind: 'keep', pool: 'p', amount: 0.5, until: 1 },
    { kind: 'keep', tier: 'critical', amount: 0.5, until: 1 },
    { kind: 'keep', pool: 'p', bucket: 'b', tier: 'critical', amount: 0.5, until: 1 },
    { kind: 'keep', pool: 'p', tier: 'critical', amount: 0.5, until: 1, tenant: 'a' },
    { kind: 'escalation', tier: 'critical', until: 1 },
    { kind: 'escalation', workflow: '', tier: 'critical', until: 1 },
    // Of nobody is not of anybody.
    { kind: 'hold', lock: 'a', tier: 'critical', until: 1, workflow: '' },
    { kind: 'hold', lock: 'a', tier: 'critical', until: 1, workflow: 'w'.repeat(4097) },
    { kind: 'reserve', bucket: 'b', amount: 1, tenant: '', until: 1 },
    { kind: 'share', pool: 'p', tenant: '', amount: 500, until: 1 },
    // It would end before the request that it is for.
    { kind: 'hold', lock: 'a', tier: 'critical', from: 2, until: 1 },
    { kind: 'hold', lock: foreign.lock('a'), tier: 'critical', until: 1 },
    { kind: 'reserve', bucket: foreign.bucket('b', { rate: 1 }), amount: 1, until: 1 },
    { kind: 'keep', pool: foreign.pool('p', { capacity: { slots: 1 } }), tier: 'critical', amount: 0.1, until: 1 }
  ]
  for (const plan of bad)
    isCoded(
      thrown(() => gov.plans.write(plan)),
      'ERR_FORELOCK_ARGUMENT'
    )
  assert.equal(gov.plans.list(), [])
  for (const id of ['', '1', '1.1.1', 'a.b', 7 as never])
    isCoded(
      thrown(() => gov.plans.withdraw(id)),
      'ERR_FORELOCK_ARGUMENT'
    )
})

test('there is no plan of what nobody has made', () => {
  const gov = virtual()
  for (const plan of [
    { kind: 'reserve', bucket: 'b', amount: 1, until: 1 },
    { kind: 'keep', pool: 'p', tier: 'critical', amount: 0.1, until: 1 }
  ] as const) {
    isCoded(
      thrown(() => gov.plans.write(plan)),
      'ERR_FORELOCK_NOT_FOUND'
    )
  }
  assert.equal(gov.plans.list(), [])
})

test('a plan for one whose name finds no room is refused: it would be for all', () => {
  const gov = open({ fresh: true, clock: 'virtual', capacity: { elements: 16 } })
  gov.pool('p', { capacity: { slots: 10 } })
  for (let n = 0; n < 16; n++) gov.telemetry.intern(`name ${n}`)
  const refused = thrown(() => gov.plans.write({ kind: 'share', pool: 'p', tenant: 'late', amount: 3, until: 1 }))
  isCoded(refused, 'ERR_FORELOCK_CAPACITY')
  assert.equal(gov.plans.list(), [])
})

test('a refusal by plan is counted for its source', () => {
  const gov = virtual()
  gov.plans.write({ kind: 'hold', lock: 'a', tier: 'critical', until: 100, source: 5 })
  const answers: (unknown | Taken)[] = [gov.lock('a').tryAcquire(), gov.lock('a').tryAcquire()]
  assert.equal(answers, [null, null])
  const [score] = gov.plans.scores()
  assert.equal([score?.source, score?.waits, score?.written], [5, 2, 1])
})

test.run()
