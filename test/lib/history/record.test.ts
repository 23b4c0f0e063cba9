import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Governor,
  historyOf,
  openHistory,
  openMemoryStore,
  type PastRecord,
  type Recorder,
  type Row,
  type RunRecord,
  unlink
} from '../../../lib/index.js'
import { Agent } from '../agents.js'
import { isCoded, isSettled, macrotask, rejection, thrown, virtual } from '../support.js'

const quiet = { metering: false } as const
let arenas = 0

async function recording(body: (gov: Governor, recorder: Recorder, store: Awaited<ReturnType<typeof openMemoryStore>>) => Promise<void>) {
  const gov = virtual({ capacity: { telemetry: 4096 } })
  const store = await openMemoryStore({ flushInterval: Number.POSITIVE_INFINITY })
  const recorder = gov.record(store, { interval: 1e6 })
  await recorder.begun
  try {
    await body(gov, recorder, store)
  } finally {
    await gov.close()
    await store.close()
  }
}

async function withAgents(count: number, body: (agents: Agent[], gov: Governor) => Promise<void>) {
  // Room for all that they tell, however late the recorder comes to it.
  const options = { name: `recorder-${process.pid}-${arenas++}`, capacity: { telemetry: 65_536 } }
  const gov = virtual({ ...options, clock: 'monotonic' })
  const agents: Agent[] = []
  try {
    for (let i = 0; i < count; i++) agents.push(await Agent.process({ ...options, autoEnclose: false }))
    await body(agents, gov)
  } finally {
    for (const agent of agents) await agent.kill()
    await gov.close()
    unlink(options.name, { force: true })
  }
}

test('a run that was sampled is written with its curve, and another without', () =>
  recording(async (gov, recorder, store) => {
    const runOf = async (metering: object) => {
      let curve: unknown
      const workflow = gov.workflow('import', { metering })
      workflow.on('run', record => {
        curve = record.curve
      })
      await workflow.run(() => {
        for (let i = 0; i < 3; i++) gov.advance(10)
      })
      await macrotask()
      return curve
    }
    const curve = await runOf({ every: 10 })
    await runOf({})
    await recorder.drain()
    assert.equal(
      (await store.select('runs')).map(row => row.curve),
      [curve, undefined]
    )
    const [{ times, cpu }] = await historyOf(store).curves()
    assert.equal([times, cpu?.length], [[10, 20, 30], 3])
  }))

test('what is in the note of a run where its curve should be is not taken for one', () =>
  recording(async (gov, recorder, store) => {
    const run = { id: 'r', workflow: 'w', start: 1, duration: 2, outcome: 'success', usage: {}, actions: [] }
    const curves = [7, {}, { times: 'all' }, { times: [] }, { times: [null] }, { times: Array(65).fill(1) }]
    for (const curve of [...curves, { times: [1], cpu: [1, 2] }])
      gov.telemetry.note('forelock:run', new TextEncoder().encode(JSON.stringify({ ...run, curve })))
    await recorder.drain()
    assert.is(recorder.error, undefined)
    const known = (await store.select('runs')).flatMap(row => (row.curve === undefined ? [] : [row.curve]))
    assert.equal([recorder.status.runs, known], [curves.length + 1, [{ times: [1] }]])
  }))

test('runs come back from a history as they were told of, and teach a workflow of another day its profile', () =>
  recording(async (gov, recorder, store) => {
    const options = { type: 'image', keep: ['bytes', 'format'], prices: { wall: 1 } }
    const workflow = gov.workflow('import', options)
    const told: RunRecord[] = []
    workflow.on('run', record => told.push(record))
    for (let i = 1; i <= 5; i++) {
      await workflow
        .run({ input: { bytes: i, format: 'heic', user: 'ada' }, tenant: i < 4 ? 'acme' : 'globex', events: [`e${i}`] }, async run => {
          await run.action('read', action => {
            for (let part = 0; part < 3; part++) {
              action.transferred(100 * i)
              gov.advance(10)
            }
          })
          await gov.workflow('inner').run({ within: run }, () => gov.advance(i))
          if (i === 5) throw new Error('no disk')
        })
        .catch(error => assert.is(error.message, 'no disk'))
    }
    await macrotask()
    await recorder.drain()
    const history = historyOf(store)
    const past = await history.runs({ type: 'image' })
    const asKept = ({ booked: _, actions, ...run }: RunRecord) => ({ ...run, actions: actions.map(({ booked: _, ...action }) => action) })
    // Ends are kept, and not durations.
    const rounded = (value: unknown) =>
      JSON.parse(JSON.stringify(value, (_, one) => (typeof one === 'number' ? Math.round(one * 100) / 100 : one)))
    assert.equal(rounded(past), rounded(told.map(asKept)))
    assert.equal(
      (await history.runs({ workflow: 'inner', limit: 2 })).map(({ parent }) => parent),
      past.slice(3).map(({ id }) => id)
    )
    const anew = virtual()
    const later = anew.workflow('import', options)
    later.teach(past)
    assert.equal(rounded(later.profile()), rounded(workflow.profile()))
    anew.forget({ tenant: 'acme' })
    assert.is(later.profile().samples, 1, 'of one of the others')
    later.teach([
      { ...(past[0] as PastRecord), duration: 'long' as never },
      { ...(past[0] as PastRecord), usage: { cpu: 'x' as never } }
    ])
    assert.is(later.profile().samples, 1)
    await anew.close()
    const viewer = await openHistory(store, { as: 'operator' })
    assert.equal(
      (await viewer.runs({ workflow: 'import' })).map(({ tenant, input, actions }) => [tenant, input, actions.length]),
      Array(5).fill([undefined, {}, 1])
    )
    isCoded(await rejection(viewer.runs({ tenant: 'acme' })), 'ERR_FORELOCK_ACCESS')
  }))

test('notes that are none are counted as a loss, and keep nobody else from being recorded', () =>
  recording(async (gov, recorder, store) => {
    const run = { id: 'r', workflow: 'w', start: 1, duration: 2, outcome: 'success', usage: {}, actions: [] }
    const workflow = gov.workflow('import', quiet)
    await workflow.run(() => 1)
    const wrong = [
      { actions: [null] },
      { ...run, id: 5 },
      { ...run, start: 'x' },
      { ...run, input: 5 },
      { ...run, usage: { cpu: 'x' } },
      { ...run, actions: [{}] }
    ]
    for (const note of wrong) gov.telemetry.note('forelock:run', new TextEncoder().encode(JSON.stringify(note)))
    await workflow.run(() => 2)
    await recorder.drain()
    assert.equal([recorder.status.active, recorder.error, recorder.status.runs], [true, undefined, 2])
    assert.is((await store.select('runs')).length, 2)
    assert.equal(
      (await store.select('losses')).map(({ reason, rows }) => [reason, rows]),
      [['notes that were none', wrong.length]]
    )
  }))

test('an estimate that is none is not waited for: its score would be no row, and end the recorder', () =>
  recording(async (gov, recorder, store) => {
    const now = gov.toDate(gov.now()).getTime()
    const wrong = [
      { contention: 1e200 },
      { contention: 0.5, p50: 'x' },
      { contention: 0.5, p50: 1, p95: 1.7e308 },
      { contention: 0.5, p50: null }
    ]
    for (const [i, value] of wrong.entries()) {
      const note = { id: `e${i}`, made: now, due: now, kind: 'lock', name: 'invoice', tier: 'standard', value }
      gov.telemetry.note('forelock:estimate', new TextEncoder().encode(JSON.stringify(note)))
    }
    await recorder.drain()
    gov.advance(10)
    gov.lock('invoice').tryAcquire({ tier: 'standard' })?.release()
    await recorder.drain()
    assert.equal([recorder.status.active, recorder.error], [true, undefined])
    assert.equal(await store.select('estimates'), [])
  }))

test('what is asked for, granted and given back is written with its names and its times', () =>
  recording(async (gov, recorder, store) => {
    const began = gov.toDate(gov.now()).getTime()
    const grant = gov.lock('invoice').tryAcquire({ tier: 'interactive', workflow: 'checkout', tenant: 'acme', client: 'c1' })
    gov.advance(40)
    grant?.release()
    await recorder.drain()
    const rows = (await store.select('events')).filter(row => row.element === 'invoice')
    const view = ({ event, kind, tier, outcome, workflow, tenant, client, held }: Row<'events'>) => [
      event,
      kind,
      tier,
      outcome,
      workflow,
      tenant,
      client,
      held
    ]
    assert.equal(rows.map(view), [
      ['grant', 'lock', 'interactive', 'success', 'checkout', 'acme', 'c1', undefined],
      ['end', 'lock', 'interactive', 'success', 'checkout', 'acme', 'c1', 40]
    ])
    assert.ok(Math.abs(rows[0].time - began) < 1 && Math.abs(rows[1].time - began - 40) < 1, String(rows[0].time - began))
  }))

test('a run and its actions are written as they were', () =>
  recording(async (gov, recorder, store) => {
    const workflow = gov.workflow('encode', { ...quiet, keep: ['bytes'], tenant: 'acme', prices: { each: 2 } })
    await workflow.run({ input: { bytes: 7, user: 'ada' } }, async run => {
      gov.advance(5)
      await run.action('read', () => gov.advance(10))
      await run.action('fail', () => Promise.reject(new Error('no'))).catch(() => run.drop())
    })
    await recorder.drain()
    const [run] = await store.select('runs')
    assert.equal(
      [run.workflow, run.tenant, run.outcome, run.end - run.start, run.input, run.cost],
      ['encode', 'acme', 'drop', 15, { bytes: 7 }, 2]
    )
    const actions = await store.select('actions')
    assert.equal(
      actions.map(({ run: id, action, position, start, end, outcome }) => [
        id === run.id,
        action,
        position,
        Math.round(start - run.start),
        Math.round(end - start),
        outcome
      ]),
      [
        [true, 'read', 0, 5, 10, 'success'],
        [true, 'fail', 1, 15, 0, 'ignore']
      ]
    )
    assert.equal([recorder.status.runs, recorder.status.actions, recorder.status.lost], [1, 2, 0])
  }))

test('what was measured is written, and what was not is absent', () =>
  recording(async (gov, recorder, store) => {
    await gov.workflow('w', { metering: { level: 'time' } }).run(() => undefined)
    await recorder.drain()
    const [{ wall, cpu, memory }] = await store.select('runs')
    assert.ok((wall as number) >= 0 && (cpu as number) >= 0)
    assert.is(memory, undefined)
  }))

test('what was overwritten before it was read is counted as lost, with how many', () =>
  recording(async (gov, recorder, store) => {
    const lock = gov.lock('l')
    for (let i = 0; i < 5000; i++) lock.tryAcquire()?.release()
    await recorder.drain()
    const losses = await store.select('losses')
    const { events, lost } = recorder.status
    assert.ok(lost > 0)
    assert.is(
      losses.reduce((sum, { rows = 0 }) => sum + rows, 0),
      lost
    )
    // Two a pair, and the recorder's own lock, which it held before it read.
    assert.ok(events + lost >= 10_000 && events + lost <= 10_002, `${events} ${lost}`)
  }))

test('an arena has one recorder at a time, and the next goes on where it stops', () =>
  recording(async (gov, first, store) => {
    const other = await openMemoryStore()
    const second = gov.record(other, { interval: 1e6 })
    assert.is(await isSettled(second.begun), false)
    assert.equal([first.status.active, second.status.active], [true, false])
    gov.lock('before').tryAcquire()
    await first.drain()
    first.stop()
    await second.begun
    assert.equal([first.status.active, second.status.active], [false, true])
    gov.lock('after').tryAcquire()
    await second.drain()
    const named = async (from: typeof store) => new Set((await from.select('events')).map(({ element }) => element))
    assert.ok((await named(store)).has('before') && !(await named(store)).has('after'))
    assert.ok((await named(other)).has('after') && !(await named(other)).has('before'))
    await other.close()
  }))

test('four processes are written down by one recorder, and nothing is lost', () =>
  withAgents(4, async (agents, gov) => {
    const store = await openMemoryStore({ flushInterval: Number.POSITIVE_INFINITY })
    const recorder = gov.record(store, { interval: 5 })
    await recorder.begun
    await Promise.all(agents.map((agent, i) => agent.runs(`w${i}`, 200).done))
    await recorder.drain()
    const runs = await store.select('runs')
    const byWorkflow = agents.map((_, i) => runs.filter(({ workflow }) => workflow === `w${i}`).length)
    assert.equal([byWorkflow, recorder.status.lost], [[200, 200, 200, 200], 0])
    assert.is(new Set(runs.map(({ id }) => id)).size, 800)
    assert.is((await store.select('actions')).length, 800)
    const grants = (await store.select('events')).filter(({ event, workflow }) => event === 'grant' && workflow?.startsWith('w'))
    assert.is(grants.length, 800)
    await store.close()
  }))

test('a recorder whose process is killed is followed by the one that waits', () =>
  withAgents(1, async ([agent], gov) => {
    await agent.record().done
    const store = await openMemoryStore()
    const recorder = gov.record(store, { interval: 5 })
    assert.is(await isSettled(recorder.begun), false)
    await agent.kill()
    await recorder.begun
    gov.lock('after').tryAcquire()
    await recorder.drain()
    assert.ok((await store.select('events')).some(({ element }) => element === 'after'))
    await store.close()
  }))

test('what is wrong is said before anything begins', async () => {
  const gov = virtual()
  const store = await openMemoryStore()
  for (const options of [{ interval: -1 }, { interval: 'x' }, { every: 1 }, 1] as never[]) {
    isCoded(
      thrown(() => gov.record(store, options)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  await gov.close()
  isCoded(
    thrown(() => gov.record(store)),
    'ERR_FORELOCK_CLOSED'
  )
  await store.close()
})

test('a store that stays open has what was read when the recorder has stopped, and one that was closed before is no obstacle', async () => {
  for (const close of [false, true]) {
    const gov = virtual({ capacity: { telemetry: 4096 } })
    const store = await openMemoryStore({ flushInterval: Number.POSITIVE_INFINITY })
    const recorder = gov.record(store, { interval: 1e6 })
    await recorder.begun
    await gov.workflow('job', quiet).run(() => 'done')
    await (close ? gov.close() : recorder.stop())
    assert.is((await store.select('runs')).length, 1)
    assert.is(recorder.error, undefined)
    await store.close()
    await gov.close()
  }
  const gov = virtual({ capacity: { telemetry: 4096 } })
  const store = await openMemoryStore()
  const recorder = gov.record(store)
  await recorder.begun
  await store.close()
  await gov.close()
  isCoded(recorder.error, 'ERR_FORELOCK_CLOSED')
})

test.run()
