import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import { Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { open } from '../../lib/index.js'
import type { Addon, Binding } from '../../lib/native/binding.js'
import { At, Code, GrantBit, RequestBit, Time } from '../../lib/native/binding.js'
import { addonFile, type End, ending, message, start, temporaryFolder, until } from './support.js'

const test = suite('environments that come and go')
const dir = temporaryFolder()
const require = createRequire(import.meta.url)
const capacity = { elements: 256, waiters: 1024, participants: 12, names: 16 }
const CYCLES = 200
const WATCHDOG_MS = 60_000
let count = 0

/** Runs a child with an arena of its own, which we have open too. */
async function run(
  what: string,
  withGov: (gov: ReturnType<typeof open>, child: ReturnType<typeof start>) => Promise<void> = async () => {}
): Promise<End> {
  const name = `environment-${count++}`
  const gov = open({ name, dir, capacity })
  try {
    const child = start('environment.child.ts', [what, dir, name])
    const end = ending(child, WATCHDOG_MS)
    await withGov(gov, child)
    const ended = await end
    for (const each of ['a', 'b']) (await gov.lock(each).acquire({ waitTimeout: 20_000 })).release()
    assert.is(gov.inspect().length, 0, 'what the child held or waited for is gone')
    return ended
  } finally {
    await gov.close()
  }
}

test('an idle governor keeps no process alive', async () => {
  const end = await run('idle')
  assert.equal([end.code, end.timedOut, end.output.trim()], [0, false, 'idle'])
})

test('a pending acquire keeps the process alive until it is granted', async () => {
  const end = await run('pending', async (gov, child) => {
    const held = await gov.lock('a').acquire()
    await message(child)
    await until('the child waits', () => gov.inspect('a')[0]?.waiters.length === 1)
    held.release()
  })
  assert.equal([end.code, end.timedOut, end.output.trim()], [0, false, 'granted'])
})

test('process.exit with waits pending ends at once, and leaves nothing behind', async () => {
  const end = await run('exit', async gov => {
    await gov
      .lock('a')
      .acquire({ waitTimeout: 20_000 })
      .then(grant => grant.release())
  })
  assert.equal([end.code, end.signal, end.timedOut], [7, null, false], end.output)
})

test('an uncaught exception ends the process, and leaves nothing behind', async () => {
  const end = await run('throw')
  assert.equal([end.code, end.signal, end.timedOut], [1, null, false], end.output)
  assert.match(end.output, 'on purpose')
})

test('an environment that ends while wakes for it are on their way does not crash', async () => {
  for (let i = 0; i < 3; i++) {
    const end = await run('burst')
    assert.equal([end.code, end.signal, end.timedOut], [0, null, false], end.output)
  }
})

// A worker that works with the addon itself: hundreds of them must start in no time.
const WORKER = `
  const { parentPort, workerData: { addon, handle, state } } = require('node:worker_threads')
  const arena = require(addon).open({ handle, onWake() { arena.drain() } })
  const { scratch, times } = arena
  const request = (name, call, flags = 0) => {
    arena.lookup(name, 0)
    scratch[${At.Arena}] = arena.arena; scratch[${At.Request}] = 1 | flags; scratch[${At.Ttl}] = 0; scratch[${At.EnclosingCount}] = 0
    times[${Time.Timeout}] = Infinity; times[${Time.Arrival}] = 0
    arena[call]()
    return scratch[${At.OutCode}]
  }
  if (state === 'holding') request('held', 'tryLock')
  if (state === 'sharing') request('shared', 'lock', ${RequestBit.Shared})
  if (state === 'waiting') { for (let i = 0; i < 20; i++) request('busy', 'lock'); arena.ref(true) }
  parentPort.postMessage('there')
  if (state === 'bursting') for (;;) {
    if (request('burst', 'tryLock') !== ${Code.Ok}) continue
    const [low, high] = [scratch[${At.OutSeqLow}], scratch[${At.OutGrant}]]
    arena.lookup('burst', 0)
    scratch[${At.Arena}] = arena.arena; scratch[${At.SeqLow}] = low; scratch[${At.Grant}] = high; scratch[${At.Waiter}] = -1
    arena.release()
  }
  setInterval(() => {}, 1000)
`

function threads(): number {
  return readdirSync('/proc/self/task').length
}

function rss(): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024
}

test('workers terminated while they wait, hold, share or are busy leave nothing behind, cycle after cycle', async () => {
  const gov = open({ fresh: true, capacity })
  const busy = await gov.lock('busy').acquire()
  const states = ['waiting', 'holding', 'sharing', 'bursting', 'idle']
  const cycle = async (i: number) => {
    const state = states[i % states.length]
    const worker = new Worker(WORKER, { eval: true, workerData: { addon: addonFile(), handle: gov.handle, state } })
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    await worker.terminate()
    if (state === 'holding') {
      const grant = await gov.lock('held').acquire({ waitTimeout: 20_000 })
      assert.is(grant.ownerDied, true)
      grant.release()
    }
    if (state === 'bursting') (await gov.lock('burst').acquire({ waitTimeout: 20_000 })).release()
  }
  for (let i = 0; i < 20; i++) await cycle(i)
  const before = { threads: threads(), rss: rss() }
  for (let i = 0; i < CYCLES; i++) await cycle(i)
  await until('the threads of the terminated are gone', () => threads() <= before.threads)
  const grown = rss() - before.rss
  assert.ok(grown < 64 * 2 ** 20, `the process grew by ${grown} bytes`)
  ;(await gov.lock('shared').acquire({ waitTimeout: 20_000 })).release()
  await until('nobody waits any more', () => gov.inspect('busy')[0]?.waiters.length === 0)
  busy.release()
  assert.is(gov.inspect().length, 0)
  await gov.close()
})

test('opening and closing many times in one environment leaves no thread and no descriptor behind', async () => {
  const once = async () => {
    const gov = open({ fresh: true, capacity })
    const held = await gov.lock('a').acquire()
    const waits = gov.lock('a').acquire()
    held.release()
    ;(await waits).release()
    await gov.close()
  }
  await once()
  const descriptors = readdirSync('/proc/self/fd').length
  const before = threads()
  for (let i = 0; i < 200; i++) await once()
  assert.is(readdirSync('/proc/self/fd').length, descriptors)
  assert.is(threads(), before)
})

/** Takes a lock through a binding, as the faces do. */
function tryLock(binding: Binding, name: string): number | undefined {
  assert.is(binding.lookup(name, 0), Code.Ok)
  binding.scratch[At.Arena] = binding.arena
  binding.scratch[At.Request] = 1
  binding.scratch[At.Ttl] = 0
  binding.tryLock()
  return binding.scratch[At.OutCode]
}

test('two copies of the addon file are two participants, and exclude each other on a named arena', () => {
  const copy = join(dir, 'copy.node')
  copyFileSync(addonFile(), copy)
  const [one, other] = [require(addonFile()) as Addon, require(copy) as Addon]
  const first = one.open({ name: 'copies', dir, ...capacity, onWake() {} })
  const second = other.open({ name: 'copies', dir, onWake() {} })
  assert.is.not(first.participant, second.participant)
  assert.is(tryLock(first, 'a'), Code.Ok)
  assert.is(tryLock(second, 'a'), Code.Busy)
  first.close()
  // What the first copy held passes on as if it had died.
  assert.is(tryLock(second, 'a'), Code.Ok)
  assert.is(second.scratch[At.OutGrant] & GrantBit.OwnerDied, GrantBit.OwnerDied)
  second.close()
})

test('code in a vm context works with the arena of its environment', async () => {
  const gov = open({ fresh: true, capacity })
  const context = vm.createContext({ gov })
  const grant = await vm.runInContext(`gov.lock('a').acquire({ tier: 'interactive', waitTimeout: 5 })`, context)
  assert.is(gov.lock('a').tryAcquire(), null)
  const refused = await vm.runInContext(`gov.lock('a').acquire({ waitTimeout: 1 }).catch(error => error.code)`, context)
  assert.is(refused, 'ERR_FORELOCK_TIMEOUT')
  grant.release()
  await gov.close()
})

const built = fileURLToPath(new URL('../../dist/cjs/index.js', import.meta.url))
const withDist = existsSync(built) ? test : test.skip // the package is built by npm run build
withDist('the ESM and the CommonJS copy of the package in one environment are one participant', async () => {
  const esm = await import(new URL('../../dist/esm/index.js', import.meta.url).href)
  const cjs = require(built)
  const first = esm.open({ name: 'dual', dir, capacity })
  const second = cjs.open({ name: 'dual', dir })
  assert.is(first.client, second.client)
  const grant = await first.lock('a').acquire()
  const waits = second.lock('a').acquire()
  grant.release()
  ;(await waits).release()
  await first.close()
  await second.close()
})

test.run()
