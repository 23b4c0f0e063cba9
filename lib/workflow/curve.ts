import type { Usage } from '../metering/counters.js'
import type { UsageCurve } from './record.js'

/** Points that a curve has at most: a run of any length is told in one note. */
export const CURVE_POINTS_MAX = 64
const PER_MS = 1000

/**
 * The use of a run over its time, in few points: when there is no room for more, every other one is left out, and from then on every other
 * sample, so that they stay evenly apart.
 */
export class CurveTally {
  private times: number[] = []
  private cpu: number[] = []
  private memory: number[] = []
  private stride = 1
  private seen = 0

  /** @param time ms from the beginning of the run */
  add(time: number, usage: Partial<Usage>): void {
    if (++this.seen % this.stride !== 0) return
    this.push(time, usage)
    if (this.times.length < CURVE_POINTS_MAX) return
    const odd = (_: number, at: number) => at % 2 === 1
    this.times = this.times.filter(odd)
    this.cpu = this.cpu.filter(odd)
    this.memory = this.memory.filter(odd)
    this.stride *= 2
  }

  /** The curve, with its end, which is always there. */
  curve(time: number, usage: Partial<Usage>): UsageCurve {
    if (this.times.at(-1) === toMicroseconds(time)) for (const column of [this.times, this.cpu, this.memory]) column.pop()
    this.push(time, usage)
    const { times, cpu, memory } = this
    return {
      times,
      ...(cpu.length === times.length && { cpu }),
      ...(memory.length === times.length && { memory })
    }
  }

  private push(time: number, { cpu, memory }: Partial<Usage>): void {
    this.times.push(toMicroseconds(time))
    if (cpu !== undefined) this.cpu.push(toMicroseconds(cpu))
    if (memory !== undefined) this.memory.push(memory)
  }
}

/** Short in a note. */
const toMicroseconds = (ms: number) => Math.round(ms * PER_MS) / PER_MS
