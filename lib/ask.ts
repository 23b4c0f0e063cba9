import { abortSignal, duration, onlyKnown, optionsObject, tierIndex } from './checks.js'
import { readName } from './request-names.js'
import type { Ask, Session } from './session.js'

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
}

/** And what one that may wait. */
export interface WaitOptions extends AskOptions {
  /** ms to wait at most, then the request is rejected with a `TimeoutError`; 0: do not wait; default: for ever */
  waitTimeout?: number | undefined
  /** ends the wait: the request is rejected with `signal.reason` */
  signal?: AbortSignal | undefined
}

export const ASK_KNOWN = ['tier', 'tenant', 'workflow', 'client'] as const
export const WAIT_KNOWN = [...ASK_KNOWN, 'waitTimeout', 'signal'] as const

/**
 * Reads each option once. The signal comes last: a getter before it may have aborted it.
 *
 * @throws ArgumentError
 */
export function readAsk(options: unknown, known: readonly string[], what: string, session: Session): Ask {
  const given = optionsObject(options, 'options')
  if (given === undefined) return session.plainAsk
  onlyKnown(given, known, what)
  const { tier, tenant, workflow, client, waitTimeout, signal } = given as { [K in keyof WaitOptions]: unknown }
  const { names } = session.waiting
  return {
    tier: tier === undefined ? session.plainAsk.tier : tierIndex(tier, session.tiers, 'tier'),
    tenant: names.of(readName(tenant, 'tenant')),
    workflow: names.of(readName(workflow, 'workflow')),
    client: names.of(readName(client, 'client')),
    timeout: waitTimeout === undefined ? Number.POSITIVE_INFINITY : duration(waitTimeout, 'waitTimeout'),
    signal: signal === undefined ? undefined : abortSignal(signal, 'signal')
  }
}
