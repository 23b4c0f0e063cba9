import { refuse } from './checks.js'
import { ArgumentError } from './errors/index.js'
import { NS_PER_MS } from './units.js'

/** What a token bucket gives: `rate` tokens per `per` ms, and up to `burst` at once. */
export interface Pace {
  readonly rate: number
  readonly per: number
  readonly burst: number
}

/** The answer to a request for tokens. A refusal is data, not an error. */
export interface Taken {
  readonly ok: boolean
  /** ms until it would be granted if nobody else came; 0 when it was */
  readonly waitMs: number
  /** whole tokens left */
  readonly remaining: number
}

/** A look at a bucket: what {@link Taken} would say now, and what the bucket is. */
export interface BucketState extends Taken {
  /** tokens of a full bucket */
  readonly limit: number
  /** ms until it is full */
  readonly resetMs: number
}

/** ms that rates are counted by unless they say otherwise. */
const PER_DEFAULT_MS = 1000

// What one word has room for (native/core/gcra.h): 100 million tokens a second to one in a hundred years.
const SHORTEST_NS = 10
const LONGEST_NS = 3.2e18

/**
 * Reads a rate; `burst` is by default the rate, rounded up.
 *
 * @throws ArgumentError
 */
export function readPace(rate: unknown, per: unknown, burst: unknown): Pace {
  const tokens = positive(rate, 'rate', 'a number of tokens > 0')
  const ms = per === undefined ? PER_DEFAULT_MS : positive(per, 'per', 'a number of milliseconds > 0')
  const between = (ms * NS_PER_MS) / tokens
  if (!(between >= SHORTEST_NS && between <= LONGEST_NS)) {
    throw new ArgumentError(`rate must be at most 100 million a second and at least one in 100 years, not ${tokens} per ${ms} ms`, {
      option: 'rate',
      given: rate
    })
  }
  const size = burst === undefined ? Math.ceil(tokens) : burst
  if (typeof size !== 'number' || !(size >= 1) || size === Number.POSITIVE_INFINITY) throw refuse('burst', 'a number of tokens >= 1', burst)
  return { rate: tokens, per: ms, burst: size }
}

/** The error for a burst that takes so long to come back that no word can hold it. */
export function burstTooLarge(pace: Pace): ArgumentError {
  return new ArgumentError(`burst = ${pace.burst} is more than a bucket of ${pace.rate} per ${pace.per} ms can hold`, {
    option: 'burst',
    given: pace.burst
  })
}

/** A number of tokens to take or give back. What a bucket can hold is for the bucket to say. */
export function tokenCount(value: unknown): number {
  if (!isPositive(value)) throw noTokens(value)
  return value
}

/** The error for what is no number of tokens. */
export function noTokens(value: unknown): ArgumentError {
  return refuse('n', 'a finite number of tokens > 0', value)
}

export function isPositive(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY
}

function positive(value: unknown, option: string, expected: string): number {
  if (!isPositive(value)) throw refuse(option, expected, value)
  return value
}
