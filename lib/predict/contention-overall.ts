import { SPANS_MS } from './contention-elements.js'
import { countRequest, countWait } from './contention-parties.js'
import type { Overall } from './contention-view.js'

/** Of what was said of the last requests, with each one more. */
const LATELY = 0.99
const JUST_NOW = 0.7
/** Requests back to which it is known how it was. */
const REMEMBERED = 4_096
const FIELDS = 5

/** All requests together: how many wait, and how many come; now, and as it was a while ago. */
export class OverallRequests {
  readonly sums = { asked: 0, collided: 0, waited: 0, waits: 0 }
  private lately = 0
  private justNow = 0
  private load: [number, number] = [0, 0]
  private loadAt = Number.NEGATIVE_INFINITY
  private readonly past = new Float64Array(REMEMBERED * FIELDS)
  private count = 0
  private readonly found: Overall = { asked: 0, collided: 0, lately: 0, justNow: 0, load: [0, 0], loadAt: 0 }

  add(time: number, waits: boolean): void {
    const passed = Math.max(0, time - this.loadAt)
    this.load[0] = this.load[0] * Math.exp(-passed / SPANS_MS[0]) + 1
    this.load[1] = this.load[1] * Math.exp(-passed / SPANS_MS[1]) + 1
    this.loadAt = Math.max(time, this.loadAt)
    countRequest(this.sums, waits)
    this.lately = LATELY * this.lately + (waits ? 1 - LATELY : 0)
    this.justNow = JUST_NOW * this.justNow + (waits ? 1 - JUST_NOW : 0)
    const { past } = this
    const from = (this.count++ % REMEMBERED) * FIELDS
    past[from] = this.loadAt
    past[from + 1] = this.lately
    past[from + 2] = this.justNow
    past[from + 3] = this.load[0]
    past[from + 4] = this.load[1]
  }

  /** Requests a second, of late. */
  get rate(): number {
    return this.load[0]
  }

  waited(ms: number): void {
    countWait(this.sums, ms)
  }

  /** How it was then; of before what is remembered, as it was when that began. Good until the next call. */
  asOf(time: number): Overall {
    const oldest = Math.max(0, this.count - REMEMBERED)
    let [low, high] = [oldest, this.count]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.past[(middle % REMEMBERED) * FIELDS] as number) <= time) low = middle + 1
      else high = middle
    }
    const { found, past } = this
    found.asked = this.sums.asked
    found.collided = this.sums.collided
    const from = (Math.max(oldest, low - 1) % REMEMBERED) * FIELDS
    found.loadAt = low === 0 ? time : (past[from] as number)
    found.lately = low === 0 ? 0 : (past[from + 1] as number)
    found.justNow = low === 0 ? 0 : (past[from + 2] as number)
    found.load[0] = low === 0 ? 0 : (past[from + 3] as number)
    found.load[1] = low === 0 ? 0 : (past[from + 4] as number)
    return found
  }
}
