import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { openDuckDbStore } from '../../../lib/history/duckdb.js'
import { Random } from '../../survive/support.js'

/** Each ends as many stores as it has files: a hundred in all. */
const KILLS = 20
const FILES = 5
const MOST_FLUSHES = 8
const MOST_MS = 20

const folder = mkdtempSync(join(tmpdir(), 'forelock-killed-'))
const living = new Set<ChildProcess>()

test.after(() => {
  for (const child of living) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** A writer that waits for its files: the next one starts while those of the one before are looked at. */
function start(): { child: ChildProcess; ready: Promise<unknown> } {
  const child = fork(fileURLToPath(new URL('writer.child.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] })
  living.add(child)
  return { child, ready: once(child, 'message') }
}

/** How many rows of each file it had said were on disk when it was killed, some moment after one of its flushes. */
async function writeAndKill({ child, ready }: ReturnType<typeof start>, files: readonly string[], random: Random): Promise<number[]> {
  await ready
  const acknowledged = files.map(() => 0)
  let flushes = FILES + random.below(MOST_FLUSHES)
  const later = random.below(MOST_MS)
  const exited = once(child, 'exit')
  child.on('message', ([which, written]: [number, number]) => {
    acknowledged[which] = written
    // At any moment of what it does next.
    if (--flushes <= 0 && acknowledged.every(rows => rows > 0)) setTimeout(() => child.kill('SIGKILL'), later)
  })
  child.send(files)
  const [, signal] = await exited
  living.delete(child)
  assert.is(signal, 'SIGKILL')
  return acknowledged
}

async function lookAt(file: string, acknowledged: number, from: number): Promise<void> {
  const store = await openDuckDbStore(file, { flushInterval: Number.POSITIVE_INFINITY })
  const [found] = await store.sql('SELECT count(*) AS n, count(DISTINCT id) AS ids, max(CAST(id AS INTEGER)) AS last FROM runs')
  const rows = found.n as number
  assert.ok(rows >= acknowledged, `${rows} of ${acknowledged}`)
  assert.equal([found.ids, found.last], [rows, rows - 1], 'a row is missing, or is there twice')
  for (const every of [1000, 60_000, 3_600_000]) {
    const groups = await store.grouped({ source: 'runs', metric: 'wall', every })
    const rolledUp = groups.reduce((sum, { count }) => sum + count, 0)
    assert.is(rolledUp, rows)
  }
  const { recovered } = store
  assert.ok(recovered !== null && recovered.lastFlush >= from && recovered.lastFlush <= Date.now())
  await store.flush()
  const [loss] = await store.select('losses')
  assert.equal([loss.reason, loss.time, loss.rows], ['killed', recovered.lastFlush, undefined])
  await store.close()
  rmSync(file)
}

test('a writer that is killed at any moment loses no row that was flushed and has no row without its roll-up, and the next one is told', async () => {
  const random = new Random(4)
  let next = start()
  for (let kill = 0; kill < KILLS; kill++) {
    const writer = next
    const files = Array.from({ length: FILES }, (_, at) => join(folder, `${kill}-${at}.duckdb`))
    const from = Date.now()
    const acknowledged = await writeAndKill(writer, files, random)
    if (kill + 1 < KILLS) next = start()
    for (const [at, file] of files.entries()) await lookAt(file, acknowledged[at], from)
  }
})

test.run()
