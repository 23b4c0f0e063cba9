import type { Allocation } from './allocation.js'
import { labelled } from './arena-wait.js'
import { count, refuse } from './checks.js'
import { ConfigError } from './errors/index.js'
import { UNITS_MAX } from './native/binding.js'
import { type AllocateOptions, Pool, runWith, type TryAllocateOptions } from './pool.js'
import type { Session } from './session.js'

const PERMITS = 'permits'

/** A pool of one dimension: so many permits, for every thread and process that opens the arena. See {@link Governor.semaphore}. */
export class Semaphore {
  readonly name: string
  private readonly pool: Pool

  /** @internal */
  constructor(session: Session, name: string, permits: unknown) {
    this.name = name
    const options = permits === undefined ? undefined : { capacity: { permits: count(permits, 'permits', 0, UNITS_MAX) } }
    this.pool = new Pool(session, name, options, 'semaphore')
    if (this.pool.names.length === 1 && this.pool.names[0] === PERMITS) return
    const stored = this.pool.names
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

  /** How many are not held. */
  get available(): number {
    const { capacity, used } = this.pool.usage()
    return Math.max(0, (capacity.permits ?? 0) - (used.permits ?? 0))
  }

  /** Takes `n` permits if they are there and nobody waits who comes first; else null. See {@link Pool.tryAllocate}. */
  tryAcquire(n = 1, options?: TryAllocateOptions): Allocation | null {
    return this.pool.tryAllocate({ permits: n }, options)
  }

  /** Waits for `n` permits. See {@link Pool.allocate}. */
  acquire(n = 1, options?: AllocateOptions): Promise<Allocation> {
    return this.pool.allocate({ permits: n }, options)
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
