/** shadow: it measures and reports; on: it also sets the limit */
export type AdaptMode = 'shadow' | 'on'

/** What an adaptive limit stands at. */
export interface AdaptReport {
  readonly algorithm: 'gradient2' | 'aimd'
  readonly mode: AdaptMode
  /** permits in force */
  readonly limit: number
  /** what the algorithm holds to be right: what is, or in shadow would be, put in force. A probe may be below it for the moment */
  readonly proposed: number
  readonly floor: number
  readonly ceiling: number
  /** ends that were learnt from since the start, drops among them */
  readonly samples: number
  readonly drops: number
  /** ends by `ignore()`, and those without a usable measurement */
  readonly ignored: number
  /** windows that were summed up */
  readonly windows: number
  /** mean latency of the last window in ms; undefined before the first */
  readonly rttMs: number | undefined
  /** the most in flight in the last window */
  readonly inFlight: number | undefined
  /** gradient2: the last gradient, 0.5 to 1 */
  readonly gradient: number | undefined
  /** gradient2: the latency without a queue, in ms, as learnt */
  readonly baselineMs: number | undefined
  /** gradient2: the limit is lowered for the moment, to measure the baseline */
  readonly probing: boolean
}
