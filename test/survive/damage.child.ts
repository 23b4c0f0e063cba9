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

async function turn(gov: Governor): Promise<void> {
  const lock = gov.lock(`k${random.below(6)}${random.below(4) === 0 ? 'long'.repeat(20) : ''}`)
  const options = { tier: random.pick(gov.tiers), mode: random.pick(['exclusive', 'shared'] as const) }
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
    gov = open({ name, dir, capacity: { elements: 64, waiters: 512, participants: 12, names: 16 } })
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
