import { count, entry, optionsObject, refuse } from '../checks.js'
import type { InputProfile } from './input.js'
import { USAGE_FIELDS, type WorkflowProfile } from './profile.js'

/** A profile, and how far it is from another: 0 the same, 1 nothing in common. */
export interface Similar {
  readonly profile: WorkflowProfile
  readonly distance: number
}

/** Quantities that differ by this factor or more are as different as can be. */
const FARTHEST = Math.log(100)
const TYPE_WEIGHT = 2

/**
 * The profiles most like this one, nearest first; a profile of the same id is not among them.
 *
 * The distance is Gower's (Gower, "A general coefficient of similarity and some of its properties", Biometrics 1971): the mean of the
 * distances in each respect that both say something about. Type: 0 or 1, counted twice. Tier: 0 or 1. Certifications and names of actions:
 * 1 less the part that both have of what either has (Jaccard). Duration, data, each requirement and each field of the input that has numbers: the
 * logarithm of the ratio of their medians, by that of 100, at most 1. Fields of the input with texts or truth values: 1 less the part of the runs that
 * have the same (overlap of the shares).
 *
 * @throws ArgumentError
 */
export function findSimilar(profile: WorkflowProfile, history: Iterable<WorkflowProfile>, most = 5): Similar[] {
  mustBeProfile(profile, 'profile')
  if (typeof (history as Partial<Iterable<WorkflowProfile>> | undefined | null)?.[Symbol.iterator] !== 'function') {
    throw refuse('history', 'profiles of workflows', history)
  }
  count(most, 'most', 1, Number.MAX_SAFE_INTEGER)
  const found: Similar[] = []
  for (const other of history) {
    mustBeProfile(other, 'history')
    if (other.id !== profile.id) found.push({ profile: other, distance: distance(profile, other) })
  }
  return found.sort((a, b) => a.distance - b.distance).slice(0, most)
}

function distance(a: WorkflowProfile, b: WorkflowProfile): number {
  let sum = TYPE_WEIGHT * (a.type === b.type ? 0 : 1) + (a.priority === b.priority ? 0 : 1)
  let weight = TYPE_WEIGHT + 1
  const respects = [
    apart(a.certifications, b.certifications),
    apart(namesOf(a), namesOf(b)),
    ratio(a.duration?.expected, b.duration?.expected),
    ratio(a.data?.bytes.expected, b.data?.bytes.expected),
    ...Object.keys(a.input).map(field => apartIn(entry(a.input, field), entry(b.input, field))),
    ...USAGE_FIELDS.map(field => ratio(a.requirements[field]?.expected, b.requirements[field]?.expected))
  ]
  for (const respect of respects) {
    if (respect === undefined) continue
    sum += respect
    weight++
  }
  return sum / weight
}

function mustBeProfile(value: unknown, option: string): void {
  const { actions, input } = (optionsObject(value, option) ?? {}) as Partial<WorkflowProfile>
  if (!Array.isArray(actions) || typeof input !== 'object') throw refuse(option, 'the profile of a workflow', value)
}

/** In one field of the input. */
function apartIn(a: unknown, b: unknown): number | undefined {
  const [one, other] = [a, b] as (InputProfile | undefined)[]
  const between = ratio(one?.amount?.expected, other?.amount?.expected)
  if (between !== undefined) return between
  if (one?.shares === undefined || other?.shares === undefined) return undefined
  let same = 0
  for (const [value, share] of Object.entries(one.shares)) same += Math.min(share, (entry(other.shares, value) as number | undefined) ?? 0)
  return Math.max(0, 1 - same)
}

function namesOf({ actions }: WorkflowProfile): readonly string[] {
  return actions.map(({ name }) => name)
}

function apart(a: readonly string[], b: readonly string[]): number | undefined {
  const all = new Set([...a, ...b])
  if (all.size === 0) return undefined
  return 1 - a.filter(one => b.includes(one)).length / all.size
}

function ratio(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined
  if (a === b) return 0
  if (a <= 0 || b <= 0) return 1
  return Math.min(1, Math.abs(Math.log(a / b)) / FARTHEST)
}
