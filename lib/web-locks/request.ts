import { StolenError } from '../errors/index.js'
import { type Grant, grants } from '../grant.js'
import { closed, quote } from '../native/codes.js'
import { broken } from './exceptions.js'
import type { Held, HeldLocks } from './held-locks.js'
import { makeLock } from './lock.js'
import { READY, RealmPromise, rejected, resolved, then } from './realm-promise.js'
import { abortReason, type GrantedCallback, isAborted, type LockMode } from './webidl.js'

type Settle = (value: unknown) => void

// The functions of the promise that was made last: one executor for all promises, instead of a closure for each.
const nothing: Settle = () => {}
let resolveLast = nothing
let rejectLast = nothing
function executor(resolve: Settle, reject: Settle): void {
  resolveLast = resolve
  rejectLast = reject
}

/** A lock request of the specification and, from its grant on, the lock: two structs with the same fields. */
export class Request implements Held {
  previous: Held | undefined = undefined
  next: Held | undefined = undefined
  /** What `request()` returns: the released promise. */
  readonly promise: Promise<unknown>
  readonly reject: Settle
  private readonly resolve: Settle
  private grant: Grant | undefined = undefined

  constructor(
    private readonly list: HeldLocks,
    private readonly name: string,
    private readonly mode: LockMode,
    private readonly callback: GrantedCallback,
    readonly signal: AbortSignal | undefined
  ) {
    this.promise = new RealmPromise(executor)
    this.resolve = resolveLast
    this.reject = rejectLast
    // They would keep the promise, and so the result, until the next request.
    resolveLast = rejectLast = nothing
  }

  /** The lock is held from here on. The callback follows in a microtask: never before `request()` has returned. */
  granted(grant: Grant): void {
    this.grant = grant
    this.list.add(this)
    then.call(READY, () => this.run())
  }

  /**
   * The lock may have been stolen: asks, and rejects the request if so. The specification lets the callback go on, maybe for ever;
   * but the arena keeps the place of a lost grant until it is given back, which is done here.
   */
  check(): void {
    if (this.grant !== undefined && !grants.holds(this.grant)) this.end(this.resolve, undefined)
  }

  /** The governor was closed. The lock stays held until the callback has ended, or the environment leaves the arena. */
  close(): void {
    this.list.delete(this)
    this.reject(broken(closed(this.name)))
  }

  private run(): void {
    const { signal } = this
    if (signal !== undefined && isAborted(signal)) this.end(this.reject, abortReason(signal))
    else this.call()
  }

  /** Calls the callback; when its promise has settled, releases the lock and settles the request. */
  private call(): void {
    const { callback } = this
    let waiting: Promise<unknown>
    try {
      waiting = resolved(callback(makeLock(this.name, this.mode)))
    } catch (error) {
      waiting = rejected(error)
    }
    then.call(
      waiting,
      value => this.end(this.resolve, value),
      error => this.end(this.reject, error)
    )
  }

  private end(settle: Settle, value: unknown): void {
    this.list.delete(this)
    try {
      if (this.grant?.release()) settle(value)
      else this.reject(broken(this.loss()))
    } catch (error) {
      this.reject(error)
    }
  }

  private loss(): Error {
    const { name } = this
    if (!this.list.owner.joined) return closed(name)
    return new StolenError(`lock ${quote(name)} was stolen by another request`, { resource: name, token: this.grant?.token ?? 0n })
  }
}
