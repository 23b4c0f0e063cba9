import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { arenaOf, load } from '../drivers/forelock.js'
import type { Kind } from './kind.js'

const LOCKS = 10_000
const PER_S = 10_000
const TICK_MS = 5
/** What is late is made up for a little at a time. */
const MOST_A_TICK = (2 * PER_S * TICK_MS) / 1_000
const WORKFLOWS = 20
const TIERS = ['background', 'standard', 'interactive']
const POOL_EVERY = 10
const SECONDS = { full: { warmUp: 20, measured: 20 }, quick: { warmUp: 8, measured: 5 } }
/** Of the clock that the kernel's accounts are in: USER_HZ, 100 on every platform that there is an addon for. */
const MS_PER_TICK = 10

/**
 * What an agent in a process of its own takes, as a part of a core, while an arena is asked 10,000 times a second for 10,000 locks, of which half of the requests go to a few (Zipf's law) and
 * half to any, and 1,000 times for a pool: all granted at once, of 20 workflows and three tiers. And its resident memory (`rss`).
 */
export const agent: Kind = async ({ job }) => {
  const { open } = await load(job.setting)
  const { name, dir } = arenaOf(job.setting)
  const gov = open({ name, dir })
  const locks = Array.from({ length: LOCKS }, (_, i) => gov.lock(`row:${i}`))
  const pool = gov.pool('workers', { capacity: { slots: 64 } })
  const terms = Array.from({ length: TIERS.length * WORKFLOWS }, (_, i) => ({
    tier: TIERS[i % TIERS.length]!,
    workflow: `w${i % WORKFLOWS}`
  }))
  const next = keys(LOCKS)
  let made = 0
  const begin = performance.now()
  const timer = setInterval(() => {
    const due = Math.min(MOST_A_TICK, Math.floor(((performance.now() - begin) * PER_S) / 1_000) - made)
    for (let i = 0; i < due; i++, made++) {
      const asker = terms[made % terms.length]
      locks[next()]?.tryAcquire(asker)?.release()
      if (made % POOL_EVERY === 0) pool.tryAllocate({ slots: 1 }, asker)?.release()
    }
  }, TICK_MS)
  const script = join(job.setting.package, 'dist', 'esm', 'cli', 'forelock.js')
  const child = spawn(process.execPath, [script, 'agent', name, '--dir', dir], { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = new Promise(resolve => child.once('exit', resolve))
  const pid = child.pid as number
  const { warmUp, measured } = job.quick ? SECONDS.quick : SECONDS.full
  await sleep(1_000 * warmUp)
  const before = { cpu: cpuOf(pid), time: performance.now(), made }
  await sleep(1_000 * measured)
  const wall = performance.now() - before.time
  const [cpu, rate, rss] = [(cpuOf(pid) - before.cpu) / wall, (1_000 * (made - before.made)) / wall, residentOf(pid)]
  clearInterval(timer)
  child.kill('SIGINT')
  await ended
  await gov.close()
  return { series: { value: [cpu], rss: [rss] }, notes: { 'requests for locks a second': Math.round(rate) } }
}

/** Which lock is next: the same each time. */
function keys(count: number): () => number {
  const sums = new Float64Array(count)
  let all = 0
  for (let i = 0; i < count; i++) sums[i] = all += 1 / (i + 1)
  let [state, calls] = [1, 0]
  const random = () => {
    // Of a linear congruential generator (Numerical Recipes) the upper bits.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const frequent = () => {
    const wanted = random() * all
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] as number) < wanted) low = middle + 1
      else high = middle
    }
    // Those that are asked for most lie anywhere.
    return (low * 7_919) % count
  }
  return () => (calls++ % 2 === 0 ? frequent() : Math.floor(random() * count))
}

/** CPU time, ms. */
function cpuOf(pid: number): number {
  // Behind the name, which may have any characters, the third field is first: the 14th and 15th are those of user and system time.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK
}

/** Bytes. */
function residentOf(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}
