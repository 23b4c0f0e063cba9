import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connect, type Setting, TOLD } from './driver.js'
import { arenaOf, load } from './forelock.js'

/** What one lane holds: two seconds of the rate that is offered, for what the recorder may have to wait for the CPU. */
const LANE = 262_144

const openArena = async (setting: Setting) => (await load(setting)).open({ ...arenaOf(setting), capacity: { telemetry: LANE } })

/** What is told of: requests for locks and their ends. */
function offering(gov: Awaited<ReturnType<typeof openArena>>): (count: number) => void {
  const locks = Array.from({ length: TOLD.elements }, (_, i) => gov.lock(`orders:${i}`))
  const names = Array.from({ length: TOLD.workflows * TOLD.tenants }, (_, i) => ({
    workflow: `workflow-${i % TOLD.workflows}`,
    tenant: `tenant-${i % TOLD.tenants}`
  }))
  let made = 0
  return count => {
    for (let i = 0; i < count; i += 2) {
      locks[made % TOLD.elements]?.tryAcquire(names[made % names.length])?.release()
      made++
    }
  }
}

/** The same requests, which nobody reads: how late a loop is that does nothing but make them. */
export const unrecorded: Connect = async setting => {
  const gov = await openArena(setting)
  const offer = offering(gov)
  let offered = 0
  return {
    ingest: {
      writer: undefined,
      offer(count) {
        offer(count)
        offered += count
      },
      settle: async () => {},
      kept: async () => offered,
      close: async () => undefined
    },
    close: () => gov.close()
  }
}

export const connect: Connect = async setting => {
  const gov = await openArena(setting)
  // On a disk: the folder of the setting is in memory.
  const folder = mkdtempSync(join(tmpdir(), 'forelock-bench-'))
  const file = join(folder, 'history.duckdb')
  const recorder = gov.record({ duckdb: file })
  await recorder.begun
  if (recorder.error !== undefined) throw recorder.error
  return {
    ingest: {
      writer: recorder.pid === process.pid ? undefined : recorder.pid,
      offer: offering(gov),
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
