import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isForelockError, open } from '../../lib/index.js'
import { hold, macrotask, rejection, stateOf, uniqueName } from './web-locks.support.js'

const gov = open()
const { locks } = gov

async function refusedAsStolen(result: Promise<unknown>): Promise<DOMException> {
  const error = (await rejection(result)) as DOMException
  assert.instance(error, DOMException)
  assert.is(error.name, 'AbortError')
  assert.is(error.code, DOMException.ABORT_ERR)
  return error
}

test('a free lock can be stolen', async () => {
  const name = uniqueName()
  assert.is(await locks.request(name, { steal: true }, lock => `${lock.name} ${lock.mode}`), `${name} exclusive`)
})

test('the request of the victim rejects with an AbortError while its callback still runs', async () => {
  const name = uniqueName()
  const victim = await hold(locks, name)
  const stolen = refusedAsStolen(victim.result)
  const thief = await hold(locks, name, { steal: true })
  const error = await stolen
  assert.ok(isForelockError(error.cause, 'ERR_FORELOCK_STOLEN'))
  assert.is((await stateOf(locks, name)).held.length, 1)
  thief.release('mine')
  assert.is(await thief.result, 'mine')
  victim.release()
})

test('the end of the callback of a victim neither settles its request anew nor releases the lock of the thief', async () => {
  const name = uniqueName()
  const first = await hold(locks, name)
  const second = await hold(locks, name, { steal: true })
  first.release('too late')
  await refusedAsStolen(first.result)
  const third = await hold(locks, name, { steal: true })
  second.fail(new Error('too late'))
  await refusedAsStolen(second.result)
  assert.is((await stateOf(locks, name)).held.length, 1)
  assert.is(await locks.request(name, { ifAvailable: true }, lock => lock), null)
  third.release()
  await third.result
})

test('all shared locks of the name are stolen at once', async () => {
  const name = uniqueName()
  const readers = await Promise.all([1, 2, 3].map(() => hold(locks, name, { mode: 'shared' })))
  const stolen = Promise.all(readers.map(reader => refusedAsStolen(reader.result)))
  const thief = await hold(locks, name, { steal: true })
  await stolen
  assert.equal(
    (await stateOf(locks, name)).held.map(info => info.mode),
    ['exclusive']
  )
  for (const reader of readers) reader.release()
  thief.release()
  await thief.result
})

test('requests that wait stay in the queue behind the thief', async () => {
  const name = uniqueName()
  const order: string[] = []
  const victim = await hold(locks, name)
  const stolen = refusedAsStolen(victim.result)
  const waiting = [1, 2].map(i => locks.request(name, () => order.push(`waiting ${i}`)))
  const thief = locks.request(name, { steal: true }, () => order.push('thief'))
  await Promise.all([...waiting, thief, stolen])
  assert.equal(order, ['thief', 'waiting 1', 'waiting 2'])
  victim.release()
})

test('a steal passes those that wait even while the holder has not been called back yet', async () => {
  const name = uniqueName()
  const order: string[] = []
  const first = locks.request(name, () => order.push('first'))
  const second = locks.request(name, () => order.push('second'))
  const thief = locks.request(name, { steal: true }, () => order.push('thief'))
  await refusedAsStolen(first)
  await Promise.all([second, thief])
  // The specification has called for the callback of the first before the steal: it runs without its lock.
  assert.equal(order, ['first', 'thief', 'second'])
})

test('a thief can be robbed: the last caller wins', async () => {
  const name = uniqueName()
  const first = await hold(locks, name)
  const second = await hold(locks, name, { steal: true })
  const third = await hold(locks, name, { steal: true })
  await Promise.all([refusedAsStolen(first.result), refusedAsStolen(second.result)])
  first.release()
  second.release()
  third.release('last')
  assert.is(await third.result, 'last')
})

test('a lock that was stolen before its callback returned rejects the request, whatever the callback returns', async () => {
  const name = uniqueName()
  let thief!: Promise<string>
  const victim = locks.request(name, () => {
    thief = locks.request(name, { steal: true }, () => 'stolen')
    return 'victim'
  })
  await refusedAsStolen(victim)
  assert.is(await thief, 'stolen')
})

test('a steal leaves the locks of other names alone', async () => {
  const other = await hold(locks, uniqueName())
  const name = uniqueName()
  const victim = await hold(locks, name)
  const stolen = refusedAsStolen(victim.result)
  await locks.request(name, { steal: true }, () => {})
  await stolen
  await macrotask()
  other.release('kept')
  assert.is(await other.result, 'kept')
  victim.release()
})

test('a steal takes the lock of a grant, whose signal aborts', async () => {
  const name = uniqueName()
  const grant = await gov.lock(name).acquire()
  const aborted = new Promise(resolve => grant.signal.addEventListener('abort', resolve))
  await locks.request(name, { steal: true }, () => {})
  await aborted
  assert.ok(isForelockError(grant.signal.reason, 'ERR_FORELOCK_STOLEN'))
  assert.not(grant.release())
})

test('a stolen lock whose callback never ends keeps no place in the arena', async () => {
  const other = open({ fresh: true })
  const name = uniqueName()
  const victims = await Promise.all([1, 2].map(() => hold(other.locks, name, { mode: 'shared' })))
  const stolen = Promise.all(victims.map(victim => refusedAsStolen(victim.result)))
  await other.locks.request(name, { steal: true }, () => {})
  await stolen
  assert.is(other.counters().slotsInUse, 0)
  await other.close()
})

test('a rejection by theft is no unhandled rejection of the callback', async () => {
  const name = uniqueName()
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', note)
  const victim = await hold(locks, name)
  const stolen = refusedAsStolen(victim.result)
  await locks.request(name, { steal: true }, () => {})
  await stolen
  victim.fail(new Error('after the theft'))
  await macrotask()
  process.off('unhandledRejection', note)
  assert.equal(unhandled, [])
})

test.after(() => gov.close())
test.run()
