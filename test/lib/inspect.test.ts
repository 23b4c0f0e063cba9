import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { virtual } from './support.js'

test('an arena with nothing held shows nothing', () => {
  const gov = virtual()
  gov.lock('a').tryAcquire()!.release()
  assert.equal(gov.inspect(), [])
  assert.equal(gov.inspect('a'), [])
})

test('holders and waiters are shown with tier, mode, age and owner, in the order of service', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const grant = lock.tryAcquire({ tier: 'interactive' })!
  const waits = [lock.acquire({ tier: 'background' }), lock.acquire({ mode: 'shared', tier: 'critical' })]
  gov.advance(20)
  const [shown] = gov.inspect()
  assert.is(shown?.name, 'a')
  const [holder] = shown!.holders
  assert.is(holder?.tier, 'interactive')
  assert.is(holder?.mode, 'exclusive')
  assert.is(holder?.pid, process.pid)
  assert.is(holder?.client, gov.client)
  assert.is(holder?.token, grant.token)
  assert.is(holder?.alive, true)
  assert.equal(
    shown!.waiters.map(({ tier, mode, state, ageMs }) => ({ tier, mode, state, ageMs })),
    [
      { tier: 'critical', mode: 'shared', state: 'queued', ageMs: 20 },
      { tier: 'background', mode: 'exclusive', state: 'queued', ageMs: 20 }
    ]
  )
  grant.release()
  for (const wait of waits.reverse()) (await wait).release()
})

test('all shared holders are shown, each with its token', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const grants = [await lock.acquire({ mode: 'shared' }), await lock.acquire({ mode: 'shared' })]
  const holders = gov.inspect('a')[0]!.holders
  assert.equal(new Set(holders.map(holder => holder.token)), new Set(grants.map(grant => grant.token)))
  assert.ok(holders.every(holder => holder.mode === 'shared'))
})

test('with a name, that lock only is shown', () => {
  const gov = virtual()
  gov.lock('a').tryAcquire()
  gov.lock('b').tryAcquire()
  assert.equal(
    gov.inspect('b').map(lock => lock.name),
    ['b']
  )
  assert.equal(gov.inspect('c'), [])
  assert.is(gov.inspect().length, 2)
})

test('names come back as they were given', () => {
  const gov = virtual()
  const names = ['', '\ud800x', 'é'.repeat(300), 'a\0b']
  for (const name of names) gov.lock(name).tryAcquire()
  assert.equal(new Set(gov.inspect().map(lock => lock.name)), new Set(names))
})

test('while nobody dies, the counters of repairs, rescans and hand-offs found by probing are zero', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  for (let i = 0; i < 100; i++) {
    const held = lock.tryAcquire()!
    const waits = [lock.acquire(), lock.acquire({ mode: 'shared' })]
    held.release()
    for (const wait of waits) (await wait).release()
  }
  const counters = gov.counters()
  assert.ok(Object.values(counters).every(value => typeof value === 'number'))
  for (const name of ['takeovers', 'rescans', 'probeHandoffs']) assert.is(counters[name], 0, name)
})

test.run()
