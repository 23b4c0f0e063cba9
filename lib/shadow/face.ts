import { type AdmitParts, shadowParts } from '../admit.js'
import { callback } from '../checks.js'
import type { Session } from '../session.js'
import type { ShadowAdmission, ShadowAnswer } from './answer.js'
import { type ShadowedRule, shadowed } from './dry.js'
import { type EstimateListener, keep, listen, nextId, tellAdmission } from './estimates.js'
import { plainShadow, readShadow, SHADOW_KNOWN, type ShadowOptions } from './options.js'
import { keepPredictions, listenToPredictions, type PredictionListener } from './predictions.js'
import { makeReplica, type Replica, type ReplicaOptions } from './replica.js'

/** What would happen, and what rules that run dry would have done: see {@link Governor.shadow}. */
export class Shadow {
  readonly #session: Session

  /** @internal */
  constructor(session: Session) {
    this.#session = session
  }

  /**
   * What would become of {@link Governor.admit}, if it were called; takes nothing, and leaves nothing in the arena. Each part is looked at
   * by itself, one after the other: the whole waits for the longest of them, and may wait again for one that went meanwhile. It is refused where one is, and where
   * buckets want more of one above them together than its burst, however little each.
   *
   * @throws ArgumentError, ClosedError, CorruptError, RetiredError, MemoryError
   */
  admit(parts: AdmitParts, options?: ShadowOptions): ShadowAdmission {
    const session = this.#session
    const ask = readShadow(session, options, SHADOW_KNOWN, 'shadow.admit()', plainShadow(session))
    const { answers, fit } = shadowParts(session, parts, ask)
    const admission: ShadowAdmission = { id: nextId(session), ...(fit ? together(answers) : NEVER), parts: answers }
    tellAdmission(session, admission, session.tiers[ask.tier] ?? '', ask.in)
    return admission
  }

  /**
   * Calls back, in a microtask, with every estimate that a shadow request of this governor makes, so that it can be kept and scored when the
   * truth is known ({@link scoreEstimate}).
   *
   * @returns ends it
   */
  onEstimate(listener: EstimateListener): () => void {
    callback(listener, 'listener')
    return listen(this.#session, listener)
  }

  /**
   * Calls back, in a microtask, with what forecasts and replicas of this governor said of a run from now on, with what came and its score, when
   * the run is over.
   *
   * @returns ends it
   */
  onPrediction(listener: PredictionListener): () => void {
    callback(listener, 'listener')
    return listenToPredictions(this.#session, listener)
  }

  /**
   * What the workflows that run in this governor do and will do, without executing them; or those of all processes that have the arena open. It follows
   * them: one is enough.
   *
   * @throws ArgumentError; of an arena also CapacityError if that was made without room for telemetry, BusyError, ClosedError
   */
  replica(options?: ReplicaOptions): Replica {
    return makeReplica(this.#session, options)
  }

  /**
   * Leaves a note of every estimate of this governor in its telemetry lane, while somebody observes, so that the recorder of the arena keeps it and
   * scores it when its request was made. The governor that records does so by itself.
   *
   * @returns ends it
   */
  keepEstimates(): () => void {
    this.#session.mustBeOpen()
    return keep(this.#session)
  }

  /**
   * Leaves a note of what forecasts and replicas of this governor say of a run from now on, with what came and its score, when the run is over, so
   * that the recorder of the arena keeps it. The governor that records does so by itself.
   *
   * @returns ends it
   */
  keepPredictions(): () => void {
    this.#session.mustBeOpen()
    return keepPredictions(this.#session)
  }

  /** What each rule of this governor that runs dry granted, and would not have: since it was opened. */
  rules(): ShadowedRule[] {
    return shadowed(this.#session)
  }
}

type Whole = Pick<ShadowAdmission, 'verdict' | 'contention' | 'wait'>

const NEVER: Whole = { verdict: 'refuse', contention: 1, wait: { p50: undefined, p95: undefined } }

function together(answers: readonly ShadowAnswer[]): Whole {
  const verdicts = answers.map(({ verdict }) => verdict)
  return {
    verdict: verdicts.includes('refuse') ? 'refuse' : verdicts.includes('wait') ? 'wait' : 'grant',
    contention: 1 - answers.reduce((free, { contention }) => free * (1 - contention), 1),
    wait: { p50: longest(answers.map(({ wait }) => wait.p50)), p95: longest(answers.map(({ wait }) => wait.p95)) }
  }
}

function longest(waits: readonly (number | undefined)[]): number | undefined {
  return waits.reduce((most: number | undefined, wait) => (most === undefined || wait === undefined ? undefined : Math.max(most, wait)), 0)
}
