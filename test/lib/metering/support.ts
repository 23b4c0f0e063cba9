import { readFileSync } from 'node:fs'
import { Meter, type Usage, usageBetween } from '../../../lib/index.js'
import type { After } from '../../../lib/metering/after.js'

/** Keeps this thread busy until it has had so many ms of CPU time: of the process, so that other threads must be idle. */
export function burn(ms: number): void {
  const from = process.cpuUsage()
  for (;;) {
    const { user, system } = process.cpuUsage(from)
    if (user + system >= ms * 1e3) return
  }
}

/** The same by the CPU time of this thread alone. */
export function burnThread(ms: number): void {
  const now = () => {
    clock.read(reading, 0)
    return reading[1]
  }
  for (const from = now(); now() - from < ms; );
}

const clock = new Meter('thread', { level: 'time' })
const reading = new Float64Array(clock.length)

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
