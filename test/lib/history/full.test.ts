import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openDuckDbStore } from '../../../lib/history/duckdb.js'
import type { HistoryStore } from '../../../lib/history/store.js'
import { DAY, run } from './rows.js'

const folder = mkdtempSync(join(tmpdir(), 'forelock-full-'))
const isRoot = process.getuid?.() === 0
// Only root may mount a file system that is small enough.
const whereRoot = isRoot ? test : test.skip

test.before(() => {
  if (isRoot) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder])
})

test.after(() => {
  if (isRoot) execFileSync('umount', ['-l', folder])
  rmSync(folder, { recursive: true, force: true })
})

const MOST = 500
let given = 0

function give(store: HistoryStore, count: number): void {
  const rows = Array.from({ length: count }, () =>
    run(`${given}`, { end: DAY + given++ * 20, wall: 1 + (given % 50), input: { pad: 'x'.repeat(given % 300) } })
  )
  store.append('runs', rows)
}

const rolledUp = async (store: HistoryStore) =>
  (await store.grouped({ source: 'runs', metric: 'wall', every: 3_600_000 })).reduce((sum, { count }) => sum + count, 0)

whereRoot('a full disk drops rows, never throws at who writes, keeps every roll-up, and all goes on when there is room', async () => {
  const ballast = join(folder, 'ballast')
  const store = await openDuckDbStore(join(folder, 'history.duckdb'), { flushInterval: Number.POSITIVE_INFINITY, bufferRows: MOST })
  give(store, 100)
  let written = (await store.flush()).rows
  writeFileSync(ballast, Buffer.alloc(13 * 1024 * 1024))
  while (store.health().degraded === null) {
    give(store, 200)
    written += (await store.flush()).rows
  }
  assert.match(store.health().degraded!.message, /No space left/)
  for (let i = 0; i < 20; i++) {
    give(store, 200)
    assert.equal(await store.flush(), { rows: 0, waiting: store.health().buffered })
  }
  const { buffered, dropped } = store.health()
  assert.equal([buffered, dropped], [MOST, given - written - MOST])
  assert.is((await store.select('runs')).length, written)

  rmSync(ballast)
  assert.equal(await store.flush(), { rows: MOST, waiting: 0 })
  assert.is(store.health().degraded, null)
  give(store, 10)
  await store.flush()
  assert.is((await store.select('runs')).length, given - dropped)
  assert.is(await rolledUp(store), given)
  const losses = await store.select('losses')
  assert.equal(
    losses.map(({ table, reason, rows }) => ({ table, reason, rows })),
    [{ table: 'runs', reason: 'not writable', rows: dropped }]
  )
  await store.close()
})

whereRoot('a disk that is full when the log would be folded in loses nothing that was flushed', async () => {
  const file = join(folder, 'folded.duckdb')
  const ballast = join(folder, 'ballast')
  given = 0
  const store = await openDuckDbStore(file, { flushInterval: Number.POSITIVE_INFINITY })
  give(store, 5_000)
  const { rows } = await store.flush()
  assert.throws(() => writeFileSync(ballast, Buffer.alloc(32 * 1024 * 1024)), /ENOSPC/)
  await store.close()
  rmSync(ballast)
  const again = await openDuckDbStore(file)
  assert.is((await again.select('runs')).length, rows)
  assert.is(await rolledUp(again), rows)
  await again.close()
})

test.run()
