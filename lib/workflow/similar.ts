import { count } from '../checks.js'
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
 * 1 less the part that both have of what either has (Jaccard). Duration, data and each requirement: the logarithm of their ratio, by that of
 * 100, at most 1.
 *
 * @throws ArgumentError
 */
export function findSimilar(profile: WorkflowProfile, history: Iterable<WorkflowProfile>, most = 5): Similar[] {
  count(most, 'most', 1, Number.MAX_SAFE_INTEGER)
  const found: Similar[] = []
  for (const other of history) if (other.id !== profile.id) found.push({ profile: other, distance: distance(profile, other) })
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
    ...USAGE_FIELDS.map(field => ratio(a.requirements[field]?.expected, b.requirements[field]?.expected))
  ]
  for (const respect of respects) {
    if (respect === undefined) continue
    sum += respect
    weight++
  }
  return sum / weight
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
  if (a === 0 || b === 0) return 1
  return Math.min(1, Math.abs(Math.log(a / b)) / FARTHEST)
}
