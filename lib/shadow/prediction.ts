import type { ForecastPoint, Quantiles90 } from './forecast.js'

/** What was said of a run at one point, and what it did then. */
export interface PredictedPoint extends Pick<ForecastPoint, 'over' | 'between' | 'actions'> {
  /** ms since the Unix epoch that it is about */
  readonly due: number
  /** names of the actions that it was in; none: it was between them, or over */
  readonly came: readonly string[]
  readonly cameOver: boolean
}

/** What a forecast or a replica said of a run, with what came; told when the run is over. */
export interface Prediction {
  /** unique on the host */
  readonly id: string
  /** ms since the Unix epoch */
  readonly made: number
  /** id of the run */
  readonly run: string
  readonly workflow: string
  readonly tenant: string | undefined
  readonly points: readonly PredictedPoint[]
  /** ms from `made` until it would be over; undefined: nothing was known */
  readonly remaining: Quantiles90 | undefined
  /** ms after which it was over */
  readonly cameAfter: number
  readonly score: PredictionScore
}

/** Each 0 at best. */
export interface PredictionScore {
  /** squared error of the probabilities of each action, of being in none and of being over, added up (Brier, 1950); the mean over the points */
  readonly brier: number
  /** pinball loss in ms of the quantiles of the remaining time (Koenker and Bassett, 1978) */
  readonly remaining: Quantiles90 | undefined
}
