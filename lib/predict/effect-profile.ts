import type { TimedEvent } from '../events/event.js'

/** Steps that an event lasts, the first one, and the one after the last, counted from the beginning of a series. */
export interface Extent {
  readonly from: number
  readonly to: number
}

/** Which steps before and after an event count as well. */
export interface Reach {
  readonly before: number
  readonly after: number
}

/** Where a step lies in the profile of an event: bins that double, so that long events need few. */
export type Place = `before ${number}` | `during ${number}` | `after ${number}`

/** Of 1, 2-3, 4-7, ... steps. */
export const BINS = 8

export function extentOf({ start, end = start }: TimedEvent, origin: number, step: number): Extent {
  const from = Math.floor((start - origin) / step)
  return { from, to: Math.max(from + 1, Math.ceil((end - origin) / step)) }
}

/** Undefined: the event does not reach this step. */
export function placeOf(at: number, { from, to }: Extent, { before, after }: Reach): Place | undefined {
  if (at < from) return from - at <= before ? `before ${bin(from - at)}` : undefined
  if (at < to) return `during ${bin(at - from + 1)}`
  return at - to < after ? `after ${bin(at - to + 1)}` : undefined
}

/** @param steps >= 1 */
function bin(steps: number): number {
  return Math.min(BINS - 1, Math.floor(Math.log2(steps)))
}
