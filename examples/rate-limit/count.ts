import type { Log, Moments } from './messages.js'

/** What a limit let through between two refusals. Times in ns. */
export interface Count {
  /** from the first of the two refusals to the second */
  readonly time: number
  /** admitted in between for certain, and at most: of some it is not known on which side of a refusal they were */
  readonly least: number
  readonly most: number
  /** the longest time without any refusal; the bucket was never full in between if it takes longer to fill */
  readonly longestGap: number
}

interface Moment {
  readonly before: number
  readonly after: number
}

/** A refusal within so many ns says well enough when the bucket was empty. */
const SHARP_NS = 100_000

/**
 * Counts between the first and the last refusal whose time is known sharply. At a refusal the bucket holds less than one token, so it gave what came in
 * between, rate * time, give or take one, as long as it was never full: then tokens are discarded.
 *
 * @throws Error if there are no two such refusals
 */
export function countBetweenRefusals(logs: readonly Log[]): Count {
  const refused = inOrder(logs.map(log => log.refused))
  const sharp = refused.filter(({ before, after }) => after - before < SHARP_NS)
  const [first, last] = [sharp[0], sharp.at(-1)]
  if (first === undefined || last === undefined || first === last) throw new Error('the load was below the limit: nothing was refused')
  const admitted = inOrder(logs.map(log => log.admitted))
  const between = refused.filter(({ after }) => after >= first.after && after <= last.after)
  return {
    time: last.before - first.before,
    least: admitted.filter(({ before, after }) => before > first.after && after < last.before).length,
    most: admitted.filter(({ before, after }) => after >= first.before && before <= last.after).length,
    longestGap: between.reduce((longest, { after }, i) => Math.max(longest, after - (between[i - 1]?.before ?? after)), 0)
  }
}

function inOrder(of: readonly Moments[]): Moment[] {
  const moments = of.flatMap(times =>
    Array.from({ length: times.length / 2 }, (_, i) => ({ before: times[2 * i], after: times[2 * i + 1] }))
  )
  return moments.sort((a, b) => a.after - b.after)
}
