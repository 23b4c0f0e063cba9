import type { MessagePort } from 'node:worker_threads'

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

/** A way for records from one thread or process to another. */
export interface Pipe {
  /** what the other side must be given before it can receive, if there is such a thing */
  far?: MessagePort
  adopt?(far: MessagePort): void
  send(): void | Promise<void>
  /** settles when a record is here, and done with */
  receive(): Promise<void>
}

/** Takes what a history is told, at a steady rate. */
export interface IngestDriver {
  /** tells of so many events of requests: a grant and an end in turn */
  offer(count: number): void
  /** settles when all of it is on disk */
  settle(): Promise<void>
  /** how many of them are there */
  kept(): Promise<number>
  /** of the process that writes, if it is another one */
  readonly writer?: number | undefined
  /** @returns bytes on disk, undefined where nothing is kept */
  close(): Promise<number | undefined>
}

/** What the events are about, in turn. */
export const TOLD = { elements: 16, workflows: 20, tenants: 7 }

export interface HistoryDriver {
  /** puts in so many runs of one day and 20 workflows, with their roll-ups, however it is fastest */
  fill(count: number): Promise<void>
  /** quantiles by workflow and hour: how many groups there were */
  quantiles(exact: boolean): Promise<number>
  close(): Promise<void>
}

export const RECORD_SIZE = 64

/** tokens a second, and the burst, of the bucket that several processes empty */
export const SCARCE = { rate: 1_000, burst: 1 }

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
  /** takes a token from a bucket that never runs dry */
  tokens?: Operation
  /** the same from a bucket for each of 1,000 keys, or of a million, in random order; the first call makes them */
  keyed1k?: Operation
  keyed1m?: Operation
  /** n tries to take a token from a bucket of `SCARCE`; says how many succeeded */
  scarce?: (n: number) => number
  /** takes units of three dimensions and gives them back */
  units?: Operation
  /** takes units of a pool, a token of each of two buckets and a lock, all or nothing, and gives back what can be given back */
  together?: Operation
  /** the same, awaited */
  awaitTogether?: Operation
  /** puts a record of `RECORD_SIZE` bytes in and takes it out, done with, in one thread */
  records?: Operation
  /** the same, where there is a way to be done with one as the next is taken out */
  recordsInTurn?: Operation
  pipe?: Pipe
  /** a reading of what a scope has used: time alone, or every counter */
  readThread?: Operation
  readThreadAll?: Operation
  readProcess?: Operation
  readProcessAll?: Operation
  readOther?: Operation
  readOtherAll?: Operation
  readCgroupAll?: Operation
  readHostAll?: Operation
  /** wall and CPU time of an action that does nothing, as a figure that can be kept */
  meterAction?: Operation
  /** n continuations of two asynchronous functions that take turns, under whatever books or times them */
  continuations?: Operation
  /** n runs of three actions that do nothing, one after the other, whose wall and CPU time is known of each afterwards */
  run3?: Operation
  /** the same with every counter */
  run3All?: Operation
  /** the first, told apart from what else goes on in the thread */
  run3Async?: Operation
  /** the first, of actions that take some 10 µs each */
  run3Apart?: Operation
  ingest?: IngestDriver
  history?: HistoryDriver
  /** what it would say of itself beside the figures, once all is done */
  notes?(): Record<string, string | number>
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
