import { tierIndex } from './checks.js'
import { ArgumentError } from './errors/index.js'
import type { Grant } from './grant.js'
import type { Session } from './session.js'
import type { Wait } from './wait.js'

/** A request of a lock that can be changed while it waits: see {@link Lock.request}. */
export class LockRequest {
  /** The grant, or why there is none: what {@link Lock.acquire} would have returned. */
  readonly granted: Promise<Grant>
  readonly #session: Session
  readonly #wait: Wait | undefined

  /** @internal */
  constructor(session: Session, granted: Promise<Grant>, wait: Wait | undefined) {
    this.#session = session
    this.granted = granted
    this.#wait = wait
  }

  /**
   * Moves the request to a higher tier while it waits; it keeps its arrival, so it goes before those of that tier that came later.
   * True if it was moved; false when it waits no more.
   *
   * @throws ArgumentError for an unknown tier, or one below its present tier
   */
  upgrade(tier: string): boolean {
    const wait = this.#wait
    const index = tierIndex(tier, this.#session.tiers, 'tier')
    if (wait === undefined) return false
    if (index < wait.tierIndex) {
      throw new ArgumentError(`tier ${JSON.stringify(tier)} is below the present one: a request is only moved up`, {
        option: 'tier',
        given: tier
      })
    }
    return wait.moveTo(index)
  }

  /** Ends the wait: `granted` is rejected with the reason, by default an AbortError. False when it waited no more. */
  abort(reason: unknown = new DOMException('The request was aborted', 'AbortError')): boolean {
    return this.#wait?.cancel(reason) ?? false
  }
}
