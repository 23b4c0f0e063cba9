import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readMapping } from '../../../../lib/replay/adapters/mapping.js'
import { inferred, table } from '../../../../lib/replay/adapters/table.js'
import { isCoded, rejection } from '../../support.js'
import { inFolder, play, requestsOf, tierOf, withFile } from '../support.js'

const CSV = 'ts,took,fn,tier\n1000,40,a,background\n1010,20,"b, too",interactive\n1100,10,a,background\n'

test('rows of a CSV are requests from the first one on', async () => {
  await withFile('day.csv', CSV, async file => {
    const requests = await requestsOf(table(file))
    assert.equal(
      requests.map(({ time, duration, who, kind }) => [time, duration, who.workflow, who.tier, kind]),
      [
        [0, 40, 'a', 'background', 'pool'],
        [10, 20, 'b, too', 'interactive', 'pool'],
        [100, 10, 'a', 'background', 'pool']
      ]
    )
  })
})

test('units are set so that so much of them is used on average', async () => {
  const rows = Array.from({ length: 101 }, (_, i) => `${i * 10},80`).join('\n')
  await withFile('day.csv', `ts,duration\n${rows}\n`, async file => {
    const trace = table(file)
    // 101 x 80 ms in a second: 8.08 at a time.
    assert.equal((await trace.workload(0.8)).pools[0]?.capacity, { units: 10 })
    const result = await play(await trace.workload(0.8))
    assert.is(tierOf(result, 'standard').waitMax, 0)
  })
})

test('JSONL, packed or not, is read as well; a lock that is shared, tokens, and what is known when they come', async () => {
  const lines = [
    { t: 0, key: 'a', rw: 'read', size: 3 },
    { t: 1, key: 'a', rw: 'write', size: 4 }
  ]
  const text = lines.map(line => JSON.stringify(line)).join('\r\n')
  for (const [name, content] of [
    ['a.jsonl', text],
    ['a.jsonl.gz', gzipSync(text)]
  ] as const) {
    await withFile(name, content, async file => {
      const requests = await requestsOf(table(file, { mapping: readMapping('time=t:s,lock=key,mode=rw,input=size') }))
      assert.equal(
        requests.map(({ time, kind, thing, shared, input }) => [time, kind, thing, shared, input]),
        [
          [0, 'lock', 'a', true, { size: 3 }],
          [1000, 'lock', 'a', false, { size: 4 }]
        ]
      )
    })
  }
  await withFile('b.jsonl', '{"ts":5,"tokens":2,"bucket":"x"}\n', async file => {
    const [one] = await requestsOf(table(file))
    assert.equal([one?.kind, one?.thing, one?.amounts, one?.who.tenant], ['bucket', 'x', [2], 'standard'])
  })
})

test('a Parquet file is read by DuckDB, dates and all', async () => {
  await inFolder(async folder => {
    const file = join(folder, 'day.parquet')
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run(
      `COPY (SELECT TIMESTAMP '2026-01-02 10:00:00' + INTERVAL (i) SECOND AS at, i::BIGINT AS duration, 'w' AS workflow FROM range(3) t(i)) TO '${file}' (FORMAT parquet)`
    )
    connection.closeSync()
    instance.closeSync()
    const requests = await requestsOf(table(file))
    assert.equal(
      requests.map(({ time, duration, who }) => [time, duration, who.workflow]),
      [
        [0, 0, 'w'],
        [1000, 1, 'w'],
        [2000, 2, 'w']
      ]
    )
    await inFolder(async other => {
      isCoded(await rejection(requestsOf(table(join(other, 'none.parquet')))), 'ERR_FORELOCK_TRACE')
    })
  })
})

test('workflows can be told to be interactive, and tiers can have names of their own', async () => {
  await withFile('day.csv', 'ts,workflow\n0,a\n1,b\n', async file => {
    const requests = await requestsOf(table(file, { interactive: ['b'] }))
    assert.equal(
      requests.map(({ who }) => who.tier),
      ['background', 'interactive']
    )
  })
  await withFile('day.csv', 'ts,duration,tier\n0,10,bronze\n5,10,gold\n6,1,gold\n', async file => {
    const trace = table(file, { tiers: ['bronze', 'gold'] })
    const result = await play(await trace.workload(1))
    assert.equal(
      result.tiers.map(({ tier, requests }) => [tier, requests]),
      [
        ['bronze', 1],
        ['gold', 2]
      ]
    )
  })
})

test('a bad row is refused with its line', async () => {
  const cases: [content: string, line: number][] = [
    ['ts,took\n1,2\nx,2\n', 3],
    ['ts,took\n5,2\n4,2\n', 3],
    ['ts,took\n1,-2\n', 2],
    ['ts,took\n1,2,3\n', 2],
    ['ts,took\n1,\n', 2],
    ['ts,took\n', 1],
    ['', 1]
  ]
  for (const [content, line] of cases) {
    await withFile('bad.csv', content, async file => {
      const mapping = readMapping('time=ts,duration=took')
      const error = await rejection(requestsOf(table(file, { mapping })))
      isCoded(error, 'ERR_FORELOCK_TRACE')
      assert.is(error.line, line, JSON.stringify(content))
      assert.match(error.message, 'bad.csv')
    })
  }
  for (const content of ['{"ts":1}\n{"ts"\n', '{"ts":1}\n[]\n', '{"ts":1}\n{}\n']) {
    await withFile('bad.jsonl', content, async file => {
      const error = await rejection(requestsOf(table(file, { mapping: readMapping('time=ts') })))
      isCoded(error, 'ERR_FORELOCK_TRACE')
      assert.is(error.line, 2)
    })
  }
  await withFile('bad.csv', 'ts,tier\n1,golden\n', async file => {
    isCoded(await rejection(requestsOf(table(file))), 'ERR_FORELOCK_TRACE')
  })
})

test('a packed file that breaks off is refused', async () => {
  const packed = gzipSync(CSV.repeat(100))
  await withFile('day.csv.gz', packed.subarray(0, packed.length - 20), async file => {
    isCoded(await rejection(requestsOf(table(file, { mapping: readMapping('time=ts') }))), 'ERR_FORELOCK_TRACE')
  })
})

test('where no column looks like a time it says which there are', async () => {
  await withFile('day.csv', 'a,b\nx,y\n', async file => {
    const error = await rejection(inferred(file))
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.match(error.message, /a, b.*--map time=COLUMN/)
  })
})

test.run()
