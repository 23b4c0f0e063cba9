import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Kind } from './kind.js'

/** More than must be kept up with, so that the rate says whether there is anything left. */
const OFFERED_PER_S = 110_000
const TICK_MS = 10
/** What is late is made up for a little at a time: one long tick would measure itself. */
const MOST_A_TICK = (2 * OFFERED_PER_S * TICK_MS) / 1000
const SECONDS = { full: 60, quick: 10 }
const WORKFLOWS = 20
const NS_PER_MS = 1e6
const US_PER_MS = 1e3
/** Of the clock that the kernel's accounts are in: USER_HZ, 100 on every platform that there is an addon for. */
const MS_PER_TICK = 10
/** Rows of one day. */
const MANY = 10_000_000
const ASKED = 5

/** Events told at a steady rate: how many a second are kept, and what that does to the thread that they happen in. */
export const ingest: Kind = async ({ job, connect }) => {
  const { ingest: history, close } = await connect()
  if (history === undefined) throw new Error('it keeps no history')
  const total = OFFERED_PER_S * (job.quick ? SECONDS.quick : SECONDS.full)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const before = cpuOf(history.writer)
  const begin = performance.now()
  let offered = 0
  delay.enable()
  await new Promise<void>(resolve => {
    const timer = setInterval(() => {
      const due = Math.min(total, offered + MOST_A_TICK, 2 * Math.floor(((performance.now() - begin) * OFFERED_PER_S) / 2000))
      history.offer(due - offered)
      offered = due
      if (offered < total) return
      clearInterval(timer)
      resolve()
    }, TICK_MS)
  })
  await history.settle()
  const wall = performance.now() - begin
  delay.disable()
  const cpu = cpuOf(history.writer) - before
  const rss = process.memoryUsage().rss + residentOf(history.writer)
  const kept = await history.kept()
  const bytes = await history.close()
  await close()
  return {
    series: {
      value: [(kept / wall) * 1000],
      // A timer of 1 ms that is on time counts as 1 ms.
      delay: [delay.percentile(99.9) / NS_PER_MS - 1],
      lost: [offered - kept],
      cores: [cpu / wall],
      bytes: bytes === undefined ? [] : [bytes / kept],
      rss: [rss]
    }
  }
}

/** CPU time in ms of this process and of the other one, if there is one. */
function cpuOf(other: number | undefined): number {
  const { user, system } = process.cpuUsage()
  const own = (user + system) / US_PER_MS
  if (other === undefined) return own
  // Behind the name, which may have any characters, the third field is first: the 14th and 15th are those of user and system time.
  const fields = readFileSync(`/proc/${other}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return own + (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK
}

/** Bytes. */
function residentOf(other: number | undefined): number {
  if (other === undefined) return 0
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${other}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}

/** Quantiles by workflow and hour of ten million runs: of the roll-ups, which are there for whole hours, and of every run. */
export const quantiles: Kind = async ({ job, connect }) => {
  const { history } = await connect()
  if (history === undefined) throw new Error('it keeps no history')
  await history.fill(job.quick ? MANY / 10 : MANY)
  const ask = async (exact: boolean) => {
    const found: number[] = []
    for (let i = 0; i < ASKED; i++) {
      const begin = performance.now()
      const groups = await history.quantiles(exact)
      found.push(performance.now() - begin)
      if (groups !== WORKFLOWS * 24) throw new Error(`${groups} groups`)
    }
    return found
  }
  const series = { value: await ask(false), exact: await ask(true) }
  await history.close()
  return { series }
}
