import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { diskRequests } from '../../../lib/backtest/cloudphysics.js'

test('reads when what part of a disk was read or written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forelock-disk-'))
  try {
    mkdirSync(join(folder, 'cloudphysics'))
    const view = new DataView(new ArrayBuffer(2 * 32 + 5))
    for (const [i, [length, command, block, time]] of [
      [4_096, 0x28, 2_047n, 1_000_000n],
      [512, 0x8a, 2_048n, 1_001_500n]
    ].entries() as IterableIterator<[number, [number, number, bigint, bigint]]>) {
      view.setUint32(32 * i + 4, length, true)
      view.setUint16(32 * i + 12, command, true)
      view.setBigUint64(32 * i + 16, block, true)
      view.setBigUint64(32 * i + 24, time, true)
    }
    writeFileSync(join(folder, 'cloudphysics', 'cloudPhysicsIO.vscsi'), view)
    assert.equal(await diskRequests(folder), [
      { key: 0n, time: 0, bytes: 4_096, isWrite: false },
      { key: 1n, time: 1.5, bytes: 512, isWrite: true }
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
