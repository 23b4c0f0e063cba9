import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type ContentionNotice, type Governor, isForelockError, open, type RemedyRecord, unlink } from '../../lib/index.js'

const CLI = new URL('../../lib/cli/forelock.ts', import.meta.url).pathname
const SLOTS = 8

async function withAgent(body: (gov: Governor) => Promise<void>): Promise<void> {
  const name = `notices-${process.pid}`
  const gov = open({ name, autoEnclose: false })
  const agent: ChildProcess = spawn(process.execPath, ['--import', 'tsx', CLI, 'agent', name], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    assert.is(String((await once(agent.stdout as NodeJS.ReadableStream, 'data'))[0]), `plans for ${name}\n`)
    await body(gov)
  } finally {
    const ended = once(agent, 'exit')
    agent.kill('SIGKILL')
    await ended
    await gov.close()
    unlink(name, { force: true })
  }
}

/** Those in a hurry ask for what others have all of, again and again. */
async function collide(gov: Governor, until: () => boolean): Promise<void> {
  const pool = gov.semaphore('slots', SLOTS)
  const held = await pool.acquire(SLOTS, { tier: 'background' })
  while (!until()) {
    await pool.acquire(1, { tier: 'interactive', waitTimeout: 5 }).then(
      () => assert.unreachable('all of it is held'),
      error => {
        if (!isForelockError(error) || error.code !== 'ERR_FORELOCK_TIMEOUT') throw error
      }
    )
    await turn()
  }
  held.release()
}

test('what an agent in a process of its own foretells is heard by the workflows of another one, which act on it and learn what became of it', () =>
  withAgent(async gov => {
    const heard: ContentionNotice[] = []
    const records: RemedyRecord[] = []
    gov.workflow('low', { tier: 'background' }).on('contention', notice => heard.push(notice))
    const jobs = gov.workflow('jobs', { tier: 'background', remedies: { apply: ['reschedule'], control: 0 } })
    jobs.on('remedied', record => records.push(record))
    const done: Promise<void>[] = []
    await collide(gov, () => {
      if (heard.length > 0 && done.length === 0) done.push(jobs.run(() => {}))
      return records.length > 0
    })
    const [notice] = heard
    assert.equal([notice?.what, notice?.tier, notice?.capacity, notice?.free], ['slots', 'interactive', SLOTS, 0])
    assert.ok((notice?.probability ?? 0) >= 0.5 && (notice?.within ?? 0) > 0 && (notice?.expected ?? 0) > 0)
    await Promise.all(done)
    assert.is(jobs.remedies().delayed, 1)
    const [record] = records
    assert.equal([record?.id, record?.kind, record?.came, record?.runs], [notice?.id, 'reschedule', true, 1])
    assert.ok((record?.upperWaited ?? 0) > 0)
  }))

test.run()
