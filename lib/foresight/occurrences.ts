import { type Occurrence, Triggers } from '../predict/triggers.js'

/** ms for which beginnings are held back, since a run is told of when it is over; what ran for longer counts as begun so long ago. */
const LATE_MS = 30_000
const HELD_MAX = 65_536

/** Brings runs into the order in which they began, and looks for those that raise others. */
export class Occurrences {
  readonly triggers = new Triggers()
  #held: Occurrence[] = []

  began(occurrence: Occurrence): void {
    this.#held.push(occurrence)
    if (this.#held.length >= HELD_MAX) this.#pass(this.#held.length >> 1)
  }

  /** Goes on to a time, ms since the Unix epoch. */
  advance(now: number): void {
    const before = now - LATE_MS
    this.#held.sort((a, b) => a.time - b.time)
    const first = this.#held.findIndex(({ time }) => time > before)
    this.#pass(first < 0 ? this.#held.length : first)
    this.triggers.advance(before)
  }

  /** The streams that raise one, the most certain first. */
  leadersOf(stream: string): string[] {
    const found = this.triggers.triggers({ inside: false }).filter(({ to }) => to === stream)
    return [...new Set(found.map(({ from }) => from))]
  }

  #pass(length: number): void {
    if (length === 0) return
    this.#held.sort((a, b) => a.time - b.time)
    this.triggers.record(this.#held.slice(0, length))
    this.#held = this.#held.slice(length)
  }
}
