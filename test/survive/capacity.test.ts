import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type CapacityError, type Governor, type Grant, open } from '../../lib/index.js'
import { isCoded, rejection, thrown } from '../lib/support.js'
import { temporaryFolder } from './support.js'

const test = suite('out of room')
const dir = temporaryFolder()
let count = 0

function small(capacity: object = {}): Governor {
  return open({ fresh: true, capacity: { elements: 8, waiters: 128, participants: 4, names: 8, ...capacity } })
}

function names(error: unknown, option: string): void {
  isCoded(error, 'ERR_FORELOCK_CAPACITY')
  assert.is((error as CapacityError).option, option)
  assert.match((error as CapacityError).message, option)
}

test('too many locks in use at once: the error names elements, nothing is lost, and one release makes room', () => {
  const gov = small()
  const held: Grant[] = []
  for (let i = 0; i < 8; i++) held.push(gov.lock(`lock-${i}`).tryAcquire() as Grant)
  for (let i = 0; i < 3; i++) {
    names(
      thrown(() => gov.lock(`more-${i}`).tryAcquire()),
      'capacity.elements'
    )
  }
  assert.is(gov.inspect().length, 8)
  assert.is(held[3]?.release(), true)
  const grant = gov.lock('more').tryAcquire()
  assert.ok(grant)
  grant.release()
  for (const one of held) one.release()
  assert.is(gov.inspect().length, 0)
  gov.close()
})

test('an endless stream of names never fills the arena', () => {
  const gov = small()
  for (let i = 0; i < 2_000; i++) gov.lock(`stream-${i}`).tryAcquire()?.release()
  assert.is(gov.inspect().length, 0)
  gov.close()
})

test('too many waiters: the error names waiters, those who wait still do, and each end of a wait makes room', async () => {
  const gov = small()
  const lock = gov.lock('a')
  const held = await lock.acquire()
  const controller = new AbortController()
  const waiting: Promise<Grant>[] = []
  let refused: unknown
  for (let i = 0; i < 200 && refused === undefined; i++) {
    // With a timeout, so that it waits in the arena from the first.
    const one = lock.acquire({ signal: controller.signal, waitTimeout: 60_000 })
    const full = one.then(
      () => undefined,
      error => error
    )
    await new Promise(resolve => setImmediate(resolve))
    if (gov.counters().waiting === waiting.length) refused = await full
    else waiting.push(one)
  }
  names(refused, 'capacity.waiters')
  assert.is(waiting.length, 128)
  const first = waiting.shift() as Promise<Grant>
  held.release()
  const granted = await first
  const another = lock.acquire()
  controller.abort()
  for (const one of waiting) assert.is((await rejection(one)).name, 'AbortError')
  granted.release()
  ;(await another).release()
  assert.equal([gov.counters().waiting, gov.inspect().length], [0, 0])
  await gov.close()
})

test('too much text of long names: the error names names, and one release makes room', () => {
  const gov = small({ elements: 64, names: 4 })
  const long = (i: number) => `${i}-`.padEnd(90, 'x')
  const held = [gov.lock(long(0)).tryAcquire(), gov.lock(long(1)).tryAcquire()]
  names(
    thrown(() => gov.lock(long(2)).tryAcquire()),
    'capacity.names'
  )
  const short = gov.lock('short').tryAcquire()
  assert.ok(short, 'names that fit into the lock need no text')
  assert.is(held[0]?.release(), true)
  const grant = gov.lock(long(2)).tryAcquire()
  assert.ok(grant)
  assert.equal(
    gov
      .inspect()
      .map(({ name }) => name)
      .sort(),
    [long(1), long(2), 'short'].sort()
  )
  gov.close()
})

test('too many participants: the error names participants, and one that leaves makes room', async () => {
  const gov = small({ participants: 4 }) // two places are kept for clearing up
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const addon = require(workerData.addon)
    let arena
    parentPort.on('message', () => {
      try {
        arena = addon.open({ handle: workerData.handle, onWake() {} })
        parentPort.postMessage({})
      } catch (error) {
        parentPort.postMessage({ code: error.code, option: error.option })
      }
    })`
  const { addonFile } = await import('./support.js')
  const workers = Array.from({ length: 2 }, () => new Worker(code, { eval: true, workerData: { addon: addonFile(), handle: gov.handle } }))
  const ask = (worker: Worker | undefined) =>
    new Promise<{ code?: string; option?: string }>(resolve => {
      worker?.once('message', resolve)
      worker?.postMessage('open')
    })
  assert.equal(await ask(workers[0]), {})
  assert.equal(await ask(workers[1]), { code: 'ERR_FORELOCK_CAPACITY', option: 'capacity.participants' })
  await workers[0]?.terminate()
  assert.equal(await ask(workers[1]), {})
  await workers[1]?.terminate()
  await gov.close()
})

test('capacities that no arena can have are refused before anything is made', () => {
  for (const capacity of [{ elements: 0 }, { elements: 2 ** 26 + 1 }, { waiters: 2 ** 24 }, { participants: 2 }, { names: 0 }]) {
    isCoded(
      thrown(() => open({ fresh: true, capacity })),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  isCoded(
    thrown(() => open({ fresh: true, capacity: { elements: 2 ** 26, participants: 4095 } })),
    'ERR_FORELOCK_ARGUMENT'
  )
})

/** A file system of so many KiB, or why there is none. */
function mountSmall(kib: number): string | Error {
  const folder = join(dir, `tmpfs-${count++}`)
  mkdirSync(folder)
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', folder], { encoding: 'utf8' })
  if (mounted.status === 0) {
    process.prependListener('exit', () => spawnSync('umount', ['-l', folder]))
    return folder
  }
  return new Error(mounted.stderr || String(mounted.error))
}

const probe = mountSmall(64)
if (probe instanceof Error) console.log(`a full file system is not tested: mounting one is not permitted here (${probe.message.trim()})`)
const onSmall = probe instanceof Error ? test.skip : test

onSmall('no room for a new arena: a typed error, and no file is left behind', () => {
  const folder = mountSmall(64) as string
  const error = thrown(() => open({ name: 'full', dir: folder }))
  isCoded(error, 'ERR_FORELOCK_MEMORY')
  assert.match((error as Error).message, 'dir')
  assert.is(existsSync(join(folder, 'forelock.full')), false)
})

onSmall('a file system that fills up while in use: a typed error, what is held stays held, and it goes on when there is room', async () => {
  const folder = mountSmall(8 * 1024) as string
  const gov = open({ name: 'filling', dir: folder, capacity: { elements: 65_536, waiters: 65_536, participants: 8, names: 4_096 } })
  const held = await gov.lock('held').acquire()
  const ballast = join(folder, 'ballast')
  writeFileSync(ballast, '')
  fill(ballast)
  const grants: Grant[] = []
  let failed: unknown
  for (let i = 0; i < 65_000 && failed === undefined; i++) {
    try {
      const grant = gov.lock(`lock-${i}`).tryAcquire()
      if (grant) grants.push(grant)
    } catch (error) {
      failed = error
    }
  }
  isCoded(failed, 'ERR_FORELOCK_MEMORY')
  isCoded(await rejection(gov.lock('held').acquire({ waitTimeout: 10 })), 'ERR_FORELOCK_MEMORY')
  isCoded(
    thrown(() => gov.lock('n'.repeat(100)).tryAcquire()),
    'ERR_FORELOCK_MEMORY'
  )
  isCoded(
    thrown(() => open({ name: 'another', dir: folder })),
    'ERR_FORELOCK_MEMORY'
  )
  assert.is(gov.inspect('held')[0]?.holders.length, 1)
  rmSync(ballast)
  const more = gov.lock('more').tryAcquire()
  assert.ok(more)
  const waiting = gov.lock('held').acquire()
  held.release()
  ;(await waiting).release()
  for (const grant of [...grants, more]) assert.is(grant?.release(), true)
  assert.is(gov.inspect().length, 0)
  await gov.close()
})

/** Writes until the file system has no room left. */
function fill(file: string): void {
  for (const size of [1 << 20, 1 << 16, 1 << 12]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' })
    } catch (error) {
      assert.is((error as NodeJS.ErrnoException).code, 'ENOSPC')
    }
  }
}

test.run()
