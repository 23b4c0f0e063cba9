import type { Session } from '../session.js'
import { after } from '../timer.js'
import { NS_PER_MS } from '../units.js'

/** Something that is looked at every so many ms. */
export interface Sampled {
  /** ms between two looks */
  readonly every: number
  sample(): void
}

/** One timer for all runs that are sampled, on the arena's clock. Keeps no process alive. */
export class SampleClock {
  /** By what is sampled: when it is due, ms. */
  private readonly due = new Map<Sampled, number>()
  private cancel: (() => void) | undefined = undefined
  /** What the timer waits for. */
  private next = Number.POSITIVE_INFINITY

  constructor(private readonly session: Session) {}

  /** How many are sampled. */
  get size(): number {
    return this.due.size
  }

  add(sampled: Sampled): void {
    const at = this.now() + sampled.every
    this.due.set(sampled, at)
    if (at < this.next) this.wait(at)
  }

  remove(sampled: Sampled): void {
    this.due.delete(sampled)
    if (this.due.size === 0) this.stop()
  }

  close(): void {
    this.due.clear()
    this.stop()
  }

  private tick(): void {
    this.stop()
    const now = this.now()
    for (const [sampled, at] of this.due) {
      if (at > now) continue
      sampled.sample()
      // What a busy thread has missed is over.
      const then = at + sampled.every
      this.due.set(sampled, then > now ? then : now + sampled.every)
    }
    let first = Number.POSITIVE_INFINITY
    for (const at of this.due.values()) first = Math.min(first, at)
    if (first !== Number.POSITIVE_INFINITY) this.wait(first)
  }

  private wait(at: number): void {
    this.stop()
    this.next = at
    this.cancel = after(this.session, Math.max(0, at - this.now()), () => this.tick(), false)
  }

  private stop(): void {
    this.cancel?.()
    this.cancel = undefined
    this.next = Number.POSITIVE_INFINITY
  }

  private now(): number {
    return this.session.binding.now() / NS_PER_MS
  }
}
