import type { PlainError } from '../thread/plain-error.js'
import type { ThreadArena } from '../thread/start.js'
import type { StorePlace } from './place.js'
import type { RecordingTerms } from './recording.js'
import type { HistoryStore, Recovered } from './store.js'

/** What the thread of a recorder is started with. */
export interface RecorderThread {
  readonly arena: ThreadArena
  readonly place: StorePlace
  readonly terms: RecordingTerms
  /** {@link Told}, which either side may read at any time */
  readonly told: SharedArrayBuffer
}

/** Numbers that the thread tells without a message: none is worth waking the other thread for. */
export const enum Told {
  Active,
  Events,
  Runs,
  Actions,
  Lost,
  Buffered,
  Dropped,
  /** p99 of the delay of the caller's event loop, ms: told by the caller, NaN if it is not known */
  Delay,
  Length
}

/** The calls of a store that are answered later. */
export type StoreCall = Exclude<
  { [K in keyof HistoryStore]: HistoryStore[K] extends (...args: never) => Promise<unknown> ? K : never }[keyof HistoryStore],
  'close'
>

export type ToThread =
  | { readonly id: number; readonly call: 'drain' }
  | { readonly id: number; readonly call: 'stop' }
  | { readonly id: number; readonly call: StoreCall; readonly args: readonly unknown[] }
  | { readonly append: Parameters<HistoryStore['append']> }

export type FromThread =
  | { readonly event: 'waiting' }
  | { readonly event: 'begun'; readonly recovered: Recovered | null }
  | { readonly event: 'failed'; readonly error: PlainError }
  | { readonly event: 'degraded'; readonly error: PlainError | null }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: PlainError }
