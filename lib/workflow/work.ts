import type { ChildProcess } from 'node:child_process'
import type { Worker } from 'node:worker_threads'
import type { Allocation } from '../allocation.js'
import type { AskOptions, WaitOptions } from '../ask.js'
import { type Booked, type BookedKind, Booker, type Holding } from '../booker.js'
import type { Bucket } from '../bucket.js'
import { refuse } from '../checks.js'
import { callBooked } from '../enclosing.js'
import { ClosedError } from '../errors/index.js'
import { Grant } from '../grant.js'
import { Lock } from '../lock.js'
import type { Attribution } from '../metering/attribution.js'
import { ChildMeter } from '../metering/child.js'
import type { Usage } from '../metering/counters.js'
import type { MeterOptions } from '../metering/meter.js'
import { WorkerMeter } from '../metering/worker.js'
import type { Taken } from '../pace.js'
import type { AllocateOptions, Pool, TryAllocateOptions } from '../pool.js'
import type { AmountsByName } from '../pool-terms.js'
import type { RequestNames } from '../request-names.js'
import type { Session } from '../session.js'
import type { HoldLog } from '../shadow/hold-log.js'
import type { AcquireOptions, TryOptions } from '../terms.js'
import { NS_PER_MS } from '../units.js'
import { add, type Metering, together } from './metering.js'
import type { BookedSums, Outcome } from './record.js'

/** Grants and allocations that have ended are forgotten when there are more than these. */
const HELD_MAX = 16

const NO_USAGE: Partial<Usage> = {}
const NOTHING_BOOKED: BookedSums = Object.freeze({ requests: 0, refused: 0, waited: 0, tokens: 0 })
const NONE: readonly never[] = []

/** Of child processes and of worker threads: not every scope leaves both out. */
interface UsedByOthers {
  readonly children: Partial<Usage>
  readonly threads: Partial<Usage>
}

/** What a run and its actions have in common: what is asked for through them is booked to them. When they are over, that is a ClosedError. */
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
  /** @internal ms on the arena's clock */
  began = 0
  private readonly above: Work | undefined
  private held: Holding[] | undefined = undefined
  private requests = 0
  private refused = 0
  private waited = 0
  private tokens = 0
  private readonly metering: Metering | undefined
  private place = -1
  /** What others used for it, and its parts, who do no more. */
  private used: UsedByOthers | undefined = undefined
  /** Those who do. */
  private users: (ChildMeter | WorkerMeter)[] | undefined = undefined
  private isOver = false
  /** With a CPU account of their own, and part of it. */
  private parts: Set<Work> | undefined = undefined
  /** ms of CPU time of such parts that are over. */
  private partsCpu = 0

  constructor(session: Session, requestNames: RequestNames, tierIndex: number, above: Work | undefined, metering: Metering | undefined) {
    super()
    this.session = session
    this.requestNames = requestNames
    this.tierIndex = tierIndex
    this.above = above
    this.metering = metering
  }

  /** A lock, as {@link Lock.acquire} gives it. What is still held at the end is released then. */
  lock(lock: string | Lock, options?: AcquireOptions): Promise<Grant> {
    try {
      this.mustGoOn()
      return this.lockOf(lock).acquire({ ...options, within: this.also(options?.within) })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The same without waiting. */
  tryLock(lock: string | Lock, options?: TryOptions): Grant | null {
    this.mustGoOn()
    return this.lockOf(lock).tryAcquire({ ...options, within: this.also(options?.within) })
  }

  /** Tokens, as {@link Bucket.take} gives them. */
  async take(bucket: Bucket, n = 1, options?: WaitOptions): Promise<Taken> {
    this.mustGoOn()
    return bucket.take(n, { ...options, within: this })
  }

  /** The same without waiting. */
  tryTake(bucket: Bucket, n = 1, options?: AskOptions): Taken {
    this.mustGoOn()
    return bucket.tryTake(n, { ...options, within: this })
  }

  /** Units, as {@link Pool.allocate} gives them. What is still held at the end is released then. */
  async allocate(pool: Pool, amounts: AmountsByName, options?: AllocateOptions): Promise<Allocation> {
    this.mustGoOn()
    return pool.allocate(amounts, { ...options, within: this })
  }

  /** The same without waiting. */
  tryAllocate(pool: Pool, amounts: AmountsByName, options?: TryAllocateOptions): Allocation | null {
    this.mustGoOn()
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

  /**
   * Meters a child process that was just started: what it uses until it ends, or this work does, is booked to the work, if its scope does not
   * have that anyway (a cgroup's has).
   *
   * @returns what it used until then; rejected with an ArgumentError if it is no child process that was started, a NotFoundError if it has ended
   */
  child(child: ChildProcess): Promise<Usage> {
    return this.usedBy(level => new ChildMeter(child, level))
  }

  /**
   * The same of a worker thread that uses forelock itself: see {@link WorkerMeter}. One that did before, as those of a pool, is metered from now on.
   *
   * @returns as {@link child}
   */
  worker(worker: Worker): Promise<Usage> {
    return this.usedBy(level => new WorkerMeter(worker, level))
  }

  /** @internal */
  heldGrants(): readonly Grant[] {
    const grants = (this.held ?? NONE).filter((one): one is Grant => one instanceof Grant && !one.ended)
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
    if (this.requests === 0) return NOTHING_BOOKED
    return { requests: this.requests, refused: this.refused, waited: this.waited, tokens: this.tokens }
  }

  /** From here on what it uses is measured. */
  protected beginMeasuring(): void {
    const { metering } = this
    if (metering === undefined) {
      this.began = this.now()
      return
    }
    this.place = metering.reader.begin()
    // A reading has the time of the arena's clock, unless that is virtual.
    const at = this.session.binding.virtual ? Number.NaN : metering.reader.beganAt(this.place)
    this.began = Number.isNaN(at) ? this.now() : at
    if (metering.attribution === undefined) return
    const above = this.metered()
    if (above === undefined) return
    above.parts ??= new Set()
    above.parts.add(this)
  }

  /** Calls back with it; what that does is this work's, as far as the governor and the metering ask for that. */
  protected callWith<T>(fn: (self: this) => T): T {
    const attribution = this.metering?.attribution
    if (attribution === undefined && !this.session.encloses) return fn(this)
    const call = () => callBooked(this, () => fn(this))
    return attribution === undefined || attribution.closed ? call() : attribution.run(this, call)
  }

  /** ms since it began, when that is what it used. */
  protected passed({ wall }: Partial<Usage>): number {
    return wall === undefined || this.session.binding.virtual ? this.now() - this.began : wall
  }

  protected usageSofar(): Partial<Usage> {
    const { metering } = this
    if (metering === undefined) return NO_USAGE
    const own = metering.reader.sofar(this.place)
    if (metering.attribution !== undefined) own.cpu = this.ownCpu()
    return this.withOthers(own, this.usedSofar())
  }

  /** What it used; measures no more. */
  protected endMeasuring(): Partial<Usage> {
    const { metering } = this
    if (metering === undefined) return NO_USAGE
    const own = metering.reader.end(this.place)
    if (metering.attribution !== undefined) own.cpu = this.endContext(metering.attribution)
    if (this.used === undefined && this.users === undefined) return own
    // Closed first: what is booked is what each says that it used in all, and not what it had used a moment before.
    for (const user of this.users ?? NONE) user.close()
    const used = this.usedSofar()
    this.users = undefined
    const above = this.metered()
    if (above !== undefined && used !== undefined) {
      above.used ??= { children: {}, threads: {} }
      add(above.used.children, used.children)
      add(above.used.threads, used.threads)
    }
    return this.withOthers(own, used)
  }

  private endContext(attribution: Attribution<object>): number {
    const cpu = this.ownCpu()
    attribution.end(this)
    const above = this.metered()
    if (above !== undefined) {
      above.partsCpu += cpu
      above.parts?.delete(this)
    }
    return cpu
  }

  /** ms of CPU time in its own asynchronous context, and in those of its parts. */
  private ownCpu(): number {
    let cpu = (this.metering?.attribution?.cpu(this) ?? 0) + this.partsCpu
    for (const part of this.parts ?? NONE) cpu += part.ownCpu()
    return cpu
  }

  /** The nearest work around it that is metered. */
  private metered(): Work | undefined {
    let { above } = this
    while (above !== undefined && above.metering === undefined) above = above.above
    return above
  }

  private usedBy(open: (level: MeterOptions) => ChildMeter | WorkerMeter): Promise<Usage> {
    try {
      this.mustGoOn()
      const booking = this.metering === undefined ? this.metered() : this
      const meter = open(booking?.metering === undefined ? {} : { level: booking.metering.level })
      if (booking !== undefined) {
        booking.users ??= []
        booking.users.push(meter)
      }
      return meter.ended
    } catch (error) {
      return Promise.reject(error)
    }
  }

  private usedSofar(): UsedByOthers | undefined {
    const { used, users } = this
    if (users === undefined) return used
    const sum = { children: { ...used?.children }, threads: { ...used?.threads } }
    for (const user of users) add(user instanceof ChildMeter ? sum.children : sum.threads, user.usage())
    return sum
  }

  private withOthers(own: Partial<Usage>, used: UsedByOthers | undefined): Partial<Usage> {
    if (used === undefined || this.metering === undefined) return own
    const { hasChildren, hasThreads } = this.metering
    const theirs: Partial<Usage> = {}
    if (!hasChildren) add(theirs, used.children)
    if (!hasThreads) add(theirs, used.threads)
    return together(own, theirs)
  }

  /** ms on the arena's clock, which goes on when the arena was left. */
  protected now(): number {
    const { session } = this
    if (session.joined) return session.binding.now() / NS_PER_MS
    return session.binding.virtual ? this.began : Number(process.hrtime.bigint()) / NS_PER_MS
  }

  /**
   * What is asked for through work that is over would be released by nobody, and recorded nowhere.
   *
   * @throws ClosedError
   */
  protected mustGoOn(): void {
    if (!this.isOver) return
    const what = this.actionName === undefined ? 'the run' : `the action ${JSON.stringify(this.actionName)}`
    throw new ClosedError(`${what} is over: it can hold, take and do nothing more`, { resource: this.runId })
  }

  protected releaseHeld(): void {
    this.isOver = true
    const { held } = this
    this.held = undefined
    for (const one of held ?? NONE) if (!one.ended) one.release()
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

  private keep(kind: BookedKind, name: string, got: Holding): void {
    if (kind !== 'bucket') this.holdLog().add(kind, name, got, this.actionName, this.now())
    const held = this.held ?? []
    this.held = held.length >= HELD_MAX ? held.filter(one => !one.ended) : held
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
