import { ArgumentError } from '../errors/index.js'
import type { AcceptedEvent, Events } from '../events/events.js'
import type { HeadersLike } from '../events/signature.js'
import type { Foresight } from './face.js'

/** Takes signed events from outside, and tells foresight of them. See {@link Governor.events}. */
export class EventReceiver {
  readonly #events: Events | undefined
  readonly #foresight: Foresight
  readonly #isOpen: () => boolean

  /** @internal */
  constructor(events: Events | undefined, foresight: Foresight, isOpen: () => boolean) {
    this.#events = events
    this.#foresight = foresight
    this.#isOpen = isOpen
  }

  /**
   * The event that a message says. Foresight counts with it from the next forecast on, and begins to learn if it has not.
   *
   * @param rawBody what came, byte by byte: a body that was parsed and written again has another signature
   * @param headers of the request: `webhook-id`, `webhook-timestamp`, `webhook-signature`
   * @throws SignatureError; ReplayError; SchemaError; CapacityError (`events.ids`); ArgumentError, also if the governor was opened without `events`
   */
  receive(rawBody: Uint8Array | string, headers: HeadersLike): AcceptedEvent {
    const event = this.all().receive(rawBody, headers)
    this.#foresight.expect(eventOf(event)).catch((error: Error) => {
      // Who closes the governor wants no forecast of it any more.
      if (!this.#isOpen()) return
      // It was accepted: whoever sent it is not to send it again.
      process.emitWarning(`Foresight does not know of the event ${event.id}: ${error.message}`, {
        type: 'ForelockForesightWarning',
        code: 'FORELOCK_EVENT'
      })
    })
    return event
  }

  /** The secrets, and the ids that were accepted. @throws ArgumentError if the governor was opened without `events` */
  all(): Events {
    if (this.#events !== undefined) return this.#events
    throw new ArgumentError('this governor has no secrets to check events with: open({ events: { secrets } })', {
      option: 'events',
      given: undefined
    })
  }
}

/** What foresight is to know of it: who signed it, and when it came, is none of it. */
function eventOf({ type, start, end, weight, value, id, scope }: AcceptedEvent) {
  return { type, start, end, id, scope, ...(weight !== undefined && { weight }), ...(value !== undefined && { value }) }
}
