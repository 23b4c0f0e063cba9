import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { grants } from '../../lib/grant.js'
import { type AcquireOptions, type Governor, type Grant, open, unlink } from '../../lib/index.js'
import { locks } from '../../lib/lock.js'
import { At, Code } from '../../lib/native/binding.js'
import { Agent } from './agents.js'
import { isCoded, isSettled, macrotask, rejection } from './support.js'

const arena = `test-cohort-${process.pid}`

interface World {
  gov: Governor
  agent: Agent
}

const test = suite<World>('waits behind a grant of the same environment', { gov: undefined as never, agent: undefined as never })

test.before.each(async world => {
  world.gov = open({ name: arena, autoEnclose: false })
  world.agent = await Agent.thread({ name: arena })
})
test.after.each(async ({ gov, agent }) => {
  await agent.kill()
  await gov.close()
  unlink(arena, { force: true })
})

/** Asks for the lock and notes when it was granted; gives it back at once. */
function noting(gov: Governor, order: string[]) {
  return async (name: string, options?: AcquireOptions) => {
    const grant = await gov.lock('a').acquire(options)
    order.push(name)
    grant.release()
    return grant.token
  }
}

const inArena = (gov: Governor) => gov.counters().waiting

test('are handed on without the arena, each with a token of its own', async ({ gov }) => {
  const order: string[] = []
  const wait = noting(gov, order)
  const held = gov.lock('a').tryAcquire()!
  const waits = [1, 2, 3].map(i => wait(String(i)))
  assert.is(inArena(gov), 0)
  assert.is(held.release(), true)
  const tokens = await Promise.all(waits)
  assert.equal(order, ['1', '2', '3'])
  assert.equal(
    tokens.map(token => token - held.token),
    [1n, 2n, 3n]
  )
  assert.is(gov.lock('a').tryAcquire()?.release(), true)
})

test('go by tier', async ({ gov }) => {
  const order: string[] = []
  const wait = noting(gov, order)
  const held = gov.lock('a').tryAcquire()!
  const waits = ['background', 'standard', 'critical', 'standard', 'critical'].map((tier, i) => wait(`${tier} ${i}`, { tier }))
  assert.is(inArena(gov), 0)
  held.release()
  await Promise.all(waits)
  assert.equal(order, ['critical 2', 'critical 4', 'standard 1', 'standard 3', 'background 0'])
})

test('hold out everybody else, who come in the order of arrival', async ({ gov, agent }) => {
  const order: string[] = []
  const wait = noting(gov, order)
  const held = gov.lock('a').tryAcquire()!
  const first = wait('mine, first')
  assert.is(await agent.tryAcquire('a').done, null)
  const theirs = agent.acquire('a')
  await theirs.begun
  const second = wait('mine, second')
  held.release()
  await first
  await theirs.done
  order.push('theirs')
  await macrotask()
  agent.release(theirs)
  await second
  assert.equal(order, ['mine, first', 'theirs', 'mine, second'])
  assert.is(gov.lock('a').tryAcquire()?.release(), true)
})

test('give way to a higher tier of another environment', async ({ gov, agent }) => {
  const order: string[] = []
  const held = gov.lock('a').tryAcquire()!
  const mine = noting(gov, order)('mine')
  const theirs = agent.acquire('a', { tier: 'critical' })
  await theirs.begun
  held.release()
  await theirs.done
  assert.equal(order, [])
  agent.release(theirs)
  await mine
})

test('outlive a theft of the grant they wait behind', async ({ gov, agent }) => {
  const order: string[] = []
  const held = gov.lock('a').tryAcquire()!
  const mine = [1, 2].map(i => noting(gov, order)(String(i)))
  const thief = agent.acquire('a', { steal: true } as AcquireOptions)
  await thief.done
  assert.equal(order, [])
  assert.is(held.release(), false)
  agent.release(thief)
  await Promise.all(mine)
  assert.equal(order, ['1', '2'])
})

test('outlive it also when nobody is left to wait behind', async ({ gov, agent }) => {
  const held = gov.lock('a').tryAcquire()!
  const mine = noting(gov, [])('mine')
  const thief = agent.acquire('a', { steal: true } as AcquireOptions)
  await thief.done
  await agent.release(thief).done
  await mine
  assert.is(held.release(), false)
})

test('do not begin behind a grant that has not been taken yet: it may be given back unseen', async ({ gov, agent }) => {
  const theirs = agent.acquire('a')
  await theirs.done
  const abort = new AbortController()
  const first = rejection(gov.lock('a').acquire({ signal: abort.signal, waitTimeout: 60_000 }))
  agent.release(theirs)
  // Without a turn of the event loop, in which it would be taken.
  while (gov.inspect('a')[0]?.holders[0]?.client !== gov.client) {}
  const second = noting(gov, [])('')
  assert.is(inArena(gov), 2)
  abort.abort('given back')
  assert.is(await first, 'given back')
  await second
})

test('can be given up', async ({ gov }) => {
  const order: string[] = []
  const wait = noting(gov, order)
  const held = gov.lock('a').tryAcquire()!
  const abort = new AbortController()
  const waits = [wait('1'), rejection(wait('2', { signal: abort.signal })), wait('3')]
  assert.is(inArena(gov), 0)
  abort.abort('enough')
  assert.is(await waits[1], 'enough')
  held.release()
  await Promise.all(waits)
  assert.equal(order, ['1', '3'])
})

test('move to the arena to be moved to another tier', async ({ gov }) => {
  const order: string[] = []
  const held = gov.lock('a').tryAcquire()!
  const first = noting(gov, order)('first')
  const request = gov.lock('a').request({ tier: 'background' })
  const granted = request.granted.then(grant => {
    order.push('upgraded')
    grant.release()
  })
  assert.is(request.upgrade('critical'), true)
  held.release()
  await Promise.all([first, granted])
  assert.equal(order, ['upgraded', 'first'])
})

test('stay before a request that only the arena can keep', async ({ gov }) => {
  const order: string[] = []
  const wait = noting(gov, order)
  const held = gov.lock('a').tryAcquire()!
  const waits = [wait('plain'), wait('with a timeout', { waitTimeout: 60_000 }), wait('shared', { mode: 'shared' }), wait('plain again')]
  held.release()
  await Promise.all(waits)
  assert.equal(order, ['plain', 'with a timeout', 'shared', 'plain again'])
})

test('are seen by whoever looks', async ({ gov }) => {
  const held = gov.lock('a').tryAcquire()!
  const waits = ['background', 'critical'].map(tier => noting(gov, [])('', { tier }))
  assert.is(inArena(gov), 0)
  assert.equal(
    gov.inspect('a')[0]?.waiters.map(({ tier }) => tier),
    ['critical', 'background']
  )
  held.release()
  await Promise.all(waits)
})

test('appear in the arena by themselves after a while', async ({ gov }) => {
  const held = gov.lock('a').tryAcquire()!
  const mine = noting(gov, [])('')
  while (inArena(gov) === 0) await macrotask()
  held.release()
  await mine
})

test('are all in the arena while a wait belongs to a grant, for it inherits their tier', async ({ gov, agent }) => {
  const blocker = agent.acquire('b')
  await blocker.done
  const held = gov.lock('a').tryAcquire()!
  const mine = noting(gov, [])('', { tier: 'critical' })
  assert.is(inArena(gov), 0)
  const enclosed = gov.lock('b').acquire({ within: held, tier: 'background' })
  assert.is(inArena(gov), 2)
  const later = noting(gov, [])('', { tier: 'critical' })
  assert.is(inArena(gov), 3)
  agent.release(blocker)
  const inner: Grant = await enclosed
  inner.release()
  held.release()
  await Promise.all([mine, later])
  const again = gov.lock('a').tryAcquire()!
  const outside = noting(gov, [])('')
  assert.is(inArena(gov), 0)
  again.release()
  await outside
})

test('end when their governor closes, and not those of another governor of the environment', async ({ gov }) => {
  const other = open({ name: arena, autoEnclose: false })
  const held = gov.lock('a').tryAcquire()!
  const closing = rejection(other.lock('a').acquire())
  const staying = noting(gov, [])('')
  await other.close()
  isCoded(await closing, 'ERR_FORELOCK_CLOSED')
  assert.is(await isSettled(staying), false)
  held.release()
  await staying
})

test('of two governors of the environment are one queue', async ({ gov }) => {
  const other = open({ name: arena, autoEnclose: false })
  const order: string[] = []
  const held = gov.lock('a').tryAcquire()!
  const waits = [noting(other, order)('other 1'), noting(gov, order)('mine'), noting(other, order)('other 2')]
  assert.is(inArena(gov), 0)
  held.release()
  await Promise.all(waits)
  assert.equal(order, ['other 1', 'mine', 'other 2'])
  await other.close()
})

test('end when the arena is removed', async ({ gov }) => {
  gov.lock('a').tryAcquire()
  const waits = rejection(noting(gov, [])(''))
  unlink(arena, { force: true })
  isCoded(await waits, 'ERR_FORELOCK_RETIRED')
})

test('drain with the rest', async ({ gov }) => {
  const held = gov.lock('a').tryAcquire()!
  const mine = noting(gov, [])('')
  const closed = gov.close({ drain: 60_000 })
  assert.is(await isSettled(closed), false)
  held.release()
  await mine
  await closed
})

test('are rejected where they move into the arena of a governor that is closing, and what they are granted there is given back', async ({
  gov
}) => {
  const lock = gov.lock('a')
  const held = lock.tryAcquire()!
  const waits = lock.acquire()
  assert.is(inArena(gov), 0)
  const session = locks.sessionOf(lock)
  // As it is when the grant was lost while other waits were rejected.
  const { scratch } = session
  scratch[At.Arena] = session.arena
  scratch[At.Locks] = 1
  scratch[At.Pools] = 0
  assert.ok(grants.writeHeld(held, scratch, At.Parts))
  session.releaseTogether()
  assert.is(scratch[At.OutCode], Code.Ok)
  const givingBack: (() => void)[] = []
  session.givingBack = givingBack
  session.cohorts.dissolveAll()
  session.givingBack = undefined
  for (const giveBack of givingBack) giveBack()
  isCoded(await rejection(waits), 'ERR_FORELOCK_CLOSED')
  assert.is(lock.tryAcquire()?.release(), true)
})

test.run()
