import { type AsyncHook, AsyncLocalStorage, AsyncResource, createHook, executionAsyncResource } from 'node:async_hooks'
import { callback } from '../checks.js'
import { ClosedError } from '../errors/index.js'
import { dispose } from '../grant.js'
import { loadAddon } from '../native/load.js'
import { Counter, MeterScope, type NativeMeter } from '../native/meter.js'

/** What its owner has used so far. */
interface Account {
  /** ms */
  cpu: number
  slices: number
}

const fresh = (): Account => ({ cpu: 0, slices: 0 })

/**
 * CPU time of a thread by whom it was spent for, though their promises interleave: the thread's CPU clock is read whenever the execution
 * goes from the continuations of one owner to those of another. An owner is any value: a run, a request. It goes with the asynchronous
 * context (AsyncLocalStorage), so what its code starts is its own; what belongs to nobody is counted apart.
 *
 * Opt-in, because Node then calls two hooks for each callback and continuation of the thread; docs/guides/metering.md has what that costs.
 * Not seen: Node's pool of threads. What Node and V8 do between two callbacks counts as of the one before.
 */
export class Attribution<Owner> {
  readonly #storage = new AsyncLocalStorage<Account>()
  readonly #accounts = new Map<Owner, Account>()
  readonly #nobody = fresh()
  readonly #native: NativeMeter = openThread()
  readonly #hook: AsyncHook
  /** Of the callbacks that the running one interrupted, outermost first. */
  readonly #interrupted: Account[]
  #current = this.#nobody
  #since: number
  #closed = false
  /** Asks for a context, which calls the hooks again. */
  #asking = false

  /** @throws LoadError */
  constructor() {
    this.#since = this.#clock()
    // This callback began unseen, and it may not end seen either: the main program does not. Nothing lies under an immediate.
    this.#interrupted = [this.#nobody]
    setImmediate(() => this.#interrupted.splice(0, this.#interrupted.length - 1)).unref()
    this.#hook = createHook({ before: () => this.#before(), after: () => this.#after() })
    this.#hook.enable()
  }

  /**
   * From here on this asynchronous context, and all that it starts, is the owner's: until its end, or until it enters another.
   *
   * @throws ClosedError
   */
  enter(owner: Owner): void {
    const account = this.#accountOf(owner)
    this.#storage.enterWith(account)
    this.#switchTo(account)
  }

  /**
   * Runs a function as the owner's, with all that it starts; what called goes on as whose it was.
   *
   * @throws ArgumentError if it is no function; ClosedError; what the function throws
   */
  run<T>(owner: Owner, fn: () => T): T {
    callback(fn, 'fn')
    const account = this.#accountOf(owner)
    const before = this.#current
    return this.#storage.run(account, () => {
      this.#switchTo(account)
      try {
        return fn()
      } finally {
        this.#switchTo(before)
      }
    })
  }

  /** ms of CPU time spent for the owner so far; 0 for one that never entered, or has ended. */
  cpu(owner: Owner): number {
    this.#charge()
    return this.#accounts.get(owner)?.cpu ?? 0
  }

  /** How many times the execution came to the owner from somebody else. */
  slices(owner: Owner): number {
    return this.#accounts.get(owner)?.slices ?? 0
  }

  /** ms of CPU time spent for nobody since this was made. */
  get unattributed(): number {
    this.#charge()
    return this.#nobody.cpu
  }

  /** What was spent for the owner, ms, whose account is closed: an account is kept until then. What its code still does is nobody's to ask for. */
  end(owner: Owner): number {
    const cpu = this.cpu(owner)
    this.#accounts.delete(owner)
    return cpu
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Counts no more. What was counted can still be asked for. */
  close(): void {
    if (this.#closed) return
    this.#charge()
    this.#closed = true
    this.#hook.disable()
    this.#storage.disable()
    this.#native.close()
  }

  [dispose](): void {
    this.close()
  }

  #accountOf(owner: Owner): Account {
    if (this.#closed) throw new ClosedError('the attribution is closed', { resource: undefined })
    const known = this.#accounts.get(owner)
    if (known !== undefined) return known
    const account = fresh()
    this.#accounts.set(owner, account)
    return account
  }

  #before(): void {
    if (this.#asking) return
    this.#interrupted.push(this.#current)
    this.#switchTo(this.#accountHere() ?? this.#nobody)
  }

  // From Node 24 on a resource of JavaScript's own gets its context only after its hook was called: it is asked for it.
  #accountHere(): Account | undefined {
    const resource = executionAsyncResource()
    if (!(resource instanceof AsyncResource)) return this.#storage.getStore()
    this.#asking = true
    try {
      return AsyncResource.prototype.runInAsyncScope.call(resource, () => this.#storage.getStore()) as Account | undefined
    } finally {
      this.#asking = false
    }
  }

  // After the outermost there is nobody to go back to: the next one says whose it is, and if that is the same, no clock is read.
  #after(): void {
    if (this.#asking) return
    const before = this.#interrupted.pop()
    if (before !== undefined && this.#interrupted.length > 0) this.#switchTo(before)
  }

  #switchTo(account: Account): void {
    if (account === this.#current) return
    this.#charge()
    this.#current = account
    account.slices++
  }

  #charge(): void {
    if (this.#closed) return
    const now = this.#clock()
    // A reading that was taken again may have been ahead of the next: see #clock.
    if (now <= this.#since) return
    this.#current.cpu += now - this.#since
    this.#since = now
  }

  /** ms. Owners often change faster than the clock can be read; what is 5 µs old serves again, with the time since, for this thread is running. */
  #clock(): number {
    this.#native.readAgain()
    return this.#native.counters[Counter.Cpu]
  }
}

function openThread(): NativeMeter {
  const native = loadAddon().meter(MeterScope.Thread, 0, false, [])
  if (native === undefined) throw new TypeError('only another process can be missing')
  return native
}
