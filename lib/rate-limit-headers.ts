import { onlyKnown, optionsObject, refuse, text } from './checks.js'
import { readPace } from './pace.js'

/** The policy that a limiter follows, as `RateLimit-Policy` publishes it; a bucket, or a family of buckets, is its own. */
export interface RateLimitPolicy {
  /** printable ASCII; it ties the two fields together */
  name: string
  /** tokens per `per` ms */
  rate: number
  /** ms; default 1,000 */
  per?: number | undefined
  /** tokens of a full bucket; default: the rate, rounded up */
  burst?: number | undefined
}

/** What `peek` of a bucket tells, or `tryTake`: without a `resetMs` the field says no time unless there is a wait. */
export interface RateLimitState {
  ok: boolean
  waitMs: number
  remaining: number
  limit?: number | undefined
  resetMs?: number | undefined
}

/**
 * Lower-case names, as Node and HTTP/2 have them. A type alias, for an interface is assignable neither to what `writeHead()` takes nor to
 * `HeadersInit`: it has no implicit index signature.
 */
export type RateLimitHeaders = {
  'ratelimit-policy': string
  ratelimit: string
  /** whole seconds; only of a refusal */
  'retry-after'?: string
}

const MS_PER_S = 1000
/** The largest Integer of a structured field (RFC 9651, section 3.3.1). */
const INTEGER_MAX = 999_999_999_999_999

/**
 * The response fields of a rate-limited request: `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11, List of
 * String items with parameters by RFC 9651) and for a refusal `Retry-After` in seconds (RFC 9110, section 10.2.3).
 *
 * A token bucket has no window. Its quota `q` is a full bucket, and its window `w` the seconds, rounded up, in which an empty one fills: so that
 * q / w is the rate or less. `r` is rounded down, and `t` up: the wait of a refusal, else the time until the bucket is full. In draft 11 `t` is
 * the time within which no more than `r` is to be used, in draft 10 it was the time until there is more quota; everything else is the same in
 * both. A client that believes them, by either, is not refused: it is slower than it need be, because a bucket gains all the time.
 *
 * @param state what else it has makes no difference @param policy of an option that it does not know it says so
 * @throws ArgumentError
 */
export function rateLimitHeaders(state: RateLimitState, policy: RateLimitPolicy): RateLimitHeaders {
  const read = readState(state)
  const { name, q, w } = readPolicy(policy, read.limit)
  const refused = !read.ok
  const retry = seconds(Math.max(read.waitMs, 0))
  const reset = refused ? retry : read.resetMs === undefined ? undefined : seconds(read.resetMs)
  return {
    'ratelimit-policy': `${name};q=${q};w=${w}`,
    ratelimit: `${name};r=${integer(read.remaining)}${reset === undefined ? '' : `;t=${reset}`}`,
    ...(refused && { 'retry-after': String(Math.max(1, retry)) })
  }
}

function readState(given: unknown): {
  ok: boolean
  waitMs: number
  remaining: number
  limit: number | undefined
  resetMs: number | undefined
} {
  const state = optionsObject(given, 'state')
  if (state === undefined) throw refuse('state', 'the answer of a bucket', given)
  const { ok, waitMs, remaining, limit, resetMs } = state as { [K in keyof RateLimitState]: unknown }
  if (typeof ok !== 'boolean') throw refuse('ok', 'true or false', ok)
  return {
    ok,
    waitMs: amount(waitMs, 'waitMs'),
    remaining: amount(remaining, 'remaining'),
    limit: limit === undefined ? undefined : amount(limit, 'limit'),
    resetMs: resetMs === undefined ? undefined : amount(resetMs, 'resetMs')
  }
}

function readPolicy(given: unknown, limit: number | undefined): { name: string; q: number; w: number } {
  const policy = optionsObject(given, 'policy')
  if (policy === undefined) throw refuse('policy', 'an object with a name and a rate', given)
  // A bucket is a policy, too, and has more than that.
  if (isLiteral(policy)) onlyKnown(policy, ['name', 'rate', 'per', 'burst'], 'policy')
  const { name, rate, per, burst } = policy as { [K in keyof RateLimitPolicy]: unknown }
  const pace = readPace(rate, per, burst)
  const size = limit ?? pace.burst
  return { name: string(text(name, 'name')), q: integer(size), w: Math.max(1, seconds((size * pace.per) / pace.rate)) }
}

function isLiteral(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** A String of structured fields: what is not printable ASCII cannot be in one. */
function string(name: string): string {
  if (!/^[\x20-\x7e]*$/.test(name)) throw refuse('name', 'a string of printable ASCII', name)
  return `"${name.replace(/["\\]/g, '\\$&')}"`
}

function amount(value: unknown, option: string): number {
  if (typeof value !== 'number' || !(value >= 0)) throw refuse(option, 'a number >= 0', value)
  return value
}

function seconds(ms: number): number {
  return Math.min(INTEGER_MAX, Math.ceil(ms / MS_PER_S))
}

function integer(value: number): number {
  return Math.min(INTEGER_MAX, Math.floor(value))
}
