import { describe } from '../checks.js'
import { SchemaError } from '../errors/index.js'
import type { EventScope, TimedEvent } from './event.js'

/** An event as a message tells it. */
export interface ReceivedEvent extends TimedEvent {
  readonly id: string
  readonly end: number
  readonly scope: EventScope
}

const FIELDS = ['type', 'start', 'end', 'weight', 'scope', 'value', 'id'] as const
const SCOPES = ['workflow', 'tenant'] as const
const TEXT_UNITS_MAX = 256
const TIME_MAX = 8.64e15 // ms: what a Date can be
const WEIGHT_MAX = 1_000
const VALUE_MAX = 1e12
/** RFC 3339: a time of day without a zone would be another one on each machine. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/

/**
 * The event that a JSON text says, by `{ type, start, end?, weight?, scope?: { workflow?, tenant? }, value?, id }`. Times are ms since the Unix epoch, or
 * dates with a time and a zone (RFC 3339).
 *
 * @throws SchemaError
 */
export function readEvent(text: string): ReceivedEvent {
  const fields = objectOf(parsed(text), 'event', FIELDS)
  const start = time(fields.start, 'start')
  const end = fields.end === undefined ? start : time(fields.end, 'end')
  if (end < start) throw wrong('end', 'not before the start', fields.end)
  return {
    id: words(fields.id, 'id'),
    type: words(fields.type, 'type'),
    start,
    end,
    scope: scopeOf(fields.scope),
    ...(fields.weight !== undefined && { weight: number(fields.weight, 'weight', 0, WEIGHT_MAX) }),
    ...(fields.value !== undefined && { value: number(fields.value, 'value', -VALUE_MAX, VALUE_MAX) })
  }
}

function scopeOf(given: unknown): EventScope {
  if (given === undefined) return {}
  const { workflow, tenant } = objectOf(given, 'scope', SCOPES)
  return {
    ...(workflow !== undefined && { workflow: words(workflow, 'scope.workflow') }),
    ...(tenant !== undefined && { tenant: words(tenant, 'scope.tenant') })
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SchemaError('the event must be JSON', { field: 'event', given: text.slice(0, TEXT_UNITS_MAX) }, error)
  }
}

function objectOf<Known extends string>(given: unknown, field: string, known: readonly Known[]): { [K in Known]?: unknown } {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw wrong(field, 'an object', given)
  // Keys of JSON are own, `__proto__` too.
  for (const key of Object.keys(given)) {
    if (!known.includes(key as Known)) {
      throw new SchemaError(`${field} has no field ${describe(key)}; known are ${known.join(', ')}`, { field: key, given: key })
    }
  }
  return given
}

function words(given: unknown, field: string): string {
  if (typeof given !== 'string' || given.length === 0 || given.length > TEXT_UNITS_MAX) {
    throw wrong(field, `a string of 1 to ${TEXT_UNITS_MAX} UTF-16 code units`, given)
  }
  return given
}

function number(given: unknown, field: string, least: number, most: number): number {
  if (typeof given !== 'number' || !(given >= least && given <= most)) throw wrong(field, `a number from ${least} to ${most}`, given)
  return given
}

function time(given: unknown, field: string): number {
  const ms = typeof given === 'string' && DATE_TIME.test(given) ? Date.parse(given) : given
  if (typeof ms !== 'number' || !(Math.abs(ms) <= TIME_MAX))
    throw wrong(field, 'ms since the Unix epoch, or a date with a time and a zone', given)
  return ms
}

function wrong(field: string, expected: string, given: unknown): SchemaError {
  return new SchemaError(`${field} must be ${expected}, not ${describe(given)}`, { field, given })
}
