/**
 * DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", VLDB 2019), with its
 * buckets laid open: merging is adding up counts by bucket, which every database does where the rows are. That is why no library holds
 * them: those keep a sketch as one opaque object.
 */
import { refuse } from '../checks.js'

/** Quantiles are within this share of the true value. */
export const RELATIVE_ERROR = 0.01

const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
const LOG_GAMMA = Math.log(GAMMA)
/** Doubles reach from bucket -37,222 to 35,490; the places of zero and of negative numbers are below that, so that buckets sort as values do. */
const ZERO = -40_000
const NEGATIVE = -80_000

/** The number of the bucket of a finite value. Buckets sort as the values in them. */
export function bucketOf(value: number): number {
  if (value > 0) return Math.ceil(Math.log(value) / LOG_GAMMA)
  if (value === 0) return ZERO
  return NEGATIVE - Math.ceil(Math.log(-value) / LOG_GAMMA)
}

/** A value within {@link RELATIVE_ERROR} of all that are in the bucket. */
export function valueIn(bucket: number): number {
  if (bucket > ZERO) return middle(bucket)
  return bucket === ZERO ? 0 : -middle(NEGATIVE - bucket)
}

function middle(bucket: number): number {
  return (2 * GAMMA ** bucket) / (GAMMA + 1)
}

/** Counts by bucket, of one sketch or of several put together. */
export type Counts = Map<number, number>

/**
 * The value at a quantile: of the n values in order the one of rank ceil(q n), at least the first, as `percentile_disc` of SQL has it. Within
 * {@link RELATIVE_ERROR} of it, and within what was seen.
 *
 * @param q 0 to 1
 */
export function quantile(counts: Counts, q: number, low = -Infinity, high = Infinity): number | undefined {
  return counts.size === 0 ? undefined : quantilesOf(counts, [q], low, high)[0]
}

/** The same for several of them, of a sketch that is not empty: its buckets are put in order once. */
export function quantilesOf(counts: Counts, qs: readonly number[], low = -Infinity, high = Infinity): number[] {
  const buckets = Float64Array.from(counts.keys()).sort()
  const reached = new Float64Array(buckets.length)
  let total = 0
  for (const [at, bucket] of buckets.entries()) {
    total += counts.get(bucket) as number
    reached[at] = total
  }
  return qs.map(q => {
    const rank = Math.max(1, Math.ceil(q * total))
    const at = reached.findIndex(seen => seen >= rank)
    return Math.min(Math.max(valueIn(buckets[at]), low), high)
  })
}

/** @throws ArgumentError */
export function checkQuantiles(quantiles: unknown): void {
  if (!Array.isArray(quantiles)) throw refuse('quantiles', 'an array of numbers from 0 to 1', quantiles)
  for (const q of quantiles) if (!(q >= 0 && q <= 1)) throw refuse('quantiles', 'numbers from 0 to 1', q)
}
