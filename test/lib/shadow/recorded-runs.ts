import type { PastAction, PastRun } from '../../../lib/shadow/course.js'

interface Around {
  /** ms outside of actions */
  before?: number
  after?: number
  /** ms of CPU time of each action, and of the rest */
  cpu?: number
  cpuOutside?: number
}

/** A run whose actions follow each other. */
export function runOf(
  actions: readonly (readonly [name: string, duration: number])[],
  { before = 0, after = 0, cpu, cpuOutside }: Around = {}
): PastRun {
  let at = before
  const spans = actions.map(([name, duration], position): PastAction => {
    const offset = at
    at += duration
    return { name, position, offset, duration, usage: cpu === undefined ? {} : { cpu } }
  })
  const usage = cpu === undefined ? {} : { cpu: cpu * actions.length + (cpuOutside ?? 0) }
  return { tenant: undefined, duration: at + after, usage, actions: spans }
}

/** mulberry32 (Ettinger, 2017): the same numbers each time. */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The steps of an import: what is fetched is unpacked, some of it at length, and stored in several parts; some are known already, and skipped. */
export function stepsOf(random: () => number): [name: string, duration: number][] {
  const long = (median: number, spread: number) =>
    median * Math.exp(spread * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))
  const steps: [string, number][] = [['fetch', long(60, 0.5)]]
  if (random() < 0.3) return [...steps, ['skip', long(15, 0.3)]]
  steps.push(['unpack', random() < 0.6 ? long(80, 0.3) : long(400, 0.2)])
  const parts = 1 + Math.floor(3 * random())
  for (let i = 0; i < parts; i++) steps.push(['store', long(50, 0.3)])
  return steps
}

export function recordedRuns(count: number): PastRun[] {
  const random = randomNumbers(7)
  return Array.from({ length: count }, () => {
    const run = runOf(stepsOf(random))
    // Some actions compute and others wait.
    const busy: Readonly<Record<string, number>> = { fetch: 0.1, unpack: 0.95, store: 0.3, skip: 0.2 }
    const actions = run.actions.map(action => ({
      ...action,
      usage: { cpu: action.duration * (busy[action.name] ?? 0) * (0.8 + 0.2 * random()) }
    }))
    return { ...run, actions, usage: { cpu: actions.reduce((sum, { usage }) => sum + usage.cpu, 0) } }
  })
}
