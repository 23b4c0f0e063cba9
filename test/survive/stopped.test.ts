import type { ChildProcess } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, open } from '../../lib/index.js'
import { isSettled } from '../lib/support.js'
import { ask, kill, message, start, temporaryFolder, until } from './support.js'

interface World {
  gov: Governor
  child: ChildProcess
}

const test = suite<World>('deaths and stops one at a time')
const dir = temporaryFolder()
let count = 0

test.before.each(async world => {
  const name = `stopped-${count++}`
  world.gov = open({ name, dir, capacity: { elements: 256, waiters: 1024, participants: 12, names: 16 } })
  world.child = start('holder.child.ts', [dir, name])
  await message(world.child)
})

test.after.each(async ({ gov, child }) => {
  await kill(child)
  await gov.close()
})

test('the death of a holder is told to the next one, and to nobody after', async ({ gov, child }) => {
  const { token } = await ask<{ token: string }>(child, { acquire: 'a' })
  const next = gov.lock('a').acquire()
  const after = gov.lock('a').acquire()
  assert.is(await isSettled(next), false)
  await kill(child)
  const first = await next
  assert.is(first.ownerDied, true)
  assert.ok(first.token > BigInt(token))
  first.release()
  const second = await after
  assert.is(second.ownerDied, false)
  second.release()
})

test('the death is told also to one who comes when all is over, and once', async ({ gov, child }) => {
  await ask(child, { acquire: 'a' })
  await kill(child)
  const first = await gov.lock('a').acquire()
  assert.is(first.ownerDied, true)
  first.release()
  const second = await gov.lock('a').acquire()
  assert.is(second.ownerDied, false)
  second.release()
})

test('the death of a sharer lets a writer in, and is told', async ({ gov, child }) => {
  await ask(child, { acquire: 'a', mode: 'shared' })
  const writer = gov.lock('a').acquire()
  assert.is(await isSettled(writer), false)
  await kill(child)
  const grant = await writer
  assert.is(grant.ownerDied, true)
  grant.release()
})

test('the death of a waiter lets those behind it through', async ({ gov, child }) => {
  const held = await gov.lock('a').acquire()
  await ask(child, { wait: 'a' })
  await until('the child waits', () => gov.inspect('a')[0]?.waiters.length === 1)
  const behind = gov.lock('a').acquire()
  await kill(child)
  // A lock that is handed to one whose death is not known yet is a lock whose owner died.
  await until('its wait is swept', () => gov.inspect('a')[0]?.waiters.length === 1)
  held.release()
  const grant = await behind
  assert.is(grant.ownerDied, false, 'it never held the lock')
  grant.release()
  assert.is(gov.inspect().length, 0)
})

test('one who is stopped while it holds one lock delays nobody on another, and no event loop', async ({ gov, child }) => {
  await ask(child, { acquire: 'a' })
  child.kill('SIGSTOP')
  const stuck = gov.lock('a').acquire()
  for (let i = 0; i < 200; i++) {
    const grant = await gov.lock(`other-${i % 5}`).acquire({ mode: i % 3 === 0 ? 'shared' : 'exclusive' })
    await new Promise(resolve => setImmediate(resolve))
    grant.release()
  }
  assert.is(gov.lock('a').tryAcquire(), null)
  assert.is(await isSettled(stuck), false, 'who is stopped still holds its lock')
  child.kill('SIGCONT')
  const released = await ask<{ released: boolean[] }>(child, { release: true })
  assert.equal(released.released, [true])
  const grant = await stuck
  assert.is(grant.ownerDied, false)
  grant.release()
})

test('a lock of one who is stopped passes on when it is killed', async ({ gov, child }) => {
  await ask(child, { acquire: 'a' })
  child.kill('SIGSTOP')
  const stuck = gov.lock('a').acquire()
  assert.is(await isSettled(stuck), false)
  await kill(child)
  const grant = await stuck
  assert.is(grant.ownerDied, true)
  grant.release()
})

test('a process that the dead holder had started does not keep its lock', async ({ gov, child }) => {
  await ask(child, { acquire: 'a' })
  const { pid } = await ask<{ pid: number }>(child, { spawn: true })
  try {
    await kill(child)
    const grant = await gov.lock('a').acquire()
    assert.is(grant.ownerDied, true)
    grant.release()
    assert.ok(process.kill(pid, 0), 'it was alive all the time')
  } finally {
    process.kill(pid, 'SIGKILL')
  }
})

test.run()
