import { onlyKnown, optionsObject, refuse } from '../checks.js'
import { ClosedError } from '../errors/index.js'
import type { Session } from '../session.js'
import type { Likeness } from './course.js'
import { Follower } from './follower.js'
import { type ForecastPoint, forecast, type Quantiles90, type RunForecast } from './forecast.js'
import { note } from './predictions.js'
import { type Running, runningOf } from './running.js'

/** A run that goes on now, at some moment to come. */
export interface ReplicaRun extends ForecastPoint {
  /** id of the run */
  readonly id: string
  readonly workflow: string
  readonly tenant: string | undefined
  /** name of its tier */
  readonly tier: string
  /** as {@link RunForecast.likeness} */
  readonly likeness: Likeness
  /** how many moments of past runs this is made of */
  readonly samples: number
  /** ms from now until it is over; undefined: nothing is known */
  readonly remaining: Quantiles90 | undefined
}

/** What those who run now will be doing. */
export interface ReplicaView {
  /** ms since the Unix epoch that it is about */
  readonly time: number
  /** those that were admitted and are not over now, in the order in which they began; first those of this governor */
  readonly runs: readonly ReplicaRun[]
}

const MS_PER_S = 1000
/** Points of a curve. */
const STEPS = 20
const MOST_S = 1e9

export interface ReplicaOptions {
  /**
   * whose runs: those of this `governor` (default), or of all who have the `arena` open, of which every environment then records what happens in it, as for
   * any observer, and tells ten times a second at most how its runs go on
   */
  of?: 'governor' | 'arena' | undefined
}

/** See {@link Shadow.replica}. */
export function makeReplica(session: Session, options: unknown): Replica {
  const given = optionsObject(options, 'options') ?? {}
  onlyKnown(given, ['of'], 'replica()')
  const { of = 'governor' } = given as { of?: unknown }
  if (of !== 'governor' && of !== 'arena') throw refuse('of', "'governor' or 'arena'", of)
  return new Replica(session, of === 'arena' ? new Follower(session) : undefined)
}

/** Mirrors running workflows without executing them: see {@link Shadow.replica}. */
export class Replica {
  readonly #session: Session
  readonly #others: Follower | undefined
  #isClosed = false

  /** @internal */
  constructor(session: Session, others: Follower | undefined) {
    this.#session = session
    this.#others = others
  }

  /** Follows nobody any more. `gov.close()` does the same. */
  close(): void {
    this.#isClosed = true
    this.#others?.close()
  }

  /**
   * What each run that goes on now will be doing in so many seconds, by how earlier runs of its workflow went on from where it is. New runs are
   * not in it, and one whose workflow has not run yet stays as it is. Of a run of another environment it knows what that told last, up to a second ago,
   * and how runs of its workflow went that ended since this replica follows.
   *
   * @throws ArgumentError, ClosedError
   */
  at(seconds: number): ReplicaView {
    const session = this.#session
    session.mustBeJoined()
    if (this.#isClosed) throw new ClosedError('this replica is closed', { resource: undefined })
    const ms = readSeconds(seconds)
    const runs = [...runningOf(session), ...(this.#others?.runs() ?? [])]
    return {
      time: session.binding.wallClock(session.binding.now()) + ms,
      runs: runs.map(run => runAt(session, run, ms))
    }
  }
}

function runAt(session: Session, run: Running, ms: number): ReplicaRun {
  const { id, workflow, tenant, tier } = run
  const { points, likeness, samples, remaining } = told(session, run, [ms], ms)
  return { id, workflow, tenant, tier, likeness, samples, remaining, ...(points[0] as ForecastPoint) }
}

/**
 * The curve of one run, in equal steps.
 *
 * @throws ArgumentError
 */
export function forecastRun(session: Session, run: Running, seconds: number): RunForecast {
  const ms = readSeconds(seconds)
  const times = Array.from({ length: STEPS }, (_, i) => ((i + 1) * ms) / STEPS)
  return { run: run.id, workflow: run.workflow, ...told(session, run, times, 0) }
}

function told(session: Session, run: Running, times: readonly number[], from: number): ReturnType<typeof forecast> {
  const present = run.present()
  const made = forecast(run.courses(), present, times, from)
  note(session, run, present.elapsed, made)
  return made
}

function readSeconds(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= MOST_S)) throw refuse('seconds', `a number from 0 to ${MOST_S}`, value)
  return MS_PER_S * value
}
