/** Steps in which use is told apart. */
export const USE_STEPS = 64
/** What is seen in a row beyond this counts half from then on: so the table follows what changes. */
const SEEN_MOST = 4_096
/** A row with fewer moments in it leans on those beside it, each of which counts a tenth. */
const KNOWN = 30
const BESIDE = 0.1
const NEAR = 4

/**
 * The most that will be in use within a horizon, given what is now: the distribution that was seen at such times. Nothing is assumed of how use comes and goes. (A conditional
 * histogram, as {@link ArrivalTable} is.) 16 KiB at most.
 */
export class UseTable {
  readonly #horizon: number
  /** by what was in use: how often each was the most that came of it */
  readonly #rows: (Uint32Array | undefined)[] = new Array(USE_STEPS + 1).fill(undefined)
  readonly #seen = new Uint32Array(USE_STEPS + 1)
  /** the last ones, up to now */
  readonly #last: Uint8Array
  readonly #mixed = new Float64Array(USE_STEPS + 1)
  #moment = 0

  /** @param horizon periods ahead, a whole number >= 1 */
  constructor(horizon: number) {
    this.#horizon = horizon
    this.#last = new Uint8Array(horizon + 1)
  }

  /** Once a period. @param steps in use, 0 to {@link USE_STEPS}; more count as the most */
  add(steps: number): void {
    const now = Math.max(0, Math.min(USE_STEPS, Math.ceil(steps)))
    this.#last[this.#moment % this.#last.length] = now
    this.#moment++
    if (this.#moment <= this.#horizon) return
    const then = this.#last[this.#moment % this.#last.length] as number
    let most = 0
    for (const one of this.#last) if (one > most) most = one
    this.#learn(then, most)
  }

  /** @param ratio 0 to 1 @returns steps; what is in use now as long as nothing is known */
  quantile(ratio: number): number {
    if (this.#moment === 0) return 0
    const now = this.#last[(this.#moment - 1) % this.#last.length] as number
    const counts = (this.#seen[now] as number) >= KNOWN ? (this.#rows[now] as Uint32Array) : this.#mix(now)
    let all = 0
    for (const count of counts) all += count
    if (all === 0) return now
    let sum = 0
    for (let steps = 0; steps < USE_STEPS; steps++) {
      sum += counts[steps] as number
      if (sum >= ratio * all && sum > 0) return steps
    }
    return USE_STEPS
  }

  #learn(then: number, most: number): void {
    const row = this.#rows[then] ?? new Uint32Array(USE_STEPS + 1)
    this.#rows[then] = row
    row[most] = (row[most] as number) + 1
    this.#seen[then] = (this.#seen[then] as number) + 1
    if ((this.#seen[then] as number) <= SEEN_MOST) return
    let seen = 0
    for (let steps = 0; steps <= USE_STEPS; steps++) {
      row[steps] = (row[steps] as number) >> 1
      seen += row[steps] as number
    }
    this.#seen[then] = seen
  }

  #mix(now: number): Float64Array {
    const mixed = this.#mixed
    mixed.fill(0)
    for (let row = Math.max(0, now - NEAR); row <= Math.min(USE_STEPS, now + NEAR); row++) {
      const counts = this.#rows[row]
      if (counts === undefined) continue
      const weight = row === now ? 1 : BESIDE
      for (let steps = 0; steps <= USE_STEPS; steps++) {
        mixed[steps] = (mixed[steps] as number) + weight * (counts[steps] as number)
      }
    }
    return mixed
  }
}
