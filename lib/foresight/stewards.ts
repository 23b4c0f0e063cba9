import type { Session } from '../session.js'
import type { LaneWatch } from './lane-watch.js'
import { Steward, type StewardEvents, type StewardTerms } from './steward.js'

/** The steward of a watch, one after the other. */
export class Stewards {
  readonly #session: Session
  readonly #watch: LaneWatch
  readonly #events: StewardEvents
  current: Steward | undefined

  constructor(session: Session, watch: LaneWatch, events: StewardEvents) {
    this.#session = session
    this.#watch = watch
    this.#events = events
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
      this.#events
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
