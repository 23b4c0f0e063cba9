import type { Session } from './session.js'
import { NS_PER_MS } from './units.js'

/** ms between two looks. */
const EVERY_MS = 1_000

/**
 * Whether an arena is there still, for those who only read its lanes: nothing more is ever told in one that was removed, or is damaged, and to wait for it would be to
 * fail in silence.
 */
export class Standing {
  readonly #session: Session
  #looked = Number.NEGATIVE_INFINITY

  constructor(session: Session) {
    this.#session = session
  }

  /** Looks, if it has not for a second. @throws RetiredError, CorruptError when it is of no more use */
  look(): void {
    const { binding } = this.#session
    const now = binding.now() / NS_PER_MS
    if (now - this.#looked < EVERY_MS) return
    this.#looked = now
    // By any call, so by one that is of use, and takes away plans that have ended.
    this.#session.check(binding.sweepPlans())
  }
}
