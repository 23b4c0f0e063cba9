import type { LockMode } from '../grant.js'

/** A time in ms that is not known exactly. */
export interface Percentiles {
  readonly p50: number
  readonly p95: number
}

/** Who holds or waits, as far as the arena knows. */
export interface ShadowParty {
  /** id of the JavaScript environment: `pid:participant:incarnation` */
  readonly client: string | undefined
  readonly pid: number | undefined
  readonly tid: number | undefined
  readonly tier: string
  readonly workflow: string | undefined
  readonly tenant: string | undefined
  /** of a lock */
  readonly mode: LockMode | undefined
  /** of a pool, by dimension */
  readonly amounts: Readonly<Record<string, number>> | undefined
  /** of a bucket */
  readonly tokens: number | undefined
}

/** What an expected duration was taken from: what the request itself says, what was measured of this element, or of all of its kind. */
export type Basis = 'declared' | 'element' | 'kind'

export interface ShadowHolder extends ShadowParty {
  /** ms since the grant; of a shared lock without a ttl since the request, which is the most that it can be */
  readonly ageMs: number
  /** ms that it will go on, as expected; undefined: nothing is known */
  readonly remaining: Percentiles | undefined
  readonly basis: Basis | undefined
  /** ms until its ttl ends it */
  readonly ttlMs: number | undefined
  /** it has been asked to give back */
  readonly recalled: boolean
}

export interface ShadowWaiter extends ShadowParty {
  /** ms since its arrival */
  readonly ageMs: number
  /** ms until it gives up */
  readonly timeoutMs: number | undefined
}

export interface ShadowDisplaced extends ShadowParty {
  /** a waiter that waits longer, or a holder that is asked to give back */
  readonly how: 'later' | 'recalled'
  /** ms longer, in the middle case; undefined: not known, or it would give up before */
  readonly laterMs: number | undefined
}

/** A plan that keeps a lock from the request. */
export interface ShadowPlan {
  readonly kind: 'hold'
  /** for requests of this tier and above */
  readonly tier: string
  readonly workflow: string | undefined
  readonly source: number
  /** ms from now */
  readonly until: number
}

/** What would become of a request, if it were made. Nothing was taken. */
export interface ShadowAnswer {
  /** as {@link Estimate.id}; unique on the host */
  readonly id: string
  readonly kind: 'lock' | 'bucket' | 'pool'
  readonly name: string
  /** the tier it would have, with the plans that raise it */
  readonly tier: string
  /** `refuse`: it can never be granted, or not in the time that it would wait */
  readonly verdict: 'grant' | 'wait' | 'refuse'
  /** probability that it would not be granted at once, 0 to 1 */
  readonly contention: number
  /** ms until the grant; 0 when it would be granted at once, undefined when nobody can know */
  readonly wait: { readonly p50: number | undefined; readonly p95: number | undefined }
  /** who waits and would be served before it, in that order */
  readonly ahead: readonly ShadowWaiter[]
  readonly holders: readonly ShadowHolder[]
  readonly displaced: readonly ShadowDisplaced[]
  /** plans that keep it from a lock now */
  readonly plans: readonly ShadowPlan[]
  /** false: so much happened meanwhile that the numbers are of several moments */
  readonly consistent: boolean
}

/** Several parts, all or nothing: see {@link Shadow.admit}. */
export interface ShadowAdmission {
  readonly id: string
  readonly verdict: ShadowAnswer['verdict']
  readonly contention: number
  readonly wait: ShadowAnswer['wait']
  /** in the order in which they would be asked for: locks, pools, buckets, each by name */
  readonly parts: readonly ShadowAnswer[]
}
