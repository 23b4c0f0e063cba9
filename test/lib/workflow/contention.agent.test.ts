// Collisions at locks and buckets on the real core in virtual time, foretold by an agent that learns what comes.
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { AgentStatus, ContentionNotice, Governor, Remedy, RemedyRecord, Run } from '../../../lib/index.js'
import { open } from '../../../lib/index.js'
import { randomsOf } from '../../../lib/randoms.js'

const STEP_MS = 20
const UNTIL_MS = 400_000
/** Of the locks, half have no holds: those of some names. */
const CONTROL = 0.5
const [HELD, LEFT_ALONE] = ['ledger 3', 'ledger 2']
const HIGHER = { tier: 'interactive', workflow: 'page' } as const

interface World {
  readonly gov: Governor
  /** ms */
  readonly time: number
  /** Resolved after so many ms of the virtual clock. */
  lasting(ms: number): Promise<void>
  random(): number
}

interface Day {
  readonly told: { readonly low: ContentionNotice[]; readonly page: ContentionNotice[]; readonly other: ContentionNotice[] }
  readonly remedies: readonly Remedy[]
  readonly records: readonly RemedyRecord[]
  readonly agent: AgentStatus
}

/** @param low a run of the workflow below @param every ms between two, on average @param higher what comes of the tier above, each step */
async function day(
  low: (world: World, run: Run) => Promise<unknown>,
  every: number,
  higher: (world: World) => Promise<unknown> | undefined
) {
  const gov = open({ clock: 'virtual', autoEnclose: false, predict: { thread: false, control: CONTROL } })
  const random = randomsOf(5)
  let sleepers: { readonly at: number; wake(): void }[] = []
  const world = {
    gov,
    time: 0,
    random,
    lasting: (ms: number) => new Promise<void>(wake => sleepers.push({ at: world.time + ms, wake }))
  }
  const remedies = { apply: ['reschedule', 'pace'], control: 0.2 } as const
  const terms = { tier: 'background', remedies, metering: false } as const
  const [jobs, other] = [gov.workflow('low', terms), gov.workflow('other', terms)]
  const page = gov.workflow('page', { tier: 'interactive', metering: false })
  const told: Day['told'] = { low: [], page: [], other: [] }
  const [advised, records]: [Remedy[], RemedyRecord[]] = [[], []]
  for (const [name, workflow] of Object.entries({ low: jobs, page, other })) {
    workflow.on('contention', notice => told[name as keyof Day['told']].push(notice))
  }
  jobs.on('remedy', remedy => advised.push(remedy))
  jobs.on('remedied', record => records.push(record))
  other.on('remedy', () => assert.unreachable())
  const ended = new AbortController()
  const failed = (error: unknown) => {
    if (!ended.signal.aborted) throw error
  }
  for (; world.time < UNTIL_MS; world.time += STEP_MS) {
    const due = sleepers.filter(({ at }) => at <= world.time)
    sleepers = sleepers.filter(({ at }) => at > world.time)
    for (const { wake } of due) wake()
    await turn()
    if (random() < STEP_MS / every) jobs.run(run => low(world, run)).catch(failed)
    if (random() < STEP_MS / 1000) other.run(async run => (await run.lock('elsewhere')).release()).catch(failed)
    higher(world)?.catch(failed)
    gov.advance(STEP_MS)
    await turn()
  }
  const agent = (await gov.agent.status()) as AgentStatus
  ended.abort()
  await gov.close()
  return { told, remedies: advised, records, agent } satisfies Day
}

/** A every some seconds, and after it, as often as not, one who is in a hurry: at a lock that lower work has most of the time. */
function ofLock(name: string): Promise<Day> {
  let [next, due] = [0, Number.POSITIVE_INFINITY]
  return day(
    async ({ lasting, random }, run) => {
      const grant = await run.lock(name)
      await lasting(600 + 600 * random())
      grant.release()
    },
    1200,
    world => {
      const { gov, time, random, lasting } = world
      if (time >= next) {
        gov.lock('a').tryAcquire({ tier: 'standard', workflow: 'A' })?.release()
        ;[next, due] = [time + 3000 + 4000 * random(), time + 300]
      }
      if (time < due) return undefined
      due = Number.POSITIVE_INFINITY
      return gov
        .lock(name)
        .acquire(HIGHER)
        .then(async grant => {
          await lasting(60)
          grant.release()
        })
    }
  )
}

const isRight = ({ low, page, other }: Day['told'], kind: string, what: string) => {
  assert.ok(low.length > 10, `${low.length} were told of`)
  // One that has not used it yet is not told.
  assert.ok(Math.abs(page.length - low.length) <= 2, `${page.length} and ${low.length}`)
  assert.equal(other, [])
  for (const notice of low) {
    assert.equal([notice.kind, notice.what, notice.tier], [kind, what, 'interactive'])
    assert.ok(notice.probability >= 0.5 && notice.gap > 0 && (notice.users?.low ?? 0) > 0)
  }
}

test('who will wait for a lock that a lower tier has is told to those who use it, and where no hold is written these give way', async () => {
  const { told, remedies, records, agent } = await ofLock(LEFT_ALONE)
  isRight(told, 'lock', LEFT_ALONE)
  assert.is(agent.locks.written, 0)
  assert.ok(remedies.some(({ kind, applied, of }) => kind === 'reschedule' && applied && of === 'lock'))
  const came = records.filter(record => record.came).length
  assert.ok(came > 0.5 * records.length && records.length > 30, `${came} of ${records.length} came`)
})

test('where a hold is written for it nobody gives way besides', async () => {
  const { told, remedies, agent } = await ofLock(HELD)
  isRight(told, 'lock', HELD)
  assert.ok(agent.locks.written > 10)
  const unkept = told.low.filter(({ kept }) => kept === 0).length
  assert.ok(
    remedies.length <= unkept && unkept < told.low.length / 2,
    `${remedies.length} remedies, ${unkept} of ${told.low.length} without a hold`
  )
})

test('late requests of a bucket are foretold to those who use it, and these give way', async () => {
  const { told, remedies, records } = await day(
    async ({ gov, lasting }, run) => {
      await run.take(gov.bucket('api', { rate: 10, burst: 10 }), 4)
      await lasting(100)
    },
    1500,
    ({ gov, time }) => {
      // Four seconds of 25 a second, of which some 25 tokens are kept apart, and twelve of none.
      if (time % 16_000 >= 4000 || time % 40 !== 0) return undefined
      return gov.bucket('api', { rate: 10, burst: 10 }).take(1, HIGHER)
    }
  )
  isRight(told, 'bucket', 'api')
  assert.ok(remedies.length > 5 && remedies.every(({ of, what }) => of === 'bucket' && what === 'api'))
  const came = records.filter(record => record.came).length
  assert.ok(came > 0.6 * records.length && records.length > 5, `${came} of ${records.length} came`)
})

test.run()
