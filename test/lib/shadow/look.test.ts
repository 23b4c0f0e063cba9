// A shadow request takes nothing and leaves nothing: the arena before and after it, byte for byte.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Governor } from '../../../lib/index.js'
import { macrotask, virtual } from '../support.js'
import { mayEnd } from './support.js'

const SMALL = { elements: 256, waiters: 512, participants: 3, memory: 1 << 20, telemetry: 64 }

/** The arena of the one governor that there is: a memory of the kernel's own, which this process reads as a file. */
function bytes(): Buffer {
  const found = readdirSync('/proc/self/fd').filter(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes('memfd:forelock')
    } catch {
      return false // the descriptor of this very listing
    }
  })
  assert.ok(found.length > 0)
  return readFileSync(`/proc/self/fd/${found[0]}`)
}

/** Of its one participant: how often its waker thread was rung for, and in the lowest bit that it sleeps and has not been since (native/core/layout.h). */
const RING = 4096 + 128 + 24

/** The arena while its waker sleeps: awake it notes there what it does, and it may have yet to begin, or stand still in the middle of it. */
async function asleep(): Promise<Buffer> {
  for (;;) {
    const now = bytes()
    if ((now.readUInt32LE(RING) & 1) === 1) return now
    await macrotask()
  }
}

/** The arena once it has nothing more to tell this thread: nothing has changed for a while. */
async function settled(): Promise<Buffer> {
  let last = await asleep()
  for (let same = 0; same < 10; ) {
    await macrotask()
    const now = await asleep()
    same = now.equals(last) ? same + 1 : 0
    last = now
  }
  return last
}

const STATES: [string, (gov: Governor) => unknown][] = [
  ['nothing is there', () => {}],
  [
    'all is free',
    gov => {
      gov.lock('a').tryAcquire()?.release()
      gov.bucket('b', { rate: 10, burst: 5 })
      gov.pool('p', { capacity: { cpu: 4 } })
    }
  ],
  [
    'all is held, and waited for in each tier',
    gov => {
      gov.lock('a').tryAcquire()
      gov.bucket('b', { rate: 10, burst: 5 }).tryTake(5)
      gov.pool('p', { capacity: { cpu: 4 } }).tryAllocate({ cpu: 4 }, { tenant: 'acme', revocable: true })
      for (const tier of gov.tiers) {
        for (const request of [
          gov.lock('a').acquire({ tier, waitTimeout: 1e6, workflow: 'w' }),
          gov.lock('a').acquire(),
          gov.bucket('b').take(1, { tier }),
          gov.pool('p').allocate({ cpu: 1 }, { tier })
        ]) {
          mayEnd(request)
        }
      }
    }
  ],
  [
    'with readers, plans and reserves, and while somebody observes',
    gov => {
      gov.telemetry.attach()
      const lock = gov.lock('a')
      for (let i = 0; i < 20; i++) {
        const grant = lock.tryAcquire({ tier: gov.tiers[i % 4] })
        gov.advance(i)
        grant?.release()
      }
      lock.tryAcquire({ mode: 'shared' })
      const bucket = gov.bucket('b', { rate: 10, burst: 5 })
      const pool = gov.pool('p', { capacity: { cpu: 4 }, tiers: { critical: { floor: 0.25, share: 0.25 } } })
      gov.plans.write({ kind: 'hold', lock, tier: 'critical', from: 10, until: 1e6 })
      gov.plans.write({ kind: 'reserve', bucket, amount: 3, workflow: 'w', until: 1e6 })
      gov.plans.write({ kind: 'share', pool, tier: 'interactive', amount: 0.1, until: 1e6 })
      gov.plans.write({ kind: 'escalation', workflow: 'w', tier: 'critical', until: 1e6 })
      gov.advance(1000)
      bucket.tryTake(5)
      pool.tryAllocate({ cpu: 2 }, { revocable: true })
      mayEnd(pool.allocate({ cpu: 3 }, { tier: 'background' }))
    }
  ]
]

for (const [state, make] of STATES) {
  test(`no byte changes: ${state}`, async () => {
    const gov = virtual({ capacity: SMALL })
    make(gov)
    const isThere = state !== 'nothing is there'
    const lock = gov.lock('a')
    const bucket = isThere ? gov.bucket('b') : undefined
    const pool = isThere ? gov.pool('p') : undefined
    const semaphore = isThere ? gov.semaphore('s', 2) : undefined
    const before = await settled()
    for (const tier of gov.tiers) {
      for (const named of [
        {},
        { workflow: 'w', tenant: 'acme' },
        { workflow: 'never heard of', tenant: 'nor of this', client: 'or that' }
      ]) {
        const options = { tier, ...named, hold: 5, in: tier === 'standard' ? 20 : 0 }
        lock.shadow(options)
        lock.shadow({ ...options, mode: 'shared' })
        gov.lock('a name that nobody has used').shadow(options)
        bucket?.shadow(2, options)
        bucket?.shadow(100, options)
        pool?.shadow({ cpu: 1 }, { ...options, labels: [] })
        pool?.shadow({ cpu: 1 }, { ...options, labels: ['no such label'] })
        pool?.shadow({ cpu: 100 }, options)
        semaphore?.shadow(2, options)
        if (bucket !== undefined && pool !== undefined) {
          gov.shadow.admit({ locks: [lock], pool: [pool, { cpu: 1 }], tokens: [[bucket, 1]] }, options)
        }
      }
    }
    const same = before.equals(await asleep())
    // Before anything is said: the next test looks at the one arena that there is.
    await gov.close()
    assert.ok(same)
  })
}

test('the comparison can fail: a request that is made does change the arena', async () => {
  const gov = virtual({ capacity: SMALL })
  const before = await settled()
  gov.lock('a').tryAcquire()
  const same = before.equals(await asleep())
  await gov.close()
  assert.not.ok(same)
})

test.run()
