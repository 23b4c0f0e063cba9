import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ShadowCheck } from '../../../lib/foresight/shadow-check.js'
import type { Governor } from '../../../lib/index.js'
import { locks } from '../../../lib/lock.js'
import type { Expected } from '../../../lib/plan/checks.js'
import { isSettled, macrotask, rejection, virtual } from '../support.js'

const UNTIL_MS = 500
const SLOTS = 4

const checkOf = (gov: Governor) => new ShadowCheck(locks.sessionOf(gov.lock('any')), () => SLOTS)
const ofLock: Expected = { kind: 'lock', thing: 'l', tier: 'interactive', workflow: undefined, amount: 1, within: UNTIL_MS }
const ofPool: Expected = { ...ofLock, kind: 'pool', thing: 'p' }

/** Holds of a lock, or of a unit, that were measured: so many, each for so long. */
async function lived(gov: Governor, kind: 'lock' | 'pool', times: number, ms: number): Promise<void> {
  gov.telemetry.attach()
  for (let i = 0; i < times; i++) {
    const grant =
      kind === 'lock' ? gov.lock('l').tryAcquire({ tier: 'background' }) : gov.pool('p').tryAllocate({ slots: 1 }, { tier: 'background' })
    gov.advance(ms)
    grant?.release()
  }
  gov.stats()
  await macrotask()
}

test('a lock that nobody has, and for which nobody ever waited, needs no hold', async () => {
  const gov = virtual()
  assert.is(checkOf(gov).check(ofLock, UNTIL_MS), 'unneeded')
  await lived(gov, 'lock', 20, 50)
  assert.is(checkOf(gov).check(ofLock, UNTIL_MS), 'unneeded')
  await gov.close()
})

test('a lock that is held for a while more is worth a hold, and one that is held for longer than the hold is not', async () => {
  for (const [ms, verdict] of [
    [200, 'ok'],
    [5000, 'hopeless']
  ] as const) {
    const gov = virtual()
    await lived(gov, 'lock', 20, ms)
    const held = gov.lock('l').tryAcquire({ tier: 'background' })
    assert.is(checkOf(gov).check(ofLock, UNTIL_MS), verdict, `${ms} ms`)
    held?.release()
    const same = gov.lock('l').tryAcquire({ tier: 'interactive' })
    assert.is(checkOf(gov).check(ofLock, UNTIL_MS), 'ok', 'who holds it is of the tier itself')
    same?.release()
    await gov.close()
  }
})

test('of a hold of which nothing is known nothing is said', async () => {
  const gov = virtual()
  const held = gov.lock('l').tryAcquire({ tier: 'background' })
  assert.is(checkOf(gov).check(ofLock, UNTIL_MS), 'ok')
  held?.release()
  await gov.close()
})

test('a lock for which somebody had to wait is worth a hold also when it is free', async () => {
  const gov = virtual()
  await lived(gov, 'lock', 20, 200)
  const held = gov.lock('l').tryAcquire({ tier: 'background' })
  const waiting = gov.lock('l').acquire({ tier: 'interactive' })
  gov.advance(50)
  held?.release()
  assert.ok(await isSettled(waiting))
  ;(await waiting).release()
  gov.stats()
  assert.is(checkOf(gov).check(ofLock, UNTIL_MS), 'ok')
  await gov.close()
})

test('of a pool: room for all that is asked for needs nothing, a full one of which something comes back is kept, and one that stays full is not', async () => {
  for (const [ms, verdict] of [
    [200, 'ok'],
    [5000, 'hopeless']
  ] as const) {
    const gov = virtual()
    const pool = gov.pool('p', { capacity: { slots: SLOTS } })
    await lived(gov, 'pool', 20, ms)
    assert.is(checkOf(gov).check({ ...ofPool, amount: SLOTS }, UNTIL_MS), 'unneeded')
    const all = Array.from({ length: SLOTS }, () => pool.tryAllocate({ slots: 1 }, { tier: 'background' }))
    assert.is(checkOf(gov).check(ofPool, UNTIL_MS), verdict, `${ms} ms`)
    all[0]?.release()
    assert.is(checkOf(gov).check({ ...ofPool, amount: 2 }, UNTIL_MS), 'ok', 'one is free')
    await gov.close()
  }
})

test('as many units are asked for as a plan is of, and no more', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { slots: 50 } })
  await lived(gov, 'pool', 20, 200)
  const check = new ShadowCheck(locks.sessionOf(gov.lock('any')), () => 50)
  pool.tryAllocate({ slots: 43 }, { tier: 'background' })
  // A part of 0.14 of 50 is 7.000000000000001.
  assert.is(check.check({ ...ofPool, amount: (7 / 50) * 50 }, UNTIL_MS), 'unneeded')
  assert.is(check.check({ ...ofPool, amount: 8 }, UNTIL_MS), 'ok')
  await gov.close()
})

test('what is not there any more is for who writes the plan to find out', async () => {
  const gov = virtual()
  assert.is(checkOf(gov).check(ofPool, UNTIL_MS), undefined)
  await gov.close()
})

test('a pool that hundreds hold is asked about once in ten seconds', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { slots: 1000 } })
  for (let i = 0; i < 600; i++) pool.tryAllocate({ slots: 1 })
  const check = checkOf(gov)
  assert.is(check.check({ ...ofPool, amount: 4 }, UNTIL_MS), 'ok')
  assert.is(check.check(ofPool, UNTIL_MS), undefined)
  gov.advance(10_001)
  assert.not(check.check(ofPool, UNTIL_MS) === undefined)
  await gov.close()
})

test('nothing of the arena changes by it, and nobody is made to wait', async () => {
  const gov = virtual()
  const pool = gov.pool('p', { capacity: { slots: SLOTS } })
  const before = gov.inspect()
  checkOf(gov).check({ ...ofPool, workflow: 'nobody has heard of' }, UNTIL_MS)
  assert.equal(gov.inspect(), before)
  assert.ok(pool.tryAllocate({ slots: SLOTS }))
  const refused = rejection(pool.allocate({ slots: 1 }))
  await gov.close()
  await refused
})

test.run()
