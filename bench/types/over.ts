import type { Driver, Operation } from '../drivers/driver.js'
import { bareRuns, busy, idle } from '../drivers/run3.js'
import type { Kind } from './kind.js'

/** Short batches, of which the quiet ones count: what is sought is a difference, and other programs only ever add to it. */
const BATCH = { full: { runs: 300, batches: 400, warmUp: 60 }, quick: { runs: 300, batches: 100, warmUp: 60 } }
const QUIET = 0.05

/** ns of a run with three actions that a contestant meters, less the same with nobody looking, which is done first. */
export const over: Kind = async ({ job, connect }) => {
  const { runs, batches, warmUp } = job.quick ? BATCH.quick : BATCH.full
  const name = String(job.params.op)
  const quietNs = async (operation: Operation): Promise<number> => {
    for (let i = 0; i < warmUp; i++) await operation(runs)
    const values: number[] = []
    for (let i = 0; i < batches; i++) {
      const from = process.hrtime.bigint()
      const done = await operation(runs)
      values.push(Number(process.hrtime.bigint() - from) / done)
      if (done !== runs) throw new Error(`${done} of ${runs} came to their end`)
    }
    return values.sort((a, b) => a - b)[Math.floor(QUIET * batches)] as number
  }
  const bare = await quietNs(bareRuns(name === 'run3Apart' ? busy : idle))
  const driver = await connect()
  const operation = driver[name as keyof Driver] as Operation | undefined
  if (operation === undefined) throw new Error(`${job.driver} cannot do ${name}`)
  const metered = await quietNs(operation)
  await driver.close()
  return { series: { value: [metered - bare], bare: [bare] }, notes: { 'ns with nobody looking': Math.round(bare) } }
}
