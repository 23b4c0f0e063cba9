import { ArgumentError } from '../errors/index.js'
import type { Privacy } from './privacy.js'

/** Which fields of an input are recorded: as they are, or as a keyed hash; all others are not. */
export interface FieldRules {
  readonly keep: readonly string[]
  readonly hash: readonly string[]
}

/** A string that is recorded is cut off here; its hash is that of all of it. */
const KEPT_UNITS = 256

/** @throws ArgumentError for a field that is in both */
export function fieldRules(keep: readonly string[], hash: readonly string[]): FieldRules {
  const both = hash.find(field => keep.includes(field))
  if (both === undefined) return { keep, hash }
  throw new ArgumentError(`a field is recorded as it is or as a hash, not both: ${JSON.stringify(both)}`, { option: 'hash', given: both })
}

/** The fields that are recorded, of an input that may be anything: numbers, strings and truth values. */
export function recordedFields(input: unknown, { keep, hash }: FieldRules, privacy: Privacy): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  if ((keep.length === 0 && hash.length === 0) || typeof input !== 'object' || input === null) return fields
  for (const field of keep) {
    const value = plain(input, field)
    if (value !== undefined) fields[field] = typeof value === 'string' ? value.slice(0, KEPT_UNITS) : value
  }
  for (const field of hash) {
    const value = plain(input, field)
    if (value !== undefined) fields[field] = privacy.hash(`field ${field}`, value)
  }
  return fields
}

function plain(input: object, field: string): string | number | boolean | undefined {
  const value = Object.hasOwn(input, field) ? (input as Record<string, unknown>)[field] : undefined
  if (typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value
  return undefined
}
