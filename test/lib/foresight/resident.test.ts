import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { makeResident } from '../../../lib/foresight/resident.js'
import { locks } from '../../../lib/lock.js'
import { isCoded, thrown, virtual } from '../support.js'

test('a lock that has given its place away has one again, before anybody asks for it', async () => {
  const gov = virtual({ capacity: { elements: 64 } })
  const session = locks.sessionOf(gov.lock('any'))
  const { binding } = session
  const recycled = () => binding.counters().recycled as number
  gov.lock('a').tryAcquire()?.release()
  gov.advance(10_000)
  for (let i = 0; i < 200; i++) gov.lock(`other:${i}`).tryAcquire()?.release()
  assert.ok(recycled() > 100)
  makeResident(session, 'lock', 'a')
  const before = recycled()
  gov.lock('a').tryAcquire()?.release()
  assert.is(recycled(), before, 'its place is there')
  await gov.close()
})

test('what is held or waited for never gives its place to what is warmed up', async () => {
  const gov = virtual({ capacity: { elements: 64 } })
  const session = locks.sessionOf(gov.lock('any'))
  const held = Array.from({ length: 40 }, (_, i) => gov.lock(`held:${i}`).tryAcquire())
  for (let i = 0; i < 500; i++) makeResident(session, 'lock', `warm:${i}`)
  for (const [i, grant] of held.entries()) {
    assert.is(gov.lock(`held:${i}`).tryAcquire(), null)
    assert.ok(grant?.release(), `held:${i}`)
  }
  await gov.close()
})

test('a bucket and a pool are looked at, and one that is not there is not made', async () => {
  const gov = virtual()
  const session = locks.sessionOf(gov.lock('any'))
  gov.bucket('b', { rate: 10 })
  gov.pool('p', { capacity: { slots: 4 } })
  for (const [kind, name] of [
    ['bucket', 'b'],
    ['pool', 'p'],
    ['queue', 'none'],
    ['workflow', 'none']
  ] as const)
    makeResident(session, kind, name)
  for (const kind of ['bucket', 'pool'] as const)
    isCoded(
      thrown(() => makeResident(session, kind, 'none')),
      'ERR_FORELOCK_NOT_FOUND'
    )
  await gov.close()
})

test.run()
