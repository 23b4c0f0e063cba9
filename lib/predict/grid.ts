import { count, refuse } from '../checks.js'

/** What was seen at a time. */
export interface Point {
  /** ms */
  readonly time: number
  readonly value: number
}

/** Values at equal steps, the oldest first. NaN: nothing was seen. */
export interface Grid {
  /** ms, of the beginning of the first step */
  readonly start: number
  /** ms */
  readonly step: number
  readonly values: Float64Array
}

export interface GridOptions {
  /** ms between two values */
  step: number
  /** what becomes of several values in a step: their mean (default), the largest, the last by time, or their sum, which is 0 where there is none */
  take?: 'mean' | 'max' | 'last' | 'sum' | undefined
  /** steps that are kept, the last ones; default 4,096 */
  window?: number | undefined
}

const WINDOW = 4_096
const WINDOW_MAX = 1_000_000
const STEP_MAX = 1e12
const TIME_MAX = 8.64e15 // ms from 1970: what a Date can be
const TAKES = ['mean', 'max', 'last', 'sum'] as const

/**
 * Brings what was seen at any times, in any order, onto equal steps. Steps begin at multiples of their length since 1970. A clock that leapt leaves what is
 * further back than the window behind.
 *
 * @throws ArgumentError if a time is no time; a value that is no number counts as not seen
 */
export function gridOf(points: Iterable<Point>, { step, take = 'mean', window = WINDOW }: GridOptions): Grid {
  if (typeof step !== 'number' || !(step > 0 && step <= STEP_MAX)) throw refuse('step', 'a number of milliseconds > 0', step)
  if (!TAKES.includes(take)) throw refuse('take', TAKES.join(', '), take)
  count(window, 'window', 1, WINDOW_MAX)
  const seen = [...points].map(readPoint).filter(({ value }) => Number.isFinite(value))
  // Each into the step that it lies in; those of one step in their order.
  seen.sort((a, b) => a.time - b.time)
  const last = seen.at(-1)
  if (last === undefined) return { start: 0, step, values: new Float64Array(0) }
  const end = Math.floor(last.time / step)
  const first = Math.max(Math.floor((seen[0] as Point).time / step), end - window + 1)
  const values = new Float64Array(end - first + 1).fill(take === 'sum' ? 0 : Number.NaN)
  const counts = new Float64Array(values.length)
  for (const { time, value } of seen) {
    const at = Math.floor(time / step) - first
    if (at < 0) continue
    const before = values[at] as number
    const many = (counts[at] as number) + 1
    counts[at] = many
    // The mean by steps, so that sums of the largest numbers do not overflow.
    if (many === 1 || take === 'last') values[at] = value
    else if (take === 'mean') values[at] = before + (value / many - before / many)
    else values[at] = take === 'max' ? Math.max(before, value) : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, before + value))
  }
  return { start: first * step, step, values }
}

function readPoint(point: Point, i: number): Point {
  const { time, value } = point
  if (typeof time !== 'number' || !(Math.abs(time) <= TIME_MAX)) throw refuse(`points[${i}].time`, 'ms since the Unix epoch', time)
  if (typeof value !== 'number') throw refuse(`points[${i}].value`, 'a number', value)
  return { time, value }
}
