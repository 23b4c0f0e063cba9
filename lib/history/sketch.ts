/**
 * DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", VLDB 2019), with its
 * buckets laid open: merging is adding up counts by bucket, which every database does where the rows are. That is why no library holds
 * them: those keep a sketch as one opaque object.
 */

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
  let total = 0
  for (const count of counts.values()) total += count
  if (total === 0) return undefined
  const rank = Math.max(1, Math.ceil(q * total))
  let seen = 0
  let bucket = 0
  for (const [at, count] of [...counts].sort(([a], [b]) => a - b)) {
    seen += count
    bucket = at
    if (seen >= rank) break
  }
  return Math.min(Math.max(valueIn(bucket), low), high)
}
