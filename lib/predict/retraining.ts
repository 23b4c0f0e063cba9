import { callback, count, duration, flag } from '../checks.js'
import { type Forecast, type Forecaster, WINDOW_MAX } from './forecaster.js'
import { DriftDetector } from './health.js'
import { Values } from './values.js'

export interface RetrainingOptions {
  /** values after which it is fitted anew; default 256 */
  every?: number | undefined
  /** fit anew, too, when errors have become larger than they were, an eighth of `every` after the last fit at the earliest; default true */
  onDrift?: boolean | undefined
  /** values that are kept to fit to; default 4,096 */
  window?: number | undefined
  /** ms that a fit may take; beyond that it is given up, and the old one goes on; default 60,000 */
  budget?: number | undefined
}

/** How it stands. */
export interface RetrainingStatus {
  /** fits that stand or stood */
  readonly fits: number
  /** fits that were not over within their budget */
  readonly late: number
  /** what the last fit failed with; undefined: it did not fail */
  readonly error: unknown
  /** a fit is under way */
  readonly fitting: boolean
  /** values that came since the values of the last fit */
  readonly since: number
}

const EVERY = 256
const WINDOW = 4_096
const BUDGET_MS = 60_000
const BUDGET_MAX_MS = 2 ** 31 - 1
const DRIFT_PART = 8

/**
 * A forecaster that is fitted anew as values come, on the last of them: the one that stands answers until a new one, made for it, is fitted. An ensemble
 * is fitted in slices, so that the event loop goes on; models that take long have threads of their own.
 */
export class Retraining implements Forecaster {
  readonly name: string
  private readonly every: number
  private readonly onDrift: boolean
  private readonly budget: number
  private readonly values: Values
  private current: Forecaster
  private drift = new DriftDetector()
  private drifted = false
  private since = 0
  private fits = 0
  private late = 0
  private error: unknown = undefined
  private underWay: Promise<void> | undefined = undefined
  /** values that came while a fit is under way */
  private missed: number[] = []

  /**
   * @param make makes a forecaster that was never fitted; members of its own must be new ones each time
   * @throws ArgumentError
   */
  constructor(
    private readonly make: () => Forecaster,
    { every = EVERY, onDrift = true, window = WINDOW, budget = BUDGET_MS }: RetrainingOptions = {}
  ) {
    callback(make, 'make')
    this.every = count(every, 'every', 1, Number.MAX_SAFE_INTEGER)
    this.onDrift = flag(onDrift, 'onDrift')
    this.values = new Values(count(window, 'window', 8, WINDOW_MAX))
    this.budget = Math.min(duration(budget, 'budget'), BUDGET_MAX_MS)
    this.current = make()
    this.name = this.current.name
  }

  get status(): RetrainingStatus {
    const { fits, late, error, since } = this
    return { fits, late, error, fitting: this.underWay !== undefined, since }
  }

  /**
   * Learns from values at once; until it has, the one that stood before answers.
   *
   * @throws what the fit throws
   */
  async fit(values: ArrayLike<number>): Promise<void> {
    if (this.underWay !== undefined) await this.settled()
    this.values.replace(values)
    await this.begin()
    if (this.error !== undefined) throw this.error
  }

  /** Takes the next value, and begins to learn anew where it is time. */
  update(value: number): void {
    if (this.onDrift && Number.isFinite(value) && this.values.length > 0) this.judge(value)
    this.values.push(value)
    this.current.update(value)
    this.since++
    if (this.underWay !== undefined) this.missed.push(value)
    else if (this.isDue) void this.begin()
  }

  forecast(horizon: number, levels?: readonly number[]): Forecast {
    return this.current.forecast(horizon, levels)
  }

  /** When no fit is under way. */
  async settled(): Promise<void> {
    while (this.underWay !== undefined) await this.underWay
  }

  private get isDue(): boolean {
    return this.since >= (this.drifted ? Math.ceil(this.every / DRIFT_PART) : this.every)
  }

  private judge(value: number): void {
    const [expected] = this.current.forecast(1, []).point
    if (this.drift.see(Math.abs(value - (expected as number)), Math.abs(value)) !== 'fine') this.drifted = true
  }

  /** Never rejects: what went wrong is told by `status`, and by a warning where nobody waits for it. */
  private begin(): Promise<void> {
    this.missed = []
    this.since = 0
    this.drifted = false
    this.drift = new DriftDetector()
    this.underWay = this.refit().finally(() => {
      this.underWay = undefined
    })
    return this.underWay
  }

  private async refit(): Promise<void> {
    const given = new AbortController()
    const timer = setTimeout(() => given.abort(), this.budget)
    try {
      const next = this.make()
      await next.fit(this.values.all.slice(), given.signal)
      given.signal.throwIfAborted()
      for (const value of this.missed) next.update(value)
      this.current = next
      this.fits++
      this.error = undefined
    } catch (error) {
      if (given.signal.aborted) this.late++
      else this.failed(error)
    } finally {
      clearTimeout(timer)
    }
  }

  private failed(error: unknown): void {
    this.error = error
    const reason = error instanceof Error ? error.message : String(error)
    process.emitWarning(`A forecaster could not be fitted anew: ${reason}`, {
      type: 'ForelockRetrainingWarning',
      code: 'FORELOCK_RETRAINING'
    })
  }
}
