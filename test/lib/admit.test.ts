import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Admission, type Bucket, decodeRecord, type Governor, open, RECORD_BYTES, type Refusal } from '../../lib/index.js'
import { isCoded, isSettled, macrotask, rejection, thrown, virtual } from './support.js'

function world(gov: Governor = virtual()) {
  const pool = gov.pool('p', { capacity: { cpu: 4, memory: 100 } })
  const fast = gov.bucket('fast', { rate: 1000, burst: 100 })
  const slow = gov.bucket('slow', { rate: 10, burst: 2 })
  const lock = gov.lock('l')
  const parts = { pool: [pool, { cpu: 2, memory: 10 }], tokens: [[fast, 5] as const, [slow, 1] as const], locks: [lock] } as const
  return { gov, pool, fast, slow, lock, parts }
}

function admitted(answer: Admission | Refusal): Admission {
  if (!answer.ok) throw new Error(`refused by ${answer.kind} ${answer.name}`)
  return answer
}

test('all parts are taken in one decision, and end together but for the tokens', () => {
  const { gov, pool, fast, slow, lock, parts } = world()
  const admission = admitted(gov.tryAdmit(parts))
  assert.equal(admission.allocation?.amounts, { cpu: 2, memory: 10 })
  assert.equal(
    admission.locks.map(grant => grant.name),
    ['l']
  )
  assert.equal([fast.peek().remaining, slow.peek().remaining], [95, 1])
  assert.is(lock.tryAcquire(), null)
  assert.is(admission.ended, false)
  assert.is(admission.release(), true)
  assert.is(admission.ended, true)
  assert.is(admission.release(), false)
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
  assert.equal([fast.peek().remaining, slow.peek().remaining], [95, 1])
  assert.ok(lock.tryAcquire())
})

test('a refusal names the part, says until when, and leaves nothing behind', () => {
  const { gov, pool, fast, slow, lock, parts } = world()
  slow.tryTake(2)
  assert.equal(gov.tryAdmit(parts), { ok: false, kind: 'bucket', name: 'slow', waitMs: 100 })
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
  assert.is(fast.peek().remaining, 100)
  gov.advance(100)
  const holds = lock.tryAcquire()!
  assert.equal(gov.tryAdmit(parts), { ok: false, kind: 'lock', name: 'l', waitMs: undefined })
  holds.release()
  const most = pool.tryAllocate({ cpu: 3 })!
  assert.equal(gov.tryAdmit(parts), { ok: false, kind: 'pool', name: 'p', waitMs: undefined })
  most.release()
  admitted(gov.tryAdmit(parts))
})

test('it waits for whatever part refuses, one after the other, and holds nothing meanwhile', async () => {
  const { gov, pool, slow, lock, parts } = world()
  slow.tryTake(2)
  const holds = lock.tryAcquire()!
  const most = pool.tryAllocate({ cpu: 4 })!
  const all = gov.admit(parts)
  await macrotask()
  holds.release()
  await macrotask()
  assert.ok(lock.tryAcquire()?.release(), 'the lock is not kept while the pool refuses')
  most.release()
  await macrotask()
  assert.is(await isSettled(all), false)
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
  gov.advance(100)
  assert.is((await all).release(), true)
})

test('one wait time for all of it; the error names the part that refused last', async () => {
  const { gov, pool, lock, parts } = world()
  const holds = lock.tryAcquire()!
  const all = rejection(gov.admit(parts, { waitTimeout: 50 }))
  gov.advance(30)
  pool.tryAllocate({ cpu: 4 })
  holds.release()
  await macrotask()
  gov.advance(20)
  const error = await all
  isCoded(error, 'ERR_FORELOCK_TIMEOUT')
  assert.is(error.resource, 'p')
})

test('a signal ends the wait with its reason, also one that is aborted already', async () => {
  const { gov, lock, parts } = world()
  lock.tryAcquire()
  const controller = new AbortController()
  const all = rejection(gov.admit(parts, { signal: controller.signal }))
  await macrotask()
  controller.abort('enough')
  assert.is(await all, 'enough')
  assert.is(await rejection(gov.admit(parts, { signal: controller.signal })), 'enough')
})

test('whatever part it waits for, it is for the workflow, tenant and client that it names: an escalation raises its locks too', async () => {
  const order = async (escalated: boolean): Promise<string[]> => {
    const { gov, lock } = world()
    if (escalated) gov.plans.write({ kind: 'escalation', workflow: 'w', tier: 'critical', until: 60_000 })
    const held = lock.tryAcquire()!
    const log: string[] = []
    const waits = [
      lock.acquire({ tier: 'standard' }).then(grant => [log.push('standard'), grant.release()]),
      gov.admit({ locks: [lock] }, { tier: 'standard', workflow: 'w' }).then(all => [log.push('workflow'), all.release()])
    ]
    await macrotask()
    held.release()
    await Promise.all(waits)
    return log
  }
  assert.equal(await order(false), ['standard', 'workflow'])
  assert.equal(await order(true), ['workflow', 'standard'])
})

test('also what is decided at once is for them: an escalation lets its locks pass what holds them from lower tiers, and their records name them', () => {
  const { gov, lock } = world()
  lock.tryAcquire()?.release()
  gov.telemetry.attach()
  const ids = ['w', 't', 'c'].map(name => gov.telemetry.intern(name))
  const who = { workflow: 'w', tenant: 't', client: 'c' }
  // Anew, and again.
  for (let times = 0; times < 2; times++) admitted(gov.tryAdmit({ locks: [lock] }, who)).release()
  admitted(gov.tryAdmit({ locks: [lock] })).release()
  const buffer = new Uint8Array(16 * RECORD_BYTES)
  const records = Array.from({ length: gov.telemetry.drain(buffer) }, (_, i) => decodeRecord(buffer, i * RECORD_BYTES))
  assert.equal(
    records.filter(({ event }) => event === 'grant').map(({ workflow, tenant, client }) => [workflow, tenant, client]),
    [ids, ids, [0, 0, 0]]
  )
  gov.plans.write({ kind: 'escalation', workflow: 'w', tier: 'critical', until: 60_000 })
  for (let times = 0; times < 2; times++) {
    gov.plans.write({ kind: 'hold', lock, tier: 'critical', until: 60_000 })
    assert.is(gov.tryAdmit({ locks: [lock] }).ok, false)
    assert.is(admitted(gov.tryAdmit({ locks: [lock] }, who)).release(), true)
  }
})

test('an admission that is kept from the rest again and again takes all in one order in the end', async () => {
  const { gov, pool, lock } = world()
  const held = [lock.tryAcquire()!]
  const all = gov.admit({ locks: [lock], pool: [pool, { cpu: 4 }] })
  // Whenever the lock is free the pool is not, and the other way round.
  let unit = pool.tryAllocate({ cpu: 1 })!
  for (let round = 0; round < 12; round++) {
    held.pop()?.release()
    await macrotask()
    const again = lock.tryAcquire()
    if (again !== null) held.push(again)
    unit.release()
    await macrotask()
    const taken = pool.tryAllocate({ cpu: 1 })
    if (taken === null) break
    unit = taken
  }
  held.pop()?.release()
  unit.release()
  assert.ok((await all).release())
})

test('what asks for nothing is admitted; what can never be is refused at once', async () => {
  const { gov, pool, slow } = world()
  assert.is(admitted(gov.tryAdmit({})).ended, true)
  isCoded(
    thrown(() => gov.tryAdmit({ pool: [pool, { cpu: 5 }] })),
    'ERR_FORELOCK_EXCEEDS'
  )
  isCoded(await rejection(gov.admit({ tokens: [[slow, 3]] })), 'ERR_FORELOCK_EXCEEDS')
})

test('what buckets above would have to give at once, for all parts together, is beyond their burst for ever', async () => {
  const gov = virtual()
  const top = gov.bucket('top', { rate: 1, burst: 5 })
  const terms = { rate: 10, burst: 50, parent: top }
  const [a, b] = [gov.bucket('a', terms), gov.bucket('b', terms)]
  const below = gov.bucket('below', { rate: 10, burst: 50, parent: a })
  const apart = gov.bucket('apart', { rate: 1, burst: 50 })
  const tooMuch: [Bucket, number][][] = [
    [
      [top, 3],
      [a, 3]
    ],
    [
      [a, 3],
      [apart, 9],
      [b, 3]
    ],
    [
      [below, 1],
      [b, 2],
      [top, 2.1]
    ]
  ]
  for (const emptied of [0, 5]) {
    if (emptied > 0) top.take(emptied)
    for (const tokens of tooMuch) {
      // Decided in one call, and part by part.
      for (const options of [undefined, { within: [] }]) {
        const refused = thrown(() => gov.tryAdmit({ tokens }, options))
        isCoded(refused, 'ERR_FORELOCK_EXCEEDS')
        assert.match(refused.message, /together with bucket "(a|b|top)"/)
      }
      isCoded(await rejection(gov.admit({ tokens })), 'ERR_FORELOCK_EXCEEDS')
      assert.equal([top.peek().remaining, apart.peek().remaining], [5 - emptied, 50])
    }
  }
  assert.equal(
    gov.tryAdmit({
      tokens: [
        [top, 3],
        [a, 2],
        [apart, 50]
      ]
    }),
    { ok: false, kind: 'bucket', name: 'top', waitMs: 3_000 }
  )
  gov.advance(5_000)
  admitted(
    gov.tryAdmit({
      tokens: [
        [top, 3],
        [a, 2],
        [apart, 50]
      ]
    })
  )
  const dry = gov.bucket('dry', { rate: 1, burst: 5, shadow: true })
  const dryBelow = gov.bucket('dry below', { rate: 1, burst: 50, parent: dry, shadow: true })
  admitted(
    gov.tryAdmit({
      tokens: [
        [dry, 3],
        [dryBelow, 3]
      ]
    })
  )
  ;(
    await gov.admit({
      tokens: [
        [dry, 3],
        [dryBelow, 3]
      ]
    })
  ).release()
  await gov.close()
})

test('several pools and locks, each once', async () => {
  const { gov, pool, lock, slow } = world()
  const other = gov.pool('q', { capacity: { gpu: 1 } })
  const admission = admitted(
    gov.tryAdmit({
      pool: [
        [pool, { cpu: 1 }],
        [other, { gpu: 1 }]
      ],
      locks: [[lock, { mode: 'shared' }], gov.lock('m')]
    })
  )
  assert.equal(
    admission.allocations.map(({ name }) => name),
    ['p', 'q']
  )
  assert.is(admission.locks[0]?.mode, 'shared')
  for (const parts of [
    {
      pool: [
        [pool, { cpu: 1 }],
        [pool, { cpu: 1 }]
      ]
    },
    {
      tokens: [
        [slow, 1],
        [slow, 1]
      ]
    },
    { locks: [lock, lock] }
  ] as const) {
    isCoded(
      thrown(() => gov.tryAdmit(parts as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test('hostile arguments are refused, and take nothing', async () => {
  const { gov, pool, lock } = world()
  const foreign = world(open({ fresh: true }))
  // biome-ignore lint/suspicious/noExplicitAny: what JavaScript may pass
  const bad: any[] = [
    undefined,
    null,
    7,
    { pools: [] },
    { pool: pool },
    { pool: [pool] },
    { pool: [pool, {}] },
    { pool: [pool, { cpu: -1 }] },
    { pool: [pool, { gpu: 1 }] },
    { pool: [{}, { cpu: 1 }] },
    { pool: [foreign.pool, { cpu: 1 }] },
    { tokens: 7 },
    { tokens: [[foreign.slow, 1]] },
    { tokens: [[{}, 1]] },
    { tokens: [['slow', 1]] },
    { locks: lock },
    { locks: [[lock, { mod: 'shared' }]] },
    { locks: [foreign.lock] }
  ]
  for (const parts of bad)
    isCoded(
      thrown(() => gov.tryAdmit(parts)),
      'ERR_FORELOCK_ARGUMENT'
    )
  for (const options of [7, { tier: 'none' }, { wait: 1 }, { within: {} }] as never[]) {
    isCoded(await rejection(gov.admit({ locks: [lock] }, options)), 'ERR_FORELOCK_ARGUMENT')
  }
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
  assert.ok(lock.tryAcquire())
  await foreign.gov.close()
})

test('closing the governor ends the wait', async () => {
  const { gov, lock, parts } = world()
  lock.tryAcquire()
  const all = rejection(gov.admit(parts))
  await macrotask()
  await gov.close()
  isCoded(await all, 'ERR_FORELOCK_CLOSED')
})

test('its signal aborts when any part is lost', async () => {
  const { gov, lock, pool } = world()
  const admission = await gov.admit({ locks: [[lock, { ttl: 50 }]], pool: [pool, { cpu: 1 }] })
  const { signal } = admission
  gov.advance(51)
  await macrotask()
  isCoded(signal.reason, 'ERR_FORELOCK_TTL')
})

test.run()
