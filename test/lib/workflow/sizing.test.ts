import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { RunRecord } from '../../../lib/index.js'
import { pools } from '../../../lib/pool.js'
import { hearOf } from '../../../lib/workflow/sizing.js'
import { isCoded, macrotask, thrown, virtual } from '../support.js'

const learning = { first: { memory: 1_000 } }
const options = { needs: 'learn', metering: false, learning } as const

test('what is granted and used is kept account of, in unit seconds, over all tries', async () => {
  const gov = virtual()
  const pool = gov.pool('host', { capacity: { memory: 16_000 } })
  const workflow = gov.workflow('w', { ...options, pool })
  await workflow.run(run => {
    gov.advance(2_000)
    if ((run.granted.memory as number) < 2_000) throw run.exceeded()
    run.uses({ memory: 1_500 })
  })
  const { runs, short, granted, used } = workflow.sizing() as NonNullable<ReturnType<typeof workflow.sizing>>
  assert.equal([runs, short, granted, used], [1, 1, { memory: 6_000 }, { memory: 3_000 }])
  await gov.close()
})

test('two workflows of one name learn together, others do not', async () => {
  const gov = virtual()
  const pool = gov.pool('host', { capacity: { memory: 16_000 } })
  const [one, same, other] = ['w', 'w', 'other'].map(name => gov.workflow(name, { ...options, pool }))
  for (let i = 0; i < 20; i++) await one?.run(run => void run.uses({ memory: 50 }))
  assert.equal(same?.size(), one?.size())
  assert.equal(other?.size(), { memory: 1_000 })
  await gov.close()
})

/** Records as another environment leaves them. */
async function recordsOf(memories: readonly number[], tenant?: string): Promise<RunRecord[]> {
  const gov = virtual()
  const records: RunRecord[] = []
  const workflow = gov.workflow('w', { ...options, pool: gov.pool('host', { capacity: { memory: 16_000 } }) })
  workflow.on('run', record => records.push({ ...record, id: `1:2:3-${records.length}` }))
  for (const memory of memories) await workflow.run({ ...(tenant !== undefined && { tenant }) }, run => void run.uses({ memory }))
  await macrotask()
  await gov.close()
  return records
}

test('it learns from the runs of other environments that foresight tells of, and from its own once', async () => {
  const gov = virtual()
  const pool = gov.pool('host', { capacity: { memory: 16_000 } })
  const workflow = gov.workflow('w', { ...options, pool })
  gov.foresight.start()
  for (let i = 0; i < 7; i++) await workflow.run(run => void run.uses({ memory: 70 }))
  const before = workflow.size({})
  await gov.foresight.status()
  assert.equal(workflow.size({}), before)
  for (const record of await recordsOf(Array.from({ length: 40 }, () => 700))) hearOf(pools.sessionOf(pool), record)
  assert.ok((workflow.size()?.memory as number) >= 700)
  await gov.close()
})

test('what a tenant taught elsewhere is forgotten here too', async () => {
  const gov = virtual()
  const pool = gov.pool('host', { capacity: { memory: 16_000 } })
  const workflow = gov.workflow('w', { ...options, pool })
  for (const record of await recordsOf([50, 50, 50], 'acme')) hearOf(pools.sessionOf(pool), record)
  assert.ok((workflow.size()?.memory as number) < 200)
  gov.forget({ tenant: 'acme' })
  assert.equal(workflow.size(), { memory: 1_000 })
  await gov.close()
})

test('of a workflow with many runs a hundred a second are learnt from', async () => {
  const gov = virtual()
  const pool = gov.pool('host', { capacity: { memory: 16_000 } })
  const workflow = gov.workflow('w', { ...options, pool })
  const run = async (memory: number, times: number) => {
    for (let i = 0; i < times; i++) await workflow.run(run => void run.uses({ memory }))
  }
  await run(50, 100)
  const before = workflow.size()
  await run(5_000, 50)
  assert.equal(workflow.size(), before)
  assert.is(workflow.sizing()?.runs, 150)
  gov.advance(1_000)
  await run(5_000, 50)
  assert.ok((workflow.size()?.memory as number) >= 5_000)
  await gov.close()
})

test('records of another day teach what runs of today would', async () => {
  const gov = virtual()
  const pool = gov.pool('host', { capacity: { memory: 16_000 } })
  const records: RunRecord[] = []
  const old = gov.workflow('old', { ...options, pool, keep: ['bytes'] })
  old.on('run', record => records.push(record))
  for (let i = 1; i <= 40; i++) await old.run({ input: { bytes: i } }, run => void run.uses({ memory: 10 * i }))
  await macrotask()
  const anew = gov.workflow('anew', { ...options, pool })
  anew.teach(JSON.parse(JSON.stringify(records)))
  for (const bytes of [3, 30]) assert.equal(anew.size({ bytes }), old.size({ bytes }))
  for (const wrong of [undefined, 7, [undefined], [7]] as never[]) {
    isCoded(
      thrown(() => anew.teach(wrong)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  await gov.close()
})

test('records that are no such thing teach nothing', async () => {
  const gov = virtual()
  const pool = gov.pool('host', { capacity: { memory: 16_000 } })
  const workflow = gov.workflow('w', { ...options, pool })
  const wrong = [
    { outcome: 'success' },
    { outcome: 'success', sized: null, usage: null },
    { outcome: 'success', sized: { used: { memory: -1 } } },
    { outcome: 'success', sized: { used: { memory: 1e300 } }, input: [1] },
    { outcome: 'success', sized: { used: { memory: 'much' } }, input: 'x' },
    { outcome: 'ignore', sized: { used: { memory: 5 } } }
  ]
  workflow.teach(wrong as never)
  assert.equal(workflow.size(), { memory: 1_000 })
  await gov.close()
})

test.run()
