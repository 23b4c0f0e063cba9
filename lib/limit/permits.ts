import { isDeepStrictEqual } from 'node:util'
import type { Allocation } from '../allocation.js'
import { BusyError, ConfigError } from '../errors/index.js'
import type { Session } from '../session.js'
import { AdaptiveLimit } from './adaptive.js'
import { type AdaptTerms, readAdaptOptions } from './options.js'

/** The permits of one semaphore, as far as they can be watched and set. */
export interface Permits {
  readonly name: string
  readonly permits: number
  readonly held: number
  resize(permits: number): void
}

interface Adapting {
  readonly terms: AdaptTerms
  readonly limit: AdaptiveLimit
}

/** What each environment adapts, by name. */
const adapting = new WeakMap<Session, Map<string, Adapting>>()

/** The limit of a semaphore that this environment adapts; undefined: it does not. */
export function limitOf(session: Session, name: string): AdaptiveLimit | undefined {
  return adapting.get(session)?.get(name)?.limit
}

/**
 * Adapts a semaphore in this environment: by one limit, however often the semaphore is asked for.
 *
 * @throws ArgumentError; ConfigError if it adapts by other options already
 */
export function adapt(session: Session, permits: Permits, options: unknown): AdaptiveLimit {
  const terms = readAdaptOptions(options, permits.permits)
  const all = adapting.get(session) ?? new Map<string, Adapting>()
  adapting.set(session, all)
  const known = all.get(permits.name)
  if (known !== undefined) {
    if (isDeepStrictEqual(known.terms, terms)) return known.limit
    throw new ConfigError(`semaphore ${JSON.stringify(permits.name)} adapts by other options already`, {
      option: 'adapt',
      stored: known.terms,
      given: terms
    })
  }
  const limit = new AdaptiveLimit(terms, {
    now: () => session.binding.now(),
    random: Math.random,
    current: () => permits.permits,
    apply: to => permits.resize(to)
  })
  all.set(permits.name, { terms, limit })
  session.leaving.push(() => unlessBusy(() => limit.close()))
  return limit
}

/** Lets the limit learn from how the allocation ends. */
export function measure(limit: AdaptiveLimit, session: Session, permits: Permits, allocation: Allocation): Allocation {
  const start = session.binding.now()
  const inFlight = permits.held
  return allocation.whenEnded(how => {
    // After the governor has closed nothing can be put in force any more.
    if (session.joined) unlessBusy(() => limit.ended(how, start, inFlight))
  })
}

/** Another thread stays inside the pool: the next window puts the limit in force. */
function unlessBusy(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof BusyError)) throw error
  }
}
