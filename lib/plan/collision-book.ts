/** A collision that was foretold. */
export interface Foretold {
  readonly id: string
  readonly kind: 'pool' | 'lock' | 'bucket'
  readonly what: string
  /** index */
  readonly tier: number
  /** ms, when that was said */
  readonly at: number
  /** ms from then within which the tier will ask for it */
  readonly within: number
  /** units that were free */
  readonly free: number
}

/** What became of it. */
export interface CollisionOutcome {
  readonly id: string
  readonly kind: Foretold['kind']
  readonly what: string
  readonly tier: number
  /** whether the tier asked for more than was free; of a lock or a bucket: whether one of its requests had to wait */
  readonly came: boolean
  /** of the tier while it was {@link followed} */
  readonly requests: number
  /** ms that they waited together, those that still wait until now */
  readonly waited: number
}

/** ms for which a collision is followed that is foretold within so many. */
export const followed = (within: number): number => FOLLOWED * within

interface Open extends Foretold {
  units: number
  isLate: boolean
  requests: number
  /** of those requests: ms since `at` at which they came, together; and of those whose wait is over */
  asked: number
  settled: number
  settledAsked: number
  waited: number
}

/**
 * Requests are followed for so many times of what was foretold, and their waits for one more. Whoever gives way takes what he needs later, and may then be in the way of the rest of
 * the same burst: with one time to put runs off seemed to save what it only moved.
 */
const FOLLOWED = 4
/** More at a time are not followed. */
const OPEN_MOST = 256

/** Follows collisions that were foretold, by what is asked for and how long that waits. Times of one clock, ms. */
export class CollisionBook {
  #open: Open[] = []

  tell(foretold: Foretold): void {
    if (this.#open.length >= OPEN_MOST) return
    this.#open.push({ ...foretold, units: 0, isLate: false, requests: 0, asked: 0, settled: 0, settledAsked: 0, waited: 0 })
  }

  /** Whether any is followed. */
  get isFollowing(): boolean {
    return this.#open.length > 0
  }

  /** A request came. */
  asked(kind: Foretold['kind'], what: string, tier: number, time: number, units: number): void {
    // Mostly nothing is followed, and to find that out further in would leave something behind for each request.
    if (this.#open.length === 0) return
    for (const one of this.#of(kind, what, tier, time)) {
      one.requests++
      if (time < one.at + one.within) one.units += units
      one.asked += time - one.at
    }
  }

  /** One waits no more, however its wait ended. @param time when it came */
  waited(kind: Foretold['kind'], what: string, tier: number, time: number, waited: number): void {
    if (this.#open.length === 0) return
    for (const one of this.#of(kind, what, tier, time)) {
      one.settled++
      if (waited > 0 && time < one.at + one.within) one.isLate = true
      one.settledAsked += time - one.at
      one.waited += waited
    }
  }

  /** What has become of those whose time is over. */
  judge(now: number): CollisionOutcome[] {
    const isOver = ({ at, within }: Open) => now >= at + followed(within) + within
    const over = this.#open.filter(isOver)
    if (over.length > 0) this.#open = this.#open.filter(one => !isOver(one))
    return over.map(({ id, kind, what, tier, at, free, units, isLate, requests, asked, settled, settledAsked, waited }) => {
      const waiting = requests - settled
      // Records of who asked may have been lost where those of the grants were not.
      const still = waiting > 0 ? Math.max(0, waiting * (now - at) - (asked - settledAsked)) : 0
      const came = kind === 'pool' ? units > free : isLate || waiting > 0
      return { id, kind, what, tier, came, requests: Math.max(requests, settled), waited: waited + still }
    })
  }

  #of(kind: Foretold['kind'], what: string, tier: number, time: number): Open[] {
    return this.#open.filter(
      one => one.what === what && one.kind === kind && one.tier === tier && time >= one.at && time < one.at + followed(one.within)
    )
  }
}
