import type { WarmNotice } from '../notices.js'
import type { Session } from '../session.js'
import { NS_PER_MS } from '../units.js'
import { type OnWarm, type WarmCallCounts, WarmCalls } from '../warm-calls.js'

/** What came of the calls of a workflow's `onWarm`. */
export interface ReadinessStatus extends WarmCallCounts {
  /** times that it was made ready and a run began in time, in this environment, and that none did */
  readonly used: number
  readonly wasted: number
}

/** Makes a workflow ready that is foretold to begin, and counts what that was good for. */
export class Readiness {
  readonly #session: Session
  readonly #calls: WarmCalls
  /** ns on the arena's clock until which a run is expected; 0: none is */
  #until = 0
  #used = 0
  #wasted = 0

  constructor(session: Session, onWarm: OnWarm) {
    this.#session = session
    // There is one workflow to make ready.
    this.#calls = new WarmCalls(session, onWarm, 1)
  }

  hear(warm: WarmNotice): void {
    this.#look()
    this.#until = this.#session.binding.now() + warm.until * NS_PER_MS
    this.#calls.call(warm)
  }

  /** A run begins. */
  began(): void {
    if (this.#until === 0) return
    this.#look()
    if (this.#until > 0) this.#used++
    this.#until = 0
  }

  status(): ReadinessStatus {
    this.#look()
    return { ...this.#calls.counts(), used: this.#used, wasted: this.#wasted }
  }

  /** Whether what was expected still may come. */
  #look(): void {
    if (this.#until === 0 || !this.#session.joined || this.#session.binding.now() <= this.#until) return
    this.#wasted++
    this.#until = 0
  }
}
