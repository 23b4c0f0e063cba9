import type { HistoryStore } from './store.js'

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
   * What it writes to: the store that it was given, or one that asks the thread or process that opened it. That one answers as soon as this is the recorder of the
   * arena, until it stops.
   */
  readonly store: HistoryStore
  /** The process that it works in; undefined if that could not be started. */
  readonly pid: number | undefined
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
