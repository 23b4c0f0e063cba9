import { entry, onlyKnown, optionsObject, refuse, text, tierIndex } from '../checks.js'
import type { Activity } from './activity.js'

/** Whose demand: one of these, and of it a tier, if it is to be of one. */
export interface DemandOf {
  readonly workflow?: string | undefined
  readonly tenant?: string | undefined
  readonly bucket?: string | undefined
  /** a pool or a semaphore */
  readonly pool?: string | undefined
  /** of the pool: how much of it is handed out */
  readonly dimension?: string | undefined
  readonly queue?: string | undefined
  /** name of a tier */
  readonly tier?: string | undefined
}

/** What is counted of requests: how many there are, or how much they ask for (tokens; of a pool the largest part of a dimension's capacity). */
export type Measure = 'requests' | 'amount'

export const SUBJECTS = ['workflow', 'tenant', 'bucket', 'pool', 'queue'] as const
export type SubjectKind = (typeof SUBJECTS)[number] | 'all'

/** Read from {@link DemandOf}. */
export interface Subject {
  readonly kind: SubjectKind
  readonly name: string
  readonly dimension: string | undefined
  /** index; undefined: all tiers */
  readonly tier: number | undefined
}

/** @throws ArgumentError */
export function readSubject(of: unknown, tiers: readonly string[]): Subject {
  const given = optionsObject(of, 'of')
  if (given === undefined) throw refuse('of', 'an object that names whose demand it is', of)
  onlyKnown(given, [...SUBJECTS, 'dimension', 'tier'], 'demand()')
  const named = SUBJECTS.filter(kind => entry(given, kind) !== undefined)
  const { tier, dimension } = given as { tier?: unknown; dimension?: unknown }
  if (named.length > 1) throw refuse('of', `one of ${SUBJECTS.join(', ')}`, given)
  const [kind] = named
  if (kind === undefined && tier === undefined) throw refuse('of', `one of ${SUBJECTS.join(', ')}, or a tier`, given)
  if (dimension !== undefined && kind !== 'pool') throw refuse('of.dimension', 'that of a pool', dimension)
  return {
    kind: kind ?? 'all',
    name: kind === undefined ? '' : text(entry(given, kind), `of.${kind}`),
    dimension: dimension === undefined ? undefined : text(dimension, 'of.dimension'),
    tier: tier === undefined ? undefined : tierIndex(tier, tiers, 'of.tier')
  }
}

/** Who is told of a subject, and of the request that counts for it. @param time ms, when it was made */
export type SubjectCount = (kind: SubjectKind, name: string, activity: Activity, time: number) => void

/** Tells of each subject that a request counts for; to make a list of them for each request would cost more than to count. */
export function eachSubject(activity: Activity, time: number, count: SubjectCount): void {
  const { workflow, tenant, kind, name } = activity
  count('all', '', activity, time)
  if (workflow !== undefined) count('workflow', workflow, activity, time)
  if (tenant !== undefined) count('tenant', tenant, activity, time)
  if (kind === 'bucket' || kind === 'pool') count(kind, name, activity, time)
  if (kind === 'keyed') count('bucket', name, activity, time)
  // What goes in: what is taken out follows.
  if (kind === 'room') count('queue', name, activity, time)
}
