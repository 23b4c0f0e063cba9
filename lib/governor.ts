import { EventEmitter } from 'node:events'
import { type AcquireAllOptions, acquireAll, type LockPart } from './acquire-all.js'
import type { Admission } from './admission.js'
import { type AdmitOptions, type AdmitParts, admit, type Refusal, tryAdmit } from './admit.js'
import { Agent } from './agent/agent.js'
import { Bucket, type BucketOptions } from './bucket.js'
import { duration, onlyKnown, optionsObject, refuse, text } from './checks.js'
import { advance, now, toDate } from './clock.js'
import { closeSession } from './closing.js'
import { Foresight } from './foresight/face.js'
import { EventReceiver } from './foresight/receiver.js'
import type { GrantSet } from './grant-set.js'
import type { StorePlace } from './history/place.js'
import { type RecorderOptions, record } from './history/record.js'
import type { Recorder } from './history/recorder.js'
import type { HistoryStore } from './history/store.js'
import { type LockSnapshot, lockSnapshots } from './inspect.js'
import { KeyedBuckets, type KeyedBucketsOptions } from './keyed-buckets.js'
import type { LeakReport } from './leak-report.js'
import { Lock } from './lock.js'
import type { ElementSnapshot } from './native/binding.js'
import { fromNative } from './native/codes.js'
import { PlanBook } from './plans.js'
import { Pool } from './pool.js'
import type { PoolOptions } from './pool-terms.js'
import { Queue, type QueueOptions } from './queue.js'
import { Semaphore, type SemaphoreOptions } from './semaphore.js'
import type { Session } from './session.js'
import { Shadow } from './shadow/face.js'
import { dryPlace } from './shadow/places.js'
import { readStats, type Stats, type StatsOptions } from './stats.js'
import { makeTelemetry, type Telemetry } from './telemetry.js'
import type { LockDefaults } from './terms.js'
import { type LockManager, makeLockManager } from './web-locks.js'
import { forgettingOf } from './workflow/forgetting.js'
import { type WorkflowOptions, workName } from './workflow/options.js'
import { Workflow } from './workflow/workflow.js'

/** Symbol.asyncDispose, also where Node has the protocol but not yet the name (before 20.5). */
const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')

export interface GovernorEvents {
  /** a grant was garbage-collected while held; only with `reportLeaks`, or a subscriber of the channel `forelock:leak` */
  leak: [report: LeakReport]
}

/** One arena as this code opened it: makes the locks, and ends what it let in when it closes. Made by {@link open}. */
export class Governor extends EventEmitter<GovernorEvents> {
  readonly #session: Session
  #locks: LockManager | undefined
  #plans: PlanBook | undefined
  #telemetry: Telemetry | undefined
  #shadow: Shadow | undefined
  #foresight: Foresight | undefined
  #events: EventReceiver | undefined
  #agent: Agent | undefined
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(join: (onLeak: (report: LeakReport) => void) => Session) {
    super()
    this.#session = join(report => this.#leaked(report))
  }

  /** Name of the arena; empty for a private one. */
  get name(): string {
    return this.#session.binding.name
  }

  /** What `open({ handle })` joins this private arena by, from any thread of the process; empty for a named one. */
  get handle(): string {
    return this.#session.binding.handle
  }

  /** Stable id of this JavaScript environment in the arena, as `inspect()` shows it. */
  get client(): string {
    return this.#session.binding.client
  }

  /** Names of the tiers, lowest first. */
  get tiers(): readonly string[] {
    return this.#session.tiers
  }

  /** What the arena has room for, as its first opener chose. */
  get capacity(): Readonly<{ elements: number; waiters: number; participants: number; names: number; memory: number; telemetry: number }> {
    return { ...this.#session.binding.capacity }
  }

  /** ms by which a request must have come earlier to go before one of the next higher tier. */
  get ageing(): number {
    return this.#session.binding.ageingMs
  }

  get clock(): 'monotonic' | 'virtual' {
    return this.#session.binding.virtual ? 'virtual' : 'monotonic'
  }

  /** True from the call of {@link close} on. */
  get closed(): boolean {
    return !this.#session.open
  }

  /** The W3C Web Locks API, over this arena: `request` and `query`. */
  get locks(): LockManager {
    this.#locks ??= makeLockManager(this.#session)
    return this.#locks
  }

  /** What is to be kept ready, and for whom; for planners. */
  get plans(): PlanBook {
    this.#plans ??= new PlanBook(this.#session)
    return this.#plans
  }

  /** The record of what every environment of the arena asked for, was granted and gave back. */
  get telemetry(): Telemetry {
    this.#telemetry ??= makeTelemetry(this.#session)
    return this.#telemetry
  }

  /** What would happen, without doing it; and what rules that run dry would have done. */
  get shadow(): Shadow {
    this.#shadow ??= new Shadow(this.#session)
    return this.#shadow
  }

  /** Signed events from outside, which foresight counts with: for those whose secrets `open({ events })` was given. */
  get events(): EventReceiver {
    this.#events ??= new EventReceiver(this.#session.events, this.foresight, () => this.#session.open)
    return this.#events
  }

  /** What will be asked for, by whom, and what it will take. */
  get foresight(): Foresight {
    this.#foresight ??= new Foresight(this.#session)
    return this.#foresight
  }

  /** Makes room before it is asked for: `open({ predict: true })` starts it. */
  get agent(): Agent {
    this.#agent ??= new Agent(this.#session, this.foresight)
    return this.#agent
  }

  /**
   * A lock by name. Cheap, and two of the same name are the same lock; nothing is looked up before the first request. Any string is a
   * name, up to 4,096 UTF-16 code units.
   *
   * @param defaults what its requests ask for unless they say otherwise
   * @throws ArgumentError
   */
  lock(name: string, defaults?: LockDefaults): Lock {
    return new Lock(this.#session, text(name, 'name'), defaults === undefined ? undefined : optionsObject(defaults, 'defaults'))
  }

  /**
   * A token bucket by name. The first to say how fast it fills makes it, for all who use the arena; without options it must be there.
   *
   * @throws ConfigError if it is there with another pace, unless `update`; NotFoundError, ArgumentError, CapacityError, MemoryError,
   *   NameError, ClosedError
   */
  bucket(name: string, options?: BucketOptions): Bucket {
    return new Bucket(this.#session, text(name, 'name'), options)
  }

  /**
   * A pool by name: units of 1 to 6 dimensions. The first to say what there is makes it, for all who use the arena; without options it must
   * be there.
   *
   * @throws as {@link bucket}
   */
  pool(name: string, options?: PoolOptions): Pool {
    return new Pool(this.#session, text(name, 'name'), options)
  }

  /**
   * A semaphore by name: a pool of one dimension, `permits`, in the same name space as the pools. Without a number it must be there.
   *
   * @throws as {@link bucket}
   */
  semaphore(name: string, permits?: number, options?: SemaphoreOptions): Semaphore {
    return new Semaphore(this.#session, text(name, 'name'), permits, options)
  }

  /**
   * Writes what every environment of the arena does into a store, from now on until it stops. There is one recorder for an arena at a time:
   * others wait, and the first of them goes on when that one stops or its process dies.
   *
   * @param store `{ duckdb: PATH }` or `{ postgres: URL }`, with the options of such a store: a thread of its own opens it as soon as this is the
   *   recorder, reads, decodes and writes, and closes it. A store that is open is written to from the caller's thread
   * @throws CapacityError if the arena was made without room for telemetry; ArgumentError, ClosedError
   */
  record(store: HistoryStore | StorePlace, options?: RecorderOptions): Recorder {
    return record(this.#session, store, options)
  }

  /**
   * A kind of work by name: what its runs and their actions take is measured, recorded and learnt.
   *
   * @throws ArgumentError, ClosedError
   */
  workflow(name: string, options?: WorkflowOptions): Workflow {
    return new Workflow(this.#session, workName(name, 'name'), options)
  }

  /**
   * Removes what the workflows of this arena have learnt from the runs of a tenant: here at once; in every other environment before anything is made of
   * what it has learnt, and within a second of its event loop's time. What is left is learnt from the last 256 runs of others. Its rows are the store's:
   * {@link HistoryStore.forget}.
   *
   * @throws ArgumentError, ClosedError; CapacityError if the arena has no room to tell the others: then it is forgotten here only
   */
  forget(whose: { readonly tenant: string }): void {
    const given = optionsObject(whose, 'whose')
    if (given === undefined) throw refuse('whose', 'an object with a tenant', whose)
    onlyKnown(given, ['tenant'], 'forget()')
    const tenant = text((given as { tenant?: unknown }).tenant, 'tenant')
    this.#session.mustBeJoined()
    forgettingOf(this.#session).forget(tenant)
  }

  /**
   * Takes several locks, all or nothing, without ever being part of a lasting deadlock.
   *
   * @returns rejected like {@link Lock.acquire}; ArgumentError if a lock is in the list twice
   */
  acquireAll(list: readonly LockPart[], options?: AcquireAllOptions): Promise<GrantSet> {
    return acquireAll(this.#session, list, options)
  }

  /**
   * Units of pools, tokens and locks in one decision, all or nothing. It waits with empty hands, at the part that refused, from its first
   * arrival on; a `TimeoutError` names the part that refused last. While a decision runs, others may be refused parts that it then gives back.
   *
   * @returns rejected as {@link Lock.acquire}, {@link Pool.allocate} and {@link Bucket.take}
   */
  admit(parts: AdmitParts, options?: AdmitOptions): Promise<Admission> {
    return admit(this.#session, parts, options)
  }

  /** As {@link admit}, at once: what was admitted, or which part refuses, and of a bucket until when. */
  tryAdmit(parts: AdmitParts, options?: Omit<AdmitOptions, 'waitTimeout' | 'signal'>): Admission | Refusal {
    return tryAdmit(this.#session, parts, options)
  }

  /**
   * A queue of records by name, made at the first call for that name; two of the same name are the same queue. It stays for the
   * arena's life, and its room is taken from `capacity.memory`.
   *
   * @param options what it holds; ConfigError if it is there and holds something else
   * @throws ArgumentError, ConfigError, CapacityError, MemoryError, NameError, ClosedError, CorruptError, RetiredError
   */
  queue(name: string, options?: QueueOptions): Queue {
    return new Queue(this.#session, text(name, 'name'), optionsObject(options, 'options'))
  }

  /**
   * A family of token buckets, one for each key, by name: the same one for every thread and process that opens it. Made by the first,
   * with memory for `keys` keys in debt at once.
   *
   * @throws ArgumentError, NameError; ConfigError if it exists with other numbers; CapacityError, MemoryError, ClosedError
   */
  buckets(family: string, options: KeyedBucketsOptions): KeyedBuckets {
    return new KeyedBuckets(this.#session, family, options)
  }

  /** Nanoseconds on the arena's clock: CLOCK_MONOTONIC, the same in all processes of the host, or the virtual one. */
  now(): number {
    return now(this.#session)
  }

  /** The date of a time on the arena's clock, by the arena's one mapping to the wall clock. */
  toDate(ns: number): Date {
    return toDate(this.#session, ns)
  }

  /**
   * Moves the virtual clock, event by event, at most to its end at 2^63 ns, where it stops. Promises that settle thereby run their reactions after the caller has yielded.
   *
   * @throws ArgumentError if the clock is not virtual
   */
  advance(ms: number): void {
    advance(this.#session, ms)
  }

  /**
   * Holders and waiters of all locks that have any, or of one. Consistent for each lock, not across locks. Of one, its dry rule is shown beside it, but
   * not what that would have made wait.
   */
  inspect(name?: string): LockSnapshot[] {
    const session = this.#session
    session.mustBeJoined()
    if (name === undefined) return lockSnapshots(snapshot(session, undefined), session.tiers)
    return [text(name, 'name'), dryPlace(name)].flatMap(place => lockSnapshots(snapshot(session, place), session.tiers))
  }

  /**
   * How often, how long: of the busiest elements by tier, and of all others by kind. Counting begins with the first call, or with the
   * first observer; grants without a wait, and how long they were held, are counted while somebody observes ({@link Telemetry.attach}).
   *
   * @throws ArgumentError, ClosedError; MemoryError where there is no memory for it
   */
  stats(options?: StatsOptions): Stats {
    return readStats(this.#session, options)
  }

  /** Counters of the arena and of this environment, by name. */
  counters(): Record<string, number> {
    this.#session.mustBeJoined()
    return this.#session.binding.counters()
  }

  /**
   * Closes the governor: nothing new is let in, every waiting request settles, the signals of held grants abort. With `drain`, what waits
   * and what is held first has so many ms to end by itself. When the last governor of an environment on an arena
   * closes, what it still holds passes on with `ownerDied`; until then a grant can still be released.
   *
   * @returns resolves when all is settled; every call returns the promise of the first
   */
  close(options?: { drain?: number }): Promise<void> {
    try {
      const given = optionsObject(options, 'options') ?? {}
      onlyKnown(given, ['drain'], 'close()')
      const { drain } = given as { drain?: unknown }
      const ms = drain === undefined ? 0 : duration(drain, 'drain')
      this.#closing ??= closeSession(this.#session, ms)
      return this.#closing
    } catch (error) {
      return Promise.reject(error)
    }
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }

  #leaked(report: LeakReport): void {
    if (this.emit('leak', report)) return
    const { resource, token } = report
    process.emitWarning(
      `A grant of lock ${JSON.stringify(resource)} (token ${token}) was garbage-collected without release; the lock stays held`,
      {
        type: 'ForelockLeakWarning',
        code: 'FORELOCK_LEAK'
      }
    )
  }
}

function snapshot(session: Session, name: string | undefined): ElementSnapshot[] {
  try {
    return session.snapshot(name)
  } catch (error) {
    throw fromNative(error, name ?? '')
  }
}
