import { dispose } from './grant.js'

/** The two words of what is in hand. */
export interface InHand {
  readonly seqLow: number
  readonly word: number
}

/** What a queue may do with an item, and users may not. */
export interface ItemHome {
  readonly tiers: readonly string[]
  /** False: it was not in hand any more. */
  acknowledge(item: InHand): boolean
  giveBack(item: InHand): boolean
  /** false from the call of close() on */
  readonly isOpen: boolean
  readonly source: ItemSource
}

/** Where items come from. */
export interface ItemSource {
  poll(): Item | null
  /** Acknowledges the item first. */
  after(item: InHand): Item | null
}

// In the lowest bits of the second word, which are nobody else's: its tier, and whether it has ended. Each field of an item is memory to be
// fetched, for each record.
const TIER_MASK = 3
const ENDED = 4

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
  /** @internal */
  readonly seqLow: number
  /** @internal */
  word: number

  /** @internal */
  constructor(home: ItemHome, data: Uint8Array, attempt: number, seqLow: number, word: number) {
    this.data = data
    this.attempt = attempt
    this.home = home
    this.seqLow = seqLow
    this.word = word
  }

  /** The tier it was offered in. */
  get tier(): string {
    const tier = this.word & TIER_MASK
    return this.home.tiers[tier] ?? `tier ${tier}`
  }

  /** The record is done with, and its place is free. False if it had ended before. */
  ack(): boolean {
    if ((this.word & ENDED) !== 0) return false
    const done = this.home.acknowledge(this)
    this.word |= ENDED
    return done
  }

  /**
   * `ack()`, and then `poll()` of the same queue, in one call; null if there is no other record. For who takes one after the other: this one is in
   * hand until its successor is asked for.
   *
   * @throws ClosedError, also while the governor is closing, and then this one is acknowledged all the same; CorruptError, RetiredError
   */
  next(): Item | null {
    const { home } = this
    if ((this.word & ENDED) !== 0 || !home.isOpen) {
      this.ack()
      return home.source.poll()
    }
    const next = home.source.after(this)
    this.word |= ENDED
    return next
  }

  /** The record goes to the next consumer, first of its tier, with one attempt more. False if it had ended before. */
  giveBack(): boolean {
    if ((this.word & ENDED) !== 0) return false
    const done = this.home.giveBack(this)
    this.word |= ENDED
    return done
  }

  [dispose](): void {
    this.giveBack()
  }
}
