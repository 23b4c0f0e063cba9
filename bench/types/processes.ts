import type { Kind } from './kind.js'
import { myStarter, startHelper } from './peers.js'

/** Pairs between two looks at the clock. */
const PAIRS_PER_LOOK = { one: 16, disjoint: 1024 }

/**
 * ns for a pair of awaited acquire and release, over all of `count` processes that do nothing else at the same time: on `one` lock, or
 * each on its own of `disjoint` ones.
 */
export const processes: Kind = async ({ job }) => {
  const { count, locks } = job.params
  const helpers = Array.from({ length: Number(count) }, (_, i) =>
    startHelper({ ...job, kind: 'processesMember', setting: { ...job.setting, lock: locks === 'one' ? 0 : i } })
  )
  await Promise.all(helpers.map(helper => helper.next()))
  const rates = helpers.map(helper => helper.next())
  for (const helper of helpers) helper.send('go')
  const pairsPerNs = (await Promise.all(rates)).reduce((sum: number, rate) => sum + Number(rate), 0)
  await Promise.all(helpers.map(helper => helper.stop()))
  return { series: { value: [1 / pairsPerNs] } }
}

export const processesMember: Kind = async ({ job, connect }) => {
  const driver = await connect()
  const { awaitPairs } = driver
  if (awaitPairs === undefined) throw new Error(`${job.driver} cannot do awaitPairs`)
  const pairs = PAIRS_PER_LOOK[job.params.locks as keyof typeof PAIRS_PER_LOOK]

  /** pairs per ns over so many ms */
  async function run(ms: number): Promise<number> {
    let done = 0
    const from = process.hrtime.bigint()
    const until = from + BigInt(ms) * 1_000_000n
    let now = from
    while (now < until) {
      done += await awaitPairs!(pairs)
      now = process.hrtime.bigint()
    }
    return done / Number(now - from)
  }

  const starter = myStarter()
  starter.listen(async () => {
    await run(job.quick ? 50 : 200)
    starter.send(await run(job.quick ? 200 : 600))
  })
  starter.send('ready')
  await starter.stopped
  await driver.close()
  return { series: {} }
}
