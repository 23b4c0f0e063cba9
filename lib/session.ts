import { inspect } from 'node:util'
import type { Privacy } from './access/privacy.js'
import type { ForelockError } from './errors/index.js'
import type { Events } from './events/events.js'
import type { LeakReport } from './leak-report.js'
import { type Addon, type Binding, Code, type ElementSnapshot, MOST_BUCKETS, MOST_LOCKS, MOST_POOLS, RequestBit } from './native/binding.js'
import { closed, failure } from './native/codes.js'
import type { Cohorts } from './native/cohorts.js'
import type { Waiting } from './native/waiting.js'

/** The arena as joined by this environment. */
export type OpenArena = ReturnType<Addon['open']>

/** The terms of a request that says nothing: see Terms in terms.ts. */
export interface PlainTerms {
  readonly request: number
  readonly timeout: number
  readonly ttl: number
  readonly within: undefined
  readonly booker: undefined
  readonly signal: undefined
  readonly names: undefined
}

/** What a request at a bucket or a pool asks for that says nothing: see Ask in ask.ts. */
export interface PlainAsk {
  readonly tier: number
  readonly tenant: number
  readonly workflow: number
  readonly client: number
  readonly booker: undefined
  readonly timeout: number
  readonly signal: undefined
}

/** Where nothing is known of what was asked for: what nobody can ask for, as they could for undefined. */
export const UNKNOWN: object = Object.freeze({})

const NO_UNITS: readonly number[] = Object.freeze([0, 0, 0, 0, 0, 0])

/**
 * What was asked for together last: see at-once.ts. Each part by its place in its list, as far as it is known to be plain and no two of a kind to be
 * one; and, where the addon has a number of it, all of it.
 */
export class Asked {
  /** the addon's, 0: it does not know it */
  number = 0
  /** that was asked for by all of it; -1: each lock by its own */
  tier = -1
  lockCount = 0
  poolCount = 0
  bucketCount = 0
  units = NO_UNITS
  readonly locks: unknown[] = unknown(MOST_LOCKS)
  readonly pools: unknown[] = unknown(MOST_POOLS)
  readonly buckets: unknown[] = unknown(MOST_BUCKETS)
  /** of each bucket */
  readonly tokens: unknown[] = unknown(MOST_BUCKETS)
}

function unknown(count: number): unknown[] {
  return new Array<unknown>(count).fill(UNKNOWN)
}

/** What one open governor is to its locks and grants. The hot paths read it, so it is plain data of one shape. */
export class Session {
  /** false from the call of close() on: nothing new is let in */
  open = true
  /** false once the arena was left */
  joined = true
  /** grants that have not ended, by their user's account */
  held = 0
  /** requests that wait */
  queued = 0
  /** set while close({ drain }) waits: called when a grant or a wait has ended */
  progress: (() => void) | undefined = undefined
  /** set while its waits are rejected: gives back what the end of one has granted another, when none of them waits any more */
  givingBack: (() => void)[] | undefined = undefined
  /** number of its reader of telemetry, 0 while it does not observe */
  reader = 0
  /** called before the arena is left; close() waits for what they return */
  readonly leaving: (() => void | Promise<void>)[] = []
  readonly scratch: Int32Array
  readonly times: Float64Array
  readonly arena: number
  /** The hot calls, apart from the binding: that object is a dictionary to the engine, this one has a shape. */
  readonly tryLock: Binding['tryLock']
  readonly lock: Binding['lock']
  readonly release: Binding['release']
  readonly pass: Binding['pass']
  readonly tryTake: Binding['tryTake']
  readonly tryAllocate: Binding['tryAllocate']
  readonly tryAdmit: Binding['tryAdmit']
  readonly releaseTogether: Binding['releaseTogether']
  readonly cohorts: Cohorts
  readonly tiers: readonly string[]
  /** what a lock without defaults asks for, by tier */
  readonly plainTermsOf: readonly PlainTerms[]
  /** the same in the tier that it has by default */
  readonly plainTerms: PlainTerms
  /** what a request at a bucket or a pool asks for that says nothing */
  readonly plainAsk: PlainAsk
  /** the same as the terms of an allocation */
  readonly plainUnits: PlainAsk & { readonly grace: undefined }
  /** what was asked for together last */
  readonly asked = new Asked()
  /** its elements, of locks, pools and buckets one after the other; also while they are being written into the scratch and read from it */
  readonly parts: unknown[] = unknown(MOST_LOCKS + MOST_POOLS + MOST_BUCKETS)

  constructor(
    readonly binding: OpenArena,
    readonly waiting: Waiting,
    /** whether the callback of `with` encloses the waits made in it */
    readonly encloses: boolean,
    readonly reportsLeaks: boolean,
    readonly onLeak: (report: LeakReport) => void,
    /** what leaves this process for a history */
    readonly privacy: Privacy,
    /** whether all rules run dry */
    readonly shadow = false,
    /** of a named arena, where it is not the default */
    readonly dir: string | undefined = undefined,
    /** what messages from outside are checked by */
    readonly events: Events | undefined = undefined
  ) {
    this.scratch = binding.scratch
    this.times = binding.times
    this.arena = binding.arena
    this.tryLock = binding.tryLock
    this.lock = binding.lock
    this.release = binding.release
    this.pass = binding.pass
    this.tryTake = binding.tryTake
    this.tryAllocate = binding.tryAllocate
    this.tryAdmit = binding.tryAdmit
    this.releaseTogether = binding.releaseTogether
    this.cohorts = waiting.cohorts
    this.tiers = Object.freeze([...binding.tiers])
    this.plainTermsOf = this.tiers.map((_, tier) => ({
      request: tier | RequestBit.Cohort,
      timeout: Number.POSITIVE_INFINITY,
      ttl: 0,
      within: undefined,
      booker: undefined,
      signal: undefined,
      names: undefined
    }))
    const tier = Math.max(0, this.tiers.indexOf('standard'))
    this.plainTerms = this.plainTermsOf[tier] as PlainTerms
    this.plainAsk = { tier, tenant: 0, workflow: 0, client: 0, booker: undefined, timeout: Number.POSITIVE_INFINITY, signal: undefined }
    this.plainUnits = { ...this.plainAsk, grace: undefined }
  }

  /** Another account on the same arena, for what goes on beside its user's: who made it ends what it holds and observes before this one is left. */
  beside(): Session {
    return new Session(this.binding, this.waiting, false, false, () => {}, this.privacy)
  }

  /** Who holds and who waits; those that wait outside of the arena move there first. */
  snapshot(name?: string): ElementSnapshot[] {
    this.cohorts.show()
    return name === undefined ? this.binding.snapshot() : this.binding.snapshot(name)
  }

  /** Throws what a negative answer of the addon stands for. */
  check(code: number, resource?: string): void {
    if (code < 0) throw this.failure(code, resource)
  }

  /** The error that a negative answer stands for. When the arena as a whole failed, what waits is to be told too. */
  failure(code: number, resource?: string, keys?: number): ForelockError {
    if (code === Code.Corrupt || code === Code.Retired) queueMicrotask(() => this.waiting.drain())
    return failure(code, {
      ...(resource !== undefined && { resource }),
      ...(keys !== undefined && { keys }),
      capacity: this.binding.capacity
    })
  }

  /** For what begins something new. */
  mustBeOpen(resource?: string): void {
    if (!this.open) throw closed(resource)
  }

  /** For what only looks, or moves the clock: still possible while close({ drain }) waits. */
  mustBeJoined(): void {
    if (!this.joined) throw closed()
  }

  /**
   * Locks, grants and all else that users log have a session, and it has the keys of hashes and messages, and itself: in a log it is the name of its
   * arena and nothing more.
   */
  toJSON(): { arena: string } {
    return { arena: this.binding.name }
  }

  [inspect.custom](): { arena: string } {
    return this.toJSON()
  }

  /** Leaves the arena. Waits must have been settled before. */
  leave(): void {
    this.joined = false
    if (this.reader !== 0) this.binding.unobserve(this.reader)
    this.reader = 0
    this.binding.close()
  }
}
