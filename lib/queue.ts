import { inspect } from 'node:util'
import { ArenaWait, type Awaited, labelled, ranOut } from './arena-wait.js'
import { abortSignal, count, duration, onlyKnown, optionsObject, tierIndex } from './checks.js'
import { ConfigError, ForelockError, MemoryError } from './errors/index.js'
import { type InHand, Item, type ItemHome, type ItemSource } from './item.js'
import { At, type Binding, Code, Time } from './native/binding.js'
import { closed, isGone, quote } from './native/codes.js'
import { copyOf, RecordBytes, type RecordData } from './record.js'
import type { Session } from './session.js'
import { TIER_MASK } from './terms.js'

/** How much a queue holds; chosen by who makes it. Who says nothing takes it as it is. */
export interface QueueOptions {
  /** records at once, waiting and in hand together, 1 to 2^20; default 1,024 */
  capacity?: number | undefined
  /** bytes of one record at most, 1 to 2^20; default 1,024 */
  maxBytes?: number | undefined
}

export interface OfferOptions {
  /** name of a tier of the arena; default `standard`, or the lowest where there is no such tier */
  tier?: string | undefined
}

export interface QueueWaitOptions {
  /** ends the wait: rejected with `signal.reason` */
  signal?: AbortSignal | undefined
  /** ms to wait at most, then it is rejected with a `TimeoutError`; 0: do not wait; default: for ever */
  waitTimeout?: number | undefined
}

export interface PushOptions extends OfferOptions, QueueWaitOptions {}

const CAPACITY_MAX = 2 ** 20
const BYTES_MAX = 2 ** 20
const NO_OPTIONS = { signal: undefined, timeout: Number.POSITIVE_INFINITY }

interface WaitTerms {
  readonly signal: AbortSignal | undefined
  readonly timeout: number
}

/** The bytes of an environment, by the array that the addon gives: one for all of its arenas. */
const transfers = new WeakMap<Uint8Array, RecordBytes>()

/**
 * A bounded queue of byte records between all threads and processes that open the arena: higher tiers first, first in first out inside a
 * tier. What a consumer takes stays in hand until it is acknowledged; if it is given back, or its consumer dies, it goes to
 * another, so each record is delivered at least once. See {@link Governor.queue}.
 */
export class Queue implements AsyncIterable<Item> {
  readonly name: string
  /** records at once, waiting and in hand together */
  readonly capacity: number
  /** bytes of one record at most */
  readonly maxBytes: number
  // Not #private, for the reason given in grant.ts.
  private readonly session: Session
  private readonly id: number
  private readonly defaultTier: number
  private readonly bytes: RecordBytes
  private readonly home: ItemHome
  /** The hot calls, apart from the binding: that object is a dictionary to the engine. */
  private readonly callOffer: Binding['queueOffer']
  private readonly callPoll: Binding['queuePoll']
  private readonly callNext: Binding['queueNext']

  /** @internal */
  constructor(session: Session, name: string, options: object | undefined) {
    const { capacity, maxBytes } = readOptions(options ?? {})
    const { binding, scratch } = session
    session.mustBeOpen(name)
    const array = binding.queueBytes()
    if (array === undefined) throw new MemoryError('there is no memory for the bytes of records', {})
    const code = binding.queueOpen(name, capacity ?? 0, maxBytes ?? 0)
    if (code === Code.Config) throw otherwise(name, capacity, maxBytes, scratch)
    session.check(code, name)
    this.name = name
    this.session = session
    this.id = scratch[At.OutQueue]
    this.capacity = scratch[At.OutCapacity]
    this.maxBytes = scratch[At.OutMaxBytes]
    this.defaultTier = session.plainTerms.request & TIER_MASK
    let bytes = transfers.get(array)
    if (bytes === undefined) {
      bytes = new RecordBytes(array)
      transfers.set(array, bytes)
    }
    this.bytes = bytes
    this.home = new Home(session, this.id, session.tiers, binding, {
      poll: () => this.poll(),
      after: item => this.after(item)
    })
    this.callOffer = binding.queueOffer
    this.callPoll = binding.queuePoll
    this.callNext = binding.queueNext
  }

  /** What it is, for a log: the bytes that records travel through are none of it. */
  toJSON(): { name: string; capacity: number; maxBytes: number; arena: string } {
    const { name, capacity, maxBytes, session } = this
    return { name, capacity, maxBytes, ...session.toJSON() }
  }

  /** @internal */
  [inspect.custom](): object {
    return this.toJSON()
  }

  /**
   * Adds a record if there is room and nobody waits for it; else false.
   *
   * @throws ArgumentError if it is longer than `maxBytes`; ClosedError, CorruptError, RetiredError
   */
  offer(data: RecordData, options?: OfferOptions): boolean {
    const session = this.session
    const tier = options === undefined ? this.defaultTier : this.readTier(options, ['tier'], 'offer()')
    if (!session.open) throw closed(this.name)
    const { scratch } = session
    scratch[At.Length] = this.bytes.write(data, this.maxBytes)
    scratch[At.Arena] = session.arena
    scratch[At.Queue] = this.id
    scratch[At.Tier] = tier
    this.callOffer()
    const code = scratch[At.OutCode]
    if (code < 0) throw session.failure(code, this.name)
    if (scratch[At.OutSettled] !== 0) session.waiting.settle()
    return code === Code.Ok
  }

  /**
   * Adds a record, waiting for room: FIFO within a tier, higher tiers first. The data is copied before this returns.
   *
   * @returns rejected with `signal.reason`, or with the errors of {@link offer}, a TimeoutError, CapacityError or MemoryError
   */
  push(data: RecordData, options?: PushOptions): Promise<void> {
    try {
      const tier = options === undefined ? this.defaultTier : this.readTier(options, ['tier', 'signal', 'waitTimeout'], 'push()')
      const terms = readWait(options)
      const copy = copyOf(data, this.maxBytes)
      if (terms.signal?.aborted) throw terms.signal.reason
      if (terms.timeout === 0) {
        if (!this.offerIn(copy, tier)) throw ranOut(labelled('queue', this.name), this.name, 0)
        return Promise.resolve()
      }
      return this.enter(copy, tier, terms)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Takes the first record; null if there is none, or others wait for it. See {@link Item.next} for the one after it.
   *
   * @throws ClosedError, CorruptError, RetiredError
   */
  poll(): Item | null {
    const session = this.session
    if (!session.open) throw closed(this.name)
    const { scratch } = session
    scratch[At.Arena] = session.arena
    scratch[At.Queue] = this.id
    this.callPoll()
    return this.polled()
  }

  /** Acknowledges what is in hand and takes the first record, in one call. */
  private after(item: InHand): Item | null {
    const session = this.session
    const { scratch } = session
    scratch[At.Arena] = session.arena
    scratch[At.Queue] = this.id
    scratch[At.SeqLow] = item.seqLow
    scratch[At.Grant] = item.word
    this.callNext()
    const next = this.polled()
    session.held--
    if (session.progress !== undefined) session.progress()
    return next
  }

  /** What the addon has just taken. */
  private polled(): Item | null {
    const session = this.session
    const { scratch } = session
    const code = scratch[At.OutCode]
    if (code !== Code.Ok) return this.nothing(code)
    const item = this.item()
    if (scratch[At.OutSettled] !== 0) session.waiting.settle()
    return item
  }

  private nothing(code: number): null {
    const { session } = this
    if (code < 0) throw session.failure(code, this.name)
    if (session.scratch[At.OutSettled] !== 0) session.waiting.settle()
    return null
  }

  /**
   * Takes the first record, waiting for it: FIFO.
   *
   * @returns rejected with `signal.reason`, a TimeoutError, ClosedError, CapacityError, MemoryError, CorruptError, RetiredError or
   *   ArgumentError
   */
  take(options?: QueueWaitOptions): Promise<Item> {
    try {
      if (options !== undefined) onlyKnown(optionsObject(options, 'options') as object, ['signal', 'waitTimeout'], 'take()')
      const terms = readWait(options)
      if (terms.signal?.aborted) throw terms.signal.reason
      if (terms.timeout === 0) {
        const item = this.poll()
        if (item === null) throw ranOut(labelled('queue', this.name), this.name, 0)
        return Promise.resolve(item)
      }
      return this.await(terms)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Takes records until the governor is closed. Each is in hand until the loop's body acknowledges it or gives it back. Who leaves it by
   * `return()` while it waits, as a stream that is destroyed does, waits no more: no record is taken for nobody.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Item, void, void> {
    const left = new AbortController()
    const records = this.records(left.signal)
    const end = records.return.bind(records)
    records.return = value => {
      left.abort()
      return end(value)
    }
    return records
  }

  private async *records(left: AbortSignal): AsyncGenerator<Item, void, void> {
    for (;;) {
      let item: Item
      try {
        item = await this.take({ signal: left })
      } catch (error) {
        if (error === left.reason || (!this.session.open && isClosed(error))) return
        throw error
      }
      let handedOver = false
      try {
        if (left.aborted) return
        yield item
        handedOver = true
      } finally {
        // The loop was left in the middle of it, or before it: it is as if its consumer had died.
        if (!handedOver) item.giveBack()
      }
    }
  }

  /** Records that wait; those in hand are not among them. */
  get size(): number {
    return this.readSizes().reduce((sum, size) => sum + size, 0)
  }

  /** Records that wait, by tier. */
  get sizes(): Readonly<Record<string, number>> {
    const sizes = this.readSizes()
    return Object.fromEntries(this.session.tiers.map((tier, index) => [tier, sizes[index] ?? 0]))
  }

  private readSizes(): number[] {
    const { session } = this
    session.mustBeJoined()
    session.scratch[At.Queue] = this.id
    session.check(session.binding.queueSize(), this.name)
    return Array.from(session.scratch.subarray(At.OutSizes, At.OutSizes + 4))
  }

  private offerIn(data: Uint8Array, tier: number): boolean {
    return this.offer(data, { tier: this.session.tiers[tier] })
  }

  private enter(data: Uint8Array, tier: number, terms: WaitTerms): Promise<void> {
    const { session } = this
    if (!session.open) throw closed(this.name)
    const { scratch } = session
    this.writeWait(tier, terms)
    const code = session.binding.queueRoom()
    if (code === Code.Ok) {
      const [seqLow, word] = [scratch[At.OutSeqLow], scratch[At.OutGrant]]
      session.waiting.settle()
      this.fill(data, tier, seqLow, word)
      return Promise.resolve()
    }
    if (code !== Code.Wait) throw session.failure(code, this.name)
    return this.waits<void>((_, seqLow, word) => this.fill(data, tier, seqLow, word), terms)
  }

  /** The wait that the addon has just begun. */
  private waits<T>(granted: Awaited<T>['granted'], { signal }: WaitTerms, undo?: (value: T) => void): Promise<T> {
    const { session, name } = this
    const awaited = { label: labelled('queue', name), name, asked: undefined, granted, ...(undo && { undo }) }
    const wait = new ArenaWait<T>(session, session.scratch[At.OutWaiter], awaited, session.binding.now())
    session.waiting.settle()
    if (signal !== undefined) wait.listen(signal)
    return wait.promise
  }

  /** Writes the record into the place that was granted for it. */
  private fill(data: Uint8Array, tier: number, seqLow: number, word: number): void {
    const { session } = this
    const { scratch } = session
    scratch[At.Length] = this.bytes.write(data, this.maxBytes)
    scratch[At.Queue] = this.id
    scratch[At.Tier] = tier
    scratch[At.SeqLow] = seqLow
    scratch[At.Grant] = word
    const code = session.binding.queueFill()
    session.check(code, this.name)
    session.waiting.settle()
    if (code !== Code.Ok) throw closed(this.name)
  }

  private await(terms: WaitTerms): Promise<Item> {
    const { session } = this
    if (!session.open) throw closed(this.name)
    const { scratch } = session
    this.writeWait(this.defaultTier, terms)
    session.binding.queueTake()
    const code = scratch[At.OutCode]
    if (code === Code.Ok) {
      const item = this.item()
      session.waiting.settle()
      return Promise.resolve(item)
    }
    if (code !== Code.Wait) throw session.failure(code, this.name)
    return this.waits<Item>(
      (_, seqLow, word) => this.read(seqLow, word),
      terms,
      item => item.giveBack()
    )
  }

  /** Reads the record that was granted to a wait. */
  private read(seqLow: number, word: number): Item {
    const { session } = this
    const { scratch } = session
    scratch[At.Queue] = this.id
    scratch[At.SeqLow] = seqLow
    scratch[At.Grant] = word
    const code = session.binding.queueRead()
    session.check(code, this.name)
    if (code !== Code.Ok) throw closed(this.name)
    return this.item()
  }

  private item(): Item {
    const session = this.session
    const { scratch } = session
    const data = this.bytes.read(scratch[At.Length])
    session.held++
    return new Item(this.home, data, scratch[At.OutAttempt], scratch[At.OutSeqLow], scratch[At.OutGrant])
  }

  private writeWait(tier: number, terms: WaitTerms): void {
    const { scratch, times, arena } = this.session
    scratch[At.Arena] = arena
    scratch[At.Queue] = this.id
    scratch[At.Tier] = tier
    times[Time.Timeout] = terms.timeout
  }

  private readTier(options: unknown, known: readonly string[], what: string): number {
    const given = optionsObject(options, 'options') as object
    onlyKnown(given, known, what)
    const { tier } = given as OfferOptions
    return tier === undefined ? this.defaultTier : tierIndex(tier, this.session.tiers, 'tier')
  }
}

/** Where the items of a queue go. */
class Home implements ItemHome {
  private readonly callAck: Binding['queueAck']

  constructor(
    private readonly session: Session,
    private readonly id: number,
    readonly tiers: readonly string[],
    binding: Binding,
    readonly source: ItemSource
  ) {
    this.callAck = binding.queueAck
  }

  get isOpen(): boolean {
    return this.session.open
  }

  acknowledge({ seqLow, word }: InHand): boolean {
    const session = this.session
    const { scratch } = session
    scratch[At.Arena] = session.arena
    scratch[At.Queue] = this.id
    scratch[At.SeqLow] = seqLow
    scratch[At.Grant] = word
    this.callAck()
    return this.ended(scratch[At.OutCode])
  }

  giveBack({ seqLow, word }: InHand): boolean {
    const { session } = this
    session.scratch[At.Queue] = this.id
    session.scratch[At.SeqLow] = seqLow
    session.scratch[At.Grant] = word
    return this.ended(session.binding.queueReturn())
  }

  /** After the arena was left there is nothing in hand any more. */
  private ended(code: number): boolean {
    const session = this.session
    if (code !== Code.Ok) this.failed(code)
    else if (session.scratch[At.OutSettled] !== 0) session.waiting.settle()
    session.held--
    if (session.progress !== undefined) session.progress()
    return code === Code.Ok
  }

  private failed(code: number): void {
    if (code < 0 && !isGone(code)) this.session.check(code)
  }
}

function readOptions(options: object): { capacity: number | undefined; maxBytes: number | undefined } {
  onlyKnown(options, ['capacity', 'maxBytes'], 'queue()')
  const { capacity, maxBytes } = options as QueueOptions
  return {
    capacity: capacity === undefined ? undefined : count(capacity, 'capacity', 1, CAPACITY_MAX),
    maxBytes: maxBytes === undefined ? undefined : count(maxBytes, 'maxBytes', 1, BYTES_MAX)
  }
}

/** Reads each option once; the signal last, because a getter before it may have aborted it. */
function readWait(options: QueueWaitOptions | undefined): WaitTerms {
  if (options === undefined) return NO_OPTIONS
  const { waitTimeout, signal } = options as { [K in keyof QueueWaitOptions]: unknown }
  return {
    timeout: waitTimeout === undefined ? Number.POSITIVE_INFINITY : duration(waitTimeout, 'waitTimeout'),
    signal: signal === undefined ? undefined : abortSignal(signal, 'signal')
  }
}

function otherwise(name: string, capacity: number | undefined, maxBytes: number | undefined, scratch: Int32Array): ConfigError {
  const [storedCapacity, storedBytes] = [scratch[At.OutCapacity], scratch[At.OutMaxBytes]]
  const option = capacity !== undefined && capacity !== storedCapacity ? 'capacity' : 'maxBytes'
  const [stored, given] = option === 'capacity' ? [storedCapacity, capacity] : [storedBytes, maxBytes]
  return new ConfigError(`queue ${quote(name)} exists with ${option} ${stored}, not ${given}`, { option, stored, given })
}

function isClosed(error: unknown): boolean {
  return error instanceof ForelockError && error.code === 'ERR_FORELOCK_CLOSED'
}
