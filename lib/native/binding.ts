/**
 * The only door to the addon: what it exports, in types. Every function here takes no arguments unless its signature
 * says so; it reads its numbers from the scratch and writes its results back, because a Node-API call without
 * arguments costs a third of one with four. The caller writes the scratch last, after every getter and coercion of
 * user values has run, so that re-entrant user code cannot overwrite it.
 */
import type { AccountFile, MeterScope, NativeMeter } from './meter.js'
import type { PredictKernels } from './predict.js'

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
  Arena = 12, // in, for the hot calls (those that answer through OutCode): which arena of the environment, Binding.arena
  Hold = 68, // in, of locks: whole ms that it is expected to be held, 0 unknown
  // queues; those of a grant (SeqLow, Grant, OutSeqLow, OutGrant, OutWaiter) stand for a record, or a place for one, in hand
  Queue = 0, // in: number of the queue
  OutQueue = 0,
  OutCapacity = 1, // of queueOpen, what the queue has
  OutMaxBytes = 2,
  OutSizes = 0, // of queueSize, four: by tier
  Length = 13, // in and out: bytes of the record
  OutAttempt = 15, // of a record in hand; its tier is in the lowest two bits of OutGrant
  Settled = 16, // entries of four: waiter id, Outcome, SeqLow, Grant
  Locks = 72, // of what is wanted or held together: how many of each kind
  Pools = 73,
  Buckets = 74,
  OutRefused = 75, // position of the part that refused
  Turn = 76, // of the faces: counts who writes the parts, so that a getter that made another one do so does not go unnoticed
  Amounts = 77, // of units: how many of the Amounts there are; the others count as 0
  Asked = 78, // of tryAdmit, out: the number of what was written and found to make sense; in, with RequestBit.Again: that number
  Parts = 80, // entries of four: element index; of a lock its generation and tier; of what is held SeqLow, Grant, of units the waiter id
  Key = 16 // of keyed buckets, out and in: the four words of the hash of a key
}

/** Positions in {@link Binding.times}. */
export const enum Time {
  Timeout = 0, // ms from now, Infinity: none
  Arrival = 1, // ns on the arena clock the request counts from (acquireAll keeps its first), 0: now; when it waits, what it was
  // of keyed buckets, in: tokens; and of the call that opens a family, in and out: what it is made with
  Tokens = 2,
  Rate = 2,
  Per = 3,
  Burst = 4,
  Keys = 5,
  OutLimit = 11, // tokens of a full bucket
  Amounts = 2, // DIMENSIONS of them, of a bucket the first: tokens; of a pace: rate, per (ms), burst
  OutReady = 8, // ms from now until a refused request would be granted
  OutRemaining = 9, // whole tokens that could be taken
  OutFull = 10, // ms from now until the bucket is full
  Together = 12, // MOST_BUCKETS of them: the tokens wanted of each bucket
  Length = 16
}

/** The most dimensions that a pool can have. */
export const DIMENSIONS = 6
export const TIERS_MOST = 4
export const USAGE_NUMBERS = 2 * DIMENSIONS + TIERS_MOST * (DIMENSIONS + 1)

/** So many parts of each kind can be asked for together in one call. */
export const MOST_LOCKS = 4
export const MOST_POOLS = 1
export const MOST_BUCKETS = 4

/** Words of a part that is wanted or held together with others. */
export const PART_WORDS = 4

/** Whole numbers up to this are exact, and that is what a pool can hold of a dimension. */
export const UNITS_MAX = 2 ** 53

/** What an element is; each kind has a name space of its own. */
export const enum Kind {
  Lock = 0,
  Bucket = 1,
  Pool = 2,
  Queue = 3,
  Keyed = 4,
  Name = 5
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
  Named = 64, // Workflow, Tenant and Client say who asks, and of a lock Hold for how long
  Revocable = 32, // allocate: a share plan may ask for it back
  Again = 128, // tryAdmit: the same parts, amounts and tokens as those of the number in Asked; Differs: that was not the last
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
  Differs = 6, // define: it is there, and says something else
  Never = 7, // no bucket of this pace can ever give so many tokens
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
  NoHeap = -11, // capacity.memory used up
  TooMuch = -12, // more than the bucket or the pool can ever give
  Config = -13, // there with other values
  NoKeys = -14 // more keys of a family are in debt at once than it was made for
}

/** How a wait ended, in a settled entry. */
export const enum Outcome {
  Granted = 0,
  TimedOut = 1,
  Deadlock = 2, // then binding.cycle() of this waiter's id, until the next drain
  Corrupt = 3,
  Retired = 4,
  Never = 5 // it can not be granted any more: its bucket was made smaller
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
  /** In: Index, Amounts (rate, per, burst), Waiter (the index of the bucket above, -1 none). Ok | Differs | < 0. */
  defineBucket(): number
  /** In: Index. Out: Amounts, Waiter, as defineBucket has them. Ok | Stale: it is none yet. */
  bucketPace(): number
  /** In: Index, Amounts. Ok | Busy (another thread stays inside) | < 0. Writes OutSettled. */
  changePace(): number
  /** In: Index, Request (tier), Amounts[0]. OutCode: Ok (OutRemaining) | Busy (OutReady, OutRemaining) | < 0. Writes OutSettled. */
  tryTake(): void
  /** In: Index, Request, Amounts[0], Timeout, Arrival, Workflow, Tenant. OutCode: Ok (OutRemaining) | Wait (OutWaiter) | < 0. Writes OutSettled. */
  take(): void
  /** In: Index, Amounts[0]. Ok | Busy, and OutReady, OutRemaining, OutFull | < 0. */
  peekTokens(): number
  /** In: Index, Amounts[0]. Ok | < 0. Writes OutSettled. */
  refund(): number
  /** In: Index; numbers in the order of lib/pool-terms.ts, and a name for each dimension. Ok | Differs | < 0. */
  definePool(numbers: Float64Array, names: readonly string[]): number
  /** In: Index; numbers as for definePool, of which the tenants are left alone. Ok | Busy | < 0. Writes OutSettled. */
  changePool(numbers: Float64Array): number
  /** In: Index. What the pool is and has handed out; undefined: it is none yet. */
  poolState(): PoolState | undefined
  /** In: Index. Writes USAGE_NUMBERS: the capacity and what is used, DIMENSIONS of each; then what each of TIERS_MOST tiers uses, and how many wait in each. False: it is no pool yet. */
  poolUsage(numbers: Float64Array): boolean
  /** In: Index, Request (tier | Revocable), Amounts, Workflow, Tenant. OutCode: Ok (OutWaiter, OutSeqLow, OutGrant) | Busy | < 0. Writes OutSettled. */
  tryAllocate(): void
  /** As tryAllocate, and Timeout, Arrival; OutCode also Wait (OutWaiter). */
  allocate(): void
  /**
   * In: Request (tier | Named | Again) with names; with Again Asked, else Locks, Pools, Buckets, Parts in that order, Amounts, Together, of which it writes the number to
   * Asked. All or nothing. OutCode: Ok (Parts: SeqLow, Grant and waiter of each lock and pool; of a lock the Grant has the tier in its lowest two bits) | Busy (OutRefused, OutReady) |
   * Stale | Differs (and OutSettled is not written) | < 0. Writes OutSettled.
   */
  tryAdmit(): void
  /** In: Locks, Pools, Parts (SeqLow, Grant, and of a lock the index, of units the waiter), Ending. OutCode: Ok: all of them were held | Lost | < 0. Writes OutSettled. */
  releaseTogether(): void
  /** In: Waiter, SeqLow, Grant, Amounts (none above what it has). Ok | Lost | < 0. Writes OutSettled. */
  shrink(): number
  /** In: Waiter, SeqLow, Grant. Ok: it is held, and asked for | Lost. */
  recalled(): number
  /**
   * In: Request (PlanKind), Index (-1 for an escalation), Tier, Workflow (who), Waiter (source), Amounts: amount, from and until in ms from now.
   * Ok (OutWaiter, OutSeqLow: its id) | Busy (no place for another plan of this thing) | < 0. Writes OutSettled.
   */
  writePlan(): number
  /** In: Waiter, SeqLow: the id. Ok | Lost. Writes OutSettled. */
  withdrawPlan(): number
  /** Takes away what has ended. Writes OutSettled. */
  sweepPlans(): number
  listPlans(): PlanSnapshot[]
  /** For each source, four: requests that only its plans kept waiting, ms that they did, plans used, plans written. */
  planLosses(): number[]
  /** In: Index of a bucket. Whole tokens in reserve. */
  reserved(): number
  /**
   * Finds or makes a family of buckets. In: its name, Rate, Per, Burst, Keys; Request: 1 to change the pace of one that exists. Ok |
   * Differs | Busy (another one is changing it) | < 0; then OutIndex is its number in this environment, and Rate, Per, Burst, Keys are its own.
   */
  keyedOpen(name: string): number
  /** In: the key, Index (number of the family), Tokens. OutCode: Ok | Busy (OutReady) | Never | < 0; OutRemaining, and Key where it was asked. */
  keyedTake(key: string): void
  /** The same with the Key that an earlier call gave, which costs half as much as to read a string. */
  keyedAgain(): void
  /** The same, and takes nothing. OutFull and OutLimit too. */
  keyedPeek(key: string): void
  /** In: the key, Index, Tokens. OutCode: Ok | Never | < 0. */
  keyedRefund(key: string): void
  /** Writes up to 12 settled entries and OutSettled; call again until 0. True once if watched grants may have been lost (run check on each), and whenever the arena is of no more use. */
  drain(): boolean
  /** Finds or makes a queue; zeros: what it has, or the defaults. Ok (OutQueue, OutCapacity, OutMaxBytes) | Config (the same but OutQueue) | < 0. */
  queueOpen(name: string, capacity: number, maxBytes: number): number
  /** The bytes of the environment through which records travel; over a SharedArrayBuffer. Call it before the calls below. */
  queueBytes(): Uint8Array | undefined
  /** In: Queue, Tier, Length, and the bytes. OutCode: Ok | Busy (full, or others wait for room) | < 0. Writes OutSettled. */
  queueOffer(): void
  /** In: Queue. OutCode: Ok (OutSeqLow, OutGrant with its tier, Length, OutAttempt, and the bytes) | Busy (empty, or others wait) | < 0. Writes OutSettled. */
  queuePoll(): void
  /** In: Queue, SeqLow, Grant. OutCode: Ok | Lost | < 0. Writes OutSettled. */
  queueAck(): void
  /** queueAck and queuePoll in one; whether there was anything to acknowledge is not said. */
  queueNext(): void
  /** In: as queueAck; the record, or the place, goes back. Ok | Lost | < 0. Writes OutSettled. */
  queueReturn(): number
  /** In: Queue, Tier, Timeout. OutCode: as queuePoll, but Wait (OutWaiter) in place of Busy. Writes OutSettled. */
  queueTake(): void
  /** In: Queue, SeqLow, Grant: of a settled queueTake. Ok (OutSeqLow, OutGrant, Length, OutAttempt, and the bytes, as of queuePoll) | Lost | < 0. */
  queueRead(): number
  /** In: Queue, Tier, Timeout. A place to fill: Ok (OutSeqLow, OutGrant) | Wait (OutWaiter) | < 0. Writes OutSettled. */
  queueRoom(): number
  /** In: Queue, SeqLow, Grant of the place, Tier, Length, and the bytes. Ok | Lost | < 0. Writes OutSettled. */
  queueFill(): number
  /** In: Queue. Ok (OutSizes) | < 0. */
  queueSize(): number
  /** Names and owners in the cycle that refused this waiter, as text. */
  cycle(waiter: number): string
  /** Nanoseconds on the arena clock (virtual or CLOCK_MONOTONIC), as a double. */
  now(): number
  /** The wall-clock milliseconds of a time on the arena clock, by the arena's one mapping. */
  wallClock(ns: number): number
  /** Virtual clock only. In: Timeout. Goes forward by so many ms, event by event. OutCode: Ok | < 0. Writes OutSettled. */
  advance(): void
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
  /** Whether anybody observes. */
  isObserved(): boolean
  /** Writes a note of at most 4,096 bytes. False: nobody observes, or there is no room for any of that length. */
  note(kind: number, bytes: ArrayBufferView): boolean
  /** The number of a name, for good; 0 when there is no room for it. */
  intern(name: string): number
  nameOf(id: number): string | undefined
  /** Of a record's element; undefined: its place is another's by now. */
  elementName(index: number, generation: number): string | undefined
  /** The `top` busiest elements, or the one of a name and kind; and what has no place of its own, by kind. Undefined without memory for it. */
  stats(top: number, name?: string, kind?: number): NativeStats | undefined
  /** Whether records are timed by the CPU's counter; sets it where that can be. */
  cpuCounter(use?: boolean): boolean
  /** The number of a name that there is; 0 if nobody has used it. Writes nothing. */
  findName(name: string): number
  /**
   * What a request would meet, of a lock, a bucket or a pool by name. In: Tier, Workflow, Tenant (numbers of names), Amounts[0]: tokens, Timeout: ms until it comes. Writes
   * nothing. A negative code where the arena is of no more use.
   */
  shadow(name: string, kind: number): ShadowSnapshot | number
  /** Keeps the event loop alive while true (called when the number of waiting promises leaves or reaches 0). */
  ref(on: boolean): void
  /** One governor fewer on this arena; the last one leaves it: held locks pass on with ownerDied. */
  close(): void
}

/**
 * Numbers of one that holds or waits, as {@link Binding.shadow} sees it, from its place in the list on; times in ms from now, those that are past are
 * negative. After them DIMENSIONS amounts, of a pool.
 */
export const enum ShadowField {
  Tier = 0,
  /** a holder: its grant, or its request at the latest; a waiter: its arrival */
  Since = 1,
  /** a holder: the end of its ttl; a waiter: of its wait; Infinity: none */
  Until = 2,
  /** ms, 0: none, unknown */
  Ttl = 3,
  Hold = 4,
  /** of {@link ShadowFlag} */
  Flags = 5,
  /** of their names, 0: none */
  Tenant = 6,
  Workflow = 7,
  /** 0: nobody any more */
  Participant = 8,
  Incarnation = 9,
  Pid = 10,
  Tid = 11,
  /** of a bucket */
  Tokens = 12,
  Amounts = 13
}

export const enum ShadowFlag {
  Shared = 1,
  Steal = 2,
  Revocable = 4,
  Recalled = 8
}

/** A hold of a lock; times in ms from now. */
export interface ShadowHoldPlan {
  readonly tier: number
  readonly source: number
  readonly whoId: number
  readonly who?: string
  /** ms that others hold it, 0 unknown */
  readonly hold: number
  readonly from: number
  readonly until: number
}

/** In units, for each tier DIMENSIONS of them; `parts`: floor and share together, as plans have them now. */
export interface ShadowPool {
  readonly dimensions: number
  readonly capacity: readonly number[]
  readonly floors: readonly number[]
  readonly parts: readonly number[]
  readonly ceilings: readonly number[]
  /** tenant and weight, of those that are not 1 */
  readonly weights: readonly number[]
  /** a bit for each tier whose share a plan gives */
  readonly planned: number
  /** by tier, what of each dimension plans keep free for it and those above, 0 to 1 */
  readonly keeps: readonly number[]
  /** what they may keep together, 0 to 1 */
  readonly maxReserve: number
}

/** Grants, how many of these waited, and then pairs: a hold in ms, and how often it was counted. */
export type ShadowCounts = readonly number[]

export interface ShadowSnapshot {
  /** that the request would have, with the plans that raise it */
  readonly tier: number
  /** ms, 0 none */
  readonly ageing: number
  /** by tier: of all elements of the kind without statistics of their own */
  readonly rest: readonly ShadowCounts[]
  /** by tier; this and what follows only where there is such an element */
  readonly own?: readonly ShadowCounts[]
  readonly index?: number
  readonly consistent?: boolean
  /** as {@link ShadowField} */
  readonly holders?: Float64Array
  /** by tier, in their order */
  readonly waiters?: readonly Float64Array[]
  /** of the numbers in both; a name that is gone is not there */
  readonly names?: readonly { readonly id: number; readonly name?: string }[]
  readonly pool?: ShadowPool
  /** `waiters`: five numbers each, in their order: tier, place, 1 if it is ahead, when it is served without the request, and with it (Infinity: never) */
  readonly tokens?: { readonly possible: boolean; readonly ready: number; readonly remaining: number; readonly waiters: readonly number[] }
  readonly plans?: readonly ShadowHoldPlan[]
  /** ms that holds may still keep the lock from lower tiers */
  readonly mayKeep?: number
}

/** As core::PlanKind. */
export const enum PlanKind {
  Hold = 1,
  Reserve = 2,
  Share = 3,
  Escalation = 4,
  Keep = 5
}

export interface PlanSnapshot {
  entry: number
  version: number
  kind: PlanKind
  what: string
  who: string
  tier: number
  source: number
  amount: number
  /** ms from now */
  from: number
  until: number
}

/** A pool as the arena has it: each number of a moment of its own. */
export interface PoolState {
  readonly names: readonly string[]
  /** ids of names */
  readonly labels: readonly number[]
  readonly capacity: readonly number[]
  readonly used: readonly number[]
  /** DIMENSIONS for each tier, lowest first */
  readonly byTier: readonly number[]
  /** for each tier: floors, shares, ceilings, DIMENSIONS of each, as parts of the capacity; a ceiling of Infinity is none */
  readonly parts: readonly number[]
  /** requests that wait, for each tier */
  readonly waiting: readonly number[]
  readonly tenants: readonly { tenant: number; grants: number; weight: number; used: readonly number[] }[]
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
  /** millionths */
  maxReservePpm?: number
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
    /** part of things that plans may keep, 0 to 1, as when this environment joined */
    readonly maxReserve: number
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
  /** The worker thread of this environment is that number to those who meter it, {@link MeterScope.OtherThread}, until it ends. */
  threadBegins(threadId: number): void
  /**
   * Of the processors that a thread of this process may run on, it leaves the first to others, if it has more than that one.
   *
   * @param thread the kernel's number, 0: the calling thread
   * @returns false: no thread of this process, or it may not be moved
   */
  leaveProcessor(thread: number): boolean
  /** Opens what a meter reads: lib/native/meter.ts. Undefined: the process that it is of is not there. */
  meter(scope: MeterScope, pid: number, all: boolean, files: readonly AccountFile[]): NativeMeter | undefined
  /** What the forecasters compute: lib/native/predict.ts. */
  readonly predict: PredictKernels
  /** of memory, which the kernel counts in pages */
  readonly pageBytes: number
  readonly version: string
  readonly layout: string
}
