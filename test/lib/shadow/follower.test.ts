import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, open, type Prediction, type Replica, type ReplicaRun, unlink } from '../../../lib/index.js'
import { FOLLOWER_LOCK } from '../../../lib/shadow/announcer.js'
import { RUNNING_NOTE } from '../../../lib/shadow/running-note.js'
import { decodeNotes } from '../../../lib/telemetry/record.js'
import { RUN_NOTE } from '../../../lib/workflow/notes.js'
import { Agent } from '../agents.js'
import { isCoded, macrotask, thrown, virtual } from '../support.js'

let made = 0

/** A named arena that another process has open too. */
async function withAnother(body: (gov: Governor, other: Agent, name: string) => Promise<void>): Promise<void> {
  const name = `follower-${process.pid}-${made++}`
  const gov = open({ name, autoEnclose: false })
  const other = await Agent.process({ name, autoEnclose: false })
  try {
    await body(gov, other, name)
  } finally {
    await other.kill()
    await gov.close()
    unlink(name, { force: true })
  }
}

/** What the replica tells as soon as it is so. */
async function seen(replica: Replica, isSo: (runs: readonly ReplicaRun[]) => boolean, seconds = 0): Promise<readonly ReplicaRun[]> {
  for (;;) {
    const { runs } = replica.at(seconds)
    if (isSo(runs)) return runs
    await new Promise(resolve => setTimeout(resolve, 1))
  }
}

test('a replica of an arena knows the runs of another process: where they are, what they hold, and when they are over', () =>
  withAnother(async (gov, other) => {
    const replica = gov.shadow.replica({ of: 'arena' })
    const staying = other.stay('import', 'acme')
    const id = await staying.done
    const [run, ...more] = await seen(replica, ([run]) => run?.holds.length === 1)
    assert.equal(more, [])
    assert.equal([run?.id, run?.workflow, run?.tenant, run?.tier], [id, 'import', 'acme', 'standard'])
    assert.equal(
      run?.actions.map(({ name }) => name),
      ['wait']
    )
    assert.equal(
      run?.holds.map(({ kind, name }) => [kind, name]),
      [['lock', 'import held']]
    )
    await other.goOn(staying).done
    await seen(replica, ({ length }) => length === 0)
    replica.close()
  }))

test('runs of its own process come first, and only once', () =>
  withAnother(async (gov, other) => {
    const replica = gov.shadow.replica({ of: 'arena' })
    const staying = other.stay('theirs')
    const id = await staying.done
    await gov.workflow('mine').run(async run => {
      const runs = await seen(replica, ({ length }) => length === 2)
      assert.equal(
        runs.map(one => one.id),
        [run.id, id]
      )
      // It is told of again every second, to whoever reads; not to its own governor.
      const second = open({ name: gov.name, autoEnclose: false })
      const beside = second.shadow.replica({ of: 'arena' })
      assert.equal((await seen(beside, ({ length }) => length === 2)).map(one => one.id).sort(), [run.id, id].sort())
      assert.is(replica.at(0).runs.length, 2)
      await second.close()
    })
  }))

test('runs that began before a replica follows are in it, and those of a process that is killed are so no longer', () =>
  withAnother(async (gov, other) => {
    await other.stay('import').done
    const replica = gov.shadow.replica({ of: 'arena' })
    await seen(replica, ({ length }) => length === 1)
    await other.kill()
    await seen(replica, ({ length }) => length === 0)
  }))

test('what it says of a run of another environment is made of runs that ended there, and is scored when that run is over', async () => {
  const gov = virtual()
  const other = open({ handle: gov.handle, autoEnclose: false })
  const replica = gov.shadow.replica({ of: 'arena' })
  const predictions: Prediction[] = []
  gov.shadow.onPrediction(prediction => predictions.push(prediction))
  const workflow = other.workflow('import', { metering: false })
  const run = (inside: () => Promise<unknown>) =>
    workflow.run(async run => {
      await run.action('step', () => gov.advance(10))
      await run.action('wait', async action => {
        await action.lock('index')
        await inside()
        gov.advance(100)
      })
    })
  for (let i = 0; i < 3; i++) await run(macrotask)
  await run(async () => {
    await seen(replica, ([run]) => run?.actions[0]?.name === 'wait')
    const now = (seconds: number) => replica.at(seconds).runs[0]
    const [soon, later] = [now(0.05), now(0.2)]
    assert.equal([soon?.samples, soon?.likeness, soon?.over, soon?.actions], [3, 'last', 0, [{ name: 'wait', probability: 1 }]])
    assert.equal(
      soon?.holds.map(({ name, probability }) => [name, probability]),
      [['index', 1]]
    )
    assert.equal([later?.over, later?.remaining?.p50], [1, 100])
  })
  assert.equal(replica.at(0).runs, [])
  await macrotask()
  assert.ok(predictions.some(({ points, score }) => points[0]?.cameOver === true && score.brier === 0))
  await other.close()
  await gov.close()
})

test('of a tenant that is forgotten nothing is made any more', async () => {
  const gov = virtual()
  const other = open({ handle: gov.handle, autoEnclose: false })
  const replica = gov.shadow.replica({ of: 'arena' })
  const workflow = other.workflow('import', { metering: false })
  await workflow.run({ tenant: 'acme' }, () => gov.advance(10))
  await workflow.run({ tenant: 'globex' }, async () => {
    await seen(replica, ({ length }) => length === 1)
    assert.is(replica.at(1).runs[0]?.samples, 1)
    other.forget({ tenant: 'acme' })
    assert.is(replica.at(1).runs[0]?.samples, 0)
  })
  await other.close()
  await gov.close()
})

test('nothing is told where nobody follows, nor after the last replica is closed', async () => {
  const gov = virtual()
  const follower = open({ handle: gov.handle, autoEnclose: false })
  const notes = () => kindsOf(follower)
  follower.telemetry.attach()
  const run = () => gov.workflow('w', { metering: false }).run(async run => run.action('step', () => macrotask()))
  await run()
  assert.equal(notes(), [RUN_NOTE])
  const replica = follower.shadow.replica({ of: 'arena' })
  assert.is(gov.inspect(FOLLOWER_LOCK)[0]?.holders.length, 1)
  replica.close()
  assert.is(gov.inspect(FOLLOWER_LOCK)[0]?.holders.length ?? 0, 0)
  await run()
  assert.equal(notes(), [RUN_NOTE])
  isCoded(
    thrown(() => replica.at(0)),
    'ERR_FORELOCK_CLOSED'
  )
  await follower.close()
  await gov.close()
})

function kindsOf(gov: Governor): string[] {
  const room = new Uint8Array(65_536)
  const bytes = gov.telemetry.drainNotes(room)
  const kinds = [...decodeNotes(room, bytes)].map(({ kind }) => kind)
  const names = gov.telemetry.names(kinds)
  return kinds.map(kind => names.get(kind) ?? '')
}

test('notes of these kinds by somebody else are none', async () => {
  const gov = virtual()
  const other = open({ handle: gov.handle, autoEnclose: false })
  const replica = gov.shadow.replica({ of: 'arena' })
  const run = { id: 'x', workflow: 'w', tier: 'standard', began: 0, start: 0, duration: 1, usage: {}, actions: [], holds: [] }
  const wrong = [
    null,
    7,
    {},
    { ...run, began: '0', duration: '1' },
    { ...run, actions: [null] },
    { ...run, tenant: 7 },
    { ...run, holds: [{}], usage: 1 }
  ]
  for (const kind of [RUNNING_NOTE, RUN_NOTE]) {
    for (const note of wrong) other.telemetry.note(kind, new TextEncoder().encode(JSON.stringify(note)))
    other.telemetry.note(kind, new Uint8Array([0x7b]))
  }
  assert.equal(replica.at(1).runs, [])
  other.telemetry.note(RUNNING_NOTE, new TextEncoder().encode(JSON.stringify(run)))
  assert.equal(
    replica.at(1).runs.map(({ id }) => id),
    ['x']
  )
  await other.close()
  await gov.close()
})

test('a replica of an arena keeps no close({ drain }) waiting, and one without room for telemetry has none', async () => {
  const gov = virtual()
  gov.shadow.replica({ of: 'arena' })
  await gov.close({ drain: 1e9 })
  const bare = virtual({ capacity: { telemetry: 0 }, fresh: true })
  isCoded(
    thrown(() => bare.shadow.replica({ of: 'arena' })),
    'ERR_FORELOCK_CAPACITY'
  )
  isCoded(
    thrown(() => bare.shadow.replica({ of: 'host' } as never)),
    'ERR_FORELOCK_ARGUMENT'
  )
  await bare.close()
})

test.run()
