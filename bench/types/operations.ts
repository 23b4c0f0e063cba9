import type { Driver, Operation } from '../drivers/driver.js'
import type { Kind } from './kind.js'

/** Calls in one sample: many enough that reading the clock twice (some 40 ns each) is nothing. */
const CALLS_PER_SAMPLE = 2 ** 16

/** Calls between two looks at the clock while warming up: slow contestants need no more than fast ones then. */
const CALLS_TO_WARM_UP = 2 ** 12

const BUDGET = { full: { warmUpMs: 150, sampleMs: 300, samples: 5 }, quick: { warmUpMs: 100, sampleMs: 100, samples: 2 } }

/** ns for one of n things done in one go, n being `size`; `calls` in a sample, where a call is slow. */
export const operations: Kind = async ({ job, connect }) => {
  const driver = await connect()
  const operation = driver[job.params.op as keyof Driver] as Operation | undefined
  if (operation === undefined) throw new Error(`${job.driver} cannot do ${job.params.op}`)
  const size = Number(job.params.size)
  const calls = Number(job.params.calls ?? CALLS_PER_SAMPLE)
  const { warmUpMs, sampleMs, samples } = job.quick ? BUDGET.quick : BUDGET.full
  const callsToWarmUp = Math.min(calls, CALLS_TO_WARM_UP)
  const warmUpSize = Math.min(size, callsToWarmUp)
  await repeat(sampler(operation, warmUpSize, Math.ceil(callsToWarmUp / warmUpSize)), warmUpMs, 1)
  const value = await repeat(sampler(operation, size, Math.ceil(calls / size)), sampleMs, samples)
  const notes = driver.notes?.()
  await driver.close()
  return { series: { value }, ...(notes !== undefined && { notes }) }
}

function sampler(operation: Operation, size: number, times: number): () => Promise<number> {
  return async () => {
    let done = 0
    const from = process.hrtime.bigint()
    for (let i = 0; i < times; i++) done += await operation(size)
    const ns = Number(process.hrtime.bigint() - from)
    if (done !== times * size) throw new Error(`${done} of ${times * size} came to their end`)
    return ns / done
  }
}

async function repeat(sample: () => Promise<number>, ms: number, least: number): Promise<number[]> {
  const values: number[] = []
  const until = performance.now() + ms
  while (values.length < least || performance.now() < until) values.push(await sample())
  return values
}
