import { Booker } from './booker.js'
import { abortSignal, duration, onlyKnown, refuse, tierIndex } from './checks.js'
import { bookerAround } from './enclosing.js'
import { ArgumentError } from './errors/index.js'
import { type Grant, grants, type LockMode } from './grant.js'
import { RequestBit } from './native/binding.js'
import { type RequestNames, readNames } from './request-names.js'
import type { PlainTerms, Session } from './session.js'

/** What a lock asks for unless the request says otherwise. */
export interface LockDefaults {
  /** `exclusive` (default) or `shared` */
  mode?: LockMode | undefined
  /** name of a tier of the arena; default `standard`, or the lowest where there is no such tier */
  tier?: string | undefined
  /** ms to wait at most, then the request is rejected with a `TimeoutError`; 0: do not wait; default: for ever */
  waitTimeout?: number | undefined
  /** ms to hold at most, up to 2^30 (12 days), counted in whole ms, rounded up: then `grant.signal` aborts and the lock passes on; default: no limit */
  ttl?: number | undefined
  /** on whose behalf: for telemetry, and for plans that concern it */
  workflow?: string | undefined
  tenant?: string | undefined
  client?: string | undefined
  /** ms that the lock is expected to be held: where a plan keeps it for somebody expected later, a request that will be done before may go */
  hold?: number | undefined
  /** runs the lock dry: a request that would wait or be refused is granted, and counted; default as `open({ shadow })` */
  shadow?: boolean | undefined
}

/** What a request belongs to: grants, and the run of a workflow. */
export type Within = Grant | Booker | readonly (Grant | Booker)[]

/** What can be said of a request that does not wait. */
export interface TryOptions extends Omit<LockDefaults, 'waitTimeout' | 'shadow'> {
  /** the grants that this one belongs to, and the run it is booked to, besides those whose callbacks run around the call */
  within?: Within | undefined
  /** @internal takes the lock from its holders, as the Web Locks API has it; exclusive only */
  steal?: boolean | undefined
}

export interface AcquireOptions extends TryOptions {
  waitTimeout?: number | undefined
  /** ends the wait: the request is rejected with `signal.reason` */
  signal?: AbortSignal | undefined
}

/** Of a request that does not wait. */
export const TRY_KNOWN = ['mode', 'tier', 'ttl', 'workflow', 'tenant', 'client', 'hold', 'within', 'steal'] as const
/** Of one that may. */
export const REQUEST_KNOWN = [...TRY_KNOWN, 'waitTimeout', 'signal'] as const

/** 12 days: an element keeps the end of a ttl in 32 bits. */
const TTL_MAX_MS = 2 ** 30

export const TIER_MASK = 3
const KIND_MASK = RequestBit.Shared | RequestBit.Steal

/** A request in numbers. */
export interface Terms {
  /** tier | RequestBit */
  readonly request: number
  /** ms, Infinity: none */
  readonly timeout: number
  /** whole ms, 0: none */
  readonly ttl: number
  readonly within: readonly Grant[] | undefined
  readonly booker: Booker | undefined
  readonly signal: AbortSignal | undefined
  readonly names: RequestNames | undefined
}

/** Reads what `gov.lock()` is told. */
export function readDefaults(defaults: object, session: Session): Terms {
  onlyKnown(defaults, ['mode', 'tier', 'waitTimeout', 'ttl', 'workflow', 'tenant', 'client', 'hold', 'shadow'], 'lock()')
  return readTerms(defaults, session.plainTerms, session)
}

/**
 * Reads each option once, so that a getter cannot answer twice differently. The signal comes last: a getter before it may
 * have aborted it.
 *
 * @throws ArgumentError
 */
export function readTerms(options: object, defaults: Terms, session: Session): Terms {
  const { mode, tier, waitTimeout, ttl, within, steal, workflow, tenant, client, hold, signal } = options as {
    [K in keyof AcquireOptions]: unknown
  }
  const belongs = within === undefined ? undefined : readWithin(within, session)
  const booker = belongs?.booker ?? bookerAround(session)
  const unnamed = workflow === undefined && tenant === undefined && client === undefined && hold === undefined
  const onlyTier =
    unnamed &&
    mode === undefined &&
    waitTimeout === undefined &&
    ttl === undefined &&
    within === undefined &&
    booker === undefined &&
    steal === undefined &&
    signal === undefined &&
    tier !== undefined
  // The commonest options, whose terms are there already.
  if (onlyTier && defaults === session.plainTerms) return session.plainTermsOf[tierIndex(tier, session.tiers, 'tier')] as PlainTerms
  const known = booker?.requestNames ?? defaults.names
  const names = unnamed ? known : readNames(session.waiting.names, workflow, tenant, client, hold, known)
  const terms = {
    request: readTier(tier, booker?.tierIndex ?? defaults.request & TIER_MASK, session) | readKind(mode, steal, defaults),
    timeout: waitTimeout === undefined ? defaults.timeout : duration(waitTimeout, 'waitTimeout'),
    ttl: ttl === undefined ? defaults.ttl : readTtl(ttl),
    within: belongs === undefined ? defaults.within : belongs.grants,
    booker,
    signal: signal === undefined ? defaults.signal : abortSignal(signal, 'signal'),
    names
  }
  if (names !== undefined) terms.request |= RequestBit.Named
  if (mayWaitInCohort(terms)) terms.request |= RequestBit.Cohort
  return terms
}

/** Only what asks for nothing that the arena alone can do may wait outside of it. */
function mayWaitInCohort({ request, timeout, ttl }: Pick<Terms, 'request' | 'timeout' | 'ttl'>): boolean {
  return (request & KIND_MASK) === 0 && ttl === 0 && timeout === Number.POSITIVE_INFINITY
}

function readTier(tier: unknown, otherwise: number, session: Session): number {
  return tier === undefined ? otherwise : tierIndex(tier, session.tiers, 'tier')
}

function readKind(mode: unknown, steal: unknown, defaults: Terms): number {
  const kind = mode === undefined ? defaults.request & KIND_MASK : readMode(mode)
  if (steal === undefined || steal === false) return kind
  if (steal !== true) throw refuse('steal', 'true or false', steal)
  if ((kind & RequestBit.Shared) !== 0) throw new ArgumentError('steal is for exclusive mode only', { option: 'steal', given: true })
  return kind | RequestBit.Steal
}

export function readMode(mode: unknown): number {
  if (mode === 'exclusive') return 0
  if (mode === 'shared') return RequestBit.Shared
  throw refuse('mode', "'exclusive' or 'shared'", mode)
}

export function readTtl(value: unknown): number {
  const ttl = duration(value, 'ttl')
  if (ttl === Number.POSITIVE_INFINITY) return 0
  if (ttl === 0 || ttl > TTL_MAX_MS) throw refuse('ttl', `a number of milliseconds > 0 and <= ${TTL_MAX_MS}, or Infinity`, value)
  return Math.ceil(ttl)
}

/** What `within` says: the grants, and the first run. */
export function readWithin(value: unknown, session: Session): { grants: readonly Grant[] | undefined; booker: Booker | undefined } {
  const given: readonly unknown[] = Array.isArray(value) ? Array.from(value) : [value]
  const found: Grant[] = []
  let booker: Booker | undefined
  for (const one of given) {
    if (!(one instanceof Booker) && !grants.isGrant(one)) throw refuse('within', 'a grant, a run of a workflow, or an array of such', one)
    const of = one instanceof Booker ? one.session : grants.elementOf(one).session
    if (of.binding !== session.binding) {
      throw new ArgumentError('within: what is given belongs to another arena', { option: 'within', given: one })
    }
    if (one instanceof Booker) booker ??= one
    else found.push(one)
  }
  return { grants: found.length === 0 ? undefined : found, booker }
}
