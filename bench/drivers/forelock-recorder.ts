import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connect, TOLD } from './driver.js'
import { arenaOf, load } from './forelock.js'

/** What one lane holds: two seconds of the rate that is offered, for what the recorder may have to wait for the CPU. */
const LANE = 262_144

export const connect: Connect = async setting => {
  const { open } = await load(setting)
  const gov = open({ ...arenaOf(setting), capacity: { telemetry: LANE } })
  // On a disk: the folder of the setting is in memory.
  const folder = mkdtempSync(join(tmpdir(), 'forelock-bench-'))
  const file = join(folder, 'history.duckdb')
  const recorder = gov.record({ duckdb: file })
  await recorder.begun
  if (recorder.error !== undefined) throw recorder.error
  const locks = Array.from({ length: TOLD.elements }, (_, i) => gov.lock(`orders:${i}`))
  const names = Array.from({ length: TOLD.workflows * TOLD.tenants }, (_, i) => ({
    workflow: `workflow-${i % TOLD.workflows}`,
    tenant: `tenant-${i % TOLD.tenants}`
  }))
  let made = 0
  return {
    ingest: {
      writer: recorder.pid === process.pid ? undefined : recorder.pid,
      offer(count) {
        for (let i = 0; i < count; i += 2) {
          locks[made % TOLD.elements]?.tryAcquire(names[made % names.length])?.release()
          made++
        }
      },
      settle: () => recorder.drain(),
      kept: async () =>
        (await recorder.store.sql("SELECT count(*) AS n FROM events WHERE starts_with(element, 'orders:')"))[0]?.n as number,
      async close() {
        await recorder.stop()
        const { size } = statSync(file)
        rmSync(folder, { recursive: true })
        return size
      }
    },
    close: () => gov.close()
  }
}
