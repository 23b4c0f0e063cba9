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
/** Rows of one day. */
const MANY = 10_000_000
const ASKED = 5

/** Events told at a steady rate: how many a second are kept, and what that does to the thread that they happen in. */
export const ingest: Kind = async ({ job, connect }) => {
  const { ingest: history, close } = await connect()
  if (history === undefined) throw new Error('it keeps no history')
  const total = OFFERED_PER_S * (job.quick ? SECONDS.quick : SECONDS.full)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const before = process.cpuUsage()
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
  const { user, system } = process.cpuUsage(before)
  const rss = process.memoryUsage().rss
  const kept = await history.kept()
  const bytes = await history.close()
  await close()
  return {
    series: {
      value: [(kept / wall) * 1000],
      // A timer of 1 ms that is on time counts as 1 ms.
      delay: [delay.percentile(99.9) / NS_PER_MS - 1],
      lost: [offered - kept],
      cores: [(user + system) / US_PER_MS / wall],
      bytes: [bytes / kept],
      rss: [rss]
    }
  }
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
