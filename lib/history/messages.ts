import type { PlainError } from '../thread/plain-error.js'
import type { ThreadArena } from '../thread/start.js'
import type { StorePlace } from './place.js'
import type { RecorderStatus } from './recorder.js'
import type { RecordingTerms } from './recording.js'
import type { HistoryStore, Recovered } from './store.js'

/** What a recorder elsewhere, in a thread or a process of its own, is started with. */
export interface RecorderStart {
  readonly arena: ThreadArena
  readonly place: StorePlace
  readonly terms: RecordingTerms
}

/** The calls of a store that are answered later. */
export type StoreCall = Exclude<
  { [K in keyof HistoryStore]: HistoryStore[K] extends (...args: never) => Promise<unknown> ? K : never }[keyof HistoryStore],
  'close'
>

export type ToRecorder =
  | { readonly id: number; readonly call: 'drain' }
  | { readonly id: number; readonly call: 'stop' }
  | { readonly id: number; readonly call: StoreCall; readonly args: readonly unknown[] }
  | { readonly append: Parameters<HistoryStore['append']> }
  /** p99 of the delay of the caller's event loop, ms */
  | { readonly delay: number }

/** How far it is, and how its store is. */
export interface RecorderState {
  readonly status: RecorderStatus
  readonly degraded: PlainError | null
  readonly buffered: number
  readonly dropped: number
}

export type FromRecorder =
  | { readonly event: 'waiting' }
  | { readonly event: 'begun'; readonly recovered: Recovered | null }
  | { readonly event: 'failed'; readonly error: PlainError }
  | { readonly event: 'state'; readonly state: RecorderState }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: PlainError }
