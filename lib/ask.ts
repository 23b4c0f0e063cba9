import type { Booker } from './booker.js'
import { abortSignal, duration, onlyKnown, optionsObject, tierIndex } from './checks.js'
import { bookerAround } from './enclosing.js'
import { readName } from './request-names.js'
import type { Session } from './session.js'
import { readWithin, type Within } from './terms.js'

/** What any request at a bucket or a pool may say. */
export interface AskOptions {
  /** name of a tier of the arena; default `standard`, or the lowest where there is no such tier */
  tier?: string | undefined
  /** whose work it is; in a pool, tenants get equal shares, by their weights */
  tenant?: string | undefined
  /** what work it is; plans may raise it */
  workflow?: string | undefined
  /** on whose behalf; for telemetry */
  client?: string | undefined
  /** the run of a workflow that it is booked to, besides the one whose callback runs around the call; grants make no difference here */
  within?: Within | undefined
}

/** And what one that may wait. */
export interface WaitOptions extends AskOptions {
  /** ms to wait at most, then the request is rejected with a `TimeoutError`; 0: do not wait; default: for ever */
  waitTimeout?: number | undefined
  /** ends the wait: the request is rejected with `signal.reason` */
  signal?: AbortSignal | undefined
}

/** A request at a bucket or a pool, in numbers. */
export interface Ask {
  readonly tier: number
  /** ids of names, 0 none */
  readonly tenant: number
  readonly workflow: number
  readonly client: number
  readonly booker: Booker | undefined
  /** ms, Infinity: none */
  readonly timeout: number
  readonly signal: AbortSignal | undefined
}

export const ASK_KNOWN = ['tier', 'tenant', 'workflow', 'client', 'within'] as const
export const WAIT_KNOWN = [...ASK_KNOWN, 'waitTimeout', 'signal'] as const

/**
 * Reads each option once. The signal comes last: a getter before it may have aborted it.
 *
 * @throws ArgumentError
 */
export function readAsk(options: unknown, known: readonly string[], what: string, session: Session): Ask {
  const given = optionsObject(options, 'options')
  const around = bookerAround(session)
  if (given === undefined && around === undefined) return session.plainAsk
  if (given !== undefined) onlyKnown(given, known, what)
  const { tier, tenant, workflow, client, within, waitTimeout, signal } = (given ?? {}) as { [K in keyof WaitOptions]: unknown }
  const { names } = session.waiting
  const booker = (within === undefined ? undefined : readWithin(within, session).booker) ?? around
  const otherwise = booker?.requestNames
  return {
    tier: tier === undefined ? (booker?.tierIndex ?? session.plainAsk.tier) : tierIndex(tier, session.tiers, 'tier'),
    tenant: tenant === undefined ? (otherwise?.tenant ?? 0) : names.of(readName(tenant, 'tenant')),
    workflow: workflow === undefined ? (otherwise?.workflow ?? 0) : names.of(readName(workflow, 'workflow')),
    client: client === undefined ? (otherwise?.client ?? 0) : names.of(readName(client, 'client')),
    booker,
    timeout: waitTimeout === undefined ? Number.POSITIVE_INFINITY : duration(waitTimeout, 'waitTimeout'),
    signal: signal === undefined ? undefined : abortSignal(signal, 'signal')
  }
}
