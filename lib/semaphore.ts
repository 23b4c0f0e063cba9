import type { Allocation } from './allocation.js'
import { labelled } from './arena-wait.js'
import { count, onlyKnown, optionsObject, refuse } from './checks.js'
import { ConfigError } from './errors/index.js'
import type { AdaptiveLimit } from './limit/adaptive.js'
import type { AdaptOptions } from './limit/options.js'
import { adapt, limitOf, measure } from './limit/permits.js'
import type { AdaptMode, AdaptReport } from './limit/report.js'
import { UNITS_MAX } from './native/binding.js'
import { type AllocateOptions, Pool, runWith, type TryAllocateOptions } from './pool.js'
import type { Session } from './session.js'
import type { ShadowAnswer } from './shadow/answer.js'
import { runsDry } from './shadow/dry.js'
import type { PoolShadowOptions } from './shadow/options.js'

const PERMITS = 'permits'

export interface SemaphoreOptions {
  /** lets this environment learn how many permits are right: {@link AdaptOptions}. The number given is then that at the start */
  adapt?: AdaptOptions | undefined
  /** runs the semaphore dry: what it would refuse or make wait is granted, and counted; default as `open({ shadow })` */
  shadow?: boolean | undefined
}

/** A pool of one dimension: so many permits, for every thread and process that opens the arena. See {@link Governor.semaphore}. */
export class Semaphore {
  readonly name: string
  private readonly pool: Pool
  private readonly session: Session
  private readonly adaptive: AdaptiveLimit | undefined

  /** @internal */
  constructor(session: Session, name: string, permits: unknown, options: unknown) {
    this.name = name
    this.session = session
    const given = optionsObject(options, 'options') ?? {}
    onlyKnown(given, ['adapt', 'shadow'], 'semaphore()')
    const { adapt: adapts } = given as { [K in keyof SemaphoreOptions]: unknown }
    const terms = permits === undefined ? undefined : { capacity: { permits: count(permits, 'permits', 0, UNITS_MAX) } }
    this.pool = new Pool(session, name, terms, 'semaphore', adapts !== undefined, runsDry(session, given))
    this.mustBeOne(this.pool.names)
    this.adaptive = adapts === undefined ? limitOf(session, name) : adapt(session, this, adapts)
  }

  private measured(allocation: Allocation): Allocation {
    return this.adaptive === undefined ? allocation : measure(this.adaptive, this.session, this, allocation)
  }

  private mustBeOne(stored: readonly string[]): void {
    if (stored.length === 1 && stored[0] === PERMITS) return
    const { name } = this
    throw new ConfigError(`${labelled('pool', name)} exists with other dimensions than a semaphore has`, {
      option: 'capacity',
      stored,
      given: [PERMITS]
    })
  }

  /** How many there are. */
  get permits(): number {
    return this.pool.capacity.permits ?? 0
  }

  /** How many are held. */
  get held(): number {
    return this.pool.usage().used.permits ?? 0
  }

  /** How many are not held. */
  get available(): number {
    const { capacity, used } = this.pool.usage()
    return Math.max(0, (capacity.permits ?? 0) - (used.permits ?? 0))
  }

  /** What the limit stands at that this environment adapts the permits by; undefined: it does not adapt them. */
  get limit(): AdaptReport | undefined {
    return this.adaptive?.report()
  }

  /**
   * Puts the learnt limit in force from now on (`on`), or only reports it (`shadow`).
   *
   * @throws ArgumentError, also where nothing adapts; BusyError if another thread stays inside the pool
   */
  setMode(mode: AdaptMode): void {
    if (this.adaptive === undefined) throw refuse('adapt', 'given when the semaphore was asked for', undefined)
    this.adaptive.setMode(mode)
  }

  /** Takes `n` permits if they are there and nobody waits who comes first; else null. See {@link Pool.tryAllocate}. */
  tryAcquire(n = 1, options?: TryAllocateOptions): Allocation | null {
    const allocation = this.pool.tryAllocate({ permits: n }, options)
    return allocation === null ? null : this.measured(allocation)
  }

  /** Waits for `n` permits. See {@link Pool.allocate}. */
  acquire(n = 1, options?: AllocateOptions): Promise<Allocation> {
    const granted = this.pool.allocate({ permits: n }, options)
    return this.adaptive === undefined ? granted : granted.then(allocation => this.measured(allocation))
  }

  /** What would become of a request for `n` permits, if it were made. See {@link Pool.shadow}. */
  shadow(n = 1, options?: PoolShadowOptions): ShadowAnswer {
    return this.pool.shadow({ permits: n }, options)
  }

  /** Holds a permit while `fn` runs: released when what it returns has settled, also when it throws. */
  async with<T>(fn: (allocation: Allocation) => T | PromiseLike<T>, options?: AllocateOptions): Promise<T> {
    if (typeof fn !== 'function') throw refuse('fn', 'a function', fn)
    return runWith(await this.acquire(1, options), fn)
  }

  /** Changes how many there are, for all; fewer than are held is no error. See {@link Pool.resize}. */
  resize(permits: number): void {
    this.pool.resize({ permits: count(permits, 'permits', 0, UNITS_MAX) })
  }
}
