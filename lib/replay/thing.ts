import type { Element } from '../element.js'
import { PoolAccount } from './pool-account.js'
import { firstOf, type PoolTerms, type ThingKind } from './trace.js'

/** A pool, bucket or lock of a replay: where it is in the arena, and who waits for it. */
export class Thing {
  /** requests, by tier */
  readonly waiting: Uint32Array
  /** and of all tiers */
  queued = 0
  /** of a bucket: how many of them wait for so many tokens */
  readonly asked = new Map<number, number>()
  /** ns when a bucket has what somebody waits for */
  due = Number.POSITIVE_INFINITY
  /** tokens of a full bucket, and what plans keep of it, by tier: tokens, and ns until which */
  burst = 0
  readonly tokensKept = new Map<number, { readonly tokens: number; readonly until: number }>()
  /** ns until which there is a hold on a lock */
  heldUntil = 0
  /** of a pool; undefined: it is none */
  readonly account: PoolAccount | undefined
  /** how much of it counts as one unit */
  readonly unit: number

  constructor(
    readonly name: string,
    readonly kind: ThingKind,
    public element: Element,
    tiers: number,
    pool?: PoolTerms
  ) {
    this.waiting = new Uint32Array(tiers)
    this.account = pool === undefined ? undefined : new PoolAccount(name, firstOf(pool.capacity), tiers)
    this.unit = pool?.unit ?? 1
  }

  /** One more waits for so many tokens, or one less. */
  ask(tokens: number, more: 1 | -1): void {
    const left = (this.asked.get(tokens) ?? 0) + more
    if (left > 0) this.asked.set(tokens, left)
    else this.asked.delete(tokens)
  }
}
