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

/** The subjects that a request counts for. */
export function subjectsOf({ workflow, tenant, kind, name }: Activity): (readonly [SubjectKind, string])[] {
  const subjects: (readonly [SubjectKind, string])[] = [['all', '']]
  if (workflow !== undefined) subjects.push(['workflow', workflow])
  if (tenant !== undefined) subjects.push(['tenant', tenant])
  if (kind === 'bucket' || kind === 'pool') subjects.push([kind, name])
  if (kind === 'keyed') subjects.push(['bucket', name])
  // What goes in: what is taken out follows.
  if (kind === 'room') subjects.push(['queue', name])
  return subjects
}
