import { refuse } from './checks.js'

// Not the signal's own methods: those may be the user's, and one that throws would keep other waits from settling.
const { addEventListener, removeEventListener } = EventTarget.prototype

/** Something that a signal can end. */
interface Cancellable {
  cancel(reason: unknown): unknown
}

/**
 * All waits that one signal can end, behind a single listener. A listener for each would warn beyond some number of them, and to remove
 * one of many is a linear search; here it is constant time, and with the last wait the listener goes too.
 */
export class AbortHub {
  private static readonly hubs = new WeakMap<AbortSignal, AbortHub>()
  private readonly waits = new Set<Cancellable>()

  private constructor(private readonly signal: AbortSignal) {}

  /** Lets the signal end the wait; undefined, and the wait is ended for that, if it is an EventTarget in appearance only. */
  static join(signal: AbortSignal, wait: Cancellable): AbortHub | undefined {
    const hub = AbortHub.of(signal)
    try {
      hub.add(wait)
      return hub
    } catch {
      // Nothing could ever end the wait through it.
      wait.cancel(refuse('signal', 'an AbortSignal', signal))
      return undefined
    }
  }

  static of(signal: AbortSignal): AbortHub {
    let hub = AbortHub.hubs.get(signal)
    if (hub === undefined) {
      hub = new AbortHub(signal)
      AbortHub.hubs.set(signal, hub)
    }
    return hub
  }

  /** @throws TypeError if the signal only looks like one */
  add(wait: Cancellable): void {
    if (this.waits.size === 0) addEventListener.call(this.signal, 'abort', this)
    this.waits.add(wait)
  }

  delete(wait: Cancellable): void {
    if (this.waits.delete(wait) && this.waits.size === 0) removeEventListener.call(this.signal, 'abort', this)
  }

  handleEvent(): void {
    const reason = this.reason()
    for (const wait of [...this.waits]) wait.cancel(reason)
  }

  private reason(): unknown {
    try {
      return this.signal.reason
    } catch (error) {
      return error
    }
  }
}
