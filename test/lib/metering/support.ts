import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { Meter, type Usage, usageBetween } from '../../../lib/index.js'
import type { After } from '../../../lib/metering/after.js'
import { COUNTERS } from '../../../lib/metering/counters.js'

const ENTRY = new URL('../../survive/thread.entry.mjs', import.meta.url)
const SCRIPT = new URL('./thread.child.ts', import.meta.url).href

/** Keeps this thread busy until it has had so many ms of CPU time: of the process, so that other threads must be idle. */
export function burn(ms: number): void {
  const from = process.cpuUsage()
  for (;;) {
    const { user, system } = process.cpuUsage(from)
    if (user + system >= ms * 1e3) return
  }
}

/** The same by the CPU time of this thread alone; how many ms it was, which is more where the machine was elsewhere and counted it. */
export function burnThread(ms: number): number {
  const from = cpuOfThread()
  for (;;) {
    const burnt = cpuOfThread() - from
    if (burnt >= ms) return burnt
  }
}

/** CPU time of this thread so far, in ms. */
export function cpuOfThread(): number {
  clock.read(reading, 0)
  return reading[1] as number
}

const clock = new Meter('thread', { level: 'time' })
const reading = new Float64Array(clock.length)

/**
 * What this thread burns, and what it uses besides. Who books each part once and to whom it belongs is off by no more than what was
 * used besides, however long the machine stood still in it.
 */
export class Burner {
  readonly #from = cpuOfThread()
  #burnt = 0

  burn(ms: number): number {
    const burnt = burnThread(ms)
    this.#burnt += burnt
    return burnt
  }

  /** ms that it has used without burning them. */
  get besides(): number {
    return cpuOfThread() - this.#from - this.#burnt
  }
}

export const startWorker = () => new Worker(ENTRY, { workerData: { script: SCRIPT }, execArgv: [] })

/** Keeps it busy for so many ms of CPU time; all that it has used so far by its own reading. */
export async function burnWorker(worker: Worker, ms: number): Promise<Usage> {
  worker.postMessage(ms)
  const [reading] = (await once(worker, 'message')) as [number[]]
  return Object.fromEntries(COUNTERS.map(([field, at]) => [field, reading[at]])) as unknown as Usage
}

export async function endWorker(worker: Worker): Promise<void> {
  worker.postMessage(-1)
  await once(worker, 'exit')
}

/** What is used while something is done. */
export async function usageOf(meter: Meter, work: () => unknown): Promise<Usage> {
  const buffer = new Float64Array(2 * meter.length)
  meter.read(buffer, 0)
  await work()
  meter.read(buffer, meter.length)
  return usageBetween(meter, buffer, 0, meter.length)
}

/**
 * What is used while something is done, by a meter and by the kernel's own word of the same, asked both inside and outside of the
 * meter's readings: the truth for the meter lies between.
 */
export async function beside(
  meter: Meter,
  kernel: () => number,
  work: () => unknown
): Promise<{ least: number; usage: Usage; most: number }> {
  const outer = kernel()
  let least = 0
  const usage = await usageOf(meter, async () => {
    const inner = kernel()
    await work()
    least = kernel() - inner
  })
  return { least, usage, most: kernel() - outer }
}

/** A number of a file of lines `key: number`. */
export function numberIn(path: string, key: string): number {
  const found = readFileSync(path, 'utf8')
    .split('\n')
    .find(line => line.startsWith(key))
  return Number(found?.replace(key, '').replace(':', '').trim())
}

/** A clock that stands still until it is moved. */
export class ManualClock {
  #now = 0
  readonly #timers = new Set<{ at: number; then: () => void }>()

  readonly after: After = (ms, then) => {
    const timer = { at: this.#now + ms, then }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  get pending(): number {
    return this.#timers.size
  }

  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#now = due.at
      this.#timers.delete(due)
      due.then()
    }
    this.#now = until
  }
}
