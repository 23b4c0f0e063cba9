import type { Session } from '../session.js'
import type { LaneWatch } from './lane-watch.js'
import { Steward, type StewardTerms } from './steward.js'

/** The steward of a watch, one after the other. */
export class Stewards {
  readonly #session: Session
  readonly #watch: LaneWatch
  readonly #failed: (error: unknown) => void
  current: Steward | undefined

  /** @param failed one can write no more */
  constructor(session: Session, watch: LaneWatch, failed: (error: unknown) => void) {
    this.#session = session
    this.#watch = watch
    this.#failed = failed
  }

  /** A new one, in place of that which is there. */
  async begin(terms: StewardTerms): Promise<void> {
    await this.end()
    const watch = this.#watch
    this.current = new Steward(
      this.#session,
      terms,
      () => watch.now(),
      options => watch.outlook.likely(options, watch.now()),
      this.#failed
    )
    watch.outlook.follower = this.current
  }

  async end(): Promise<void> {
    const steward = this.current
    this.current = undefined
    this.#watch.outlook.follower = undefined
    await steward?.stop()
  }
}
