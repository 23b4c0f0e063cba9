// What a replay comes to is the same on each machine and by whatever way it is computed. The digests are of replays that went through the
// promises of the public faces, request by request; a change of a policy or a workload changes them, and nothing else may.
import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dataFolder, missing } from '../../../lib/backtest/data.js'
import { openTraces } from '../../../lib/replay/adapters/open.js'
import { replay } from '../../../lib/replay/engine.js'
import { POLICIES } from '../../../lib/replay/policies/index.js'
import type { PolicyFactory } from '../../../lib/replay/policy.js'
import { replayRows } from '../../../lib/replay/results.js'
import type { Trace } from '../../../lib/replay/trace.js'
import { first, play, workload } from './support.js'

const SEED = 1
const UTILISATION = 0.8
/** Requests of each trace that are played, and the digests of what that comes to. */
const KNOWN: readonly (readonly [place: string, trace: string, requests: number, reactive: string, oracle: string])[] = [
  ['azure_llm', 'azure_llm', 8000, '4bd3829b34fe2457', '4d552767642c3645'],
  ['mooncake', 'mooncake', 4000, 'a0e7dcb25f9b448c', '70253e52de41898f'],
  ['sizey', 'sizey_eager', 2000, '853b17fa34e5e6ab', '9e8cc16c8ba66b8f'],
  ['cloudphysics', 'cloudphysics', 20_000, '0e19d0a4ccd87d09', 'b5bf429d8e1a8a2d'],
  ['nezha', 'nezha', 20_000, '27fe1ac42efc59d2', '4b9f161d4220c88c']
]

async function digestOf(trace: Trace, requests: number, policy: PolicyFactory): Promise<string> {
  const work = first(await trace.workload(UTILISATION), requests)
  const result = await replay({ workload: work, policy: policy(work, { seed: SEED }) })
  const rows = replayRows([{ trace, workload: work, results: [result], statics: [], best: undefined }])
  const said = rows.map(({ id, value }) => [id, value])
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 16)
}

test('rows are named by trace, setting, policy, tier and measure, and have the values of reactive beside them', async () => {
  const work = workload([
    { time: 0, duration: 10 },
    { time: 5, duration: 10, tier: 'interactive' }
  ])
  const results = [await play(work), await play(work, { name: 'other' })]
  const trace = { name: 'test', title: 'a test', scales: false, workload: async () => work }
  const rows = replayRows([{ trace, workload: work, results, statics: [], best: undefined }])
  const found = rows.find(({ id }) => id === 'test@100/other/interactive/wait-mean')
  assert.equal([found?.unit, found?.value, found?.rivals], ['ms', 5, { reactive: 5 }])
  assert.is(new Set(rows.map(({ id }) => id)).size, rows.length)
  assert.not(rows.some(({ id }) => id.includes('took')))
})

const data = dataFolder(undefined)
for (const [place, name, requests, reactive, oracle] of KNOWN) {
  const absent = missing(data, [place])
  if (absent !== undefined) console.log(`skipped: no data (${absent} is not in ${data})`)
  const withData = absent === undefined ? test : test.skip
  withData(`the first ${requests} requests of ${name} come to what they have always come to`, async () => {
    const trace = openTraces(place).find(one => one.name === name) as Trace
    assert.is(await digestOf(trace, requests, POLICIES.reactive as PolicyFactory), reactive, 'reactive')
    assert.is(await digestOf(trace, requests, POLICIES.oracle as PolicyFactory), oracle, 'oracle')
  })
}

test.run()
