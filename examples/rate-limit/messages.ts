import type { RateLimitPolicy } from '../../lib/index.js'

/** The one limit that all processes share. */
export const POLICY = { name: 'api', rate: 500, per: 1000, burst: 500 } as const satisfies RateLimitPolicy

/**
 * When answers of one kind were given, in ns on the clock of the arena, which is the bucket's and one for all processes. Two numbers an answer:
 * just before the bucket was asked, and just after.
 */
export type Moments = readonly number[]

/** What one process has answered. */
export interface Log {
  readonly admitted: number[]
  readonly refused: number[]
}
