import { duration, flag, onlyKnown, optionsObject, refuse } from '../checks.js'
import type { Session } from '../session.js'
import { keep } from '../shadow/estimates.js'
import { keepPredictions } from '../shadow/predictions.js'
import { noTelemetry } from '../telemetry.js'
import { checkPlace, isPlace, type StorePlace } from './place.js'
import type { Recorder, RecorderStatus } from './recorder.js'
import { Recording, type RecordingTerms } from './recording.js'
import { RemoteRecorder } from './remote-recorder.js'
import { DEFAULT_RETENTION, keepsOf } from './retention.js'
import type { HistoryStore, Retention } from './store.js'

export interface RecorderOptions {
  /** ms between two looks at the lanes; a tenth of it while there is much to read. Default 100 */
  interval?: number | undefined
  /** what is kept of which table; what is not named is kept for ever. Default in docs/guides/defaults.md; false: everything is kept */
  retention?: Retention | false | undefined
  /** ms between two times that the rest is removed; default 10 minutes */
  pruneInterval?: number | undefined
  /** whether the host is sampled every second; default true */
  host?: boolean | undefined
  /** whether estimates of this governor's shadow requests are kept and scored, as by `gov.shadow.keepEstimates()`; default true */
  estimates?: boolean | undefined
  /**
   * whether what this governor's forecasts and replicas said is kept and scored, as by `gov.shadow.keepPredictions()`, and what the foresight of any process said of
   * demand; default true
   */
  predictions?: boolean | undefined
  /**
   * where a store that was described is opened and written: in a `process` of its own, which can join named arenas only, or a `thread` of this one.
   * Default: a process for a named arena, a thread for a private one
   */
  recorder?: RecorderPlace | undefined
}

const PLACES = ['process', 'thread'] as const
type RecorderPlace = (typeof PLACES)[number]

const INTERVAL_MS = 100
const PRUNE_EVERY_MS = 600_000

/** See {@link Governor.record}. */
export function record(session: Session, where: HistoryStore | StorePlace, options: unknown): Recorder {
  session.mustBeOpen()
  const given = optionsObject(options, 'options') ?? {}
  onlyKnown(given, ['interval', 'retention', 'pruneInterval', 'host', 'estimates', 'predictions', 'recorder'], 'record()')
  const {
    interval = INTERVAL_MS,
    retention = DEFAULT_RETENTION,
    pruneInterval = PRUNE_EVERY_MS,
    recorder,
    ...flags
  } = given as RecorderOptions
  const { host = true, estimates = true, predictions = true } = flags
  if (session.binding.capacity.telemetry === 0) throw noTelemetry()
  if (retention !== false) keepsOf(retention)
  const terms = {
    interval: duration(interval, 'interval'),
    retention: retention === false ? null : retention,
    pruneInterval: duration(pruneInterval, 'pruneInterval'),
    host: flag(host, 'host'),
    demand: flag(predictions, 'predictions')
  }
  if (typeof where !== 'object' || where === null) throw refuse('store', 'a store, { duckdb: PATH } or { postgres: URL }', where)
  const isThere = !isPlace(where)
  if (!isThere) checkPlace(where)
  const place = placeOf(session, isThere, recorder)
  const keepsEstimates = flag(estimates, 'estimates')
  const made = isThere ? new LocalRecorder(session, where, terms) : new RemoteRecorder(session, where, terms, place)
  if (keepsEstimates) session.leaving.push(keep(session))
  if (terms.demand) session.leaving.push(keepPredictions(session))
  return made
}

function placeOf({ binding }: Session, isThere: boolean, given: unknown): RecorderPlace {
  const isPrivate = binding.name === ''
  if (given === undefined) return isPrivate || isOneFile() ? 'thread' : 'process'
  if (isThere) throw refuse('recorder', 'left out with a store that is open, which is written to from this thread', given)
  if (!PLACES.includes(given as RecorderPlace)) throw refuse('recorder', "'process' or 'thread'", given)
  if (given === 'process' && isPrivate) throw refuse('recorder', "'thread' in a private arena, which no other process can join", given)
  return given as RecorderPlace
}

/** Of a single executable application every process is that application: started for a recorder, it would be itself once more. */
const isOneFile = () => process.getBuiltinModule?.('node:sea')?.isSea() === true

/** In the thread of the caller, for a store that lives there. */
class LocalRecorder implements Recorder {
  readonly store: HistoryStore
  error: unknown = undefined
  readonly #recording: Recording

  constructor(session: Session, store: HistoryStore, terms: RecordingTerms) {
    this.store = store
    this.#recording = new Recording(session, { open: () => store }, terms, {
      failed: error => {
        this.error = error
      }
    })
    session.leaving.push(() => this.stop())
  }

  get pid(): number {
    return process.pid
  }

  get begun(): Promise<void> {
    return this.#recording.begun
  }

  get status(): RecorderStatus {
    return { active: this.#recording.active, ...this.#recording.counts }
  }

  drain(): Promise<void> {
    return this.#recording.drain()
  }

  stop(): Promise<void> {
    return this.#recording.stop()
  }
}
