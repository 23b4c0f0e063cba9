import { readAmounts } from '../allocation.js'
import { type Bucket, buckets as bucketFaces } from '../bucket.js'
import { callback, count, onlyKnown, optionsObject, refuse } from '../checks.js'
import { type Pool, pools } from '../pool.js'
import type { AmountsByName } from '../pool-terms.js'
import type { Session } from '../session.js'
import { IDLE_COST, WAIT_COSTS } from '../wait-costs.js'

/** What a workflow that learns what its runs need is told beforehand. */
export interface LearningOptions {
  /** what a run is granted before anything is known, by dimension; default a sixteenth of the pool */
  first?: AmountsByName | undefined
  /** what no run is granted more of, by dimension; default what the pool can give */
  most?: AmountsByName | undefined
  /** the part of the runs that may be granted too little, 0.001 to 0.2; default by the costs */
  under?: number | undefined
  /** of a unit and second: of a run that waits, and of what is granted and not used; default those of its tier */
  costs?: { waiting?: number | undefined; idling?: number | undefined } | undefined
  /** how often a run is tried at most, each time with twice as much; default 8 */
  tries?: number | undefined
}

/** The same, checked, by dimension. */
export interface ReadLearning {
  readonly pool: Pool
  readonly tokens: readonly (readonly [bucket: Bucket, n: number])[]
  readonly first: readonly (number | undefined)[]
  readonly most: readonly (number | undefined)[]
  readonly under: number
  readonly tries: number
}

const KNOWN = ['first', 'most', 'under', 'costs', 'tries'] as const
const TRIES = 8
const TRIES_MAX = 64
const UNDER_LEAST = 0.001
const UNDER_MOST = 0.2
/** By how much, as a ratio, too little falls short on average: with the costs of the standard tier 1.5 % of the runs are short. */
const SHORT_BY = 0.06

/** @throws ArgumentError */
export function readLearning(value: unknown, pool: unknown, buckets: unknown, tier: number, session: Session): ReadLearning {
  if (!pools.isPool(pool) || pools.sessionOf(pool) !== session)
    throw refuse('pool', "a pool of this governor, where needs is 'learn'", pool)
  const given = optionsObject(value, 'learning') ?? {}
  onlyKnown(given, KNOWN, 'learning')
  const { first, most, under, costs, tries = TRIES } = given as { [K in keyof LearningOptions]: unknown }
  const none = pool.names.map(() => undefined)
  return {
    pool,
    tokens: readTokens(buckets, session),
    first: first === undefined ? none : readAmounts(pool.names, first),
    most: most === undefined ? none : readAmounts(pool.names, most),
    under: under === undefined ? underFor(costs, tier) : readUnder(under),
    tries: count(tries, 'learning.tries', 1, TRIES_MAX)
  }
}

/**
 * How many runs may be granted too little, by the newsvendor's rule. A unit too much idles for as long as the run takes; too little costs the run once more: what it held, idling, twice that
 * the second time, and somebody's wait meanwhile. Where what a run takes has a Pareto tail, too little falling short by a part s on average, the
 * sum of both is least at s idling / (2 idling + waiting).
 */
export function underFor(costs: unknown, tier: number): number {
  const given = optionsObject(costs, 'learning.costs') ?? {}
  onlyKnown(given, ['waiting', 'idling'], 'learning.costs')
  const { waiting = WAIT_COSTS[tier] as number, idling = IDLE_COST } = given as { waiting?: unknown; idling?: unknown }
  const [wait, idle] = [readCost(waiting, 'waiting'), readCost(idling, 'idling')]
  if (wait + idle === 0) throw refuse('learning.costs', 'not both 0', costs)
  return Math.min(UNDER_MOST, Math.max(UNDER_LEAST, (SHORT_BY * idle) / (2 * idle + wait)))
}

function readCost(value: unknown, name: string): number {
  if (typeof value !== 'number' || !(value >= 0) || value > Number.MAX_SAFE_INTEGER)
    throw refuse(`learning.costs.${name}`, 'a number >= 0', value)
  return value
}

function readUnder(value: unknown): number {
  if (typeof value === 'number' && value >= UNDER_LEAST && value <= UNDER_MOST) return value
  throw refuse('learning.under', `a number from ${UNDER_LEAST} to ${UNDER_MOST}`, value)
}

function readTokens(value: unknown, session: Session): ReadLearning['tokens'] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw refuse('buckets', 'an array of buckets, or of [bucket, n]', value)
  return value.map((one: unknown, i) => {
    const [bucket, n] = Array.isArray(one) ? (one as unknown[]) : [one, 1]
    if (!bucketFaces.isBucket(bucket) || bucketFaces.sessionOf(bucket) !== session)
      throw refuse(`buckets[${i}]`, 'a bucket of this governor', one)
    if (typeof n !== 'number' || !(n > 0)) throw refuse(`buckets[${i}][1]`, 'a number > 0', n)
    return [bucket, n] as const
  })
}

/** What to do with a run that cannot be admitted at once. */
export type WhenFull = 'queue' | 'scale' | 'reject'

/** What is not there for a run, for whoever can bring more. */
export interface ScaleRequest {
  readonly workflow: string
  /** name of the tier */
  readonly tier: string
  /** the part that refused */
  readonly kind: 'lock' | 'pool' | 'bucket'
  readonly name: string
  /** what the run is to hold, by dimension: as learnt; else of the pool that refused, where it is one */
  readonly amounts: AmountsByName | undefined
  /** of a bucket: ms until it would grant its part */
  readonly waitMs: number | undefined
}

/** Called when there is no room for a run, and not again before what it returns has settled; the run queues meanwhile. */
export type OnScale = (request: ScaleRequest) => void | PromiseLike<void>

/** @throws ArgumentError */
export function readWhenFull(whenFull: unknown, onScale: unknown): { whenFull: WhenFull; onScale: OnScale | undefined } {
  const what = whenFull ?? 'queue'
  if (what !== 'queue' && what !== 'scale' && what !== 'reject') throw refuse('whenFull', "'queue', 'scale' or 'reject'", whenFull)
  if (what === 'scale') callback(onScale, 'onScale')
  else if (onScale !== undefined) throw refuse('onScale', "absent, unless whenFull is 'scale'", onScale)
  return { whenFull: what, onScale: onScale as OnScale | undefined }
}
