import type { Usage } from '../metering/counters.js'
import { TIME_LENGTH } from '../metering/counters.js'
import type { Meter } from '../metering/meter.js'
import { usageBetween } from '../metering/usage.js'
import { Counter } from '../native/meter.js'

/**
 * Reads a meter at the beginning and the end of many things that overlap, without an array for each. Where the end of one is the beginning of
 * the next, they share a reading: see {@link Meter.readAgain}.
 */
export class UsageReader {
  private rows: Float64Array
  private readonly free: number[] = []
  private used = 0

  constructor(readonly meter: Meter) {
    this.rows = new Float64Array(16 * meter.length)
  }

  /** What stands for the beginning. */
  begin(): number {
    const place = this.free.pop() ?? this.next()
    this.meter.readAgain(this.rows, place * this.meter.length)
    return place
  }

  /** When it began: ms, CLOCK_MONOTONIC. */
  beganAt(place: number): number {
    return this.rows[place * this.meter.length + Counter.Wall]
  }

  /** What was used since then; what could not be read, as after the meter was closed, is not there. */
  sofar(place: number): Partial<Usage> {
    const { length } = this.meter
    const from = place * length
    const to = from + length
    this.meter.readAgain(this.rows, to)
    const wall = this.rows[to + Counter.Wall] - this.rows[from + Counter.Wall]
    if (Number.isNaN(wall)) return {}
    if (length !== TIME_LENGTH) return usageBetween(this.meter, this.rows, from, to)
    const cpu = this.rows[to + Counter.Cpu] - this.rows[from + Counter.Cpu]
    return Number.isNaN(cpu) ? { wall } : { wall, cpu: Math.max(0, cpu) }
  }

  /** The same, for the last time. */
  end(place: number): Partial<Usage> {
    const usage = this.sofar(place)
    this.free.push(place)
    return usage
  }

  private next(): number {
    const place = this.used
    this.used += 2
    if (this.used * this.meter.length > this.rows.length) {
      const more = new Float64Array(2 * this.rows.length)
      more.set(this.rows)
      this.rows = more
    }
    return place
  }
}
