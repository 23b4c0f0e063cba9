// One process of the storm: a main thread and a worker thread, each taking random locks of one arena and checking, in a
// file that all of them share, that nobody else is inside and that tokens grow.
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { type Grant, isForelockError, open } from '../../lib/index.js'
import { Random, startThread } from './support.js'

export interface Setup {
  dir: string
  name: string
  record: string
  locks: number
  seed: number
}

export interface Report {
  violations: string[]
  /** `lock:token` of each grant that was told of a death */
  told: string[]
  grants: number
  timeouts: number
}

const RECORD = 16
const WAIT_MS = 20_000
const TURNS = 3

const setup: Setup = isMainThread ? JSON.parse(process.argv[2] as string) : (workerData as Setup)
const random = new Random(setup.seed)
const gov = open({ name: setup.name, dir: setup.dir })
const locks = Array.from({ length: setup.locks }, (_, i) => gov.lock(`storm-${i}`))
const file = openSync(setup.record, 'r+')
const me = BigInt(gov.client.split(':')[0] as string) * 0x10000n + BigInt(gov.client.split(':')[1] as string)
const report: Report = { violations: [], told: [], grants: 0, timeouts: 0 }
let going = true

/** Who is inside, and the last token, of a lock. */
function read(lock: number): [bigint, bigint] {
  const bytes = Buffer.alloc(RECORD)
  readSync(file, bytes, 0, RECORD, lock * RECORD)
  return [bytes.readBigUInt64LE(0), bytes.readBigUInt64LE(8)]
}

function write(lock: number, inside: bigint, token: bigint): void {
  const bytes = Buffer.alloc(RECORD)
  bytes.writeBigUInt64LE(inside, 0)
  bytes.writeBigUInt64LE(token, 8)
  writeSync(file, bytes, 0, RECORD, lock * RECORD)
}

async function section(lock: number, grant: Grant): Promise<void> {
  const [before, last] = read(lock)
  if (grant.ownerDied) report.told.push(`${lock}:${grant.token}`)
  if (before !== 0n && !grant.ownerDied) report.violations.push(`lock ${lock}: ${me} came in while ${before} was inside`)
  if (grant.token <= last) report.violations.push(`lock ${lock}: token ${grant.token} after ${last}`)
  write(lock, me, grant.token)
  if (random.below(3) === 0) await new Promise(resolve => setImmediate(resolve))
  const [inside, token] = read(lock)
  if (inside !== me || token !== grant.token) report.violations.push(`lock ${lock}: ${inside} came in beside ${me}`)
  write(lock, 0n, grant.token)
  report.grants++
}

async function turn(): Promise<void> {
  const at = random.below(setup.locks)
  const lock = locks[at] as (typeof locks)[number]
  const tier = random.pick(gov.tiers)
  const kind = random.below(10)
  if (kind === 0) {
    const shared = await gov.lock('storm-shared').acquire({ mode: 'shared', tier, waitTimeout: WAIT_MS })
    await new Promise(resolve => setImmediate(resolve))
    shared.release()
    return
  }
  if (kind === 1) return gov.lock('storm-shared').with({ tier, waitTimeout: WAIT_MS }, () => {})
  if (kind === 2) {
    const controller = new AbortController()
    const asked = lock.acquire({ tier, signal: controller.signal })
    setImmediate(() => controller.abort())
    const late = await asked.catch(error => {
      if (error !== controller.signal.reason) throw error
      return undefined
    })
    if (late === undefined) return
    await section(at, late)
    late.release()
    return
  }
  const grant =
    kind === 3
      ? lock.tryAcquire({ tier })
      : kind > 6
        ? await served(lock.acquire({ tier }))
        : await lock.acquire({ tier, waitTimeout: kind === 4 ? 2 : WAIT_MS })
  if (grant === null) return
  await section(at, grant)
  grant.release()
}

/** For requests without a timeout, which may wait outside of the arena. */
async function served(asked: Promise<Grant>): Promise<Grant> {
  const late = setTimeout(() => report.violations.push('a waiter without a timeout was not served'), WAIT_MS)
  try {
    return await asked
  } finally {
    clearTimeout(late)
  }
}

/** Several turns at a time, so that requests of one environment meet each other too. */
async function run(): Promise<void> {
  await Promise.all(Array.from({ length: TURNS }, turns))
  await gov.close()
  closeSync(file)
}

async function turns(): Promise<void> {
  while (going) {
    const begun = performance.now()
    try {
      await turn()
    } catch (error) {
      if (!isForelockError(error) || error.code !== 'ERR_FORELOCK_TIMEOUT') report.violations.push(String(error))
      else if (performance.now() - begun < WAIT_MS) report.timeouts++
      else report.violations.push('a waiter was not served')
    }
    // Turns that are granted at once never leave the microtasks: let messages in.
    await new Promise(resolve => setImmediate(resolve))
  }
}

if (isMainThread) {
  const worker = startThread('storm.child.ts', { ...setup, seed: setup.seed + 1 })
  const theirs = new Promise<Report>(resolve => worker.on('message', (value: Report | 'ready') => value !== 'ready' && resolve(value)))
  worker.once('message', () => process.send?.('ready'))
  worker.on('error', error => {
    throw error
  })
  process.on('message', () => {
    going = false
    worker.postMessage('stop')
  })
  process.on('disconnect', () => process.exit())
  await run()
  process.send?.([report, await theirs])
  process.disconnect()
} else {
  parentPort?.once('message', () => {
    going = false
  })
  parentPort?.postMessage('ready')
  await run()
  parentPort?.postMessage(report)
}
