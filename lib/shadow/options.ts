import { duration, onlyKnown, optionsObject, tierIndex } from '../checks.js'
import type { LockMode } from '../grant.js'
import { RequestBit, UNITS_MAX } from '../native/binding.js'
import { fromNative } from '../native/codes.js'
import { readLabels } from '../pool-terms.js'
import { readName } from '../request-names.js'
import type { Session } from '../session.js'
import { readMode, readTtl, type Terms, TIER_MASK } from '../terms.js'

/** What any shadow request may say: what the request itself would, and when it would be made. */
export interface ShadowOptions {
  /** name of a tier; default that of the request */
  tier?: string | undefined
  workflow?: string | undefined
  tenant?: string | undefined
  client?: string | undefined
  /** ms that it would wait at most; 0: it would not */
  waitTimeout?: number | undefined
  /** ms that it would hold; default: as others were measured to */
  hold?: number | undefined
  /** ms from now until it would be made; default 0, now */
  in?: number | undefined
}

export interface LockShadowOptions extends ShadowOptions {
  mode?: LockMode | undefined
  ttl?: number | undefined
}

export interface PoolShadowOptions extends ShadowOptions {
  /** labels that the pool must have */
  labels?: readonly string[] | undefined
}

/** The same in numbers. */
export interface ShadowAsk {
  readonly tier: number
  readonly shared: boolean
  /** number of its name, 0: it has none, {@link NOBODY} one that nobody has used */
  readonly workflow: number
  readonly tenant: number
  /** ms, Infinity: none */
  readonly timeout: number
  readonly ttl: number
  /** ms, 0 unknown */
  readonly hold: number
  readonly in: number
  readonly labels: readonly string[]
}

/** A number that no name of the arena has. */
export const NOBODY = 0xffffffff

const COMMON = ['tier', 'workflow', 'tenant', 'client', 'waitTimeout', 'hold', 'in'] as const
export const LOCK_SHADOW_KNOWN = [...COMMON, 'mode', 'ttl'] as const
export const POOL_SHADOW_KNOWN = [...COMMON, 'labels'] as const
export const SHADOW_KNOWN = COMMON
/** What a time from now may be: longer than any wait is worth asking about, and far below what the arena can count. */
const IN_MAX_MS = UNITS_MAX / 1e6

/**
 * Reads each option once; one that is not given is that of the defaults. Names are looked for, not made: a shadow request leaves nothing.
 *
 * @throws ArgumentError, CorruptError
 */
export function readShadow(session: Session, options: unknown, known: readonly string[], what: string, defaults: ShadowAsk): ShadowAsk {
  const given = optionsObject(options, 'options')
  if (given === undefined) return defaults
  onlyKnown(given, known, what)
  const {
    tier,
    workflow,
    tenant,
    client,
    waitTimeout,
    hold,
    in: comes,
    mode,
    ttl,
    labels
  } = given as {
    [K in keyof (LockShadowOptions & PoolShadowOptions)]: unknown
  }
  readName(client, 'client')
  return {
    tier: tier === undefined ? defaults.tier : tierIndex(tier, session.tiers, 'tier'),
    shared: mode === undefined ? defaults.shared : readMode(mode) !== 0,
    workflow: workflow === undefined ? defaults.workflow : idOf(session, readName(workflow, 'workflow')),
    tenant: tenant === undefined ? defaults.tenant : idOf(session, readName(tenant, 'tenant')),
    timeout: waitTimeout === undefined ? defaults.timeout : duration(waitTimeout, 'waitTimeout'),
    ttl: ttl === undefined ? defaults.ttl : readTtl(ttl) || Number.POSITIVE_INFINITY,
    hold: hold === undefined ? defaults.hold : duration(hold, 'hold'),
    in: comes === undefined ? defaults.in : Math.min(duration(comes, 'in'), IN_MAX_MS),
    labels: labels === undefined ? defaults.labels : readLabels(labels, 'labels')
  }
}

/** What a request that says nothing asks for. */
export function plainShadow(session: Session): ShadowAsk {
  return {
    tier: session.plainAsk.tier,
    shared: false,
    workflow: 0,
    tenant: 0,
    timeout: Number.POSITIVE_INFINITY,
    ttl: Number.POSITIVE_INFINITY,
    hold: 0,
    in: 0,
    labels: []
  }
}

/** What a lock asks for unless the shadow request says otherwise. */
export function shadowOfLock(session: Session, { request, timeout, ttl, names }: Terms): ShadowAsk {
  return {
    ...plainShadow(session),
    tier: request & TIER_MASK,
    shared: (request & RequestBit.Shared) !== 0,
    workflow: names?.workflow ?? 0,
    tenant: names?.tenant ?? 0,
    timeout,
    ttl: ttl > 0 ? ttl : Number.POSITIVE_INFINITY,
    hold: names?.hold ?? 0
  }
}

/** The number of a name, without giving it one. */
export function idOf(session: Session, name: string | undefined): number {
  if (name === undefined) return 0
  try {
    return session.binding.findName(name) || NOBODY
  } catch (error) {
    throw fromNative(error, name)
  }
}
