import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { HistoryDriver, HistoryRecord } from '../drivers/driver.js'
import type { Kind } from './kind.js'

/** More than must be kept up with, so that the rate says whether there is anything left. */
const OFFERED_PER_S = 110_000
const TICK_MS = 10
/** What is late is made up for a little at a time: one long tick would measure itself. */
const MOST_A_TICK = (2 * OFFERED_PER_S * TICK_MS) / 1000
const SECONDS = { full: 60, quick: 10 }
const WORKFLOWS = 20
const NS_PER_MS = 1e6
/** Rows of one day. */
const MANY = 10_000_000
const ASKED = 5

function record(at: number, time: number): HistoryRecord {
  return {
    id: `run-${at}`,
    workflow: `workflow-${at % WORKFLOWS}`,
    tenant: `tenant-${at % 7}`,
    start: time - (at % 500),
    end: time,
    outcome: 'success',
    waited: at % 13,
    wall: at % 500,
    cpu: (at * 7) % 300,
    memory: (at * 4096) % 1e8,
    cost: (at % 100) / 1000
  }
}

const historyOf = async (connect: () => Promise<{ history?: HistoryDriver }>): Promise<HistoryDriver> => {
  const { history } = await connect()
  if (history === undefined) throw new Error('it keeps no history')
  return history
}

/** Records of runs offered at a steady rate to a store in this thread: what it keeps a second, and what that does to the thread. */
export const ingest: Kind = async ({ job, connect }) => {
  const history = await historyOf(connect)
  const total = OFFERED_PER_S * (job.quick ? SECONDS.quick : SECONDS.full)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const begin = performance.now()
  let offered = 0
  delay.enable()
  await new Promise<void>(resolve => {
    const timer = setInterval(() => {
      const due = Math.min(total, offered + MOST_A_TICK, Math.floor(((performance.now() - begin) * OFFERED_PER_S) / 1000))
      const rows: HistoryRecord[] = []
      const now = Date.now()
      while (offered < due) rows.push(record(offered++, now))
      history.append(rows)
      if (offered < total) return
      clearInterval(timer)
      resolve()
    }, TICK_MS)
  })
  await history.flush()
  const seconds = (performance.now() - begin) / 1000
  delay.disable()
  const rss = process.memoryUsage().rss
  const kept = await history.count()
  const bytes = await history.close()
  return {
    series: {
      value: [kept / seconds],
      // A timer of 1 ms that is on time counts as 1 ms.
      delay: [delay.percentile(99.9) / NS_PER_MS - 1],
      lost: [offered - kept],
      bytes: [bytes / kept],
      rss: [rss]
    }
  }
}

/** Exact quantiles by workflow and hour of ten million runs. */
export const quantiles: Kind = async ({ job, connect }) => {
  const history = await historyOf(connect)
  await history.fill(job.quick ? MANY / 10 : MANY)
  const value: number[] = []
  for (let i = 0; i < ASKED; i++) {
    const begin = performance.now()
    const groups = await history.quantiles()
    value.push(performance.now() - begin)
    if (groups !== WORKFLOWS * 24) throw new Error(`${groups} groups`)
  }
  await history.close()
  return { series: { value } }
}
