import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isCoded, isSettled, rejection, thrown, virtual } from './support.js'

test('a request of a free lock is granted', async () => {
  const lock = virtual().lock('a')
  const request = lock.request({ mode: 'shared' })
  assert.is((await request.granted).mode, 'shared')
  assert.is(request.upgrade('critical'), false)
  assert.is(request.abort(), false)
})

test('a waiting request moves to a higher tier, and is granted in it', async () => {
  const lock = virtual().lock('a')
  const held = lock.tryAcquire()!
  const before = lock.request({ tier: 'interactive' })
  const request = lock.request({ tier: 'background' })
  assert.is(request.upgrade('critical'), true)
  held.release()
  const grant = await request.granted
  assert.is(grant.tier, 'critical')
  assert.is(await isSettled(before.granted), false)
  grant.release()
  assert.is((await before.granted).tier, 'interactive')
})

test('an upgraded request keeps its arrival: it goes before later ones of that tier, behind earlier ones', async () => {
  const gov = virtual()
  const lock = gov.lock('a')
  const held = lock.tryAcquire()!
  const order: string[] = []
  const track = (name: string, tier: string) => {
    const request = lock.request({ tier })
    request.granted.then(grant => {
      order.push(name)
      grant.release()
    })
    gov.advance(1)
    return request
  }
  const early = track('early', 'critical')
  const moved = track('moved', 'standard')
  const late = track('late', 'critical')
  moved.upgrade('critical')
  held.release()
  await Promise.all([early.granted, moved.granted, late.granted])
  assert.equal(order, ['early', 'moved', 'late'])
})

test('a request is not moved down, nor to a tier that does not exist', async () => {
  const lock = virtual().lock('a')
  const held = lock.tryAcquire()!
  const request = lock.request({ tier: 'interactive' })
  isCoded(
    thrown(() => request.upgrade('background')),
    'ERR_FORELOCK_ARGUMENT'
  )
  isCoded(
    thrown(() => request.upgrade('urgent')),
    'ERR_FORELOCK_ARGUMENT'
  )
  assert.is(request.upgrade('interactive'), true)
  held.release()
  ;(await request.granted).release()
})

test('an aborted request is rejected with the reason, an AbortError by default', async () => {
  const lock = virtual().lock('a')
  const held = lock.tryAcquire()!
  const one = lock.request()
  assert.is(one.abort('enough'), true)
  assert.is(await rejection(one.granted), 'enough')
  assert.is(one.abort('again'), false)
  assert.is(one.upgrade('critical'), false)
  const two = lock.request()
  two.abort()
  assert.is((await rejection(two.granted)).name, 'AbortError')
  held.release()
})

test('a bad request is rejected through granted', async () => {
  const request = virtual().lock('a').request({ tier: 'urgent' })
  isCoded(await rejection(request.granted), 'ERR_FORELOCK_ARGUMENT')
  assert.is(request.abort(), false)
})

test.run()
