/** Where one measured process works. All of it is made for this process and its helpers, and removed after them. */
export interface Setting {
  /** absolute path of the package, as a user would import or require it */
  package: string
  /** file URL of the built ES module of the package */
  module: string
  /** path of the bench's own addon */
  floors: string
  /** an empty folder on tmpfs */
  folder: string
  /** which lock of the arena: processes on disjoint locks have one each */
  lock: number
  redisPort: number | undefined
}

/** A lock that is handed to and fro between threads or processes. */
export interface Peer {
  /** takes the lock while nobody else has it or waits */
  hold(): Promise<void>
  /** takes the lock from the peer that holds it */
  wait(): Promise<void>
  release(): void | Promise<void>
}

/** Does n of something, and says how many came to their end, so that no work can be left out unseen. */
export type Operation = (n: number) => number | Promise<number>

/**
 * How one contestant does the work of the trials; what it cannot do is absent. Each driver writes its own loops: a shared one would add
 * a call, or a promise, to each of them alike and so hide how they differ.
 */
export interface Driver {
  /** takes the free lock without waiting, if there is a way to, and gives it back */
  tryPairs?: Operation
  /** awaits the free lock and gives it back */
  awaitPairs?: Operation
  /** the shape of the Web Locks API: a callback that runs under the lock */
  requestPairs?: Operation
  /** n requests queued behind a holder; then all are served in turn */
  waiters?: Operation
  /** the same in four priorities */
  tieredWaiters?: Operation
  /** n requests queued behind a holder, the one in the middle aborted, the others served */
  queue?: Operation
  peer?: Peer
  close(): void | Promise<void>
}

export type Connect = (setting: Setting) => Promise<Driver>

/** What is run under a lock when only the lock is measured. */
export const nothing = (): void => {}

/** Settles when `done` has been called n times. */
export class Countdown {
  readonly over: Promise<void>
  readonly fail: (reason: unknown) => void
  #left: number
  readonly #finish: () => void

  constructor(n: number) {
    let finish: () => void = nothing
    let fail: (reason: unknown) => void = nothing
    this.over = new Promise((resolve, reject) => {
      finish = resolve
      fail = reject
    })
    this.#left = n
    this.#finish = finish
    this.fail = fail
  }

  done(): void {
    if (--this.#left === 0) this.#finish()
  }
}
