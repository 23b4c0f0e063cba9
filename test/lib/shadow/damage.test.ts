// A look at an arena that holds what no version of forelock writes. That it leaves it as it is, native/test/unit/shadow_test.cc shows: here
// the waker of a waiting environment looks too, and says what it finds.
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isForelockError } from '../../../lib/index.js'
import { Random } from '../../survive/support.js'
import { isCoded, thrown, virtual } from '../support.js'
import { mayEnd } from './support.js'

const SMALL = { elements: 64, waiters: 512, participants: 3, names: 16, memory: 1 << 18, telemetry: 64 }
/** Of an element, in bytes: where its first waiter of tier 1 stands. */
const HEAD = 36
const PAGE = 4096

function arena(): { bytes(): Buffer; poke(at: number, word: number): void } {
  const fd = readdirSync('/proc/self/fd').find(one => {
    try {
      return readlinkSync(`/proc/self/fd/${one}`).includes('memfd:forelock')
    } catch {
      return false // the descriptor of this very listing
    }
  })
  const path = `/proc/self/fd/${fd}`
  const poke = (at: number, word: number) => {
    const file = openSync(path, 'r+')
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(word)
    writeSync(file, bytes, 0, 4, at)
    closeSync(file)
  }
  return { bytes: () => readFileSync(path), poke }
}

/** Where the first waiter of tier 1 of the only lock that has one is noted. */
function headOf(before: Buffer, after: Buffer): number {
  for (let at = PAGE + HEAD; at < after.length; at += 128) {
    const isLive = (after.readUInt32LE(at - HEAD + 16) & 3) === 2
    if (isLive && before.readUInt32LE(at) === 0 && after.readUInt32LE(at) !== 0) return at
  }
  throw new Error('nobody waits')
}

/** Where words changed, past the header; page by page, because hardly any did. */
function changed(before: Buffer, after: Buffer): number[] {
  const words: number[] = []
  for (let page = PAGE; page < after.length; page += PAGE) {
    if (before.subarray(page, page + PAGE).equals(after.subarray(page, page + PAGE))) continue
    for (let at = page; at < page + PAGE; at += 4) if (before.readUInt32LE(at) !== after.readUInt32LE(at)) words.push(at)
  }
  return words
}

test('a list that leads nowhere is a CorruptError', async () => {
  const gov = virtual({ capacity: SMALL })
  const lock = gov.lock('a')
  const held = lock.tryAcquire()
  const { bytes, poke } = arena()
  const before = bytes()
  const waits = lock.acquire({ waitTimeout: 60_000 })
  mayEnd(waits, 'ERR_FORELOCK_CORRUPT')
  const at = headOf(before, bytes())
  poke(at, 0xffffff)
  isCoded(
    thrown(() => lock.shadow()),
    'ERR_FORELOCK_CORRUPT'
  )
  isCoded(
    thrown(() => gov.shadow.admit({ locks: [lock] })),
    'ERR_FORELOCK_CORRUPT'
  )
  assert.ok(held)
  await gov.close()
})

test('whatever stands there, a look ends, and says what it saw or that it is damaged', async () => {
  const random = new Random(3)
  for (let round = 0; round < 3; round++) {
    const gov = virtual({ capacity: SMALL })
    const [lock, bucket, pool] = [gov.lock('a'), gov.bucket('b', { rate: 1, burst: 2 }), gov.pool('p', { capacity: { cpu: 2 } })]
    lock.tryAcquire()
    bucket.tryTake(2)
    pool.tryAllocate({ cpu: 2 })
    const { bytes, poke } = arena()
    const before = bytes()
    for (const tier of gov.tiers)
      for (const request of [lock.acquire({ tier, waitTimeout: 1e6 }), bucket.take(1, { tier }), pool.allocate({ cpu: 1 }, { tier })])
        mayEnd(request, 'ERR_FORELOCK_CORRUPT')
    // Of words that somebody uses, and back: the owner of the arena has to get out of it again.
    const after = bytes()
    const used = changed(before, after)
    const codes = new Set<string>()
    for (let tries = 0; tries < 200; tries++) {
      const at = random.pick(used)
      const was = after.readUInt32LE(at)
      poke(at, random.pick([random.below(2 ** 32), was ^ (1 << random.below(31)), random.below(600), 0]) >>> 0)
      for (const look of [() => lock.shadow(), () => bucket.shadow(), () => pool.shadow({ cpu: 1 })]) {
        try {
          look()
          codes.add('answered')
        } catch (error) {
          assert.ok(isForelockError(error), String(error))
          codes.add(error.code)
        }
      }
      poke(at, was)
    }
    assert.equal([...codes].sort(), ['ERR_FORELOCK_CORRUPT', 'answered'])
    await gov.close()
  }
})

test.run()
