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

  add(time: number, waits: boolean): void {
    const passed = Math.max(0, time - this.loadAt)
    for (const at of [0, 1] as const) this.load[at] = this.load[at] * Math.exp(-passed / SPANS_MS[at]) + 1
    this.loadAt = Math.max(time, this.loadAt)
    countRequest(this.sums, waits)
    this.lately = LATELY * this.lately + (waits ? 1 - LATELY : 0)
    this.justNow = JUST_NOW * this.justNow + (waits ? 1 - JUST_NOW : 0)
    this.past.set([this.loadAt, this.lately, this.justNow, ...this.load], (this.count++ % REMEMBERED) * FIELDS)
  }

  waited(ms: number): void {
    countWait(this.sums, ms)
  }

  /** How it was then; of before what is remembered, as it was first. */
  asOf(time: number): Overall {
    let [low, high] = [Math.max(0, this.count - REMEMBERED), this.count]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.past[(middle % REMEMBERED) * FIELDS] as number) <= time) low = middle + 1
      else high = middle
    }
    const { asked, collided } = this.sums
    if (low === 0) return { asked, collided, lately: 0, justNow: 0, load: [0, 0], loadAt: time }
    const from = ((low - 1) % REMEMBERED) * FIELDS
    const [loadAt, lately, justNow, second, longer] = this.past.subarray(from, from + FIELDS) as unknown as number[]
    return {
      asked,
      collided,
      lately: lately as number,
      justNow: justNow as number,
      load: [second as number, longer as number],
      loadAt: loadAt as number
    }
  }
}
