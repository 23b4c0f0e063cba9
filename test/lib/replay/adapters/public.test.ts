// Each on a small file of its format, made here, and on a slice of the public data where they are.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dataFolder, missing } from '../../../../lib/backtest/data.js'
import { azureLlm } from '../../../../lib/replay/adapters/azure-llm.js'
import { cloudphysics } from '../../../../lib/replay/adapters/cloudphysics.js'
import { mooncake } from '../../../../lib/replay/adapters/mooncake.js'
import { nezha } from '../../../../lib/replay/adapters/nezha.js'
import { openTraces } from '../../../../lib/replay/adapters/open.js'
import { sizey } from '../../../../lib/replay/adapters/sizey.js'
import type { Trace } from '../../../../lib/replay/trace.js'
import { isCoded, rejection, thrown } from '../../support.js'
import { first, inFolder, play, requestsOf, tierOf, withFile } from '../support.js'

const HEADING = 'TIMESTAMP,ContextTokens,GeneratedTokens'

test('azure_llm: both services start at 0, and hold a slot for as long as their tokens take', async () => {
  await inFolder(async folder => {
    const file = (service: string, lines: string[]) => {
      const path = join(folder, `AzureLLMInferenceTrace_${service}.csv`)
      writeFileSync(path, [HEADING, ...lines].join('\r\n'))
      return path
    }
    const code = file('code', ['2023-11-16 18:59:59.9000000,1000,10', '2023-11-16 19:00:00.1000000,500,0'])
    const conv = file('conv', ['2023-11-16 18:00:00.0000000,0,5', '2023-11-16 18:00:01.0000000,0,40'])
    const trace = azureLlm([code, conv])
    assert.equal(
      (await requestsOf(trace)).map(({ time, duration, who }) => [Math.round(time), duration, who.tier]),
      [
        [0, 400, 'interactive'],
        [0, 100, 'background'],
        [200, 100, 'interactive'],
        [1000, 800, 'background']
      ]
    )
    // 1,400 slot ms in a second, half of them used.
    assert.equal((await trace.workload(0.5)).pools[0]?.capacity, { slots: 3 })
    assert.is((await requestsOf(azureLlm([code, conv], { aligned: false }))).at(-1)?.time, 3_600_100)
  })
})

test('azure_llm: a bad line is refused with its number', async () => {
  const cases: [lines: string[], line: number][] = [
    [['time'], 1],
    [[HEADING], 1],
    [[HEADING, '2023-11-16,1,1'], 2],
    [[HEADING, '2023-11-16 18:17:03.9,1,1', '2023-11-16 18:17:03.8,1,1'], 3],
    [[HEADING, '2023-11-16 18:17:03.9,1,1', '2023-11-16 18:17:xx,1,1'], 3],
    [[HEADING, '2023-11-16 18:17:03.9,1,'], 2],
    [[HEADING, '2023-11-16 18:17:03.9,-9,1', '2023-11-16 18:17:04.9,-9,-1'], 3]
  ]
  for (const [lines, line] of cases) {
    await withFile('AzureLLMInferenceTrace_code.csv', lines.join('\n'), async file => {
      const error = await rejection(azureLlm([file]).workload(0.8))
      isCoded(error, 'ERR_FORELOCK_TRACE')
      assert.is(error.line, line, lines.join('|'))
    })
  }
})

const TASKS = [
  'process,tag,status,rchar,memory,peak_rss,realtime,submit',
  'align,"a,1",COMPLETED,10,8589934592,4294967296,1000,200',
  'align,b,FAILED,10,8589934592,1,1000,150',
  'sort,c,COMPLETED,10,137438953472,1073741824,2000,100',
  'sort,d,COMPLETED,-,137438953472,1073741824,2000,100'
].join('\n')

test('sizey: tasks that were completed, in the order in which they were submitted, all at 0', async () => {
  await withFile('trace_tiny.csv.gz', gzipSync(TASKS), async file => {
    const trace = sizey(file)
    assert.is(trace.name, 'sizey_tiny')
    const workload = await trace.workload(1)
    assert.equal(
      (await requestsOf(trace)).map(({ time, who, amounts, peak, input }) => [time, who.workflow, amounts, peak, input?.tag]),
      [
        [0, 'sort', [137_438_953_472], [1_073_741_824], 'c'],
        [0, 'align', [8_589_934_592], [4_294_967_296], 'a,1']
      ]
    )
    // The first one has all of the memory for two seconds.
    assert.is((await play(workload)).makespan, 3000)
  })
  await withFile('trace_tiny.csv', 'process,tag\n', async file => {
    isCoded(await rejection(sizey(file).workload(1)), 'ERR_FORELOCK_TRACE')
  })
})

function record(us: number, command: number, block: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(32)
  buffer.writeUInt32LE(bytes, 4)
  buffer.writeUInt16LE(command, 12)
  buffer.writeBigUInt64LE(BigInt(block), 16)
  buffer.writeBigUInt64LE(BigInt(us), 24)
  return buffer
}

test('cloudphysics: writes alone and reads together hold the lock of an extent, so long that one of ten waits', async () => {
  let [state, us] = [1, 5e6]
  const random = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const records = Array.from({ length: 3000 }, () => {
    us += random(20_000)
    return record(us, random(3) === 0 ? 0x2a : 0x28, random(4) * 2048, 512 * (1 + random(64)))
  })
  await withFile('small.vscsi', Buffer.concat(records), async file => {
    const trace = cloudphysics(file)
    const requests = await requestsOf(trace)
    assert.is(requests[0]?.time, 0)
    assert.equal([...new Set(requests.map(({ thing }) => thing))].sort(), ['0', '1', '2', '3'])
    assert.ok(requests.every(({ shared, who }) => shared === (who.tier === 'background')))
    const { tiers } = await play(await trace.workload(1))
    const waited = tiers.reduce((sum, tier) => sum + tier.waited * tier.requests, 0) / 3000
    assert.ok(Math.abs(waited - 0.1) < 0.002, String(waited))
  })
})

test('cloudphysics: a record that cannot be is refused with its number', async () => {
  const good = record(10, 0x28, 1, 1)
  for (const [bytes, line] of [
    [Buffer.concat([good, good.subarray(0, 5)]), 2],
    [Buffer.concat([good, record(9, 0x28, 1, 1)]), 2],
    [Buffer.concat([good, record(11, 0x12, 1, 1)]), 2],
    [Buffer.alloc(0), 1]
  ] as const) {
    await withFile('bad.vscsi', bytes, async file => {
      const error = await rejection(cloudphysics(file).workload(1))
      isCoded(error, 'ERR_FORELOCK_TRACE')
      assert.is(error.line, line)
    })
  }
})

const SPANS = 'TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration'

function archiveIn(folder: string, files: Readonly<Record<string, string[]>>): string {
  mkdirSync(join(folder, 'day', 'trace'), { recursive: true })
  for (const [name, lines] of Object.entries(files)) writeFileSync(join(folder, 'day', 'trace', name), `${[SPANS, ...lines].join('\n')}\n`)
  const archive = join(folder, 'trainticket_tiny.tar.xz')
  execFileSync('tar', ['-cJf', archive, '-C', folder, 'day'])
  return archive
}

test('nezha: each span once, in its order, at the bucket of its service; the tier is that of what the trace begins with', async () => {
  await inFolder(async folder => {
    const at = (ms: number) => String(1_674_986_309_000_000_000n + BigInt(ms) * 1_000_000n)
    const archive = archiveIn(folder, {
      'b.csv': [
        `t1,s2,s1,ts-preserve-service-6f6cfc45b-h5m2n,/preserve,${at(10)},${at(40)},0`,
        `t1,s1,root,ts-gateway-service-6f6cfc45b-h5m2n,/*,${at(0)},${at(50)},0`
      ],
      'a.csv': [
        `t2,s3,root,ts-gateway-service-6f6cfc45b-h5m2n,/*,${at(5)},${at(9)},0`,
        `t2,s4,s3,ts-route-service-6f6cfc45b-h5m2n,/route,${at(100)},${at(101)},0`,
        `t1,s1,root,ts-gateway-service-6f6cfc45b-h5m2n,/*,${at(0)},${at(50)},0`
      ]
    })
    const trace = nezha(archive)
    assert.equal(
      (await requestsOf(trace)).map(({ time, thing, who, duration }) => [time, thing, who.tier, duration]),
      [
        [0, 'ts-gateway-service', 'interactive', 50],
        [5, 'ts-gateway-service', 'background', 4],
        [10, 'ts-preserve-service', 'interactive', 30],
        [100, 'ts-route-service', 'background', 1]
      ]
    )
    const { buckets } = await trace.workload(1)
    // Two in 100 ms, and a fifth more.
    assert.ok(Math.abs((buckets.find(({ name }) => name === 'ts-gateway-service')?.rate ?? 0) - 24) < 1e-9)
  })
  await inFolder(async folder => {
    const error = await rejection(nezha(archiveIn(folder, { 'a.csv': ['t1,s1,root'] })).workload(1))
    isCoded(error, 'ERR_FORELOCK_TRACE')
    assert.is(error.line, 2)
  })
})

test('mooncake: requests hold a slot for as long as their tokens take', async () => {
  const lines = [
    { timestamp: 0, input_length: 100, output_length: 4, hash_ids: [7, 8] },
    { timestamp: 3000, input_length: 50, output_length: 1, hash_ids: [] }
  ]
  await withFile('conversation_trace.jsonl', lines.map(line => JSON.stringify(line)).join('\n'), async file => {
    const requests = await requestsOf(mooncake(file))
    assert.equal(
      requests.map(({ time, duration, input }) => [time, duration, input]),
      [
        [0, 100, { tokens: 100, block: 7 }],
        [3000, 30, { tokens: 50 }]
      ]
    )
  })
  await withFile('conversation_trace.jsonl', '{"timestamp":0}\n', async file => {
    isCoded(await rejection(mooncake(file).workload(1)), 'ERR_FORELOCK_TRACE')
  })
})

test('a trace is known by the names of its files', async () => {
  await inFolder(folder => {
    writeFileSync(join(folder, 'notes.txt'), '')
    isCoded(
      thrown(() => openTraces(folder)),
      'ERR_FORELOCK_ARGUMENT'
    )
    writeFileSync(join(folder, 'trace_a.csv'), TASKS)
    writeFileSync(join(folder, 'trace_b.csv'), TASKS)
    const named = (traces: readonly Trace[]) => traces.map(({ name }) => name)
    assert.equal(named(openTraces(folder)), ['sizey_a', 'sizey_b'])
    assert.equal(named(openTraces(join(folder, 'trace_a.csv'), { format: 'table' })), ['trace_a'])
    isCoded(
      thrown(() => openTraces(folder, { format: 'wood' })),
      'ERR_FORELOCK_ARGUMENT'
    )
    isCoded(
      thrown(() => openTraces(join(folder, 'none'))),
      'ERR_FORELOCK_ARGUMENT'
    )
  })
})

const data = dataFolder(undefined)
const absent = missing(data, ['azure_llm', 'sizey', 'mooncake'])
if (absent !== undefined) console.log(`skipped: no data (${absent} is not in ${data})`)
const withData = absent === undefined ? test : test.skip

withData('the public trace of azure_llm makes as many slots as were computed elsewhere, and waits as there', async () => {
  const [trace] = openTraces('azure_llm') as [Trace]
  const capacities: unknown[] = []
  for (const utilisation of [0.6, 0.8, 0.95]) capacities.push((await trace.workload(utilisation)).pools[0]?.capacity.slots)
  assert.equal(capacities, [45, 34, 28])
  // The first ten minutes.
  const result = await play(first(await trace.workload(0.8), 5000))
  assert.is(result.requests, 5000)
  assert.ok(tierOf(result, 'interactive').waitMean > 0)
})

withData('the public traces of sizey and mooncake replay to their ends', async () => {
  const eager = openTraces('sizey').find(({ name }) => name === 'sizey_eager') as Trace
  const result = await play(await eager.workload(1))
  assert.is(tierOf(result, 'standard').done, result.requests)
  const [conversation] = openTraces('mooncake') as [Trace]
  const slice = await play(first(await conversation.workload(0.8), 2000))
  assert.is(slice.requests, 2000)
})

const noExtents = missing(data, ['cloudphysics', 'nezha'])
const withAll = noExtents === undefined ? test : test.skip

withAll('the public records of cloudphysics and spans of nezha are read', async () => {
  for (const [name, count] of [
    ['cloudphysics', 113_872],
    ['nezha', 321_068]
  ] as const) {
    const [trace] = openTraces(name) as [Trace]
    const workload = await trace.workload(1)
    assert.is(workload.count, count)
    assert.is((await play(first(workload, 2000))).requests, 2000)
  }
})

test.run()
