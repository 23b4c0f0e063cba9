import { dispose } from './grant.js'

/** What a queue may do with an item, and users may not. */
export interface ItemHome {
  readonly tiers: readonly string[]
  acknowledge(seqLow: number, word: number): boolean
  giveBack(seqLow: number, word: number): boolean
}

/**
 * A record in hand. It ends once: by `ack()`, or by `giveBack()`, which is also what the end of a `using` block does, and the end
 * of the environment that took it. Made by `queue.poll()` and its sisters only.
 */
export class Item {
  /** a copy of the record, this item's own */
  readonly data: Uint8Array
  /** how often the record was delivered, this time included: 1 the first time */
  readonly attempt: number
  // Not #private, for the reason given in grant.ts.
  private readonly home: ItemHome
  private readonly seqLow: number
  private readonly word: number
  private readonly tierIndex: number
  private ended: boolean

  /** @internal */
  constructor(home: ItemHome, data: Uint8Array, tierIndex: number, attempt: number, seqLow: number, word: number) {
    this.data = data
    this.attempt = attempt
    this.home = home
    this.seqLow = seqLow
    this.word = word
    this.tierIndex = tierIndex
    this.ended = false
  }

  /** The tier it was offered in. */
  get tier(): string {
    return this.home.tiers[this.tierIndex] ?? `tier ${this.tierIndex}`
  }

  /** The record is done with, and its place is free. False if it had ended before. */
  ack(): boolean {
    if (this.ended) return false
    const done = this.home.acknowledge(this.seqLow, this.word)
    this.ended = true
    return done
  }

  /** The record goes to the next consumer, first of its tier, with one attempt more. False if it had ended before. */
  giveBack(): boolean {
    if (this.ended) return false
    const done = this.home.giveBack(this.seqLow, this.word)
    this.ended = true
    return done
  }

  [dispose](): void {
    this.giveBack()
  }
}
