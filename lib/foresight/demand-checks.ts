import type { Forecast } from '../predict/forecaster.js'
import type { Steps } from './steps.js'
import type { Measure, SubjectKind } from './subject.js'

/** A curve of demand, in words. */
export interface DemandSubject {
  readonly kind: SubjectKind
  /** empty: all */
  readonly name: string
  /** of a pool */
  readonly dimension: string | undefined
  /** name; undefined: all tiers */
  readonly tier: string | undefined
  readonly measure: Measure | 'used'
}

/** What was said of one step of demand, and what came. Sums are a second's, for steps are of different lengths; times in ms since the Unix epoch. */
export interface DemandOutcome extends DemandSubject {
  readonly made: number
  /** when the step ended */
  readonly due: number
  /** the middle */
  readonly value: number
  /** the outermost quantiles that were asked for; undefined: there were not two */
  readonly low: number | undefined
  readonly high: number | undefined
  readonly truth: number
  /** mean pinball loss of the quantiles (Koenker and Bassett, 1978), of none that of the middle */
  readonly score: number
}

interface Check {
  readonly subject: DemandSubject
  readonly stepsOf: () => Steps
  /** ms since the Unix epoch at which the step is over */
  readonly due: number
  /** number of the step */
  readonly step: number
  readonly made: number
  readonly value: number
  readonly levels: readonly number[]
  readonly quantiles: readonly number[]
}

interface Watched {
  /** steps ahead of what is looked at next */
  lead: number
  /** undefined: nothing is waited for */
  open: Check | undefined
}

/** Curves that are watched; of more, those that were asked for last. */
const CURVES_MAX = 128
/** ms after which what came has been told of. */
const LATE_MS = 1_000
const MIDDLE = 0.5

/**
 * Keeps what is said of demand until it has come: of each curve one step at a time, the first one ahead, then the second, the fourth and so on up to the horizon, and
 * from the beginning. So it is a row at most for each curve and step of time, however often somebody asks.
 */
export class DemandChecks {
  readonly #watched = new Map<string, Watched>()

  /**
   * It was said of a curve.
   *
   * @param stepsOf its steps, with all that came until then
   * @param first number of the first step that is foretold
   * @param now ms
   */
  expect(key: string, subject: DemandSubject, stepsOf: () => Steps, first: number, forecast: Forecast, now: number): void {
    const watched = this.#watched.get(key) ?? { lead: 1, open: undefined }
    // Last, so that the first is the one that was asked for longest ago.
    this.#watched.delete(key)
    this.#watched.set(key, watched)
    if (this.#watched.size > CURVES_MAX) for (const oldest of this.#watched.keys()) if (this.#watched.delete(oldest)) break
    if (watched.open !== undefined) return
    const { horizon, point, levels, quantiles } = forecast
    const lead = watched.lead > horizon ? 1 : watched.lead
    watched.lead = 2 * lead
    watched.open = {
      subject,
      stepsOf,
      step: first + lead - 1,
      due: (first + lead) * stepsOf().step,
      made: now,
      value: point[lead - 1] as number,
      levels,
      quantiles: quantiles.map(line => line[lead - 1] as number)
    }
  }

  /** What was said of these curves, and has not come yet. */
  forget(isOf: (key: string) => boolean): void {
    for (const key of [...this.#watched.keys()]) if (isOf(key)) this.#watched.delete(key)
  }

  /** What is known by now of what was said. @param now ms */
  settle(now: number): DemandOutcome[] {
    const known: DemandOutcome[] = []
    for (const watched of this.#watched.values()) {
      const { open } = watched
      if (open === undefined || open.due > now - LATE_MS) continue
      watched.open = undefined
      const steps = open.stepsOf()
      const truth = steps.at(open.step, now)
      // It is too long ago to be known still.
      if (truth !== undefined) known.push(outcomeOf(open, steps, truth))
    }
    return known
  }
}

function outcomeOf({ subject, due, made, value, levels, quantiles }: Check, steps: Steps, truth: number): DemandOutcome {
  const rate = steps.take === 'sum' ? 1_000 / steps.step : 1
  const two = levels.length >= 2
  return {
    ...subject,
    made,
    due,
    value: rate * value,
    low: two ? rate * (quantiles[0] as number) : undefined,
    high: two ? rate * (quantiles[quantiles.length - 1] as number) : undefined,
    truth: rate * truth,
    score: rate * (levels.length === 0 ? loss(MIDDLE, value, truth) : meanLoss(levels, quantiles, truth))
  }
}

function meanLoss(levels: readonly number[], quantiles: readonly number[], truth: number): number {
  return levels.reduce((sum, level, i) => sum + loss(level, quantiles[i] as number, truth) / levels.length, 0)
}

function loss(level: number, quantile: number, truth: number): number {
  return truth >= quantile ? level * (truth - quantile) : (1 - level) * (quantile - truth)
}
