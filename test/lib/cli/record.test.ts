import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { recordTrace } from '../../../lib/cli/record.js'
import { replayTrace } from '../../../lib/cli/replay.js'
import { open, unlink } from '../../../lib/index.js'
import { inFolder } from '../replay/support.js'
import { isCoded, rejection } from '../support.js'

const quiet = () => {}

test('what is recorded of an arena can be replayed', async () => {
  const name = `record-${process.pid}`
  const gov = open({ name })
  await inFolder(async folder => {
    const out = join(folder, 'day.jsonl')
    const stop = new AbortController()
    const recording = recordTrace(name, out, {}, stop.signal, quiet)
    const pool = gov.pool('host', { capacity: { cpu: 8 } })
    const bucket = gov.bucket('upstream', { rate: 1_000 })
    for (let i = 0; i < 50; i++) {
      using _lock = gov.lock(`row:${i % 3}`, { workflow: 'edit' }).tryAcquire()
      using _room = await pool.allocate({ cpu: 1 + (i % 3) }, { tier: i % 2 === 0 ? 'interactive' : 'background', workflow: 'serve' })
      bucket.tryTake(1, { tenant: 'acme' })
    }
    stop.abort()
    assert.equal(await recording, { requests: 150, refused: 0, lost: 0 })
    assert.is(statSync(out).mode & 0o777, 0o600)
    const rows = readFileSync(out, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.is(rows.length, 150)
    assert.ok(rows.every((row, i) => i === 0 || row.time >= rows[i - 1].time))
    const json = join(folder, 'rows.json')
    await replayTrace(out, { policy: 'reactive', utilisation: '80', json }, quiet, quiet)
    const found = JSON.parse(readFileSync(json, 'utf8')) as { id: string; value: number }[]
    const requests = (tier: string) => found.find(({ id }) => id === `day@80/reactive/${tier}/requests`)?.value
    assert.equal(['interactive', 'standard', 'background'].map(requests), [25, 100, 25])
  })
  await gov.close()
  unlink(name, { force: true })
})

test('it ends when its time is over', async () => {
  const name = `record-time-${process.pid}`
  const gov = open({ name })
  await inFolder(async folder => {
    const out = join(folder, 'none.jsonl')
    assert.equal(await recordTrace(name, out, { seconds: '0.05' }, new AbortController().signal, quiet), {
      requests: 0,
      refused: 0,
      lost: 0
    })
  })
  await gov.close()
  unlink(name, { force: true })
})

test('a file that is there already is written over only when that was asked for', async () => {
  const name = `record-over-${process.pid}`
  const gov = open({ name })
  await inFolder(async folder => {
    const out = join(folder, 'day.jsonl')
    writeFileSync(out, 'a day of work\n')
    const { signal } = new AbortController()
    const refused = await rejection(recordTrace(name, out, { seconds: '0.05' }, signal, quiet))
    isCoded(refused, 'ERR_FORELOCK_ARGUMENT')
    assert.match(refused.message, '--force')
    assert.is(readFileSync(out, 'utf8'), 'a day of work\n')
    await recordTrace(name, out, { seconds: '0.05', force: true }, signal, quiet)
    assert.is(readFileSync(out, 'utf8'), '')
  })
  await gov.close()
  unlink(name, { force: true })
})

test('an arena that is not there is not made, and bad options write nothing', async () => {
  await inFolder(async folder => {
    const out = join(folder, 'none.jsonl')
    const { signal } = new AbortController()
    const name = `record-none-${process.pid}`
    isCoded(await rejection(recordTrace(name, out, {}, signal, quiet)), 'ERR_FORELOCK_NOT_FOUND')
    isCoded(await rejection(recordTrace(name, out, {}, signal, quiet)), 'ERR_FORELOCK_NOT_FOUND')
    isCoded(await rejection(recordTrace(name, join(folder, 'x.csv'), {}, signal, quiet)), 'ERR_FORELOCK_ARGUMENT')
    for (const seconds of ['0', '-1', 'soon']) {
      isCoded(await rejection(recordTrace(name, out, { seconds }, signal, quiet)), 'ERR_FORELOCK_ARGUMENT')
    }
    assert.not.ok(existsSync(out))
  })
})

test.run()
