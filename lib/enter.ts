import { Element } from './element.js'
import { At, Kind, Time } from './native/binding.js'
import type { Session } from './session.js'
import type { Terms } from './terms.js'

/** How often a name is looked up again because its element was recycled just then. More than a few times is damage. */
export const LOOKUPS_MAX = 100

// The hot calls are functions of few words, because the compiler inlines only so much into one.

export function writeRequest(scratch: Int32Array, element: Element, terms: Terms): void {
  scratch[At.Arena] = element.session.arena
  scratch[At.Index] = element.index
  scratch[At.Gen] = element.gen
  scratch[At.Request] = terms.request
  scratch[At.Ttl] = terms.ttl
}

/** The rest of a request that may wait. Without an arrival (0) it counts from now. */
export function writeWait(session: Session, terms: Terms, arrival: number): void {
  session.scratch[At.EnclosingCount] = 0
  session.times[Time.Timeout] = terms.timeout
  session.times[Time.Arrival] = arrival
}

/**
 * Finds the element of a name, or makes it.
 *
 * @param place the name that it has in the arena, where that is another
 * @throws CapacityError, MemoryError, NameError, CorruptError, RetiredError, ClosedError
 */
export function findElement(session: Session, name: string, kind: Kind = Kind.Lock, place = name): Element {
  session.check(session.binding.lookup(place, kind), name)
  const { scratch } = session
  const [high, low] = [scratch[At.OutBaseHigh] >>> 0, scratch[At.OutBaseLow] >>> 0]
  return new Element(session, name, scratch[At.OutIndex], scratch[At.OutGen], high, low)
}
