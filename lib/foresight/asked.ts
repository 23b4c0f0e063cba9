import type { Activity } from './activity.js'

/** Requests that wait and are remembered; of more, the oldest are counted again when their wait ends. */
const WAITING_MAX = 65_536
/** Two times of one request, of clocks that agree to some microseconds; and of a wait whose record rounds. */
const SAME_MS = 0.1

/**
 * Finds the requests in what happened, each once: one that must wait is told of when it is made and when its wait ends, one that is granted or
 * refused at once, or that waits behind a grant of its own environment, only then.
 */
export class AskedFrom {
  /** times of those that wait, by what they wait for and in which environment */
  readonly #waiting = new Map<string, number[]>()
  #count = 0

  /** @returns ms since the Unix epoch at which it was made; NaN: it is not the first that is told of its request, or not of a request */
  of(activity: Activity): number {
    // Of half of all that is told of, the ends, that is all that is read.
    const { event } = activity
    if (event !== 'request' && event !== 'grant' && event !== 'refusal' && event !== 'abort') return Number.NaN
    const { time } = activity
    if (event === 'request') {
      this.#remember(activity)
      return time
    }
    const { waited } = activity
    if (waited === 0) return time
    return this.#isKnown(activity, time - waited) ? Number.NaN : time - waited
  }

  #remember(activity: Activity): void {
    if (this.#count >= WAITING_MAX) this.#forgetOldest()
    const key = keyOf(activity)
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) this.#waiting.set(key, [activity.time])
    else waiting.push(activity.time)
    this.#count++
  }

  #isKnown(activity: Activity, asked: number): boolean {
    const key = keyOf(activity)
    const waiting = this.#waiting.get(key)
    const at = waiting?.findIndex(time => Math.abs(time - asked) <= SAME_MS) ?? -1
    if (waiting === undefined || at < 0) return false
    waiting.splice(at, 1)
    if (waiting.length === 0) this.#waiting.delete(key)
    this.#count--
    return true
  }

  #forgetOldest(): void {
    // Many at once: a map is slow at finding its first after each of many is taken out.
    for (const [key, times] of this.#waiting) {
      if (this.#count <= WAITING_MAX / 2) return
      this.#count -= times.length
      this.#waiting.delete(key)
    }
  }
}

function keyOf({ kind, name, environment, tier }: Activity): string {
  return `${kind} ${environment} ${tier} ${name}`
}
