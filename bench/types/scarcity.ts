import { SCARCE } from '../drivers/driver.js'
import type { Kind } from './kind.js'
import { myStarter, startHelper } from './peers.js'

/** Tries between two looks at the clock: some microseconds, of the ms after which there is another token. */
const TRIES_PER_LOOK = 32

interface Admitted {
  count: number
  /** ns since the host was started: before the first token was taken, and after the last */
  from: number
  until: number
}

/**
 * `count` processes that do nothing but try to take tokens from one bucket. `value`: which part of rate x time they were not admitted, 0 where it
 * was more; `over`: how many tokens above rate x time + burst, 0 where it was less. Time is from before the first token to after the last.
 */
export const scarcity: Kind = async ({ job }) => {
  const helpers = Array.from({ length: Number(job.params.count) }, () => startHelper({ ...job, kind: 'scarcityMember' }))
  await Promise.all(helpers.map(helper => helper.next()))
  const answers = helpers.map(helper => helper.next() as Promise<Admitted>)
  for (const helper of helpers) helper.send('go')
  const all = await Promise.all(answers)
  await Promise.all(helpers.map(helper => helper.stop()))
  const some = all.filter(({ count }) => count > 0)
  if (some.length === 0) throw new Error('no process got a token')
  const seconds = (Math.max(...some.map(({ until }) => until)) - Math.min(...some.map(({ from }) => from))) / 1e9
  const admitted = all.reduce((sum, { count }) => sum + count, 0)
  const due = SCARCE.rate * seconds
  return {
    series: { value: [Math.max(0, 1 - admitted / due)], over: [Math.max(0, admitted - due - SCARCE.burst)] },
    notes: {
      admitted: `${admitted} in ${seconds.toFixed(4)} s: ${(admitted / due).toFixed(5)} x rate x time; by process ${all.map(({ count }) => count)}`
    }
  }
}

export const scarcityMember: Kind = async ({ job, connect }) => {
  const driver = await connect()
  const { scarce } = driver
  if (scarce === undefined) throw new Error(`${job.driver} has no bucket for several processes`)

  function run(ms: number): Admitted {
    let count = 0
    let from = 0n
    let until = 0n
    let now = process.hrtime.bigint()
    const end = now + BigInt(ms) * 1_000_000n
    while (now < end) {
      const before = now
      const got = scarce!(TRIES_PER_LOOK)
      now = process.hrtime.bigint()
      if (got === 0) continue
      if (count === 0) from = before
      count += got
      until = now
    }
    return { count, from: Number(from), until: Number(until) }
  }

  const starter = myStarter()
  starter.listen(() => {
    run(job.quick ? 50 : 200)
    starter.send(run(job.quick ? 2_000 : 10_000))
  })
  starter.send('ready')
  await starter.stopped
  await driver.close()
  return { series: {} }
}
