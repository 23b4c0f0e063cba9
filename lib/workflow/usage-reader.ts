import type { Usage } from '../metering/counters.js'
import type { Meter } from '../metering/meter.js'
import { usageBetween } from '../metering/usage.js'

/** Reads a meter at the beginning and the end of many things that overlap, without an array for each. */
export class UsageReader {
  private rows: Float64Array
  private readonly free: number[] = []
  private used = 0

  constructor(private readonly meter: Meter) {
    this.rows = new Float64Array(16 * meter.length)
  }

  /** What stands for the beginning. */
  begin(): number {
    const place = this.free.pop() ?? this.next()
    this.meter.read(this.rows, place * this.meter.length)
    return place
  }

  /** What was used since then. */
  end(place: number): Usage {
    const { length } = this.meter
    const [from, to] = [place * length, (place + 1) * length]
    this.meter.read(this.rows, to)
    this.free.push(place)
    return usageBetween(this.meter, this.rows, from, to)
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
