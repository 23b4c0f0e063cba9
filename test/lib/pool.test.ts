import { AsyncLocalStorage } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Allocation, GiB, open, type Pool } from '../../lib/index.js'
import { Random } from '../survive/support.js'
import { Agent } from './agents.js'
import { aborted, isCoded, isSettled, macrotask, refusal, rejection, thrown, virtual } from './support.js'

/** What is handed out, and how many wait. */
function state(pool: Pool): { used: Readonly<Record<string, number>>; waiting: number } {
  const { used, tiers } = pool.usage()
  return { used, waiting: Object.values(tiers).reduce((sum, { waiting }) => sum + waiting, 0) }
}

test('amounts of several dimensions are handed out together, or not at all', () => {
  const pool = virtual().pool('host', { capacity: { cpu: 4, memory: 8 * GiB } })
  const first = pool.tryAllocate({ cpu: 3, memory: GiB }) as Allocation
  assert.equal(first.amounts, { cpu: 3, memory: GiB })
  assert.is(pool.tryAllocate({ cpu: 2, memory: GiB }), null)
  assert.is(pool.tryAllocate({ cpu: 1, memory: 8 * GiB }), null)
  assert.equal(pool.usage().used, { cpu: 3, memory: GiB })
  assert.ok(pool.tryAllocate({ memory: 7 * GiB }))
  assert.is(first.release(), true)
  assert.ok(pool.tryAllocate({ cpu: 4 }))
})

test('a look at what is handed out stays what it was, whatever is looked at after it', async () => {
  const gov = virtual()
  const [host, other] = [gov.pool('host', { capacity: { cpu: 4, memory: 8 } }), gov.pool('other', { capacity: { slots: 9 } })]
  const held = host.tryAllocate({ cpu: 1, memory: 2 }, { tier: 'interactive' })
  other.tryAllocate({ slots: 5 }, { tier: 'background' })
  const waits = host.allocate({ cpu: 4 }, { tier: 'critical' })
  const usage = host.usage()
  const tiers = { background: 0, standard: 0, critical: 1 }
  assert.equal(other.usage().tiers.background, { used: { slots: 5 }, waiting: 0 })
  assert.equal(
    [usage.capacity, usage.used],
    [
      { cpu: 4, memory: 8 },
      { cpu: 1, memory: 2 }
    ]
  )
  assert.equal(usage.tiers.interactive, { used: { cpu: 1, memory: 2 }, waiting: 0 })
  for (const [tier, waiting] of Object.entries(tiers)) assert.equal(usage.tiers[tier], { used: { cpu: 0, memory: 0 }, waiting })
  held?.release()
  await waits
})

test('amounts are whole units, rounded up, and up to 2^53 exact', () => {
  const pool = virtual().pool('a', { capacity: { bytes: 2 ** 53, cpu: 3 } })
  assert.equal(pool.tryAllocate({ cpu: 1.2 })?.amounts.cpu, 2)
  assert.is(pool.tryAllocate({ cpu: 1.5 }), null)
  assert.ok(pool.tryAllocate({ bytes: 2 ** 53 - 1 }))
  assert.is(pool.tryAllocate({ bytes: 2 }), null)
  assert.ok(pool.tryAllocate({ bytes: 1 }))
})

test('who asks for what was asked for last is given it again, and is told of what is not as it was', () => {
  const pool = virtual().pool('a', { capacity: { cpu: 10, memory: 10 } })
  const wrong = (amounts: object) =>
    isCoded(
      thrown(() => pool.tryAllocate(amounts as Record<string, number>)),
      'ERR_FORELOCK_ARGUMENT'
    )
  wrong({ cpu: 0, memory: 0 })
  const amounts: Record<string, number> = { cpu: 2, memory: 3 }
  const [first, second] = [pool.tryAllocate(amounts) as Allocation, pool.tryAllocate(amounts) as Allocation]
  assert.is(first.tryResize({ cpu: 1 }), true)
  assert.equal(
    [first.amounts, second.amounts],
    [
      { cpu: 1, memory: 3 },
      { cpu: 2, memory: 3 }
    ]
  )
  amounts.disk = 0
  wrong(amounts)
  wrong({ cpu: 2, memory: '3' })
  assert.equal(pool.tryAllocate({ cpu: 2 })?.amounts, { cpu: 2, memory: 0 })
  assert.equal(pool.usage().used, { cpu: 5, memory: 6 })
})

test('what can never be given is refused at once: beyond the capacity, the floors of others, or the ceiling', async () => {
  const gov = virtual()
  const pool = gov.pool('a', { capacity: { cpu: 10 }, tiers: { background: { ceiling: 0.5 }, critical: { floor: 0.3 } } })
  for (const [amount, tier] of [
    [11, 'critical'],
    [8, 'standard'],
    [6, 'background']
  ] as const) {
    for (const error of [
      thrown(() => pool.tryAllocate({ cpu: amount }, { tier })),
      await rejection(pool.allocate({ cpu: amount }, { tier }))
    ]) {
      isCoded(error, 'ERR_FORELOCK_EXCEEDS')
      assert.match(error.message, new RegExp(`^pool "[^"]+" can never give cpu ${amount}: at most its capacity`))
      assert.equal(error.facts, { resource: 'a', asked: { cpu: amount } })
    }
    pool.tryAllocate({ cpu: amount - 1 }, { tier })?.release()
  }
  assert.equal(state(pool), { used: { cpu: 0 }, waiting: 0 })
})

// ---- tiers

test('a floor is kept for its tier whether it uses it or not', () => {
  const pool = virtual().pool('a', { capacity: { cpu: 10 }, tiers: { critical: { floor: 0.3 } } })
  assert.ok(pool.tryAllocate({ cpu: 7 }))
  assert.is(pool.tryAllocate({ cpu: 1 }), null)
  assert.ok(pool.tryAllocate({ cpu: 3 }, { tier: 'critical' }))
})

test('a ceiling is the most that a tier may have, though all else is free', () => {
  const pool = virtual().pool('a', { capacity: { cpu: 10, memory: 10 }, tiers: { background: { ceiling: { cpu: 0.4 } } } })
  const held = pool.tryAllocate({ cpu: 4, memory: 9 }, { tier: 'background' })
  assert.is(pool.tryAllocate({ cpu: 1 }, { tier: 'background' }), null)
  assert.ok(pool.tryAllocate({ cpu: 6 }))
  held?.release()
  assert.ok(pool.tryAllocate({ cpu: 4 }, { tier: 'background' }))
})

test('a share is lent while it is idle, and goes first to its tier when something comes back', async () => {
  const gov = virtual()
  const pool = gov.pool('a', { capacity: { cpu: 4 }, tiers: { background: { share: 0.5 } } })
  const lent = Array.from({ length: 4 }, () => pool.tryAllocate({ cpu: 1 }, { tier: 'critical' }) as Allocation)
  assert.ok(lent.every(one => one !== null))
  const order: string[] = []
  const ask = (tier: string) => pool.allocate({ cpu: 1 }, { tier }).then(() => order.push(tier))
  for (const tier of ['critical', 'background', 'background', 'background']) ask(tier)
  for (const one of lent) {
    one.release()
    await macrotask()
  }
  assert.equal(order, ['background', 'background', 'critical', 'background'])
  await gov.close()
})

test('higher tiers are served first, within one first come, first served', async () => {
  const pool = virtual().pool('a', { capacity: { cpu: 2 } })
  const all = pool.tryAllocate({ cpu: 2 }) as Allocation
  const order: string[] = []
  const done = ['background', 'standard 1', 'critical', 'standard 2', 'interactive'].map(async name => {
    using _ = await pool.allocate({ cpu: 2 }, { tier: name.split(' ')[0] })
    order.push(name)
  })
  all.release()
  await Promise.all(done)
  assert.equal(order, ['critical', 'interactive', 'standard 1', 'standard 2', 'background'])
})

test('what does not fit lets smaller ones pass, until it has aged: then nobody takes from it what it waits for', async () => {
  const gov = virtual({ ageing: 100 })
  const pool = gov.pool('a', { capacity: { cpu: 4 } })
  const held = Array.from({ length: 4 }, () => pool.tryAllocate({ cpu: 1 }) as Allocation)
  const large = pool.allocate({ cpu: 4 }, { tier: 'background' })
  held[0]?.release()
  const small = pool.tryAllocate({ cpu: 1 }, { tier: 'critical' })
  assert.ok(small)
  // Beyond the ageing of all tiers.
  gov.advance(500)
  small.release()
  assert.is(pool.tryAllocate({ cpu: 1 }, { tier: 'critical' }), null)
  for (const one of held.slice(1)) {
    assert.is(await isSettled(large), false)
    one.release()
  }
  ;(await large).release()
  assert.ok(pool.tryAllocate({ cpu: 1 }))
})

// ---- tenants

test('tenants get equal dominant shares: the worked example of the paper', async () => {
  // Ghodsi et al., "Dominant Resource Fairness", NSDI 2011, section 4.1: 9 CPUs and 18 GB; tasks of A want <1 CPU, 4 GB>, of B <3 CPUs, 1 GB>.
  const gov = virtual({ ageing: 0 })
  const pool = gov.pool('cluster', { capacity: { cpu: 9, memory: 18 } })
  const all = pool.tryAllocate({ cpu: 9, memory: 18 }) as Allocation
  const tasks = { A: 0, B: 0 }
  for (let i = 0; i < 10; i++) {
    for (const [tenant, amounts] of [
      ['A', { cpu: 1, memory: 4 }],
      ['B', { cpu: 3, memory: 1 }]
    ] as const)
      pool.allocate(amounts, { tenant }).then(() => tasks[tenant]++, refusal('ERR_FORELOCK_CLOSED'))
  }
  all.release()
  await macrotask()
  assert.equal(tasks, { A: 3, B: 2 })
  assert.equal(pool.usage().used, { cpu: 9, memory: 14 })
  await gov.close()
})

test('a tenant of twice the weight gets twice the dominant share, within one task', async () => {
  const gov = virtual({ ageing: 0 })
  const pool = gov.pool('a', { capacity: { cpu: 90 }, tenants: { big: { weight: 2 } } })
  const all = pool.tryAllocate({ cpu: 90 }) as Allocation
  const units = { big: 0, small: 0 }
  await new Promise<void>(done => {
    for (let i = 0; i < 90; i++) {
      for (const tenant of ['small', 'big'] as const)
        pool.allocate({ cpu: 1 }, { tenant }).then(() => {
          units[tenant]++
          if (units.big + units.small === 90) done()
        }, refusal('ERR_FORELOCK_CLOSED'))
    }
    all.release()
  })
  assert.ok(Math.abs(units.big - 60) <= 1, `${units.big}`)
  await gov.close()
})

test('more tenants than have a row of their own are served all the same', async () => {
  const gov = virtual()
  const pool = gov.pool('a', { capacity: { cpu: 1 } })
  const held = pool.tryAllocate({ cpu: 1 }) as Allocation
  const done = Array.from({ length: 200 }, async (_, i) => (await pool.allocate({ cpu: 1 }, { tenant: `tenant ${i}` })).release())
  held.release()
  await Promise.all(done)
  assert.equal(state(pool), { used: { cpu: 0 }, waiting: 0 })
})

// ---- labels

test('a label that is demanded must be on the pool', async () => {
  const gov = virtual()
  const pool = gov.pool('a', { capacity: { cpu: 2 }, labels: ['pci', 'gpu'] })
  assert.ok(pool.tryAllocate({ cpu: 1 }, { labels: ['gpu', 'pci', 'gpu'] }))
  assert.ok(pool.tryAllocate({ cpu: 1 }, { labels: [] }))
  for (const error of [
    thrown(() => pool.tryAllocate({ cpu: 1 }, { labels: ['pci', 'fips'] })),
    await rejection(pool.allocate({ cpu: 1 }, { labels: ['fips'] }))
  ]) {
    isCoded(error, 'ERR_FORELOCK_EXCEEDS')
    assert.equal(error.facts, { resource: 'a', asked: 'fips' })
  }
})

// ---- one pool for all

test('two pool objects of one name are one pool, whatever the order in which its dimensions and labels are written', async () => {
  const gov = open({ fresh: true })
  const other = open({ handle: gov.handle })
  const pool = gov.pool('a', { capacity: { cpu: 2, memory: 4 }, labels: ['x', 'y'] })
  assert.ok(pool.tryAllocate({ cpu: 2 }))
  const same = other.pool('a', { capacity: { memory: 4, cpu: 2 }, labels: ['y', 'x'] })
  assert.is(same.tryAllocate({ cpu: 1 }), null)
  assert.equal(same.usage().used, { cpu: 2, memory: 0 })
  assert.equal(other.pool('a').capacity, { cpu: 2, memory: 4 })
  await other.close()
  await gov.close()
})

test('a worker thread waits for what is released here, and what it held when it ended comes back', async () => {
  const gov = open({ fresh: true })
  const pool = gov.pool('a', { capacity: { cpu: 2 } })
  const agent = await Agent.thread({ handle: gov.handle })
  const mine = pool.tryAllocate({ cpu: 1 }) as Allocation
  const theirs = agent.allocate('a', { cpu: 2 })
  await theirs.begun
  mine.release()
  assert.equal(await theirs.done, { cpu: 2 })
  const waiting = pool.allocate({ cpu: 2 })
  await agent.kill()
  assert.equal((await waiting).amounts, { cpu: 2 })
  await gov.close()
})

test('what a governor holds when it closes, as the last of its thread, comes back', async () => {
  const gov = open({ fresh: true })
  const agent = await Agent.thread({ handle: gov.handle })
  const pool = gov.pool('a', { capacity: { cpu: 2 } })
  await agent.allocate('a', { cpu: 2 }).done
  const waiting = pool.allocate({ cpu: 1 })
  await agent.close().done
  ;(await waiting).release()
  await agent.kill()
  await gov.close()
})

test('a pool that nobody made cannot be used before somebody says what there is', () => {
  const gov = virtual()
  isCoded(
    thrown(() => gov.pool('a')),
    'ERR_FORELOCK_NOT_FOUND'
  )
  gov.pool('a', { capacity: { cpu: 1 } })
  assert.ok(gov.pool('a').tryAllocate({ cpu: 1 }))
})

test('other terms for a pool that is there are a ConfigError that names what differs; an update changes capacity and tiers only', () => {
  const gov = virtual()
  const terms = { capacity: { cpu: 4 }, tiers: { critical: { floor: 0.5 } }, tenants: { acme: { weight: 2 } }, labels: ['pci'] }
  const pool = gov.pool('a', terms)
  gov.pool('a', terms)
  const refused: [string, object][] = [
    ['capacity', { capacity: { cpu: 8 } }],
    ['capacity', { capacity: { cpu: 4, memory: 1 } }],
    ['tiers', { tiers: { critical: { floor: 0.25 } } }],
    ['tenants', { tenants: { acme: { weight: 3 } } }],
    ['labels', { labels: ['gpu'] }]
  ]
  for (const [option, change] of refused) {
    const error = thrown(() => gov.pool('a', { ...terms, ...change }))
    isCoded(error, 'ERR_FORELOCK_CONFIG')
    assert.is(error.option, option)
    assert.equal(Object.keys(error.given), Object.keys(error.stored), 'both are told alike')
  }
  const other = thrown(() => gov.pool('a', { ...terms, capacity: { cpu: 8 } }))
  assert.is(other.message, 'pool "a" exists with capacity cpu 4, not cpu 8; pass update: true to change it')
  assert.equal([other.stored.capacity, other.given.capacity], [{ cpu: 4 }, { cpu: 8 }])
  const added = thrown(() => gov.pool('a', { ...terms, capacity: { cpu: 4, memory: 1 }, update: true }))
  assert.is(added.message, 'pool "a" exists with capacity cpu 4, not cpu 4, memory 1; that cannot be changed while the arena lives')
  gov.pool('a', { ...terms, capacity: { cpu: 8 }, tiers: {}, update: true })
  assert.equal(pool.capacity, { cpu: 8 })
  assert.ok(pool.tryAllocate({ cpu: 8 }), 'there is no floor any more')
  for (const change of [{ tenants: { acme: { weight: 3 } } }, { labels: [] }, { capacity: { gpu: 8 } }])
    isCoded(
      thrown(() => gov.pool('a', { ...terms, ...change, update: true })),
      'ERR_FORELOCK_CONFIG'
    )
})

// ---- resize

test('more capacity serves who waits; less lets those who hold go on, and grants nothing until enough came back', async () => {
  const pool = virtual().pool('a', { capacity: { cpu: 2, memory: 5 } })
  const held = [pool.tryAllocate({ cpu: 1 }), pool.tryAllocate({ cpu: 1 })] as Allocation[]
  const waiting = pool.allocate({ cpu: 1 })
  pool.resize({ cpu: 3 })
  held.push(await waiting)
  assert.equal(pool.capacity, { cpu: 3, memory: 5 })
  pool.resize({ cpu: 1 })
  assert.equal(pool.usage().used, { cpu: 3, memory: 0 })
  const next = pool.allocate({ cpu: 1 })
  for (const one of held) {
    assert.is(await isSettled(next), false)
    one.release()
  }
  ;(await next).release()
})

test('who waits for more than there is any more is told so, and those behind go on', async () => {
  const pool = virtual().pool('a', { capacity: { cpu: 4 } })
  const held = pool.tryAllocate({ cpu: 4 }) as Allocation
  const waiting = pool.allocate({ cpu: 4 })
  const behind = pool.allocate({ cpu: 1 })
  pool.resize({ cpu: 1 })
  held.release()
  isCoded(await rejection(waiting), 'ERR_FORELOCK_EXCEEDS')
  assert.equal((await behind).amounts, { cpu: 1 })
})

test('a capacity of 0 is a pause: requests wait until there is some again', async () => {
  const pool = virtual().pool('a', { capacity: { cpu: 4 } })
  pool.resize({ cpu: 0 })
  const waiting = pool.allocate({ cpu: 4 })
  assert.is(pool.tryAllocate({ cpu: 1 }), null)
  assert.is(await isSettled(waiting), false)
  pool.resize({ cpu: 4 })
  assert.equal((await waiting).amounts, { cpu: 4 })
})

test('the tiers keep their parts over resizes, also over those that leave nothing', () => {
  const pool = virtual().pool('a', { capacity: { cpu: 10 }, tiers: { critical: { floor: 0.35 }, background: { ceiling: 0.5 } } })
  for (const cpu of [1, 0, 7, 20]) pool.resize({ cpu })
  assert.is(pool.tryAllocate({ cpu: 11 }, { tier: 'critical' })?.release(), true)
  const all = pool.tryAllocate({ cpu: 13 }) as Allocation
  assert.is(pool.tryAllocate({ cpu: 1 }), null)
  all.release()
  assert.ok(pool.tryAllocate({ cpu: 10 }, { tier: 'background' }))
  assert.is(pool.tryAllocate({ cpu: 1 }, { tier: 'background' }), null)
})

// ---- waiting

test('a wait ends by its timeout, its signal or close(), leaves no listener and no place in the queue', async () => {
  const gov = virtual()
  const pool = gov.pool('a', { capacity: { cpu: 2 } })
  const held = pool.tryAllocate({ cpu: 2 }) as Allocation
  const controller = new AbortController()
  const { signal } = controller
  const late = pool.allocate({ cpu: 1 }, { waitTimeout: 200, signal })
  const aborted = pool.allocate({ cpu: 1 }, { signal })
  assert.is(getEventListeners(signal, 'abort').length, 1)
  gov.advance(200)
  const error = await rejection(late)
  isCoded(error, 'ERR_FORELOCK_TIMEOUT')
  assert.equal(error.facts, { resource: 'a', waitedMs: 200 })
  controller.abort('over')
  assert.is(await rejection(aborted), 'over')
  assert.is(getEventListeners(signal, 'abort').length, 0)
  assert.is(await rejection(pool.allocate({ cpu: 1 }, { signal })), 'over')
  assert.equal(state(pool), { used: { cpu: 2 }, waiting: 0 })
  isCoded(await rejection(pool.allocate({ cpu: 1 }, { waitTimeout: 0 })), 'ERR_FORELOCK_TIMEOUT')
  const closed = pool.allocate({ cpu: 1 })
  gov.close()
  const ended = await rejection(closed)
  isCoded(ended, 'ERR_FORELOCK_CLOSED')
  assert.is(ended.resource, 'a')
  assert.is(held.release(), false)
})

test('close({ drain }) waits until all allocations have ended', async () => {
  const gov = virtual()
  const pool = gov.pool('a', { capacity: { cpu: 1 } })
  const held = pool.tryAllocate({ cpu: 1 }) as Allocation
  const waiting = pool.allocate({ cpu: 1 })
  const closing = gov.close({ drain: 1_000 })
  isCoded(
    thrown(() => pool.tryAllocate({ cpu: 1 })),
    'ERR_FORELOCK_CLOSED'
  )
  held.release()
  const next = await waiting
  assert.is(await isSettled(closing), false)
  next.release()
  await closing
})

test('with() holds the amounts while its callback runs, returns what it returns, and releases when it throws', async () => {
  const pool = virtual().pool('a', { capacity: { cpu: 1 } })
  assert.is(await pool.with({ cpu: 1 }, allocation => `${allocation.amounts.cpu} ${pool.tryAllocate({ cpu: 1 })}`), '1 null')
  const error = new Error('no')
  const failing = pool.with({ cpu: 1 }, { tier: 'critical' }, async allocation => {
    assert.is(allocation.tier, 'critical')
    await macrotask()
    throw error
  })
  assert.is(await rejection(failing), error)
  assert.ok(pool.tryAllocate({ cpu: 1 }))
  isCoded(await rejection(pool.with({ cpu: 1 }, undefined as never)), 'ERR_FORELOCK_ARGUMENT')
})

test('the async context of the caller is there after a wait', async () => {
  const storage = new AsyncLocalStorage<string>()
  const pool = virtual().pool('a', { capacity: { cpu: 1 } })
  const held = pool.tryAllocate({ cpu: 1 }) as Allocation
  const seen: (string | undefined)[] = []
  const all = ['one', 'two'].map(context =>
    storage.run(context, async () => {
      using _ = await pool.allocate({ cpu: 1 })
      seen.push(storage.getStore())
    })
  )
  storage.run('the releaser', () => held.release())
  await Promise.all(all)
  assert.equal(seen, ['one', 'two'])
})

test('over any sequence of requests, resizes and ends the pool hands out what its books say, and never more than there is', async () => {
  const random = new Random(5)
  const gov = virtual()
  const pool = gov.pool('a', { capacity: { cpu: 12, memory: 12 }, tiers: { critical: { floor: 0.25 }, background: { ceiling: 0.5 } } })
  const held = new Set<Allocation>()
  const waits: { controller: AbortController; done: Promise<unknown> }[] = []
  const sum = (name: string) => [...held].reduce((all, one) => all + (one.amounts[name] as number), 0)
  for (let step = 0; step < 3_000; step++) {
    const amounts = { cpu: random.below(4), memory: 1 + random.below(4) }
    const options = { tier: random.pick(gov.tiers), tenant: random.pick([undefined, 'a', 'b', 'c']) }
    const some = random.pick([...held, undefined])
    switch (random.below(6)) {
      case 0: {
        const allocation = pool.tryAllocate(amounts, options)
        if (allocation !== null) held.add(allocation)
        break
      }
      case 1: {
        if (waits.length > 50) break
        const controller = new AbortController()
        const done = pool.allocate(amounts, { ...options, signal: controller.signal }).then(allocation => held.add(allocation), aborted)
        waits.push({ controller, done })
        break
      }
      case 2:
        waits.splice(random.below(waits.length), 1)[0]?.controller.abort()
        break
      case 3:
        if (some !== undefined) some.tryResize({ cpu: random.below(4), memory: random.below(4) })
        break
      default:
        if (some !== undefined) held.delete(some)
        some?.release()
    }
    if (step % 10 === 0) await macrotask()
    if (step % 10 === 0) {
      const { used } = pool.usage()
      assert.equal(used, { cpu: sum('cpu'), memory: sum('memory') })
      assert.ok((used.cpu as number) <= 12 && (used.memory as number) <= 12)
    }
  }
  for (const { controller } of waits) controller.abort()
  await Promise.all(waits.map(({ done }) => done))
  for (const one of held) one.release()
  assert.equal(state(pool), { used: { cpu: 0, memory: 0 }, waiting: 0 })
})

// ---- arguments

test('arguments of the wrong type are refused before anything happens, and the error names the option', async () => {
  const gov = virtual()
  const pool = gov.pool('a', { capacity: { cpu: 4, constructor: 4 } })
  const refused: [string, () => unknown][] = [
    ['amounts', () => pool.tryAllocate(undefined as never)],
    ['amounts', () => pool.tryAllocate(null as never)],
    ['amounts', () => pool.tryAllocate({})],
    ['amounts', () => pool.tryAllocate({ cpu: 0, constructor: -0 })],
    ['amounts', () => pool.tryAllocate({ memory: 1 })],
    ['amounts', () => pool.tryAllocate([1] as never)],
    ['amounts', () => pool.tryAllocate(Object.defineProperty({}, 'cpu', { value: 1 }))],
    ['amounts.cpu', () => pool.tryAllocate({ cpu: -1 })],
    ['amounts.cpu', () => pool.tryAllocate({ cpu: Number.NaN })],
    ['amounts.cpu', () => pool.tryAllocate({ cpu: Number.POSITIVE_INFINITY })],
    ['amounts.cpu', () => pool.tryAllocate({ cpu: 2 ** 54 })],
    ['amounts.cpu', () => pool.tryAllocate({ cpu: '1' as never })],
    ['amounts.cpu', () => pool.tryAllocate({ cpu: 1n as never })],
    ['amounts.cpu', () => pool.tryAllocate({ cpu: null as never })],
    ['options', () => pool.tryAllocate({ cpu: 1 }, null as never)],
    ['signal', () => pool.tryAllocate({ cpu: 1 }, { signal: new AbortController().signal } as never)],
    ['tier', () => pool.tryAllocate({ cpu: 1 }, { tier: 'urgent' })],
    ['labels', () => pool.tryAllocate({ cpu: 1 }, { labels: 'pci' as never })],
    ['labels[0]', () => pool.tryAllocate({ cpu: 1 }, { labels: [1 as never] })],
    ['revocable', () => pool.tryAllocate({ cpu: 1 }, { revocable: 1 as never })],
    ['graze', () => pool.tryAllocate({ cpu: 1 }, { revocable: { graze: 1 } as never })],
    ['revocable.grace', () => pool.tryAllocate({ cpu: 1 }, { revocable: { grace: -1 } })],
    ['capacity', () => pool.resize({ memory: 1 })],
    ['capacity.cpu', () => pool.resize({ cpu: -1 })],
    ['capacity', () => pool.resize(undefined as never)],
    ['name', () => gov.pool(Symbol('a') as never)]
  ]
  for (const [option, call] of refused) {
    const error = thrown(call)
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.is(error.option, option)
  }
  for (const [option, options] of Object.entries({ waitTimeout: { waitTimeout: Number.NaN }, signal: { signal: new EventTarget() } })) {
    const error = await rejection(pool.allocate({ cpu: 1 }, options as never))
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.is(error.option, option)
  }
  assert.equal(state(pool), { used: { cpu: 0, constructor: 0 }, waiting: 0 })
})

test('a pool of more than three dimensions counts each of them, whichever way it is asked, and one of few no more than its own', async () => {
  const gov = virtual()
  const pool = gov.pool('many', { capacity: { a: 9, b: 9, c: 9, d: 9, e: 9, f: 9 } })
  const few = gov.pool('few', { capacity: { a: 3 } })
  const all = { a: 1, b: 1, c: 1, d: 2, e: 3, f: 4 }
  assert.ok(pool.tryAllocate(all))
  assert.equal(pool.usage().used, all)
  // What was written for the other one is still there.
  assert.ok(few.tryAllocate({ a: 1 }))
  await few.allocate({ a: 1 })
  assert.ok(gov.tryAdmit({ pool: [few, { a: 1 }] }).ok)
  assert.is(pool.tryAllocate({ f: 6 }), null)
  await pool.allocate({ f: 2 })
  assert.ok(gov.tryAdmit({ pool: [pool, { e: 6, f: 3 }] }).ok)
  assert.is(pool.tryAllocate({ e: 1 }), null)
  assert.equal(pool.usage().used, { a: 1, b: 1, c: 1, d: 2, e: 9, f: 9 })
})

test('a dimension may have the name of what every object has', () => {
  const pool = virtual().pool('a', { capacity: { cpu: 2, constructor: 3, ['__proto__']: 4 }, tiers: { critical: { floor: { cpu: 0.5 } } } })
  assert.ok(pool.tryAllocate({ cpu: 1 }))
  assert.ok(pool.tryAllocate({ constructor: 3, ['__proto__']: 4 }))
  pool.resize({ cpu: 1 })
  assert.is(pool.capacity.constructor as unknown, 3)
})

test('getters that call back into the same pool do not spoil the request they are read for', () => {
  const gov = virtual()
  const pool = gov.pool('a', { capacity: { cpu: 10, memory: 10 } })
  const allocation = pool.tryAllocate(
    {
      get cpu() {
        pool.tryAllocate({ memory: 5 })
        return 2
      },
      get memory() {
        pool.tryAllocate({ cpu: 3 })?.release()
        return 1
      }
    },
    {
      get tier() {
        pool.tryAllocate({ cpu: 1 })
        return 'interactive'
      }
    }
  )
  assert.equal(allocation?.amounts, { cpu: 2, memory: 1 })
  assert.is(allocation?.tier, 'interactive')
})

test('a getter that closes its governor leaves a typed error, and takes nothing of what others share', async () => {
  const gov = open({ fresh: true })
  const other = open({ handle: gov.handle })
  const pool = gov.pool('a', { capacity: { cpu: 4 } })
  const amounts = {
    get cpu() {
      gov.close()
      return 1
    }
  }
  isCoded(
    thrown(() => pool.tryAllocate(amounts)),
    'ERR_FORELOCK_CLOSED'
  )
  isCoded(await rejection(pool.allocate(amounts)), 'ERR_FORELOCK_CLOSED')
  assert.equal(state(other.pool('a')), { used: { cpu: 0 }, waiting: 0 })
  await other.close()
})

test.run()
