import type { AllocationTerms } from '../allocation.js'
import { ArenaWait } from '../arena-wait.js'
import type { Ask } from '../ask.js'
import { type Bucket, buckets } from '../bucket.js'
import { ArgumentError, ExceedsError } from '../errors/index.js'
import type { Governor } from '../governor.js'
import { type Lock, locks } from '../lock.js'
import { open } from '../open.js'
import { type Pool, pools } from '../pool.js'
import type { Session } from '../session.js'
import { readTerms, type Terms } from '../terms.js'
import type { PoolAccount } from './pool-account.js'
import type { TraceRequest, Who, Workload } from './trace.js'

/** What gives back what was granted. */
export interface Held {
  release(): boolean
}

/** One request on its way. */
export interface Flight {
  readonly request: TraceRequest
  readonly number: number
  /** index of its tier */
  readonly tier: number
  /** of its pool; undefined: it is of something else */
  readonly account: PoolAccount | undefined
  /** ns, of this try */
  asked: number
  ends: number
  /** what is asked for in this try */
  amounts: readonly number[]
  held: Held | undefined
}

/** How a request was answered at once. */
export type Answered = 'granted' | 'waits' | 'refused'

/** Nothing is held: tokens are spent. */
const SPENT: Held = { release: () => true }
/** Requests that may wait at once: an hour of a hundred that come each second and are not served. */
const WAITERS = 2 ** 19
/**
 * A wait without an end may be kept outside of the arena for a while, by the clock on the wall. One that ends, were it in 25 years of the
 * trace's time, waits in the arena at once, so that a replay depends on its own time alone.
 */
const WAIT_MOST_MS = 8e11
/** Handles are made anew when there are more: what is held keeps its own. */
const HANDLES_MOST = 65_536

/** The terms of one who asks, in the numbers of the faces. */
interface Asking {
  readonly pool: AllocationTerms
  readonly bucket: Ask
  readonly exclusive: Terms
  readonly shared: Terms
}

/** The real core with the things of a workload, on a clock that stands still between two events. */
export class Stage {
  readonly gov: Governor
  /** requests that were granted after a wait, in the order of their grants, since it was emptied */
  readonly granted: Flight[] = []
  /** those of them that were not granted after all */
  readonly refused: Flight[] = []
  private failure: unknown
  private readonly session: Session
  private readonly pools = new Map<string, Pool>()
  private readonly buckets = new Map<string, Bucket>()
  private readonly locks = new Map<string, Lock>()
  private readonly asking = new Map<Who, Asking>()

  /** @param maxReserve of its arena */
  constructor(workload: Workload, maxReserve: number) {
    // The clock looks at each place for a participant when it moves.
    this.gov = open({
      clock: 'virtual',
      autoEnclose: false,
      maxReserve,
      capacity: { participants: 3, waiters: WAITERS, telemetry: 0 },
      ...(workload.ranks !== undefined && { tiers: workload.ranks })
    })
    this.session = locks.sessionOf(this.gov.lock('forelock replay'))
    for (const { name, capacity } of workload.pools) {
      const pool = this.gov.pool(name, { capacity })
      this.pools.set(name, pool)
    }
    for (const { name, rate } of workload.buckets) this.buckets.set(name, this.gov.bucket(name, { rate }))
  }

  /** A request that waits for nobody is granted at once; of one that waits {@link granted} tells, or {@link refused}. */
  ask(flight: Flight, uncontended: boolean): Answered {
    const { request } = flight
    const terms = this.askingOf(request.who)
    try {
      switch (request.kind) {
        case 'pool':
          return this.askPool(flight, terms.pool, uncontended)
        case 'bucket':
          return this.askBucket(flight, terms.bucket, uncontended)
        default:
          return this.answered(
            flight,
            locks.enter(this.lockOf(request.thing), request.shared ? terms.shared : terms.exclusive, undefined, 0)
          )
      }
    } catch (error) {
      if (error instanceof ExceedsError) return 'refused'
      throw error
    }
  }

  /** ms until the bucket grants so many tokens, to whoever is first. */
  due(bucket: string, tokens: number): number {
    return this.bucketOf(bucket).peek(tokens).waitMs
  }

  lockOf(name: string): Lock {
    const found = this.locks.get(name)
    if (found !== undefined) return found
    if (this.locks.size >= HANDLES_MOST) this.locks.clear()
    const lock = this.gov.lock(name)
    this.locks.set(name, lock)
    return lock
  }

  bucketOf(name: string): Bucket {
    return known(this.buckets, name, 'bucket')
  }

  /** Moves the clock. @param look whether somebody waits, who may be granted something on the way */
  advance(ms: number, look: boolean): void {
    const { binding, waiting } = this.session
    const code = binding.advance(ms)
    waiting.settle()
    this.session.check(code)
    if (look) waiting.drain()
  }

  /** Requests that wait in the arena. */
  get queued(): number {
    return this.session.queued
  }

  /** @throws what a wait ended with that is no refusal */
  check(): void {
    if (this.failure !== undefined) throw this.failure
  }

  async close(): Promise<void> {
    await this.gov.close()
  }

  private askPool(flight: Flight, terms: AllocationTerms, uncontended: boolean): Answered {
    const pool = known(this.pools, flight.request.thing, 'pool')
    const units = padded(flight.amounts)
    if (uncontended) {
      const held = pools.tryUnits(pool, units, terms)
      if (held !== undefined) {
        flight.held = held
        return 'granted'
      }
    }
    return this.answered(flight, pools.units(pool, units, terms, { timeout: Number.POSITIVE_INFINITY, signal: undefined, arrival: 0 }))
  }

  private askBucket(flight: Flight, ask: Ask, uncontended: boolean): Answered {
    const bucket = this.bucketOf(flight.request.thing)
    const tokens = flight.amounts[0] as number
    if (uncontended && buckets.attempt(bucket, tokens, ask).ok) {
      flight.held = SPENT
      return 'granted'
    }
    const answer = buckets.enter(bucket, tokens, ask, 0)
    return this.answered(flight, answer instanceof ArenaWait ? answer : SPENT)
  }

  private answered(flight: Flight, answer: Held | { promise: Promise<unknown> }): Answered {
    if (!('promise' in answer)) {
      flight.held = answer
      return 'granted'
    }
    answer.promise.then(
      held => {
        flight.held = flight.request.kind === 'bucket' ? SPENT : (held as Held)
        this.granted.push(flight)
      },
      error => {
        if (error instanceof ExceedsError) this.refused.push(flight)
        else this.failure ??= error
      }
    )
    return 'waits'
  }

  private askingOf(who: Who): Asking {
    const found = this.asking.get(who)
    if (found !== undefined) return found
    const { session } = this
    const { names } = session.waiting
    const tier = session.tiers.indexOf(who.tier)
    if (tier < 0) {
      throw new ArgumentError(`a request of the tier ${JSON.stringify(who.tier)}: there are ${session.tiers.join(', ')}`, {
        option: 'tier',
        given: who.tier
      })
    }
    const [workflow, tenant] = [names.of(who.workflow), who.tenant === undefined ? 0 : names.of(who.tenant)]
    const numbers = { tier, tenant, workflow, client: 0 }
    const plain = session.plainTerms
    const ofLock = (mode: 'exclusive' | 'shared') =>
      readTerms(
        {
          mode,
          tier: who.tier,
          workflow: who.workflow,
          ...(who.tenant !== undefined && { tenant: who.tenant }),
          waitTimeout: WAIT_MOST_MS
        },
        plain,
        session
      )
    const asking = {
      pool: { ...numbers, grace: undefined },
      bucket: { ...numbers, booker: undefined, timeout: Number.POSITIVE_INFINITY, signal: undefined },
      exclusive: ofLock('exclusive'),
      shared: ofLock('shared')
    }
    if (this.asking.size >= HANDLES_MOST) this.asking.clear()
    this.asking.set(who, asking)
    return asking
  }
}

/** As the addon has them. */
function padded([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0]: readonly number[]): readonly number[] {
  return [a, b, c, d, e, f]
}

function known<T>(things: ReadonlyMap<string, T | undefined>, name: string, kind: string): T {
  const found = things.get(name)
  if (found === undefined) throw new ArgumentError(`the workload has no ${kind} ${JSON.stringify(name)}`, { option: kind, given: name })
  return found
}
