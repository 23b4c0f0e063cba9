import { hostname } from 'node:os'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hostRow } from '../../../lib/history/host-rows.js'
import { openMemoryStore } from '../../../lib/index.js'
import { virtual } from '../support.js'

test('a sample is a row: pressures in percent of the time, what was not told absent', () => {
  const sample = {
    time: 5000,
    wall: 500,
    cpu: 40,
    memory: 7,
    cpus: 2,
    memoryTotal: 9,
    pressure: { cpu: { some: 50 }, io: { some: 5, full: 1 } }
  }
  const { pressureMemory, diskRead, eventLoopDelay, ...row } = hostRow(sample)
  assert.equal([pressureMemory, diskRead, eventLoopDelay], [undefined, undefined, undefined])
  const absent = { diskWritten: undefined, networkReceived: undefined, networkSent: undefined }
  assert.equal(row, { time: 5000, host: hostname(), cpu: 40, memory: 7, pressureCpu: 10, pressureIo: 1, ...absent })
  const own = { ...sample, eventLoopDelay: { mean: 1, p50: 1, p99: 3, max: 4 } }
  assert.equal([hostRow(own).eventLoopDelay, hostRow(own, 8).eventLoopDelay], [3, 8])
})

test('a recorder writes samples of the host, unless it is told not to', async () => {
  for (const host of [true, false]) {
    const gov = virtual({ capacity: { telemetry: 64 } })
    const store = await openMemoryStore()
    const sampled = new Promise<void>(resolve => {
      const append = store.append.bind(store)
      store.append = (table, rows) => {
        append(table, rows)
        if (table === 'host') resolve()
      }
    })
    const recorder = gov.record(store, { host, interval: 1e6 })
    await recorder.begun
    // Its timer keeps no process alive.
    const alive = setInterval(() => {}, 1000)
    if (host) await sampled
    clearInterval(alive)
    await store.flush()
    const rows = await store.select('host')
    assert.is(rows.length > 0, host)
    if (host) assert.ok((rows[0].cpu as number) >= 0 && rows[0].host === hostname())
    await gov.close()
    await store.close()
  }
})

test.run()
