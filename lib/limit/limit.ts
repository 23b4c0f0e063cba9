/** What one window of work looked like: the mean of many holds, or a single one. */
export interface Sample {
  /** ms that the work took, without the wait for a permit; > 0 and finite */
  readonly rttMs: number
  /** the most permits that were held at the same time; >= 0 and finite */
  readonly inFlight: number
  /** whether work was given up because of overload or lack of time */
  readonly dropped: boolean
  /** when it began, in ns of the clock that times it; no algorithm here needs it */
  readonly startNs?: number | undefined
  /**
   * The limit in force, where that is not what `onSample` returned last (shadow: the loop is open). An algorithm then starts each step from it,
   * since the measurements came about under it, and does not probe.
   */
  readonly limit?: number | undefined
}

/** What an algorithm knows beyond its limit; undefined is what it does not measure. */
export interface Insight {
  /** the factor that the last measurement asked for, 0.5 to 1; 1 and no drop: room to grow */
  readonly gradient: number | undefined
  /** ms that the work takes without a queue, as learnt */
  readonly baselineMs: number | undefined
  /** whether the limit is lowered for the moment, to measure that */
  readonly probing: boolean
}

/**
 * An algorithm that learns how much work at once is good, from how long it took. It knows neither time nor permits, and never blocks: the gate
 * ({@link Semaphore}) asks nothing of it, it is told what happened and says a number.
 */
export interface Limit {
  /** what it holds to be right: whole, from floor to ceiling; not lowered by a probe */
  readonly limit: number
  /** Learns; returns what is to be in force until the next sample: `limit`, or less in a probe. A sample that {@link isUsable} refuses changes nothing. */
  onSample(sample: Sample): number
  /** Goes on from here, as when somebody else has changed the limit. A probe under way ends. */
  reset(limit: number): void
  readonly insight: Insight
}

/**
 * Whether a sample can be learnt from. NaN, infinite and negative numbers cannot; neither can 0 ms, which is not a measurement but the end of
 * the clock's resolution.
 */
export function isUsable({ rttMs, inFlight, limit }: Pick<Sample, 'rttMs' | 'inFlight' | 'limit'>): boolean {
  return rttMs > 0 && rttMs < Number.POSITIVE_INFINITY && isCount(inFlight) && (limit === undefined || isCount(limit))
}

function isCount(value: number): boolean {
  return value >= 0 && value < Number.POSITIVE_INFINITY
}
