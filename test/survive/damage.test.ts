import { statSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { open, unlink } from '../../lib/index.js'
import { isCoded, rejection } from '../lib/support.js'
import { arenaFile, ask, ending, Header, kill, message, peek, poke, Random, start, temporaryFolder, u32, u64, until } from './support.js'

const test = suite('an arena whose bytes change while it is in use')
const dir = temporaryFolder()
const PAGE = 4096
const capacity = { elements: 64, waiters: 512, participants: 12, names: 16, telemetry: 64, memory: 16 * PAGE }
const DAMAGE_MS = Number(process.env.FORELOCK_DAMAGE_MS ?? 12_000)
const seed = Number(process.env.FORELOCK_SEED ?? 1)
const ELEMENT = 128
const SLOT = 64
const STAT_CELL = 3968
const STAT_ROWS = 4096

/** Byte offsets of the sections, as native/core/layout.h lays them out. */
function sections() {
  const pageUp = (bytes: number) => Math.ceil(bytes / PAGE) * PAGE
  const participants = PAGE
  const owners = participants + pageUp(128 * (capacity.participants + 1))
  const extents = owners + pageUp((8 * capacity.waiters) / 128)
  const buckets = extents + PAGE
  const held = buckets + pageUp(8 * 64)
  const texts = held + pageUp(Math.ceil(capacity.elements / 8)) * (capacity.participants + 1)
  const elements = texts + pageUp(64 * capacity.names)
  const slots = elements + pageUp(ELEMENT * capacity.elements)
  const lanes = slots + pageUp(SLOT * capacity.waiters)
  const stats = lanes + (PAGE + pageUp((64 + 16) * capacity.telemetry)) * (capacity.participants + 1)
  const kinds = pageUp(2 * capacity.elements) + pageUp(STAT_CELL * 4 * 7)
  const heap = stats + pageUp(32 * STAT_ROWS) + kinds + pageUp(STAT_CELL * 4 * STAT_ROWS)
  return { participants, owners, buckets, held, texts, elements, slots, heap, size: heap + capacity.memory }
}

test('the sections are where these tests damage them', () => {
  open({ name: 'layout', dir, capacity }).close()
  assert.is(statSync(arenaFile(dir, 'layout')).size, sections().size)
})

/** Writes something somewhere: mostly where something lives. */
function damage(file: string, random: Random): void {
  const at = sections()
  const place = random.pick([
    () => Header.retired + random.below(Header.end - Header.retired),
    () => at.participants + 128 + random.below(128 * 5),
    () => at.owners + random.below(32),
    () => at.buckets + random.below(512),
    () => at.held + random.below(at.texts - at.held),
    () => at.texts + random.below(256),
    () => at.elements + random.below(ELEMENT * 12),
    () => at.elements + ELEMENT * random.below(12) + random.below(24),
    () => at.elements + ELEMENT * random.below(12) + 32 + random.below(20),
    () => at.heap + random.below(4 * PAGE),
    () => at.slots + SLOT * random.below(8) + random.below(SLOT),
    () => at.slots + SLOT * 128 * random.below(4) + random.below(SLOT * 4)
  ])()
  const word = random.pick([
    () => u32(random.below(9)),
    () => u64(BigInt(random.below(2 ** 31)) * BigInt(random.below(2 ** 31))),
    () => Buffer.of(random.below(256))
  ])()
  const aligned = place - (place % word.length)
  if (random.below(2) === 0) {
    poke(file, aligned, word)
  } else {
    const bytes = peek(file, place, 1)
    poke(file, place, Buffer.of((bytes[0] as number) ^ (1 << random.below(8))))
  }
}

test('every call ends in time with an answer or a typed error, and no process crashes', async () => {
  const name = 'damaged'
  const file = arenaFile(dir, name)
  const random = new Random(seed)
  const renew = () => {
    unlink(name, { dir, force: true })
    open({ name, dir, capacity }).close()
  }
  renew()
  const children = [1, 2, 3].map(i => start('damage.child.ts', [dir, name, String(seed + i)]))
  try {
    await Promise.all(children.map(child => message(child)))
    const end = Date.now() + DAMAGE_MS
    while (Date.now() < end) {
      for (let i = random.below(30); i > 0; i--) {
        try {
          damage(file, random)
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        }
        await new Promise(resolve => setTimeout(resolve, random.below(4)))
      }
      renew()
    }
    const answers = await Promise.all(children.map(child => ask<{ codes: Record<string, number>; problems: string[] }>(child, {})))
    assert.equal(
      answers.flatMap(({ problems }) => problems),
      [],
      `seed ${seed}`
    )
    const seen = new Set(answers.flatMap(({ codes }) => Object.keys(codes)))
    assert.ok(seen.has('ok') && seen.has('ERR_FORELOCK_CORRUPT'), [...seen].join(' '))
    const ends = await Promise.all(children.map(child => ending(child, 30_000)))
    for (const { code, signal, output } of ends) assert.equal([code, signal], [0, null], output)
  } finally {
    await Promise.all(children.map(kill))
  }
})

test('a gate held by a live participant that is not there is found out, not waited for', async () => {
  const name = 'phantom'
  const gov = open({ name, dir, capacity })
  await gov.lock('a').acquire()
  const waits = rejection(gov.lock('a').acquire())
  await until('it is in the list', () => gov.inspect('a')[0]?.waiters.length === 1)
  // The script lane of participant 1, which is this very process: alive, and in no gate.
  const gate = sections().elements + ELEMENT * elementOf(name) + 8
  poke(arenaFile(dir, name), gate, u64(BigInt(1 * 2 + 0) << 51n))
  isCoded(await waits, 'ERR_FORELOCK_CORRUPT')
  isCoded(await rejection(gov.lock('b').acquire()), 'ERR_FORELOCK_CORRUPT')
  await gov.close()
  isCoded(await rejection(Promise.resolve().then(() => open({ name, dir }))), 'ERR_FORELOCK_CORRUPT')
  assert.is(unlink(name, { dir, force: true }), true)
  await open({ name, dir, capacity }).close()
})

/** The one element of an arena that is held. */
function elementOf(name: string): number {
  for (let i = 0; i < capacity.elements; i++) {
    const fast = peek(arenaFile(dir, name), sections().elements + ELEMENT * i, 8).readBigUInt64LE()
    if (((fast >> 50n) & 0x1fffn) !== 0n) return i
  }
  throw new Error('no element is held')
}

test('what one participant finds damaged is reported to all', async () => {
  const name = 'shared-damage'
  const gov = open({ name, dir, capacity })
  const child = start('holder.child.ts', [dir, name])
  try {
    await message(child)
    await ask(child, { acquire: 'a' })
    const waits = rejection(gov.lock('a').acquire())
    const { signal } = await gov.lock('held').acquire()
    poke(arenaFile(dir, name), Header.retired, u32(2))
    isCoded(await waits, 'ERR_FORELOCK_CORRUPT')
    isCoded(signal.reason, 'ERR_FORELOCK_CORRUPT')
    isCoded(await rejection(gov.lock('other').acquire()), 'ERR_FORELOCK_CORRUPT')
  } finally {
    await kill(child)
    await gov.close()
  }
})

test.run()
