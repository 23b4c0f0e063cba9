import type { TimedEvent } from '../events/event.js'
import { type Extent, extentOf, placeOf, type Reach } from './effect-profile.js'
import type { Column } from './regression.js'

/** An event as it lies on the steps of a series. */
export interface Placed {
  readonly type: string
  readonly extent: Extent
  /** in units of what is usual for its type */
  readonly size: number
  /** what it is declared to do, in the units of the effect; 0: nothing */
  readonly declared: number
  /** what it alone is told apart by */
  readonly id: string
}

/** One unknown that an event's effect at a step depends on, and by how much. */
export interface Term {
  readonly key: string
  readonly group: string
  readonly x: number
}

/** Of what is declared about as much is true as not, until it has been seen. */
export const DECLARED_SPREAD = 0.25

/**
 * What the effect of an event at a step is a sum of: what its type does all through, what it does at this place of its profile, what this one alone does (so that
 * one great day is not taken for the rule), and what was declared, in proportion.
 */
export function termsOf(at: number, { type, extent, size, declared, id }: Placed, reach: Reach): Term[] {
  const place = placeOf(at, extent, reach)
  if (place === undefined) return []
  const isDuring = place.startsWith('during')
  const terms = [{ key: keyOf(type, place), group: keyOf(type, isDuring ? 'shape' : 'around'), x: size }]
  if (!isDuring) return terms
  terms.push({ key: keyOf(type, 'level'), group: keyOf(type, 'level'), x: size })
  terms.push({ key: keyOf(type, `occasion ${id}`), group: keyOf(type, 'occasion'), x: size })
  if (declared !== 0) terms.push({ key: keyOf(type, 'declared'), group: keyOf(type, 'declared'), x: declared })
  return terms
}

export function keyOf(type: string, what: string): string {
  return `${what}\n${type}`
}

export function typeOfKey(key: string): string {
  return key.slice(key.indexOf('\n') + 1)
}

export const isOccasion = (key: string): boolean => key.startsWith('occasion ')
export const isDeclared = (key: string): boolean => key.startsWith('declared\n')

/**
 * @param sizes what is usual for a type, of its events' `value`
 * @param declaredOf the effect of a factor
 */
export function placed(
  event: TimedEvent,
  origin: number,
  step: number,
  sizes: ReadonlyMap<string, number>,
  declaredOf: (factor: number) => number
): Placed {
  const { type, start, end = start, value, weight, id } = event
  return {
    type,
    extent: extentOf(event, origin, step),
    size: value === undefined ? 1 : value / (sizes.get(type) ?? (Math.abs(value) || 1)),
    declared: weight === undefined ? 0 : declaredOf(weight),
    // Without line ends, which part keys.
    id: JSON.stringify(id ?? `${start} ${end}`)
  }
}

/** The mean size of the values of each type's events. */
export function sizesOf(events: Iterable<TimedEvent>): Map<string, number> {
  const sums = new Map<string, { sum: number; count: number }>()
  for (const { type, value } of events) {
    if (value === undefined) continue
    const one = sums.get(type) ?? { sum: 0, count: 0 }
    sums.set(type, { sum: one.sum + Math.abs(value), count: one.count + 1 })
  }
  return new Map([...sums].map(([type, { sum, count }]) => [type, sum / count || 1]))
}

/** The columns of a regression, by key. */
export class Columns {
  private readonly byKey = new Map<string, { group: string; sums: Map<number, number> }>()

  add({ key, group, x }: Term, at: number): void {
    let column = this.byKey.get(key)
    if (column === undefined) {
      column = { group, sums: new Map() }
      this.byKey.set(key, column)
    }
    column.sums.set(at, (column.sums.get(at) ?? 0) + x)
  }

  get keys(): string[] {
    return [...this.byKey.keys()]
  }

  get groups(): string[] {
    return [...new Set([...this.byKey.values()].map(({ group }) => group))]
  }

  get all(): Column[] {
    const { groups } = this
    const places = new Map(groups.map((group, i) => [group, i]))
    return [...this.byKey].map(([key, { group, sums }]) => ({
      group: places.get(group) as number,
      prior: isDeclared(key) ? 1 : 0,
      at: [...sums.keys()],
      x: [...sums.values()]
    }))
  }
}
