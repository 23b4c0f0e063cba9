import { duration, onlyKnown, optionsObject, refuse } from '../checks.js'
import type { Session } from '../session.js'
import { noTelemetry } from '../telemetry.js'
import { checkPlace, isPlace, type StorePlace } from './place.js'
import { Recording, type RecordingTerms } from './recording.js'
import type { HistoryStore } from './store.js'
import { ThreadRecorder } from './thread-recorder.js'

export interface RecorderOptions {
  /** ms between two looks at the lanes; a tenth of it while there is much to read. Default 100 */
  interval?: number | undefined
}

/** What a recorder has done so far. */
export interface RecorderStatus {
  /** whether it is the one of the arena now; the others wait to take over */
  readonly active: boolean
  readonly events: number
  readonly runs: number
  readonly actions: number
  /** records and notes that were overwritten before they were read */
  readonly lost: number
}

/**
 * Drains what every environment of the arena tells, and writes it into a store. There is one for an arena at a time: it holds a lock of it, and
 * so is followed by the next that waits when it stops or dies.
 */
export interface Recorder {
  /** Resolves when it is the recorder of the arena, or will never be: see {@link error}. */
  readonly begun: Promise<void>
  /**
   * What it writes to: the store that it was given, or one that asks the thread that opened it. That one answers as soon as this is the recorder of the
   * arena, until it stops.
   */
  readonly store: HistoryStore
  /** As of the last look, at most an interval ago. */
  readonly status: RecorderStatus
  /** Why it stopped by itself; undefined: it has not. */
  readonly error: unknown
  /** Reads what there is by now, and has it flushed. */
  drain(): Promise<void>
  /**
   * Reads what was told until now, and no more; another goes on. A store that was opened for it is closed then, one that it was given stays
   * open. `gov.close()` does the same.
   */
  stop(): Promise<void>
}

const INTERVAL_MS = 100

/** See {@link Governor.record}. */
export function record(session: Session, where: HistoryStore | StorePlace, options: unknown): Recorder {
  session.mustBeOpen()
  const given = optionsObject(options, 'options') ?? {}
  onlyKnown(given, ['interval'], 'record()')
  const { interval = INTERVAL_MS } = given as RecorderOptions
  if (session.binding.capacity.telemetry === 0) throw noTelemetry()
  const terms = { interval: duration(interval, 'interval') }
  if (typeof where !== 'object' || where === null) throw refuse('store', 'a store, { duckdb: PATH } or { postgres: URL }', where)
  if (!isPlace(where)) return new LocalRecorder(session, where, terms)
  checkPlace(where)
  return new ThreadRecorder(session, where, terms)
}

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
