// Remedies on the real core in virtual time, with an agent that learns what comes.
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open, type RemedyOptions, type RemedyRecord, type RemedyStatus } from '../../../lib/index.js'
import { randomsOf } from '../../../lib/randoms.js'

const SLOTS = 20
const STEP_MS = 50
const STEPS = 10_000
const BURST_EVERY = 200
const BURST = 5

interface Day {
  /** ms, mean */
  readonly interactive: number
  readonly status: RemedyStatus
  readonly records: readonly RemedyRecord[]
}

/** Jobs of four seconds that can pause each half of one, and each ten seconds two full of those who are in a hurry. */
async function day(remedies: RemedyOptions): Promise<Day> {
  const gov = open({ clock: 'virtual', autoEnclose: false, predict: { thread: false, control: 0 } })
  const pool = gov.pool('slots', { capacity: { permits: SLOTS } })
  const jobs = gov.workflow('jobs', { tier: 'background', needs: { pool: [pool, { permits: 2 }] }, remedies, metering: false })
  const records: RemedyRecord[] = []
  jobs.on('remedied', record => records.push(record))
  const random = randomsOf(1)
  const sleepers: { readonly until: number; wake(): void }[] = []
  const waits: number[] = []
  let step = 0
  /** Of the virtual clock: over when the loop below has come so far. */
  const lasting = (ms: number) => new Promise<void>(wake => sleepers.push({ until: step + ms / STEP_MS, wake }))
  const job = () =>
    jobs.run(async run => {
      for (let part = 0; part < 8; part++) {
        await lasting(500)
        await run.pause()
      }
    })
  const hurry = async (asked: number) => {
    const grant = await pool.allocate({ permits: 1 }, { tier: 'interactive' })
    waits.push((step - asked) * STEP_MS)
    await lasting(300)
    grant.release()
  }
  const closed = new AbortController()
  const failed = (error: unknown) => {
    if (!closed.signal.aborted) throw error
  }
  for (; step < STEPS; step++) {
    for (const one of sleepers.splice(0)) {
      if (one.until <= step) one.wake()
      else sleepers.push(one)
    }
    await turn()
    if (random() < 0.06) job().catch(failed)
    const phase = step % BURST_EVERY
    if (phase >= 100 && phase < 140) for (let i = 0; i < BURST; i++) if (random() < 0.35) hurry(step).catch(failed)
    gov.advance(STEP_MS)
    await turn()
  }
  const status = jobs.remedies()
  closed.abort()
  await gov.close()
  return { interactive: waits.reduce((all, one) => all + one, 0) / waits.length, status, records }
}

test('those in a hurry wait less where jobs pause before they come, and what came of it is known', async () => {
  const [without, paused] = [await day({}), await day({ apply: ['split'] })]
  assert.ok(paused.interactive < 0.6 * without.interactive, `${paused.interactive} ms, and ${without.interactive} without`)
  assert.ok(paused.status.paused > 50)
  assert.equal([without.records, without.status.kinds], [[], {}])
  // Of the kind itself it is known from when it was last tried again.
  const control = paused.records.filter(record => record.control).length
  const done = paused.records.length - control
  assert.ok(done > 20 && control > 0, `${done} done, ${control} left alone`)
  const came = paused.records.filter(record => record.came).length
  assert.ok(came > 0.6 * paused.records.length, `${came} of ${paused.records.length} came`)
  assert.ok(paused.records.every(({ cost, upperCost }) => cost >= 0 && upperCost >= 0))
})

test.run()
