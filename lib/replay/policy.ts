import type { Plan } from '../plans.js'
import type { TraceRequest, Workload } from './trace.js'

/** A request as it comes: without what only its end tells. */
export type Arrival = Omit<TraceRequest, 'duration' | 'peak'>

/** A request that is over, with all that there is to be learnt from it. */
export interface Ended extends TraceRequest {
  /** ms that it waited, at its last try */
  readonly waited: number
  /** what it was granted at its last try */
  readonly granted: readonly number[]
}

/** What a policy sees. */
export interface View {
  /** ms from the start */
  readonly now: number
  /** ms between two calls of `onPeriod` */
  readonly period: number
  /** the part of things that plans may keep from lower tiers */
  readonly maxReserve: number
  readonly workload: Workload
  /** Writes a plan; its times count from when it takes force, `lag` periods after now. One that the core has no place for is counted, no error. */
  write(plan: Plan): void
  /** Units of the first dimension that a tier holds; without one, that all hold together. */
  used(pool: string, tier?: string): number
  /** Requests that wait, at the pool, bucket or lock. */
  waiting(thing: string, tier: string): number
  /** ms for which the plans of a source kept something from somebody. */
  lost(source: number): number
  /** What comes within `ahead` ms, in its order; nothing for those who do not know the future. */
  coming(): Iterable<Arrival>
}

/** Writes plans, and may do nothing else. One is made for each replay. */
export interface Policy {
  readonly name: string
  /** ms for which it knows the arrivals; default 0, as is everybody's who is no oracle */
  readonly ahead?: number
  /** periods from the data to the plan in force; default 1 */
  readonly lag?: number
  /** `maxReserve` of the arena, 0 to 1; default that of any arena */
  readonly maxReserve?: number
  /** What is kept free for the top tier all the time, as a setting and no plan: units of the first dimension, by pool. */
  reserves?(workload: Workload): ReadonlyMap<string, number>
  /** Before the first request, and then each period. */
  onPeriod?(view: View): void
  onArrival?(arrival: Arrival, view: View): void
  onEnd?(ended: Ended, view: View): void
  /** Of a workload that is sized: what a request asks for, instead of what was recorded; undefined: that. */
  size?(arrival: Arrival): readonly number[] | undefined
}

export interface PolicySeed {
  /** what a policy draws its random numbers from */
  readonly seed: number
}

/** Makes a policy for one replay of a workload. */
export type PolicyFactory = (workload: Workload, options: PolicySeed) => Policy
