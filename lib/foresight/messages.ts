import type { PlainError } from '../thread/plain-error.js'
import type { ThreadArena } from '../thread/start.js'
import type { RunTold } from '../workflow/sizing.js'
import type { Question } from './answers.js'
import type { WatchTerms } from './backing.js'
import type { Anomaly } from './usage-watch.js'

/** What the thread of foresight is started with. */
export interface WatchThread {
  readonly arena: ThreadArena
  readonly terms: WatchTerms
}

export interface ToWatch {
  readonly id: number
  readonly call: Question | 'stop'
  readonly args: readonly unknown[]
}

export type FromWatch =
  | { readonly event: 'anomaly'; readonly anomaly: Anomaly }
  | { readonly event: 'sized'; readonly record: RunTold }
  | { readonly event: 'failed'; readonly error: PlainError }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: PlainError }
