import { refuse } from '../checks.js'
import { Counter } from '../native/meter.js'
import { COUNTERS, type Usage } from './counters.js'

/** Refuses what a reading of so many numbers does not fit in, before any of it is touched. */
export function mustFit(buffer: Float64Array, at: number, length: number, name: string): void {
  if (!(buffer instanceof Float64Array)) throw refuse('buffer', 'a Float64Array', buffer)
  if (!Number.isInteger(at) || at < 0 || at + length > buffer.length) {
    throw refuse(name, `a place in the buffer with room for ${length} numbers after it`, at)
  }
}

/**
 * What was used between two readings in one buffer.
 *
 * @param meter the one that took them, for how long they are
 * @param from where the earlier one begins
 * @param to where the later one begins
 * @throws ArgumentError for a place that has no room for a reading
 */
export function usageBetween(meter: { readonly length: number }, buffer: Float64Array, from: number, to: number): Usage {
  const { length } = meter
  mustFit(buffer, from, length, 'from')
  mustFit(buffer, to, length, 'to')
  const usage: Usage = { wall: buffer[to + Counter.Wall] - buffer[from + Counter.Wall] }
  for (let i = 1; i < length; i++) {
    const [field, at] = COUNTERS[i]
    const value = between(at, buffer[from + at], buffer[to + at])
    if (!Number.isNaN(value)) usage[field] = value
  }
  return usage
}

function between(counter: Counter, from: number, to: number): number {
  if (counter === Counter.Memory) return to
  // One that did not rise was reached at some other time.
  if (counter === Counter.MemoryPeak) return to > from ? to : Number.NaN
  // Estimates, such as of counters that took turns, may fall behind themselves.
  return to < from ? 0 : to - from
}
