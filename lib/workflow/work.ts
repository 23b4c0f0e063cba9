import type { Allocation } from '../allocation.js'
import type { AskOptions, WaitOptions } from '../ask.js'
import { type Booked, type BookedKind, Booker, type Holding } from '../booker.js'
import type { Bucket } from '../bucket.js'
import { refuse } from '../checks.js'
import { Grant } from '../grant.js'
import { Lock } from '../lock.js'
import type { Taken } from '../pace.js'
import type { AllocateOptions, Pool, TryAllocateOptions } from '../pool.js'
import type { AmountsByName } from '../pool-terms.js'
import type { RequestNames } from '../request-names.js'
import type { Session } from '../session.js'
import type { HoldLog } from '../shadow/hold-log.js'
import type { AcquireOptions, TryOptions } from '../terms.js'
import { NS_PER_MS } from '../units.js'
import type { BookedSums, Outcome } from './record.js'

/** Grants and allocations that have ended are forgotten when there are more than these. */
const HELD_MAX = 16

/** What a run and its actions have in common: what is asked for through them is booked to them. */
export abstract class Work extends Booker {
  /** @internal */
  readonly session: Session
  /** @internal */
  readonly requestNames: RequestNames
  /** @internal */
  readonly tierIndex: number
  /** @internal the id of the run */
  abstract readonly runId: string
  protected chosen: Outcome | undefined = undefined
  private readonly above: Work | undefined
  private held: Holding[] = []
  private requests = 0
  private refused = 0
  private waited = 0
  private tokens = 0

  constructor(session: Session, requestNames: RequestNames, tierIndex: number, above: Work | undefined) {
    super()
    this.session = session
    this.requestNames = requestNames
    this.tierIndex = tierIndex
    this.above = above
  }

  /** A lock, as {@link Lock.acquire} gives it. What is still held at the end is released then. */
  lock(lock: string | Lock, options?: AcquireOptions): Promise<Grant> {
    try {
      return this.lockOf(lock).acquire({ ...options, within: this.also(options?.within) })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The same without waiting. */
  tryLock(lock: string | Lock, options?: TryOptions): Grant | null {
    return this.lockOf(lock).tryAcquire({ ...options, within: this.also(options?.within) })
  }

  /** Tokens, as {@link Bucket.take} gives them. */
  take(bucket: Bucket, n = 1, options?: WaitOptions): Promise<Taken> {
    return bucket.take(n, { ...options, within: this })
  }

  /** The same without waiting. */
  tryTake(bucket: Bucket, n = 1, options?: AskOptions): Taken {
    return bucket.tryTake(n, { ...options, within: this })
  }

  /** Units, as {@link Pool.allocate} gives them. What is still held at the end is released then. */
  allocate(pool: Pool, amounts: AmountsByName, options?: AllocateOptions): Promise<Allocation> {
    return pool.allocate(amounts, { ...options, within: this })
  }

  /** The same without waiting. */
  tryAllocate(pool: Pool, amounts: AmountsByName, options?: TryAllocateOptions): Allocation | null {
    return pool.tryAllocate(amounts, { ...options, within: this })
  }

  /** It was done, whatever its callback does from here on. */
  success(): void {
    this.chosen = 'success'
  }

  /** How long it took says nothing: it failed early, or was a probe. */
  ignore(): void {
    this.chosen = 'ignore'
  }

  /** It was given up because of overload or lack of time. */
  drop(): void {
    this.chosen = 'drop'
  }

  /** @internal */
  heldGrants(): readonly Grant[] {
    const grants = this.held.filter((one): one is Grant => one instanceof Grant && !one.ended)
    return this.above === undefined ? grants : [...grants, ...this.above.heldGrants()]
  }

  /** @internal */
  book(kind: BookedKind, name: string, waitedMs: number, got: Booked): void {
    this.requests++
    this.waited += waitedMs
    if (got === undefined) this.refused++
    else if (typeof got === 'number') this.tokens += got
    this.above?.book(kind, name, waitedMs, typeof got === 'object' ? 0 : got)
    if (typeof got === 'object') this.keep(kind, name, got)
  }

  protected sums(): BookedSums {
    return { requests: this.requests, refused: this.refused, waited: this.waited, tokens: this.tokens }
  }

  protected releaseHeld(): void {
    const { held } = this
    this.held = []
    for (const one of held) if (!one.ended) one.release()
    this.lookAtHeld()
  }

  /** @internal what the run and its actions hold and held; for forecasts */
  abstract holdLog(): HoldLog
  /** @internal Some of it may have ended. */
  abstract lookAtHeld(): void

  /** The action that it is; undefined: a run. */
  protected get actionName(): string | undefined {
    return undefined
  }

  /** ms on the arena's clock. */
  protected time(): number {
    return this.session.binding.now() / NS_PER_MS
  }

  private keep(kind: BookedKind, name: string, got: Holding): void {
    if (kind !== 'bucket') this.holdLog().add(kind, name, got, this.actionName, this.time())
    if (this.held.length >= HELD_MAX) this.held = this.held.filter(one => !one.ended)
    this.held.push(got)
  }

  private lockOf(lock: string | Lock): Lock {
    if (typeof lock === 'string') return new Lock(this.session, lock, undefined)
    if (lock instanceof Lock) return lock
    throw refuse('lock', 'a lock, or the name of one', lock)
  }

  private also(within: AcquireOptions['within']): AcquireOptions['within'] {
    if (within === undefined) return this
    return Array.isArray(within) ? [this, ...within] : [this, within as Grant]
  }
}
