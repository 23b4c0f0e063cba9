import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ForelockErrorCode, open, unlink } from '../../lib/index.js'
import { isCoded, rejection, thrown } from '../lib/support.js'
import { arenaFile, ask, Header, kill, message, peek, poke, Random, start, temporaryFolder, u32, u64 } from './support.js'

const test = suite('arena files that others have touched')
const dir = temporaryFolder()
const capacity = { elements: 64, waiters: 128, participants: 12, names: 16 }
const isRoot = process.getuid?.() === 0
let count = 0

/** A sound arena that nobody has open, under a name of its own. */
function makeArena(): { name: string; file: string } {
  const name = `arena-${count++}`
  const gov = open({ name, dir, capacity })
  gov.close()
  return { name, file: arenaFile(dir, name) }
}

function refused(name: string, code: ForelockErrorCode): void {
  isCoded(
    thrown(() => open({ name, dir })),
    code
  )
  isCoded(
    thrown(() => open({ name, dir, capacity })),
    code
  )
}

for (const [what, bytes] of [
  ['an empty file', 0],
  ['a file of one byte', 1],
  ['a file shorter than a header page', 4095],
  ['a file of zeros', 1 << 20]
] as const) {
  test(`${what} is refused as corrupt`, () => {
    const name = `plain-${count++}`
    writeFileSync(arenaFile(dir, name), Buffer.alloc(bytes), { mode: 0o600 })
    refused(name, 'ERR_FORELOCK_CORRUPT')
    assert.is(statSync(arenaFile(dir, name)).size, bytes, 'it was left as it was')
  })
}

test('random bytes are refused as corrupt', () => {
  const random = new Random(1)
  for (let round = 0; round < 20; round++) {
    const name = `random-${round}`
    writeFileSync(arenaFile(dir, name), Buffer.from(Array.from({ length: 8192 }, () => random.below(256))), { mode: 0o600 })
    refused(name, 'ERR_FORELOCK_CORRUPT')
  }
})

for (const [field, value, code] of [
  ['magic', u64(0x1234n), 'ERR_FORELOCK_CORRUPT'],
  ['format', u32(2), 'ERR_FORELOCK_VERSION'],
  ['headerBytes', u32(8), 'ERR_FORELOCK_VERSION'],
  ['signature', u64(0xdeadbeefn), 'ERR_FORELOCK_VERSION'],
  ['size', u64(4096n), 'ERR_FORELOCK_CORRUPT'],
  ['size', u64(-1n), 'ERR_FORELOCK_CORRUPT'],
  ['elements', u32(0), 'ERR_FORELOCK_CORRUPT'],
  ['elements', u32(65), 'ERR_FORELOCK_CORRUPT'],
  ['elements', u32(-1), 'ERR_FORELOCK_CORRUPT'],
  ['slots', u32(127), 'ERR_FORELOCK_CORRUPT'],
  ['slots', u32(1 << 24), 'ERR_FORELOCK_CORRUPT'],
  ['participants', u32(1), 'ERR_FORELOCK_CORRUPT'],
  ['participants', u32(4096), 'ERR_FORELOCK_CORRUPT'],
  ['texts', u32(0), 'ERR_FORELOCK_CORRUPT'],
  ['texts', u32(-1), 'ERR_FORELOCK_CORRUPT'],
  ['tierCount', u32(0), 'ERR_FORELOCK_CORRUPT'],
  ['tierCount', u32(5), 'ERR_FORELOCK_CORRUPT'],
  ['timeNamespace', u64(42n), 'ERR_FORELOCK_VERSION']
] as const) {
  test(`a header with ${field} 0x${value.toString('hex')} is refused with ${code}`, () => {
    const { name, file } = makeArena()
    poke(file, Header[field], value)
    refused(name, code)
  })
}

test('the refusal of another layout names the stored one and ours', () => {
  const { name, file } = makeArena()
  const ours = peek(file, Header.signature, 8).readBigUInt64LE()
  poke(file, Header.signature, u64(77n))
  const error = thrown(() => open({ name, dir }))
  isCoded(error, 'ERR_FORELOCK_VERSION')
  assert.match(error.message, 'signature 77')
  assert.match(error.message, `signature ${ours}`)
})

test('a file that is shorter or longer than its header says is refused as corrupt', () => {
  for (const by of [-4096, 4096]) {
    const { name, file } = makeArena()
    truncateSync(file, statSync(file).size + by)
    refused(name, 'ERR_FORELOCK_CORRUPT')
  }
})

test('a symbolic link is refused, even to a sound arena', () => {
  const { file } = makeArena()
  symlinkSync(file, arenaFile(dir, 'link'))
  refused('link', 'ERR_FORELOCK_OWNER')
  isCoded(
    thrown(() => unlink('link', { dir })),
    'ERR_FORELOCK_OWNER'
  )
  assert.ok(statSync(file).isFile())
})

test('a folder is refused', () => {
  mkdirSync(arenaFile(dir, 'folder'))
  refused('folder', 'ERR_FORELOCK_OWNER')
})

test('a fifo is refused without waiting for its other end', () => {
  execFileSync('mkfifo', ['-m', '600', arenaFile(dir, 'fifo')])
  refused('fifo', 'ERR_FORELOCK_OWNER')
})

for (const [whose, mode] of [
  ['the group', 0o620],
  ['everybody', 0o602]
] as const) {
  test(`an arena that ${whose} may write is refused`, () => {
    const { name, file } = makeArena()
    chmodSync(file, mode)
    refused(name, 'ERR_FORELOCK_OWNER')
  })
}

const asRoot = isRoot ? test : test.skip // only root can give a file away
asRoot('an arena of another user is refused', () => {
  const { name, file } = makeArena()
  chownSync(file, 65534, 65534)
  refused(name, 'ERR_FORELOCK_OWNER')
  isCoded(
    thrown(() => unlink(name, { dir })),
    'ERR_FORELOCK_OWNER'
  )
})

test('a folder that is not there, or cannot hold an arena, is a typed error', () => {
  isCoded(
    thrown(() => open({ name: 'x', dir: '/nowhere/at/all' })),
    'ERR_FORELOCK_OWNER'
  )
  isCoded(
    thrown(() => open({ name: 'x', dir: '/proc' })),
    'ERR_FORELOCK_OWNER'
  )
})

test('an arena of another boot is made anew, and its tokens are higher', () => {
  const { name, file } = makeArena()
  const before = open({ name, dir })
  const old = before.lock('a').tryAcquire()?.token as bigint
  before.close()
  const identity = peek(file, Header.identity, 16)
  poke(file, Header.bootId, u64(1n))
  const gov = open({ name, dir, capacity })
  assert.not.equal(peek(file, Header.identity, 16), identity)
  assert.ok((gov.lock('a').tryAcquire()?.token as bigint) > old)
  gov.close()
})

test('an arena whose unlinking was cut short is made anew', () => {
  const { name, file } = makeArena()
  const identity = peek(file, Header.identity, 16)
  poke(file, Header.retired, u32(1))
  const gov = open({ name, dir, capacity })
  assert.not.equal(peek(file, Header.identity, 16), identity)
  gov.close()
})

test('what is not an arena is unlinked only by force', () => {
  writeFileSync(arenaFile(dir, 'junk'), 'junk', { mode: 0o600 })
  isCoded(
    thrown(() => unlink('junk', { dir })),
    'ERR_FORELOCK_CORRUPT'
  )
  assert.is(unlink('junk', { dir, force: true }), true)
  assert.is(unlink('junk', { dir, force: true }), false)
})

test('a private arena cannot be shrunk under its users', () => {
  const gov = open({ fresh: true })
  const truncated = spawnSync(
    process.execPath,
    [
      '-e',
      `const fs = require('fs')
      for (const fd of fs.readdirSync('/proc/${process.pid}/fd')) {
        const path = '/proc/${process.pid}/fd/' + fd
        let target = ''
        try { target = fs.readlinkSync(path) } catch {}
        if (!target.includes('memfd:forelock')) continue
        try { fs.truncateSync(path, 4096); console.log('shrunk') } catch (error) { console.log(error.code) }
      }`
    ],
    { encoding: 'utf8' }
  )
  const said = truncated.stdout.trim().split('\n')
  assert.ok(said.length >= 1)
  assert.ok(
    said.every(code => code === 'EPERM'),
    truncated.stdout + truncated.stderr
  )
  gov.close()
})

test('unlink is refused while a participant lives, and done when it has left', () => {
  const { name } = makeArena()
  const gov = open({ name, dir })
  isCoded(
    thrown(() => unlink(name, { dir })),
    'ERR_FORELOCK_IN_USE'
  )
  gov.close()
  assert.is(unlink(name, { dir }), true)
  assert.is(unlink(name, { dir }), false)
})

test('participants of an arena unlinked by force are told: waits end, and nothing new is let in', async () => {
  const { name } = makeArena()
  const gov = open({ name, dir })
  const lock = gov.lock('a')
  const held = await lock.acquire()
  const waiting = lock.acquire()
  const failed = rejection(waiting)
  assert.is(unlink(name, { dir, force: true }), true)
  isCoded(await failed, 'ERR_FORELOCK_RETIRED')
  isCoded(await rejection(lock.acquire()), 'ERR_FORELOCK_RETIRED')
  isCoded(
    thrown(() => gov.lock('b').tryAcquire()),
    'ERR_FORELOCK_RETIRED'
  )
  assert.is(held.release(), false, 'whoever opens the name anew shares no lock with us')
  await gov.close()
})

test('participants are told of a file that was removed without forelock, as a login manager does', async () => {
  const { name, file } = makeArena()
  const gov = open({ name, dir })
  const lock = gov.lock('a')
  await lock.acquire()
  const failed = rejection(lock.acquire())
  rmSync(file)
  isCoded(await failed, 'ERR_FORELOCK_RETIRED')
  await gov.close()
})

test('an arena that was renamed is still an arena', async () => {
  const { name, file } = makeArena()
  const gov = open({ name, dir })
  const lock = gov.lock('a')
  renameSync(file, arenaFile(dir, 'renamed'))
  const other = open({ name: 'renamed', dir })
  const grant = await lock.acquire()
  assert.is(other.lock('a').tryAcquire(), null)
  grant.release()
  await gov.close()
  await other.close()
})

test('an unlinked name opened anew gives higher tokens', () => {
  const { name } = makeArena()
  let highest = 0n
  for (let round = 0; round < 20; round++) {
    const gov = open({ name, dir, capacity })
    const lock = gov.lock('a')
    for (let i = 0; i < 50; i++) {
      const grant = lock.tryAcquire()
      assert.ok((grant?.token as bigint) > highest)
      highest = grant?.token as bigint
      grant?.release()
    }
    gov.close()
    unlink(name, { dir })
  }
})

test('eight processes that open the same new name at once are in one arena, also where a stale one lies', async () => {
  const children = Array.from({ length: 8 }, () => start('race.child.ts', [dir]))
  try {
    await Promise.all(children.map(child => message(child)))
    for (let round = 0; round < 40; round++) {
      const name = `race-${round}`
      if (round % 2 === 1) {
        open({ name, dir, capacity }).close()
        poke(arenaFile(dir, name), Header.bootId, u64(BigInt(round)))
      }
      const at = Date.now() + 10
      const answers = await Promise.all(children.map(child => ask<{ mapped?: string[]; error?: string }>(child, { name, at })))
      const inode = String(statSync(arenaFile(dir, name)).ino)
      for (const { mapped, error } of answers) assert.ok(mapped?.includes(inode), `round ${round}: ${error ?? 'another arena'}`)
    }
  } finally {
    await Promise.all(children.map(kill))
  }
})

test('no folder of these tests is left in a state that a fresh process cannot read', () => {
  const { name } = makeArena()
  assert.is(readFileSync(arenaFile(dir, name)).subarray(0, 8).toString(), 'FORELOCK')
})

test.run()
