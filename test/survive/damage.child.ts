// Works in an arena that is being damaged under it: each call must end, by an answer or a typed error, within its limit.
import { type Governor, isForelockError, open } from '../../lib/index.js'
import { Random } from './support.js'

const [dir, name, seed] = [process.argv[2] as string, process.argv[3] as string, Number(process.argv[4])]
const random = new Random(seed)
const WAIT_MS = 50
// Far beyond any wait: a call that takes this long hangs.
const HANG_MS = 30_000
let going = true
const codes: Record<string, number> = {}
const problems: string[] = []

async function bounded(about: string, call: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const hang = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${about} did not end`)), HANG_MS)
  })
  try {
    await Promise.race([hang, (async () => call())()])
    codes.ok = (codes.ok ?? 0) + 1
  } catch (error) {
    if (isForelockError(error)) codes[error.code] = (codes[error.code] ?? 0) + 1
    else problems.push(`${about}: ${String(error)}`)
  } finally {
    clearTimeout(timer)
  }
}

/** What runs out otherwise than locks do. */
async function supply(gov: Governor): Promise<void> {
  const tier = random.pick(gov.tiers)
  switch (random.below(7)) {
    case 6:
      return bounded('shadow', () => {
        gov.lock(`k${random.below(6)}`).shadow({ tier, in: random.below(2) })
        gov.bucket('b', { rate: 1000, burst: 5 }).shadow(1 + random.below(5), { tier })
        gov.pool('p', { capacity: { cpu: 4, memory: 9 } }).shadow({ cpu: 1 + random.below(4) }, { tier })
      })
    case 0:
      return bounded('bucket', () => gov.bucket('b', { rate: 1000, burst: 5 }).take(1 + random.below(5), { tier, waitTimeout: WAIT_MS }))
    case 1:
      return bounded('pool', async () => {
        const allocation = await gov
          .pool('p', { capacity: { cpu: 4, memory: 9 } })
          .allocate({ cpu: 1 + random.below(4) }, { tier, waitTimeout: WAIT_MS })
        await new Promise(resolve => setImmediate(resolve))
        allocation.tryResize({ cpu: random.below(4) })
        allocation.release()
      })
    case 2:
      return bounded('queue', () => {
        const queue = gov.queue('q', { capacity: 8, maxBytes: 16 })
        queue.offer('record', { tier })
        queue.poll()?.ack()
      })
    case 3:
      return bounded('keyed', () => gov.buckets('f', { rate: 1000, burst: 5, keys: 64 }).tryTake(`key ${random.below(100)}`))
    case 4:
      return bounded('plan', () => gov.plans.write({ kind: 'hold', lock: gov.lock('k0'), tier, from: 5, until: 20 }))
    default:
      return bounded('telemetry', () => {
        gov.telemetry.attach()
        gov.telemetry.drain(new Uint8Array(64 * 64))
        gov.stats({ top: 8 })
      })
  }
}

async function turn(gov: Governor): Promise<void> {
  const lock = gov.lock(`k${random.below(6)}${random.below(4) === 0 ? 'long'.repeat(20) : ''}`)
  const options = { tier: random.pick(gov.tiers), mode: random.pick(['exclusive', 'shared'] as const) }
  if (random.below(3) === 0) return supply(gov)
  const kind = random.below(8)
  if (kind === 0) return bounded('inspect', () => gov.inspect())
  if (kind === 1) return bounded('tryAcquire', () => lock.tryAcquire(options)?.release())
  if (kind === 2) return bounded('with ttl', () => lock.acquire({ ...options, ttl: 5, waitTimeout: WAIT_MS }).then(grant => grant.ended))
  if (kind === 3)
    return bounded('acquireAll', () =>
      gov.acquireAll([gov.lock('k0'), gov.lock('k1')], { waitTimeout: WAIT_MS }).then(set => set.release())
    )
  return bounded('acquire', async () => {
    const grant = await lock.acquire({ ...options, waitTimeout: WAIT_MS })
    await new Promise(resolve => setImmediate(resolve))
    grant.release()
  })
}

process.on('message', () => {
  going = false
})
process.on('disconnect', () => process.exit())
process.send?.('ready')

while (going) {
  let gov: Governor | undefined
  await bounded('open', () => {
    gov = open({ name, dir, capacity: { elements: 64, waiters: 512, participants: 12, names: 16, telemetry: 64, memory: 65_536 } })
  })
  if (gov === undefined) {
    await new Promise(resolve => setTimeout(resolve, 5))
    continue
  }
  for (let i = 0; i < 40 && going; i++) await Promise.all([turn(gov), turn(gov), turn(gov)])
  const open_ = gov
  await bounded('close', () => open_.close())
}
process.send?.({ codes, problems })
process.disconnect()
