/**
 * The only door to the addon: what it exports, in types. Every function here takes no arguments unless its signature
 * says so; it reads its numbers from the scratch and writes its results back, because a Node-API call without
 * arguments costs a third of one with four. The caller writes the scratch last, after every getter and coercion of
 * user values has run, so that re-entrant user code cannot overwrite it.
 */

/** Positions in {@link Binding.scratch}. The first group is read by the addon, the second written. */
export const enum At {
  // in
  Index = 0, // element index
  Gen = 1, // element generation
  Request = 2, // tier (0..3, lowest first) | RequestBit
  Tier = 3, // in upgrade and pass
  Ttl = 4, // whole ms, 0: none
  Waiter = 5, // waiter id (abort, upgrade, release of a shared grant)
  SeqLow = 6, // lower 32 bits of the sequence of a grant (release, pass, check)
  Grant = 7, // upper bits of the same, from GRANT_SEQUENCE_SHIFT on; other bits are ignored
  EnclosingCount = 8, // how many of the enclosing entries below are set (0..13)
  Ending = 9, // how a grant ended that is released or passed on: Ending
  Workflow = 13, // with RequestBit.Named: numbers of names (Binding.intern), 0 none
  Tenant = 14,
  Client = 15,
  Enclosing = 16, // entries of four from here: element index, SeqLow, Grant, waiter id of a shared grant or -1
  // out
  OutIndex = 0,
  OutGen = 1,
  OutBaseHigh = 2, // token base, upper 32 bits
  OutBaseLow = 3,
  OutWaiter = 5, // waiter id when the answer is Wait, or of a shared grant; -1 for an exclusive grant
  OutSeqLow = 6, // token = base + sequence
  OutGrant = 7, // upper bits of the sequence, from GRANT_SEQUENCE_SHIFT on, | GrantBit
  OutCode = 10, // what tryLock, lock and release answer: a number returned costs half as much again as the call
  OutSettled = 11, // number of settled entries written from Settled on
  Arena = 12, // in, for tryLock, lock, release and pass: which arena of the environment, Binding.arena
  Settled = 16 // entries of four: waiter id, Outcome, SeqLow, Grant
}

/** Positions in {@link Binding.times}. */
export const enum Time {
  Timeout = 0, // ms from now, Infinity: none
  Arrival = 1, // ns on the arena clock the request counts from (acquireAll keeps its first), 0: now; when it waits, what it was
  Length = 4
}

/** Words of an enclosing grant, and of a settled entry. */
export const ENTRY_WORDS = 4

const HIGH_UNIT = 2 ** 32

/** Where in a grant's word the upper 18 of the 50 bits of its sequence begin; the bits below are for GrantBit and the faces. */
export const GRANT_SEQUENCE_SHIFT = 8

/** A sequence as one number, of the two words in which it travels; those are signed. */
export function sequenceOf(low: number, grant: number): number {
  return (grant >> GRANT_SEQUENCE_SHIFT) * HIGH_UNIT + (low >>> 0)
}

/** The second of those words. */
export function grantWord(sequence: number): number {
  return Math.floor(sequence / HIGH_UNIT) << GRANT_SEQUENCE_SHIFT
}

/** The tier is in the two bits below. */
export const enum RequestBit {
  Shared = 4,
  Steal = 8,
  Named = 64, // Workflow, Tenant and Client say who asks
  Cohort = 16 // lock: if this environment holds the lock alone and nobody waits for it, say so (Own) instead of queueing
}

/** How a grant ended, in its user's words. */
export const enum Ending {
  Success = 0,
  Ignored = 1,
  Dropped = 2
}

export const enum GrantBit {
  OwnerDied = 8
}

/** What a call answers. Negative codes are failures: see codes.ts for the error each becomes. */
export const enum Code {
  Ok = 0,
  Busy = 1, // tryLock: held, or someone waits
  Stale = 2, // the element was recycled: look the name up again
  Wait = 3, // queued
  Lost = 4, // the grant had already ended by ttl, steal or death
  Own = 5, // lock with RequestBit.Cohort: nothing was queued
  Closed = -1,
  Corrupt = -2,
  NoElements = -3, // capacity.elements used up
  NoWaiters = -4, // capacity.waiters used up
  NoNames = -5, // capacity.names (text of long names) used up
  NameTooLong = -6,
  OutOfMemory = -7, // the memory behind the arena could not be had (tmpfs full, memory cgroup)
  Retired = -8, // the named arena was unlinked
  Forked = -9, // called in a forked child
  BadArgument = -10, // the scratch held nonsense; nothing was done
  NoHeap = -11 // capacity.memory used up
}

/** How a wait ended, in a settled entry. */
export const enum Outcome {
  Granted = 0,
  TimedOut = 1,
  Deadlock = 2, // then binding.cycle() of this waiter's id, until the next drain
  Corrupt = 3,
  Retired = 4,
  Stale = 5 // never given by drain for a lock; reserved
}

/** One arena as joined by this environment; the addon keeps one per environment and arena, however often it is opened. */
export interface Binding {
  /** 32-bit words, over a SharedArrayBuffer, which, unlike an ArrayBuffer, no script can detach. */
  readonly scratch: Int32Array
  /** Number of the arena in this environment: the scratch is the same for all. */
  readonly arena: number
  /** On the same buffer. */
  readonly times: Float64Array
  /** Free for the faces: shared by every copy of the package in this environment (ESM and CommonJS). Undefined at first. */
  state: unknown
  /** Finds or makes the element. In: arguments. Out: OutIndex, OutGen, OutBaseHigh, OutBaseLow. */
  lookup(name: string, kind: number): number
  /** In: Index, Gen, Request, Ttl. OutCode: Ok (OutSeqLow, OutGrant, OutWaiter) | Busy | Stale | < 0. Never waits, never queues. Writes OutSettled. */
  tryLock(): void
  /**
   * In: Index, Gen, Request, Timeout, Ttl, Arrival, EnclosingCount, Enclosing. OutCode: Ok (as tryLock) | Wait (OutWaiter) | Own | Stale | < 0.
   * Writes OutSettled, and Arrival where it had to queue.
   */
  lock(): void
  /** In: Index, SeqLow, Grant, Waiter (-1 exclusive), Ending. OutCode: Ok | Lost | < 0. Writes OutSettled: waiters of this environment that the release served. */
  release(): void
  /**
   * In: Index, Gen, SeqLow, Grant, Ending, Tier, Request (Named) with names, Arrival of the next. Ends this environment's exclusive grant and begins its next, of the tier. OutCode: Ok (OutSeqLow, OutGrant)
   * | Busy (somebody waits: release it) | Lost | < 0.
   */
  pass(): void
  /** In: Waiter. Afterwards the wait is over and no settled entry for it will come; a grant on its way is handed on. Ok | < 0. Writes OutSettled. */
  abort(): number
  /** In: Waiter, Tier. Moves a waiting request to another tier, by its arrival within it. Ok | < 0. Writes OutSettled. */
  upgrade(): number
  /** In: Index, SeqLow, Grant, Waiter (-1 exclusive). Ok: the grant still holds | Lost. */
  check(): number
  /** Writes up to 12 settled entries and OutSettled; call again until 0. True once if watched grants may have been lost (run check on each), and whenever the arena is of no more use. */
  drain(): boolean
  /** Names and owners in the cycle that refused this waiter, as text. */
  cycle(waiter: number): string
  /** Nanoseconds on the arena clock (virtual or CLOCK_MONOTONIC), as a double. */
  now(): number
  /** The wall-clock milliseconds of a time on the arena clock, by the arena's one mapping. */
  wallClock(ns: number): number
  /** Virtual clock only: goes forward by ms, event by event; writes OutSettled. */
  advance(ms: number): number
  /** Holders and waiters of every lock with any; with a name, of that one. See Snapshot. */
  snapshot(name?: string): ElementSnapshot[]
  /** Counters of the arena and of this environment. */
  counters(): Record<string, number>
  /** The number of a new reader of telemetry, which reads what is recorded from now on; 0 when the arena was left. While there is any, everybody records. */
  observe(): number
  unobserve(reader: number): void
  /** Copies whole records of 64 bytes into a typed array or DataView; how many. BadArgument for anything else. */
  drainRecords(reader: number, into: ArrayBufferView): number
  /** Copies whole notes; how many bytes. BadArgument also for less than 4,120 bytes. */
  drainNotes(reader: number, into: ArrayBufferView): number
  /** Records and notes that were dropped before this reader came to them. */
  recordsLost(reader: number): [records: number, notes: number]
  /** Writes a note of at most 4,096 bytes. False: nobody observes, or there is no room for any of that length. */
  note(kind: number, bytes: ArrayBufferView): boolean
  /** The number of a name, for good; 0 when there is no room for it. */
  intern(name: string): number
  nameOf(id: number): string | undefined
  /** The `top` busiest elements, or the one of a name and kind; and what has no place of its own, by kind. Undefined without memory for it. */
  stats(top: number, name?: string, kind?: number): NativeStats | undefined
  /** Whether records are timed by the CPU's counter; sets it where that can be. */
  cpuCounter(use?: boolean): boolean
  /** Keeps the event loop alive while true (called when the number of waiting promises leaves or reaches 0). */
  ref(on: boolean): void
  /** One governor fewer on this arena; the last one leaves it: held locks pass on with ownerDied. */
  close(): void
}

export interface HolderSnapshot {
  participant: number
  client: string // stable id of the environment: 'pid:participant:incarnation'
  pid: number
  tid: number
  pidNamespace: number
  tier: number
  shared: boolean
  ageMs: number
  token: bigint
  alive: boolean
}

export interface WaiterSnapshot {
  participant: number
  client: string
  pid: number
  tid: number
  pidNamespace: number
  tier: number
  shared: boolean
  ageMs: number
  /** ready: granted, but its environment has not taken it yet */
  state: 'queued' | 'ready'
}

export interface ElementSnapshot {
  name: string
  kind: number
  holders: HolderSnapshot[]
  /** in the order in which they would be served now */
  waiters: WaiterSnapshot[]
}

/** Times in ns, by the histogram's resolution. */
export interface NativeQuantiles {
  count: number
  p50: number
  p90: number
  p99: number
  max: number
}

export interface NativeTierStats {
  tier: number
  grants: number
  refusals: number
  timeouts: number
  aborts: number
  deadlocks: number
  waiting: number
  inUse: number
  wait: NativeQuantiles
  hold: NativeQuantiles
}

export interface NativeElementStats {
  name: string
  kind: number
  tiers: NativeTierStats[]
}

export interface NativeStats {
  elements: NativeElementStats[]
  rest: NativeElementStats[]
}

export interface OpenOptions {
  /** name of a shared arena; absent: private */
  name?: string
  /** directory of named arenas, default /dev/shm */
  dir?: string
  /** joins the private arena with this handle */
  handle?: string
  /** true: a new private arena instead of the process's default one (virtual clocks need one) */
  fresh?: boolean
  virtual?: boolean
  /** overwrite a stored option that differs (only tunable ones: ageingMs, tiers, claimWithinMs) */
  update?: boolean
  elements?: number
  waiters?: number
  participants?: number
  names?: number
  /** pages of 4 KiB for the records of buckets, pools, queues and keyed buckets */
  heapPages?: number
  /** records that a participant's telemetry lane holds: a power of two, or 0 */
  telemetry?: number
  ageingMs?: number
  claimWithinMs?: number
  /** 1 to 4 names, lowest first */
  tiers?: string[]
  /** called on this environment's loop when drain() has something to say */
  onWake: () => void
}

/** open() throws an Error with .code 'ERR_FORELOCK_…' and, for a mismatch, .option, .stored, .given. */
export interface Addon {
  open(options: OpenOptions): Binding & {
    readonly handle: string // '' for a named arena
    readonly name: string // '' for a private one
    readonly tiers: string[]
    readonly virtual: boolean
    readonly capacity: { elements: number; waiters: number; participants: number; names: number; memory: number; telemetry: number }
    readonly ageingMs: number
    readonly participant: number
    readonly client: string
    /** true when this call made the environment join, false when it had joined already */
    readonly joined: boolean
  }
  /** Removes a named arena. Throws ERR_FORELOCK_IN_USE while participants live, unless force. False: there was none. */
  unlink(name: string, dir: string | undefined, force: boolean): boolean
  /** Looks at a named arena without joining it (CLI). */
  inspect(
    name: string,
    dir?: string
  ): { options: Record<string, unknown>; participants: object[]; locks: ElementSnapshot[]; counters: Record<string, number> }
  readonly version: string
  readonly layout: string
}
