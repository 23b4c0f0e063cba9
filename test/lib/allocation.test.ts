import { getEventListeners } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Allocation, type Governor, open, type Pool } from '../../lib/index.js'
import { isCoded, isSettled, macrotask, refusal, rejection, thrown, virtual } from './support.js'

interface World {
  gov: Governor
  pool: Pool
}

function world(cpu = 4): World {
  const gov = virtual()
  return { gov, pool: gov.pool('a', { capacity: { cpu, memory: 10 } }) }
}

/** Asks for what is revocable, and waits until it is told: the interactive tier is promised a part by a plan, and wants it. */
async function recall({ gov, pool }: World, revocable: Allocation): Promise<{ wanting: Promise<Allocation> }> {
  const told = new Promise<void>(resolve => revocable.on('recall', resolve))
  gov.plans.write({ kind: 'share', pool, tier: 'interactive', amount: 0.25, until: 600_000 })
  const wanting = pool.allocate({ cpu: 1 }, { tier: 'interactive' })
  wanting.catch(refusal('ERR_FORELOCK_CLOSED')) // some tests end before it is served
  await told
  return { wanting }
}

test('an allocation says what it holds, of which pool and in which tier', () => {
  const { pool } = world()
  const allocation = pool.tryAllocate({ cpu: 2 }, { tier: 'critical' }) as Allocation
  assert.equal(allocation.amounts, { cpu: 2, memory: 0 })
  assert.is(allocation.name, 'a')
  assert.is(allocation.tier, 'critical')
  assert.is(allocation.ended, false)
  assert.is(allocation.recalled, false)
})

test('it ends once, by whatever name, and a second end says false', () => {
  for (const end of ['release', 'success', 'ignore', 'drop'] as const) {
    const { pool } = world()
    const allocation = pool.tryAllocate({ cpu: 4 }) as Allocation
    assert.is(allocation[end](), true)
    assert.is(allocation.ended, true)
    assert.is(allocation.release(), false)
    const next = pool.tryAllocate({ cpu: 4 }) as Allocation
    assert.is(allocation[end](), false)
    assert.is(pool.tryAllocate({ cpu: 1 }), null, 'a second end takes nothing from the next')
    next.release()
  }
})

test('using releases at the end of the block, also when it throws', () => {
  const { pool } = world()
  const error = thrown(() => {
    using _ = pool.tryAllocate({ cpu: 4 })
    assert.is(pool.tryAllocate({ cpu: 1 }), null)
    throw new Error('no')
  })
  assert.is(error.message, 'no')
  assert.ok(pool.tryAllocate({ cpu: 4 }))
})

// ---- resize

test('what becomes less is given back at once, and what is not named stays', async () => {
  const { pool } = world()
  const allocation = pool.tryAllocate({ cpu: 4, memory: 8 }) as Allocation
  const waiting = pool.allocate({ cpu: 3 })
  await allocation.resize({ cpu: 1 })
  assert.equal(allocation.amounts, { cpu: 1, memory: 8 })
  assert.equal((await waiting).amounts, { cpu: 3, memory: 0 })
  assert.is(allocation.tryResize({ memory: 0, cpu: 0 }), true)
  assert.equal(allocation.amounts, { cpu: 0, memory: 0 })
  assert.equal(pool.usage().used, { cpu: 3, memory: 0 })
  assert.is(allocation.release(), true)
})

test('what becomes more is waited for, while the rest stays held', async () => {
  const { pool } = world()
  const other = pool.tryAllocate({ cpu: 3 }) as Allocation
  const allocation = pool.tryAllocate({ cpu: 1 }) as Allocation
  const growing = allocation.resize({ cpu: 3, memory: 2 })
  assert.is(await isSettled(growing), false)
  assert.equal(allocation.amounts, { cpu: 1, memory: 0 })
  other.release()
  await growing
  assert.equal(allocation.amounts, { cpu: 3, memory: 2 })
  assert.equal(pool.usage().used, { cpu: 3, memory: 2 })
  assert.is(allocation.release(), true)
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
})

test('what grew several times shrinks and ends as one', async () => {
  const { pool } = world(10)
  const allocation = pool.tryAllocate({ cpu: 1 }) as Allocation
  for (const cpu of [3, 6, 10]) assert.is(allocation.tryResize({ cpu }), true)
  assert.is(allocation.tryResize({ cpu: 11 - 9 }), true)
  assert.equal(pool.usage().used, { cpu: 2, memory: 0 })
  await allocation.resize({ cpu: 8 })
  assert.equal(allocation.amounts, { cpu: 8, memory: 0 })
  assert.is(allocation.release(), true)
  assert.ok(pool.tryAllocate({ cpu: 10 }))
})

test('tryResize says false when there is not enough, and then only what became less has changed', () => {
  const { pool } = world()
  pool.tryAllocate({ cpu: 2 })
  const allocation = pool.tryAllocate({ cpu: 2, memory: 5 }) as Allocation
  assert.is(allocation.tryResize({ cpu: 3, memory: 1 }), false)
  assert.equal(allocation.amounts, { cpu: 2, memory: 1 })
})

test('growth that is aborted or timed out leaves the rest, its place in the queue and no listener', async () => {
  const { gov, pool } = world()
  pool.tryAllocate({ cpu: 3 })
  const allocation = pool.tryAllocate({ cpu: 1 }) as Allocation
  const controller = new AbortController()
  const aborted = allocation.resize({ cpu: 2 }, { signal: controller.signal })
  controller.abort('over')
  assert.is(await rejection(aborted), 'over')
  assert.is(getEventListeners(controller.signal, 'abort').length, 0)
  assert.is(await rejection(allocation.resize({ cpu: 2 }, { signal: controller.signal })), 'over')
  const late = allocation.resize({ cpu: 2 }, { waitTimeout: 10 })
  gov.advance(10)
  isCoded(await rejection(late), 'ERR_FORELOCK_TIMEOUT')
  isCoded(await rejection(allocation.resize({ cpu: 2 }, { waitTimeout: 0 })), 'ERR_FORELOCK_TIMEOUT')
  isCoded(await rejection(allocation.resize({ cpu: 5 })), 'ERR_FORELOCK_EXCEEDS')
  assert.equal(allocation.amounts, { cpu: 1, memory: 0 })
  assert.equal(pool.usage().tiers.standard, { used: { cpu: 4, memory: 0 }, waiting: 0 })
})

test('of several resizes that wait at a time the last says how much it is in the end', async () => {
  const { pool } = world(10)
  const other = pool.tryAllocate({ cpu: 9 }) as Allocation
  const allocation = pool.tryAllocate({ cpu: 1 }) as Allocation
  const first = allocation.resize({ cpu: 6 })
  const second = allocation.resize({ cpu: 3 })
  other.release()
  await Promise.all([first, second])
  assert.equal(allocation.amounts, { cpu: 3, memory: 0 })
  assert.equal(pool.usage().used, { cpu: 3, memory: 0 })
  const full = pool.tryAllocate({ cpu: 7 }) as Allocation
  const third = allocation.resize({ cpu: 8 })
  await allocation.resize({ cpu: 2 })
  full.release()
  await third
  assert.equal(allocation.amounts, { cpu: 2, memory: 0 })
  assert.is(allocation.release(), true)
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
})

test('an allocation that ends while it waits to grow gives all back and waits no longer', async () => {
  const { pool } = world()
  const other = pool.tryAllocate({ cpu: 3 }) as Allocation
  const allocation = pool.tryAllocate({ cpu: 1 }) as Allocation
  const growing = allocation.resize({ cpu: 2 })
  assert.is(allocation.release(), true)
  isCoded(await rejection(growing), 'ERR_FORELOCK_CLOSED')
  assert.equal(pool.usage().tiers.standard, { used: { cpu: 3, memory: 0 }, waiting: 0 })
  other.release()
  isCoded(await rejection(allocation.resize({ cpu: 1 })), 'ERR_FORELOCK_CLOSED')
  isCoded(
    thrown(() => allocation.tryResize({ cpu: 1 })),
    'ERR_FORELOCK_CLOSED'
  )
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
})

test('an allocation that ends in the very settlement that makes it grow gives that back too', async () => {
  const { pool } = world()
  const other = pool.tryAllocate({ cpu: 3 }) as Allocation
  const allocation = pool.tryAllocate({ cpu: 1 }) as Allocation
  const growing = allocation.resize({ cpu: 2 })
  other.release()
  allocation.release()
  isCoded(await rejection(growing), 'ERR_FORELOCK_CLOSED')
  assert.equal(pool.usage().used, { cpu: 0, memory: 0 })
})

test('a resize that is refused for its arguments changes nothing, not even what would become less', async () => {
  const { pool } = world()
  const allocation = pool.tryAllocate({ cpu: 2, memory: 2 }) as Allocation
  const refused: [string, unknown, unknown?][] = [
    ['amounts', undefined],
    ['amounts', { gpu: 1 }],
    ['amounts.cpu', { cpu: -1 }],
    ['amounts.cpu', { cpu: 'x' }],
    ['options', { cpu: 1 }, null],
    ['tier', { cpu: 1 }, { tier: 'critical' }],
    ['signal', { cpu: 1 }, { signal: {} }],
    ['waitTimeout', { cpu: 1 }, { waitTimeout: -1 }]
  ]
  for (const [option, amounts, options] of refused) {
    const error = await rejection(allocation.resize(amounts as never, options as never))
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.is(error.option, option)
  }
  assert.equal(allocation.amounts, { cpu: 2, memory: 2 })
})

test('a closed governor lets nothing be resized; what is held can be released until the last one left', async () => {
  const gov = open({ fresh: true })
  const other = open({ handle: gov.handle })
  const pool = gov.pool('a', { capacity: { cpu: 2 } })
  const allocation = pool.tryAllocate({ cpu: 1 }) as Allocation
  await gov.close()
  isCoded(await rejection(allocation.resize({ cpu: 2 })), 'ERR_FORELOCK_CLOSED')
  assert.is(allocation.release(), true)
  assert.ok(other.pool('a').tryAllocate({ cpu: 2 }))
  await other.close()
})

// ---- the end from outside

test('the signal aborts when the governor closes, and not after the allocation has ended', async () => {
  const { gov, pool } = world()
  const allocation = pool.tryAllocate({ cpu: 1 }) as Allocation
  const ended = pool.tryAllocate({ cpu: 1 }) as Allocation
  const unlooked = pool.tryAllocate({ cpu: 1 }) as Allocation
  const signals = [allocation.signal, ended.signal]
  ended.release()
  await gov.close()
  isCoded(signals[0]?.reason, 'ERR_FORELOCK_CLOSED')
  assert.is(signals[0]?.reason.resource, 'a')
  assert.is(signals[1]?.aborted, false)
  isCoded(unlooked.signal.reason, 'ERR_FORELOCK_CLOSED')
})

test('a revocable allocation is told when it is asked for, and its signal aborts when its grace is over; it stays held', async () => {
  const given = world()
  const { gov, pool } = given
  const revocable = pool.tryAllocate({ cpu: 4 }, { tier: 'background', revocable: { grace: 500 } }) as Allocation
  const { signal } = revocable
  let told = 0
  assert.is(
    revocable.on('recall', () => told++),
    revocable
  )
  const { wanting } = await recall(given, revocable)
  assert.is(told, 1)
  assert.is(revocable.recalled, true)
  gov.advance(499)
  assert.is(signal.aborted, false)
  gov.advance(1)
  isCoded(signal.reason, 'ERR_FORELOCK_RECALLED')
  assert.is(signal.reason.resource, 'a')
  assert.equal(revocable.amounts, { cpu: 4, memory: 0 })
  assert.is(await isSettled(wanting), false)
  revocable.release()
  assert.equal((await wanting).amounts, { cpu: 1, memory: 0 })
  await gov.close()
})

test('one that gives back in time is left alone: the grace is a second unless it is said', async () => {
  const given = world()
  const { gov, pool } = given
  const revocable = pool.tryAllocate({ cpu: 4 }, { tier: 'background', revocable: true }) as Allocation
  revocable.on('recall', () => revocable.tryResize({ cpu: 3 }))
  const { wanting } = await recall(given, revocable)
  assert.equal((await wanting).amounts, { cpu: 1, memory: 0 })
  gov.advance(999)
  assert.is(revocable.release(), true)
  gov.advance(1)
  assert.is(revocable.signal.aborted, false)
  await gov.close()
})

test('only what is revocable, and of a lower tier, is asked for', async () => {
  const given = world()
  const { gov, pool } = given
  const others = [
    pool.tryAllocate({ cpu: 1 }, { tier: 'background' }),
    pool.tryAllocate({ cpu: 1 }, { tier: 'background', revocable: false }),
    pool.tryAllocate({ cpu: 1 }, { tier: 'critical', revocable: true })
  ] as Allocation[]
  const revocable = pool.tryAllocate({ cpu: 1 }, { tier: 'background', revocable: true }) as Allocation
  await recall(given, revocable)
  assert.is(revocable.recalled, true)
  assert.ok(others.every(one => !one.recalled))
  await gov.close()
})

test('a listener of a recall that throws keeps no other from being told, and the grace runs', async () => {
  const { gov, pool } = world(8)
  pool.tryAllocate({ cpu: 6 })
  const two = [1, 2].map(() => pool.tryAllocate({ cpu: 1 }, { tier: 'background', revocable: { grace: 10 } }) as Allocation)
  const errors: unknown[] = []
  const note = (error: unknown) => errors.push(error)
  process.on('uncaughtException', note)
  let told = 0
  const all = Promise.all(two.map(one => new Promise<void>(resolve => one.on('recall', resolve))))
  for (const one of two) {
    one.on('recall', () => {
      throw new Error('listener')
    })
    one.on('recall', () => told++)
  }
  gov.plans.write({ kind: 'share', pool, tier: 'interactive', amount: 0.25, until: 600_000 })
  pool.allocate({ cpu: 2 }, { tier: 'interactive' }).catch(refusal('ERR_FORELOCK_CLOSED'))
  await all
  await macrotask()
  process.off('uncaughtException', note)
  assert.equal([told, errors.length], [2, 2])
  gov.advance(10)
  assert.ok(two.every(one => one.signal.aborted))
  await gov.close()
})

test('whoever listens after the recall is called back too, once', async () => {
  const given = world()
  const revocable = given.pool.tryAllocate({ cpu: 4 }, { tier: 'background', revocable: true }) as Allocation
  await recall(given, revocable)
  let told = 0
  revocable.on('recall', () => told++)
  assert.is(told, 0, 'never within the call')
  await macrotask()
  assert.is(told, 1)
  await given.gov.close()
})

test('another event, or what is no listener, is refused', () => {
  const allocation = world().pool.tryAllocate({ cpu: 1 }, { revocable: true }) as Allocation
  for (const [option, event, listener] of [
    ['event', 'end', () => {}],
    ['event', Symbol('recall'), () => {}],
    ['listener', 'recall', undefined],
    ['listener', 'recall', {}]
  ]) {
    const error = thrown(() => allocation.on(event as never, listener as never))
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.is(error.option, option)
  }
})

test.run()
