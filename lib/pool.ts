import { Allocation, type AllocationTerms, type Part, readAmounts } from './allocation.js'
import { ArenaWait, exceeds, labelled, ranOut } from './arena-wait.js'
import { ASK_KNOWN, type Ask, readAsk, WAIT_KNOWN, type WaitOptions } from './ask.js'
import { booked } from './booker.js'
import { duration, flag, onlyKnown, optionsObject, refuse } from './checks.js'
import type { Element } from './element.js'
import { isEnclosed } from './enclosing.js'
import { findElement } from './enter.js'
import { ArgumentError, BusyError, ConfigError, ExceedsError, NotFoundError } from './errors/index.js'
import { At, Code, DIMENSIONS, Kind, type PoolState, RequestBit, TIERS_MOST, Time, UNITS_MAX, USAGE_NUMBERS } from './native/binding.js'
import {
  type AmountsByName,
  isPossible,
  mostOf,
  numbersOf,
  type PoolOptions,
  type PoolTerms,
  readCapacity,
  readLabels,
  readTerms,
  termsOf
} from './pool-terms.js'
import type { Session } from './session.js'
import type { ShadowAnswer } from './shadow/answer.js'
import { countDry, runsDry, type WouldBe } from './shadow/dry.js'
import { idOf, POOL_SHADOW_KNOWN, type PoolShadowOptions, plainShadow, readShadow, type ShadowAsk } from './shadow/options.js'
import { beyondPlace, dryPlace } from './shadow/places.js'
import { poolShadow } from './shadow/request.js'

/** What an allocation may say besides what any request may. */
export interface AllocateOptions extends WaitOptions {
  /** it may be asked for again by a plan, for a higher tier: after the `recall` event there are `grace` ms (default 1,000) until its signal aborts */
  revocable?: boolean | { grace?: number | undefined } | undefined
  /** labels that the pool must have, else an ExceedsError */
  labels?: readonly string[] | undefined
}

export type TryAllocateOptions = Omit<AllocateOptions, 'signal' | 'waitTimeout'>

/** What a pool has and has handed out, each number of a moment of its own. Also exported as `ResourcePool`. */
export interface PoolUsage {
  readonly capacity: AmountsByName
  readonly used: AmountsByName
  readonly tiers: Readonly<Record<string, { used: AmountsByName; waiting: number }>>
}

/** A look at what a pool has handed out, for {@link PoolInternals.usageAfter}. */
export interface UsageLook {
  readonly usage: PoolUsage
  /** as the core says it */
  readonly numbers: Float64Array
}

/** How messages call it. */
type PoolKind = 'pool' | 'semaphore'

/** A look at what a pool has handed out is read into these, by whoever looks in this thread. */
const usageNumbers = new Float64Array(USAGE_NUMBERS)
const WAITING_FROM = DIMENSIONS * (2 + TIERS_MOST)
const BEYOND_TRIES = 1000
/** So many amounts are always written; most pools have no more, and what is not written need not be read. */
const FEW_DIMENSIONS = 3
const GRACE_MS = 1000
// Equal to nothing that anybody asks for.
const NO_UNITS: readonly number[] = new Array(6).fill(Number.NaN)
const undone = (allocation: Allocation): void => void allocation.ignore()
const itself = (allocation: Allocation): Allocation => allocation
const TRY_KNOWN = [...ASK_KNOWN, 'revocable', 'labels'] as const
const ALLOCATE_KNOWN = [...WAIT_KNOWN, 'revocable', 'labels'] as const

/** What the other faces may do with a pool, and users may not. */
interface PoolInternals {
  isPool(value: unknown): value is Pool
  sessionOf(pool: Pool): Session
  tryUnits(pool: Pool, amounts: readonly number[], terms: AllocationTerms): Allocation | undefined
  units(pool: Pool, amounts: readonly number[], terms: AllocationTerms, wait: WaitTerms): Allocation | ArenaWait<Allocation>
  read(pool: Pool, amounts: unknown): readonly number[]
  /** by dimension, what a request of the tier could be granted if nothing else was held */
  mostOf(pool: Pool, tier: number): number[]
  /** what it was made of, as it is now */
  termsOf(pool: Pool): PoolTerms
  isDry(pool: Pool): boolean
  hasLabels(pool: Pool, labels: readonly string[]): boolean
  /** @throws ExceedsError */
  mustHave(pool: Pool, labels: readonly string[]): void
  shadowOf(pool: Pool, amounts: readonly number[], ask: ShadowAsk): ShadowAnswer
  /** A look at the same pool after another: that one, where nothing is different. @throws NotFoundError */
  usageAfter(pool: Pool, before: UsageLook | undefined): UsageLook
}
export let pools: PoolInternals

/** The part of a request that concerns its wait. */
export interface WaitTerms {
  /** ms, Infinity: none */
  readonly timeout: number
  readonly signal: AbortSignal | undefined
  /** ns on the arena clock that it counts from; 0: now */
  readonly arrival: number
}

/**
 * Units of several dimensions, handed out all or nothing to every thread and process that opens the arena: see {@link Governor.pool}. Higher
 * tiers first, those within their floor and share before the others; between tenants by dominant resource fairness; within a tenant first
 * come, first served; and who has waited long enough before all of them.
 */
export class Pool {
  readonly name: string
  /** @internal */
  readonly session: Session
  /** @internal */
  readonly element: Element
  /** names of the dimensions */
  readonly names: readonly string[]
  // The first of them by themselves: to look into an array for each costs as much as to look up what is meant.
  private readonly first: string
  private readonly second: string | undefined
  private readonly third: string | undefined
  private readonly plainTerms: AllocationTerms
  private readonly labelIds: readonly number[]
  private readonly kind: PoolKind
  /** the plain amounts that were read last */
  private last: readonly number[] = NO_UNITS

  /** its name in the arena */
  private readonly place: string
  /** it runs dry, apart from all that is enforced: where units come from that there are not */
  private readonly beyond: Pool | undefined

  /** @internal */
  constructor(session: Session, name: string, options: unknown, kind: PoolKind = 'pool', adapts = false, dry?: boolean, place?: string) {
    this.session = session
    this.name = name
    this.kind = kind
    session.mustBeOpen(name)
    const given = optionsObject(options, 'options')
    if (given !== undefined) onlyKnown(given, ['capacity', 'tiers', 'tenants', 'labels', 'update', 'shadow'], 'pool()')
    const update = given === undefined ? undefined : (given as { update?: unknown }).update
    const mayUpdate = update === undefined ? false : flag(update, 'update')
    const isDry = place === undefined && (dry ?? runsDry(session, given))
    const terms = given === undefined || isBare(given) ? undefined : readTerms(given, session)
    this.place = place ?? (isDry ? dryPlace(name) : name)
    this.element = findElement(session, name, Kind.Pool, this.place)
    if (terms !== undefined) this.define(terms, mayUpdate, adapts)
    const state = this.state()
    this.names = Object.freeze(state.names.map(asKey))
    this.first = this.names[0] as string
    this.second = this.names[1]
    this.third = this.names[2]
    this.labelIds = state.labels
    this.plainTerms = { ...session.plainAsk, grace: undefined }
    this.beyond = isDry ? this.makeBeyond() : undefined
  }

  /** What there is of each dimension, as it is now for all who use the pool. */
  get capacity(): AmountsByName {
    return this.byName(this.state().capacity)
  }

  /**
   * Takes the amounts if all of them are there and nobody waits who comes first; else null. It may also answer null while another thread
   * decides about the pool.
   *
   * @throws ExceedsError if it could never be granted; ArgumentError, ClosedError, CapacityError, MemoryError, CorruptError, RetiredError
   */
  tryAllocate(amounts: AmountsByName, options?: TryAllocateOptions): Allocation | null {
    const wanted = this.read(amounts)
    // After the reading: a getter may have closed it.
    if (options !== undefined || !this.isQuick()) return this.tryAllocateSlowly(wanted, options)
    const { session, plainTerms: terms } = this
    const { scratch } = session
    scratch[At.Arena] = session.arena
    scratch[At.Index] = this.element.index
    scratch[At.Request] = terms.tier
    writeAmounts(session, this.names.length, wanted)
    session.tryAllocate()
    const code = scratch[At.OutCode]
    if (code !== Code.Ok || scratch[At.OutSettled] !== 0) return this.tried(code, wanted, terms)
    return new Allocation(this, terms, scratch[At.OutSeqLow], scratch[At.OutGrant], scratch[At.OutWaiter], wanted)
  }

  /**
   * Waits for the amounts.
   *
   * @returns rejected with `signal.reason`, or a TimeoutError, ExceedsError, ClosedError, CapacityError, MemoryError, CorruptError,
   *   RetiredError or ArgumentError
   */
  allocate(amounts: AmountsByName, options?: AllocateOptions): Promise<Allocation> {
    try {
      const wanted = this.read(amounts)
      const { terms, ask } = this.readTerms(options, ALLOCATE_KNOWN, 'allocate()')
      const answer = this.units(wanted, terms, { timeout: ask.timeout, signal: ask.signal, arrival: 0 })
      return booked(ask.booker, 'pool', this.name, answer instanceof Allocation ? Promise.resolve(answer) : answer.promise, itself)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Holds the amounts while `fn` runs: released when what it returns has settled, also when it throws. */
  with<T>(amounts: AmountsByName, fn: (allocation: Allocation) => T | PromiseLike<T>): Promise<T>
  with<T>(amounts: AmountsByName, options: AllocateOptions | undefined, fn: (allocation: Allocation) => T | PromiseLike<T>): Promise<T>
  async with<T>(amounts: AmountsByName, second: unknown, third?: unknown): Promise<T> {
    const [options, fn] = typeof second === 'function' ? [undefined, second] : [second, third]
    if (typeof fn !== 'function') throw refuse('fn', 'a function', fn)
    return runWith(
      await this.allocate(amounts, options as AllocateOptions | undefined),
      fn as (allocation: Allocation) => T | PromiseLike<T>
    )
  }

  /**
   * What would become of a request, if it were made; takes nothing, and leaves nothing in the arena.
   *
   * @throws ArgumentError, ClosedError, CorruptError, RetiredError, MemoryError
   */
  shadow(amounts: AmountsByName, options?: PoolShadowOptions): ShadowAnswer {
    const { session } = this
    const wanted = this.read(amounts)
    return this.shadowOf(wanted, readShadow(session, options, POOL_SHADOW_KNOWN, 'shadow()', plainShadow(session)))
  }

  /**
   * Changes what there is, for all who use the pool; a dimension not named stays as it is, and the tiers keep their fractions. Less than is
   * used is no error: then nothing is granted until enough came back.
   *
   * @throws BusyError if another thread stays inside the pool; ArgumentError
   */
  resize(capacity: AmountsByName): void {
    this.session.mustBeOpen(this.name)
    const state = this.state()
    const terms = termsOf(state)
    const given = readCapacity(capacity)
    for (const name of Object.keys(given))
      if (!this.names.includes(name)) throw refuse('capacity', `by the pool's dimensions (${this.names.join(', ')})`, name)
    this.change({
      ...terms,
      capacity: this.names.map((name, d) => (Object.hasOwn(given, name) ? given[name] : terms.capacity[d]) as number)
    })
  }

  /** What is handed out, and how many wait. */
  usage(): PoolUsage {
    this.readUsage()
    return this.usageRead()
  }

  private readUsage(): void {
    const { session } = this
    session.mustBeJoined()
    session.scratch[At.Index] = this.element.index
    if (!session.binding.poolUsage(usageNumbers)) this.mustExist()
  }

  private usageRead(): PoolUsage {
    const tiers = this.session.tiers.map((tier, t) => {
      const used = this.byNumbers((2 + t) * DIMENSIONS)
      return [tier, { used, waiting: usageNumbers[WAITING_FROM + t] as number }] as const
    })
    return { capacity: this.byNumbers(0), used: this.byNumbers(DIMENSIONS), tiers: Object.fromEntries(tiers) }
  }

  private usageAfter(before: UsageLook | undefined): UsageLook {
    this.readUsage()
    if (before !== undefined && isSame(before.numbers, usageNumbers)) return before
    return { usage: this.usageRead(), numbers: usageNumbers.slice() }
  }

  private shadowOf(amounts: readonly number[], ask: ShadowAsk): ShadowAnswer {
    const lacks = !ask.labels.every(label => this.labelIds.includes(idOf(this.session, label)))
    return poolShadow(this.session, this.name, ask, this.names, amounts, lacks, this.place)
  }

  /** @internal */
  tryGrow(terms: AllocationTerms, more: readonly number[], all: readonly number[]): Part | undefined {
    if (this.beyond !== undefined) return this.takeDry(this.beyond, more, terms, 'refusals', (pool, units) => pool.part(units))
    this.mustBePossible(terms, all)
    return this.attempt(more, terms) ? this.part(more) : undefined
  }

  /** @internal */
  grow(
    terms: AllocationTerms,
    more: readonly number[],
    all: readonly number[],
    ask: Ask,
    grown: (part: Part) => void,
    undone: (part: Part) => void
  ): ArenaWait<Part> | undefined {
    if (this.beyond === undefined) this.mustBePossible(terms, all)
    const made = (part: Part): Part => {
      grown(part)
      return part
    }
    const answer = this.queue(more, terms, { timeout: ask.timeout, signal: ask.signal, arrival: 0 }, made, undone)
    return answer instanceof ArenaWait ? answer : undefined
  }

  private mustBePossible({ tier }: AllocationTerms, amounts: readonly number[]): void {
    if (!isPossible(this.state(), tier, amounts)) throw exceeds(this.label(), this.name, this.byName(amounts))
  }

  /** Whether a request without options has nothing to it but the plain terms. */
  private isQuick(): boolean {
    const { session } = this
    return session.open && this.beyond === undefined && !(session.encloses && isEnclosed())
  }

  /** Apart, so that the usual way stays small enough to be inlined. */
  private tryAllocateSlowly(wanted: readonly number[], options: unknown): Allocation | null {
    const { terms, ask } = this.readTerms(options, TRY_KNOWN, 'tryAllocate()')
    this.session.mustBeOpen(this.name)
    const allocation = this.tryUnits(wanted, terms)
    ask.booker?.book('pool', this.name, 0, allocation)
    return allocation ?? null
  }

  private tryUnits(amounts: readonly number[], terms: AllocationTerms): Allocation | undefined {
    if (this.beyond !== undefined)
      return this.takeDry(this.beyond, amounts, terms, 'refusals', (pool, units) => pool.allocated(units, terms))
    return this.attempt(amounts, terms) ? this.allocated(amounts, terms) : undefined
  }

  /** What is left of a quick try that was not granted at once, or served others too. */
  private tried(code: number, amounts: readonly number[], terms: AllocationTerms): Allocation | null {
    if (code === Code.Ok) return this.allocated(amounts, terms)
    this.session.waiting.settle()
    if (code < 0) throw this.failure(code, amounts)
    return null
  }

  /** Whether it was granted: then the grant is in the scratch. */
  private attempt(amounts: readonly number[], terms: AllocationTerms): boolean {
    const { session } = this
    this.write(amounts, terms)
    session.tryAllocate()
    const code = session.scratch[At.OutCode]
    if (code === Code.Ok) return true
    session.waiting.settle()
    if (code < 0) throw this.failure(code, amounts)
    return false
  }

  /** The units if they are there, else from beyond what there is. */
  private takeDry<T>(
    beyond: Pool,
    amounts: readonly number[],
    terms: AllocationTerms,
    otherwise: WouldBe,
    taken: (from: Pool, units: readonly number[]) => T
  ): T {
    const { session, kind, name } = this
    this.write(amounts, terms)
    session.tryAllocate()
    const code = session.scratch[At.OutCode]
    const never = code === Code.TooMuch
    if (code !== Code.Ok && code !== Code.Busy && !never) throw this.failure(code, amounts)
    countDry(session, kind, name, code === Code.Ok ? 'grants' : never ? 'refusals' : otherwise)
    if (code === Code.Ok) return taken(this, amounts)
    session.waiting.settle()
    // Another thread may be inside just then.
    for (let tries = 0; tries < BEYOND_TRIES; tries++) if (beyond.attempt(amounts, terms)) return taken(beyond, amounts)
    throw new BusyError(`${this.label()}: another thread stays inside; nothing was granted`, { resource: name })
  }

  private makeBeyond(): Pool {
    const capacity = Object.fromEntries(this.names.map(name => [name, UNITS_MAX]))
    return new Pool(this.session, this.name, { capacity }, this.kind, false, false, beyondPlace(this.name))
  }

  /** What the addon has just granted. */
  private allocated(units: readonly number[], terms: AllocationTerms): Allocation {
    const { scratch, waiting } = this.session
    const allocation = new Allocation(this, terms, scratch[At.OutSeqLow], scratch[At.OutGrant], scratch[At.OutWaiter], units)
    if (scratch[At.OutSettled] !== 0) waiting.settle()
    return allocation
  }

  /** The same, for an allocation that there is. */
  private part(units: readonly number[]): Part {
    const { scratch, waiting } = this.session
    const part = { seqLow: scratch[At.OutSeqLow], grantWord: scratch[At.OutGrant], waiter: scratch[At.OutWaiter], units }
    if (scratch[At.OutSettled] !== 0) waiting.settle()
    return part
  }

  private units(amounts: readonly number[], terms: AllocationTerms, wait: WaitTerms): Allocation | ArenaWait<Allocation> {
    const made = ({ seqLow, grantWord, waiter, units }: Part, from: Pool) => new Allocation(from, terms, seqLow, grantWord, waiter, units)
    return this.queue(amounts, terms, wait, made, undone) as Allocation | ArenaWait<Allocation>
  }

  private queue<T>(
    amounts: readonly number[],
    terms: AllocationTerms,
    wait: WaitTerms,
    made: (part: Part, from: Pool) => T,
    undo?: (value: T) => void
  ): T | ArenaWait<T> {
    const { session, name } = this
    session.mustBeOpen(name)
    if (wait.signal?.aborted) throw wait.signal.reason
    if (wait.timeout === 0) {
      if (this.beyond !== undefined)
        return this.takeDry(this.beyond, amounts, terms, 'refusals', (from, units) => made(from.part(units), from))
      if (!this.attempt(amounts, terms)) throw ranOut(this.label(), name, 0)
      return made(this.part(amounts), this)
    }
    if (this.beyond !== undefined) return this.takeDry(this.beyond, amounts, terms, 'waits', (from, units) => made(from.part(units), from))
    this.write(amounts, terms)
    session.times[Time.Timeout] = wait.timeout
    session.times[Time.Arrival] = wait.arrival
    session.binding.allocate()
    const { scratch, times } = session
    const code = scratch[At.OutCode]
    const arrival = times[Time.Arrival]
    if (code === Code.Ok) return made(this.part(amounts), this)
    if (code !== Code.Wait) {
      session.waiting.settle()
      throw this.failure(code, amounts)
    }
    const granted = (waiter: number, seqLow: number, grantWord: number): T => made({ seqLow, grantWord, waiter, units: amounts }, this)
    const waits = new ArenaWait<T>(
      session,
      scratch[At.OutWaiter],
      { label: this.label(), name, asked: this.byName(amounts), granted, ...(undo && { undo }) },
      arrival
    )
    session.waiting.settle()
    if (wait.signal !== undefined) waits.listen(wait.signal)
    return waits
  }

  private write(amounts: readonly number[], { tier, tenant, workflow, client, grace }: AllocationTerms): void {
    const { scratch, arena } = this.session
    scratch[At.Arena] = arena
    scratch[At.Index] = this.element.index
    const named = (tenant | workflow | client) === 0 ? 0 : RequestBit.Named
    scratch[At.Request] = tier | named | (grace === undefined ? 0 : RequestBit.Revocable)
    if (named !== 0) {
      scratch[At.Tenant] = tenant
      scratch[At.Workflow] = workflow
      scratch[At.Client] = client
    }
    writeAmounts(this.session, this.names.length, amounts)
  }

  /**
   * Who asks for the same as was asked for last gets the same array, which nobody changes: to make and to check one costs more than all the rest of
   * the reading.
   */
  private read(amounts: unknown): readonly number[] {
    if (typeof amounts !== 'object' || amounts === null) return this.readSlowly(amounts)
    const given = amounts as Record<string, unknown>
    // Each at a place of its own in the code, where the engine can remember what it found.
    const first = given[this.first]
    const second = this.second === undefined ? 0 : given[this.second]
    const third = this.third === undefined ? 0 : given[this.third]
    const { last } = this
    if (first === last[0] && second === last[1] && third === last[2]) {
      let others = -this.names.length
      for (const _ in amounts) others++
      if (others === 0 && this.names.length <= 3) return last
    }
    return this.readPlain(given, first, second, third) ?? this.readSlowly(amounts)
  }

  private readSlowly(amounts: unknown): readonly number[] {
    const all = [0, 0, 0, 0, 0, 0]
    let any = 0
    readAmounts(this.names, amounts).forEach((amount = 0, d) => {
      all[d] = amount
      any += amount
    })
    if (any > 0) return all
    throw refuse('amounts', 'more than 0 of something', amounts)
  }

  /** The same for whole numbers by names of dimensions and nothing else, of which three were read; undefined: it is not as plain as that. */
  private readPlain(
    given: Readonly<Record<string, unknown>>,
    first: unknown,
    second: unknown,
    third: unknown
  ): readonly number[] | undefined {
    const { names } = this
    const count = names.length
    if (!isPlain(first) || !isPlain(second) || !isPlain(third)) return undefined
    let unlisted = Math.min(count, 3)
    if (first === undefined) unlisted--
    if (second === undefined) unlisted--
    if (third === undefined) unlisted--
    const wanted = [first ?? 0, second ?? 0, third ?? 0, 0, 0, 0]
    let any = (wanted[0] as number) + (wanted[1] as number) + (wanted[2] as number)
    for (let d = 3; d < count; d++) {
      const amount = given[names[d] as string]
      if (!isPlain(amount)) return undefined
      if (amount === undefined) continue
      unlisted++
      wanted[d] = amount
      any += amount
    }
    for (const _ in given) unlisted--
    if (unlisted !== 0 || any === 0) return undefined
    this.last = wanted
    return wanted
  }

  private readTerms(options: unknown, known: readonly string[], what: string): { terms: AllocationTerms; ask: Ask } {
    const { session } = this
    const given = optionsObject(options, 'options')
    const ask = readAsk(options, known, what, session)
    if (given === undefined && ask.booker === undefined) return { terms: this.plainTerms, ask }
    const { revocable, labels } = (given ?? {}) as { [K in keyof AllocateOptions]: unknown }
    this.mustHave(readLabels(labels, 'labels'))
    return { terms: { tier: ask.tier, tenant: ask.tenant, workflow: ask.workflow, client: ask.client, grace: readGrace(revocable) }, ask }
  }

  private has(label: string): boolean {
    return this.labelIds.includes(this.session.waiting.names.of(label))
  }

  private mustHave(labels: readonly string[]): void {
    for (const label of labels) {
      if (this.has(label)) continue
      if (this.beyond !== undefined) {
        countDry(this.session, this.kind, this.name, 'refusals')
        return
      }
      throw new ExceedsError(`${this.label()} does not have the label ${JSON.stringify(label)}`, { resource: this.name, asked: label })
    }
  }

  private define(terms: PoolTerms, update: boolean, adapts: boolean): void {
    const { session, name } = this
    session.scratch[At.Index] = this.element.index
    const code = session.binding.definePool(numbersOf(terms), terms.names)
    session.check(code, name)
    if (code !== Code.Differs) return
    const stored = this.state()
    const option = differing(stored, terms)
    // What is there was learnt meanwhile.
    if (adapts && option === 'capacity') return
    const canChange = option !== 'labels' && option !== 'tenants' && stored.names.join('\0') === terms.names.join('\0')
    if (update && canChange) {
      this.change(terms)
      return
    }
    const change = this.kind === 'semaphore' ? 'resize() changes its permits' : 'pass update: true to change it'
    throw new ConfigError(
      `${this.label()} exists with ${difference(option, stored, terms)}; ${canChange ? change : 'that cannot be changed while the arena lives'}`,
      { option, stored: readable(stored), given: readable(terms) }
    )
  }

  private change(terms: PoolTerms): void {
    const { session, name } = this
    session.scratch[At.Index] = this.element.index
    const code = session.binding.changePool(numbersOf(terms))
    session.waiting.settle()
    if (code === Code.Busy) throw new BusyError(`${this.label()}: another thread stays inside; nothing was changed`, { resource: name })
    session.check(code, name)
  }

  private state(): PoolState {
    const { session } = this
    session.mustBeJoined()
    session.scratch[At.Index] = this.element.index
    return session.binding.poolState() ?? this.mustExist()
  }

  /** None yet, or the arena is of no more use: that the next call tells. */
  private mustExist(): never {
    const { session, name } = this
    session.check(session.binding.lookup(this.place, Kind.Pool), name)
    throw new NotFoundError(`${this.label()} does not exist yet: give it a capacity`, { resource: name })
  }

  /** Of those that were read last, by dimension. */
  private byNumbers(from: number): AmountsByName {
    return Object.fromEntries(this.names.map((name, d) => [name, usageNumbers[from + d] as number]))
  }

  private byName(amounts: readonly number[]): AmountsByName {
    return Object.fromEntries(this.names.map((name, d) => [name, amounts[d] ?? 0]))
  }

  private failure(code: number, amounts: readonly number[]): Error {
    if (code === Code.TooMuch) return exceeds(this.label(), this.name, this.byName(amounts))
    return this.session.failure(code, this.name)
  }

  private label(): string {
    return labelled(this.kind, this.name)
  }

  static {
    pools = {
      isPool: (value): value is Pool => value instanceof Pool && 'element' in value,
      sessionOf: pool => pool.session,
      tryUnits: (pool, amounts, terms) => pool.tryUnits(amounts, terms),
      units: (pool, amounts, terms, wait) => pool.units(amounts, terms, wait),
      hasLabels: (pool, labels) => labels.every(label => pool.has(label)),
      mustHave: (pool, labels) => pool.mustHave(labels),
      read: (pool, amounts) => pool.read(amounts),
      mostOf: (pool, tier) => mostOf(pool.state(), tier),
      termsOf: pool => termsOf(pool.state()),
      isDry: pool => pool.beyond !== undefined,
      shadowOf: (pool, amounts, ask) => pool.shadowOf(amounts, ask),
      usageAfter: (pool, before) => pool.usageAfter(before)
    }
  }
}

function isSame(some: Float64Array, others: Float64Array): boolean {
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false
  return true
}

/** The same name as the engine has it as the name of a property: one of another making is looked up each time it is used. */
function asKey(name: string): string {
  return Object.keys({ [name]: true })[0] as string
}

/** Of a pool of so many dimensions. */
export function writeAmounts({ scratch, times }: Session, count: number, amounts: readonly number[]): void {
  // Written out: the engine does not unroll loops.
  times[Time.Amounts] = amounts[0] as number
  times[Time.Amounts + 1] = amounts[1] as number
  times[Time.Amounts + 2] = amounts[2] as number
  scratch[At.Amounts] = FEW_DIMENSIONS
  if (count > FEW_DIMENSIONS) writeOthers(scratch, times, amounts)
}

function writeOthers(scratch: Int32Array, times: Float64Array, amounts: readonly number[]): void {
  for (let d = FEW_DIMENSIONS; d < DIMENSIONS; d++) times[Time.Amounts + d] = amounts[d] as number
  scratch[At.Amounts] = DIMENSIONS
}

/** What of a pool cannot be changed comes first. */
function differing({ names, labels, capacity, tenants }: PoolState, terms: PoolTerms): 'labels' | 'tenants' | 'capacity' | 'tiers' {
  const ids = [...labels].sort((a, b) => a - b)
  if (ids.join() !== terms.labels.join()) return 'labels'
  const isThere = ([id, weight]: readonly [number, number]) => tenants.some(known => known.tenant === id && known.weight === weight)
  if (!terms.tenants.every(isThere)) return 'tenants'
  const same = names.length === terms.names.length && names.every((name, d) => name === terms.names[d] && capacity[d] === terms.capacity[d])
  return same ? 'tiers' : 'capacity'
}

/** What is another, in words: with both values where they are short. */
function difference(option: ReturnType<typeof differing>, stored: PoolState, given: PoolTerms): string {
  if (option !== 'capacity') return `other ${option}`
  const words = ({ names, capacity }: Pick<PoolTerms, 'names' | 'capacity'>) => names.map((name, d) => `${name} ${capacity[d]}`).join(', ')
  return `capacity ${words(stored)}, not ${words(given)}`
}

/** Terms as facts of an error: by the names of dimensions, those that are there and those that were given alike. */
function readable(terms: PoolState | PoolTerms): object {
  const { names, capacity, tiers } = 'tiers' in terms ? terms : termsOf(terms)
  return { capacity: Object.fromEntries(names.map((name, d) => [name, capacity[d]])), tiers }
}

/** Runs `fn` and releases when what it returns has settled: as success, or, when it throws, without judgement. */
export async function runWith<T>(allocation: Allocation, fn: (allocation: Allocation) => T | PromiseLike<T>): Promise<T> {
  let done = false
  try {
    const result = await fn(allocation)
    done = true
    return result
  } finally {
    if (done) allocation.success()
    else allocation.ignore()
  }
}

function isPlain(amount: unknown): amount is number | undefined {
  return amount === undefined || (typeof amount === 'number' && amount >= 0 && amount <= UNITS_MAX && Math.floor(amount) === amount)
}

/** How it runs can be said without saying what it is. */
function isBare(given: object): boolean {
  const { capacity, tiers, tenants, labels, update } = given as PoolOptions
  const isNone = capacity === undefined && tiers === undefined && tenants === undefined && labels === undefined && update === undefined
  return isNone && 'shadow' in given
}

function readGrace(revocable: unknown): number | undefined {
  if (revocable === undefined || revocable === false) return undefined
  if (revocable === true) return GRACE_MS
  const given = optionsObject(revocable, 'revocable')
  if (given === undefined) throw new ArgumentError('revocable must be true, false or { grace }', { option: 'revocable', given: revocable })
  onlyKnown(given, ['grace'], 'revocable')
  const { grace } = given as { grace?: unknown }
  return grace === undefined ? GRACE_MS : duration(grace, 'revocable.grace')
}
