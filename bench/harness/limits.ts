import type { Limit, Row } from '../trials.js'

/** What has been measured so far. */
export interface Known {
  rivals: Record<string, number>
  floors: Record<string, number>
  /** medians of rows by id */
  rows: ReadonlyMap<string, number>
}

export interface Bound {
  /** in the unit of the row; undefined when it depends on what was not measured */
  value: number | undefined
  /** of a figure that must not be less, where more is better */
  isLeast?: true
  /** for people: `60`, `2 x async-sema` */
  text: string
}

/** All limits of one column as one number: the least of them; one that is itself a least stands alone. Undefined when there are none. */
export function bound(limits: readonly Limit[] | undefined, unit: Row['unit'], known: Known): Bound | undefined {
  if (limits === undefined) return undefined
  const bounds = limits.map(limit => boundOf(limit, unit, known))
  if (bounds.length === 1) return bounds[0]
  const text = bounds.map(bound => bound.text).join(', ')
  const values = bounds.map(bound => bound.value)
  if (values.some(value => value === undefined)) return { value: undefined, text }
  return { value: Math.min(...(values as number[])), text }
}

function boundOf(limit: Limit, unit: Row['unit'], { rivals, floors, rows }: Known): Bound {
  if ('atMost' in limit) return { value: limit.atMost, text: `<= ${limit.atMost} ${unit}` }
  if ('atLeast' in limit) return { value: limit.atLeast, text: `>= ${limit.atLeast} ${unit}`, isLeast: true }
  const { times } = limit
  if ('rival' in limit) return scaled(times, rivals[limit.rival], limit.rival)
  if ('floor' in limit) return scaled(times, floors[limit.floor], `floor ${limit.floor}`)
  if ('row' in limit) return scaled(times, rows.get(limit.row), limit.row)
  const best = Math.min(...Object.values(rivals))
  return scaled(times, Number.isFinite(best) ? best : undefined, 'the fastest rival')
}

function scaled(times: number, value: number | undefined, what: string): Bound {
  const factor = Math.round(times * 1000) / 1000
  return { value: value === undefined ? undefined : times * value, text: factor === 1 ? `<= ${what}` : `<= ${factor} x ${what}` }
}
