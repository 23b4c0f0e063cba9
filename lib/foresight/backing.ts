import type { RunTold } from '../workflow/sizing.js'
import type { Question, Questions } from './answers.js'
import type { Anomaly } from './usage-watch.js'

/** How often it looks. */
export interface WatchTerms {
  /** ms between two looks at the lanes, on the arena's clock */
  readonly period: number
  /** whether it learns from the beginning on who collides with whom; default true */
  readonly contention?: boolean | undefined
}

export interface WatchEvents {
  anomaly(anomaly: Anomaly): void
  /** a run is over whose workflow learns what its runs need, in whichever environment */
  sized(record: RunTold): void
  /** it stopped by itself */
  failed(error: unknown): void
}

/** Where foresight is at work: in this thread, or in one of its own. */
export interface Backing {
  /** @returns rejected with what the question throws, or a ClosedError */
  ask<Q extends Question>(question: Q, ...args: Parameters<Questions[Q]>): Promise<Awaited<ReturnType<Questions[Q]>>>
  stop(): Promise<void>
}
