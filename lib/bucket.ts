import { ArenaWait, exceeds, labelled, ranOut } from './arena-wait.js'
import { ASK_KNOWN, type Ask, type AskOptions, readAsk, WAIT_KNOWN, type WaitOptions } from './ask.js'
import { booked } from './booker.js'
import { flag, onlyKnown, optionsObject, refuse } from './checks.js'
import type { Element } from './element.js'
import { isEnclosed } from './enclosing.js'
import { findElement } from './enter.js'
import { ArgumentError, BusyError, ConfigError, NotFoundError } from './errors/index.js'
import { At, Code, Kind, RequestBit, Time } from './native/binding.js'
import { isGone } from './native/codes.js'
import { type BucketState, burstTooLarge, isPositive, noTokens, type Pace, readPace, type Taken, tokenCount } from './pace.js'
import type { Session } from './session.js'
import type { ShadowAnswer } from './shadow/answer.js'
import { countDry, runsDry, type WouldBe } from './shadow/dry.js'
import { plainShadow, readShadow, SHADOW_KNOWN, type ShadowAsk, type ShadowOptions } from './shadow/options.js'
import { dryPlace } from './shadow/places.js'
import { bucketShadow } from './shadow/request.js'

/** How fast a bucket fills and how much it holds. */
export interface PaceOptions {
  /** tokens per `per` ms: up to 100 million a second, and down to one in 100 years */
  rate: number
  /** ms, default 1,000 */
  per?: number | undefined
  /** tokens that a full bucket holds, and so the most that can be taken at once: 1 or more; default `rate`, rounded up */
  burst?: number | undefined
}

/** What of a pace is to change; what is not named stays as it is. */
export type PaceChange = Partial<PaceOptions>

export interface BucketOptions extends PaceOptions {
  /** a bucket above: what is taken here is taken there too, or from neither; up to 8 levels */
  parent?: Bucket | undefined
  /** gives a bucket that is there this pace, defaults and all, instead of a `ConfigError`; {@link Bucket.configure} changes a part of it */
  update?: boolean | undefined
  /** runs the bucket dry: what it would refuse or make wait is granted, and counted; default as `open({ shadow })` */
  shadow?: boolean | undefined
}

/** What a look at a bucket shows. */
export interface BucketView extends BucketState {
  /** whole tokens that plans keep apart from the bucket, of what it would have discarded */
  readonly reserved: number
}

/** What the other faces may do with a bucket, and users may not. */
interface BucketInternals {
  isBucket(value: unknown): value is Bucket
  sessionOf(bucket: Bucket): Session
  elementOf(bucket: Bucket): Element
  isDry(bucket: Bucket): boolean
  shadowOf(bucket: Bucket, n: number, ask: ShadowAsk): ShadowAnswer
  attempt(bucket: Bucket, n: number, ask: Ask): Taken
  /** Waits, counting from an arrival in ns on the arena clock (0: now). */
  enter(bucket: Bucket, n: number, ask: Ask, arrival: number): Taken | ArenaWait<Taken>
  /** A refund, also where the governor is closing. */
  giveBack(bucket: Bucket, n: number): void
}
export let buckets: BucketInternals

/**
 * A token bucket by name, for every thread and process that opens the arena: the generic cell rate algorithm in one word. In any time T it
 * admits at most rate * T + burst tokens. See {@link Governor.bucket}.
 */
export class Bucket {
  readonly name: string
  private readonly session: Session
  private readonly element: Element
  private readonly plainTier: number
  /** it runs dry, apart from all that is enforced */
  private readonly dry: boolean
  /** its name in the arena */
  private readonly place: string

  /** @internal */
  constructor(session: Session, name: string, options: unknown) {
    this.session = session
    this.name = name
    session.mustBeOpen(name)
    const given = readOptions(options, session)
    this.dry = runsDry(session, options as object | undefined)
    if (given.parent !== undefined && given.parent.dry !== this.dry) {
      throw new ArgumentError('parent: where one of them runs dry (shadow), the other must too', {
        option: 'parent',
        given: given.parent.name
      })
    }
    this.place = this.dry ? dryPlace(name) : name
    this.element = findElement(session, name, Kind.Bucket, this.place)
    this.plainTier = session.plainAsk.tier
    this.define(given)
    // The usual way does not count what it grants.
    if (this.dry) this.tryTake = (n: number | undefined, options?: AskOptions) => this.tryTakeSlowly(n ?? 1, options)
  }

  /** Tokens per `per` ms, as it is now for all who use the bucket. */
  get rate(): number {
    return this.readPace().rate
  }

  /** ms */
  get per(): number {
    return this.readPace().per
  }

  /** Tokens that a full bucket holds. */
  get burst(): number {
    return this.readPace().burst
  }

  /**
   * Takes `n` tokens if they are there and nobody of its tier or a higher one waits for some; else says when to come again.
   *
   * @param n tokens, > 0 and at most a burst; a fraction is rounded up to a small part of a token
   * @throws ExceedsError if it is more than a burst; ArgumentError, ClosedError, CorruptError, RetiredError
   */
  tryTake(n = 1, options?: AskOptions): Taken {
    const { session } = this
    if (options !== undefined || typeof n !== 'number' || !session.open || (session.encloses && isEnclosed())) {
      return this.tryTakeSlowly(n, options)
    }
    const { scratch, times } = session
    scratch[At.Arena] = session.arena
    scratch[At.Index] = this.element.index
    scratch[At.Request] = this.plainTier
    times[Time.Amounts] = n
    session.tryTake()
    const code = scratch[At.OutCode]
    if (code === Code.Ok && scratch[At.OutSettled] === 0) return { ok: true, waitMs: 0, remaining: times[Time.OutRemaining] }
    return this.tried(code, n)
  }

  /**
   * Waits for `n` tokens: FIFO within a tier, higher tiers first, with ageing.
   *
   * @returns rejected with `signal.reason`, or a TimeoutError, ExceedsError, ClosedError, CapacityError, MemoryError, CorruptError,
   *   RetiredError or ArgumentError
   */
  take(n = 1, options?: WaitOptions): Promise<Taken> {
    try {
      const ask = readAsk(options, WAIT_KNOWN, 'take()', this.session)
      const answer = this.begin(tokenCount(n), ask, 0)
      return booked(ask.booker, 'bucket', this.name, answer instanceof ArenaWait ? answer.promise : Promise.resolve(answer), () => n)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** What {@link tryTake} would answer, and when the bucket is full again. Takes nothing. */
  peek(n = 1): BucketView {
    const { session } = this
    session.mustBeOpen(this.name)
    const asked = tokenCount(n)
    const { burst } = this.readPace()
    session.scratch[At.Index] = this.element.index
    session.times[Time.Amounts] = asked
    const code = session.binding.peekTokens()
    if (code === Code.TooMuch) throw exceeds(this.label(), this.name, n)
    session.check(code, this.name)
    const { times } = session
    const ok = code === Code.Ok
    const view = {
      ok,
      waitMs: ok ? 0 : times[Time.OutReady],
      remaining: times[Time.OutRemaining],
      limit: burst,
      resetMs: times[Time.OutFull]
    }
    session.scratch[At.Index] = this.element.index
    return { ...view, reserved: session.binding.reserved() }
  }

  /**
   * What would become of a request, if it were made; takes nothing, and leaves nothing in the arena. Of a bucket the time is exact, unless others
   * come, or take of the buckets above.
   *
   * @throws ArgumentError, ClosedError, CorruptError, RetiredError, MemoryError
   */
  shadow(n = 1, options?: ShadowOptions): ShadowAnswer {
    const { session, name, place } = this
    const ask = readShadow(session, options, SHADOW_KNOWN, 'shadow()', plainShadow(session))
    return bucketShadow(session, name, ask, tokenCount(n), place)
  }

  /**
   * Gives `n` tokens back that were taken and not used, here and in the buckets above. A bucket never holds more than its burst.
   *
   * @throws ArgumentError, ClosedError, CorruptError, RetiredError
   */
  refund(n = 1): void {
    const { session } = this
    session.mustBeOpen(this.name)
    session.check(this.putBack(tokenCount(n)), this.name)
  }

  /**
   * Changes the pace for all who use the bucket, or a part of it: what is not named stays as it is. What was taken stays taken: the debt goes on,
   * in tokens, at the new rate. Of two who change parts of it at the same moment, the later may take back what the earlier changed.
   *
   * @throws BusyError if another thread stays inside the bucket; ArgumentError
   */
  configure(pace: PaceChange): void {
    this.session.mustBeOpen(this.name)
    const given = optionsObject(pace, 'pace')
    if (given === undefined) throw refuse('pace', 'an object', pace)
    onlyKnown(given, ['rate', 'per', 'burst'], 'configure()')
    const { rate, per, burst } = given as { [K in keyof PaceOptions]: unknown }
    if (rate === undefined && per === undefined && burst === undefined) throw refuse('pace', 'an object with a rate, per or burst', pace)
    const present = this.readPace()
    const or = (value: unknown, otherwise: number) => (value === undefined ? otherwise : value)
    this.change(readPace(or(rate, present.rate), or(per, present.per), or(burst, present.burst)))
  }

  /** Also while the governor closes: others may have the arena open. */
  private giveBack(n: number): void {
    const code = this.putBack(n)
    if (!isGone(code)) this.session.check(code, this.name)
  }

  private putBack(n: number): number {
    const { session } = this
    session.scratch[At.Index] = this.element.index
    session.times[Time.Amounts] = n
    const code = session.binding.refund()
    session.waiting.settle()
    return code
  }

  private tryTakeSlowly(n: unknown, options: unknown): Taken {
    const { session } = this
    const asked = tokenCount(n)
    const ask = readAsk(options, ASK_KNOWN, 'tryTake()', session)
    // After the reading: a getter may have closed it.
    session.mustBeOpen(this.name)
    const taken = this.attempt(asked, ask)
    ask.booker?.book('bucket', this.name, 0, taken.ok ? asked : undefined)
    return taken
  }

  private attempt(n: number, ask: Ask): Taken {
    const { session } = this
    if (this.dry) return this.takeDry(n, ask, 'refusals')
    this.write(n, ask)
    session.tryTake()
    return this.tried(session.scratch[At.OutCode], n)
  }

  private tried(code: number, n: number): Taken {
    const { session } = this
    const remaining = session.times[Time.OutRemaining]
    const waitMs = session.times[Time.OutReady]
    session.waiting.settle()
    if (code === Code.Ok) return { ok: true, waitMs: 0, remaining }
    if (code === Code.Busy) return { ok: false, waitMs, remaining }
    throw this.failure(code, n)
  }

  /** The tokens if they are there; else without. */
  private takeDry(n: number, ask: Ask, otherwise: WouldBe): Taken {
    const { session } = this
    this.write(n, ask)
    session.tryTake()
    const code = session.scratch[At.OutCode]
    const remaining = session.times[Time.OutRemaining]
    session.waiting.settle()
    const never = code === Code.TooMuch
    if (code !== Code.Ok && code !== Code.Busy && !never) throw this.failure(code, n)
    countDry(session, 'bucket', this.name, code === Code.Ok ? 'grants' : never ? 'refusals' : otherwise)
    return { ok: true, waitMs: 0, remaining: never ? 0 : remaining }
  }

  private begin(n: number, ask: Ask, arrival: number): Taken | ArenaWait<Taken> {
    const { session, name } = this
    session.mustBeOpen(name)
    if (ask.signal?.aborted) throw ask.signal.reason
    if (ask.timeout === 0) {
      const taken = this.attempt(n, ask)
      if (!taken.ok) throw ranOut(this.label(), name, 0)
      return taken
    }
    if (this.dry) return this.takeDry(n, ask, 'waits')
    this.write(n, ask)
    session.times[Time.Timeout] = ask.timeout
    session.times[Time.Arrival] = arrival
    session.binding.take()
    const { scratch, times } = session
    const code = scratch[At.OutCode]
    const from = times[Time.Arrival]
    const remaining = times[Time.OutRemaining]
    if (code === Code.Wait) return this.wait(scratch[At.OutWaiter], n, ask, from)
    session.waiting.settle()
    if (code === Code.Ok) return { ok: true, waitMs: 0, remaining }
    throw this.failure(code, n)
  }

  private wait(waiter: number, n: number, ask: Ask, arrival: number): ArenaWait<Taken> {
    const { session, name } = this
    const granted = (_: number, seqLow: number): Taken => ({ ok: true, waitMs: 0, remaining: seqLow >>> 0 })
    const wait = new ArenaWait<Taken>(
      session,
      waiter,
      { label: this.label(), name, asked: n, granted, undo: () => this.giveBack(n) },
      arrival
    )
    session.waiting.settle()
    if (ask.signal !== undefined) wait.listen(ask.signal)
    return wait
  }

  private write(n: number, { tier, tenant, workflow, client }: Ask): void {
    const { scratch, times, arena } = this.session
    scratch[At.Arena] = arena
    scratch[At.Index] = this.element.index
    const named = (tenant | workflow | client) === 0 ? 0 : RequestBit.Named
    scratch[At.Request] = tier | named
    if (named !== 0) {
      scratch[At.Tenant] = tenant
      scratch[At.Workflow] = workflow
      scratch[At.Client] = client
    }
    times[Time.Amounts] = n
  }

  private failure(code: number, n: unknown): Error {
    if (code === Code.BadArgument || !isPositive(n)) return noTokens(n)
    if (code === Code.TooMuch) return exceeds(this.label(), this.name, n)
    return this.session.failure(code, this.name)
  }

  private label(): string {
    return labelled('bucket', this.name)
  }

  private define({ pace, parent, update }: ReadOptions): void {
    const { session, name } = this
    if (pace === undefined) {
      this.readPace()
      return
    }
    if (parent !== undefined) this.mustBeBelow(parent)
    session.scratch[At.Index] = this.element.index
    session.scratch[At.Waiter] = parent === undefined ? NOBODY : parent.element.index
    writePace(session.times, pace)
    const code = session.binding.defineBucket()
    if (code === Code.Ok) return
    if (code === Code.BadArgument) throw burstTooLarge(pace)
    session.check(code, name)
    const stored = this.readPace()
    const { above } = stored
    if (above !== (parent === undefined ? NOBODY : parent.element.index)) {
      throw new ConfigError(`${this.label()} exists with another parent, which cannot be changed`, {
        option: 'parent',
        stored: undefined,
        given: parent?.name
      })
    }
    if (update) {
      this.change(pace)
      return
    }
    const option = (['rate', 'per', 'burst'] as const).find(key => stored[key] !== pace[key]) ?? 'rate'
    throw new ConfigError(
      `${this.label()} exists with ${option} = ${stored[option]}, not ${pace[option]}; pass update: true to change it`,
      {
        option,
        stored: stored[option],
        given: pace[option]
      }
    )
  }

  private mustBeBelow({ element, name }: ReadParent): void {
    const { session } = this
    if (element.index === this.element.index) throw new ArgumentError('parent: a bucket above itself', { option: 'parent', given: name })
    let levels = 1
    for (let index = element.index; index !== NOBODY && levels <= LEVELS_MAX; levels++) {
      session.scratch[At.Index] = index
      session.check(session.binding.bucketPace(), name)
      index = session.scratch[At.Waiter]
    }
    if (levels > LEVELS_MAX) throw refuse('parent', `a bucket with at most ${LEVELS_MAX - 2} above it`, name)
  }

  private change(pace: Pace): void {
    const { session, name } = this
    session.scratch[At.Index] = this.element.index
    writePace(session.times, pace)
    const code = session.binding.changePace()
    session.waiting.settle()
    if (code === Code.Busy)
      throw new BusyError(`${this.label()}: another thread stays inside; its pace was not changed`, { resource: name })
    if (code === Code.BadArgument) throw burstTooLarge(pace)
    session.check(code, name)
  }

  private readPace(): Pace & { above: number } {
    const { session, name } = this
    session.mustBeJoined()
    session.scratch[At.Index] = this.element.index
    const code = session.binding.bucketPace()
    if (code === Code.Stale) throw new NotFoundError(`${this.label()} does not exist yet: give it a rate`, { resource: name })
    session.check(code, name)
    const { times, scratch } = session
    return {
      rate: times[Time.Amounts],
      per: times[Time.Amounts + 1] as number,
      burst: times[Time.Amounts + 2] as number,
      above: scratch[At.Waiter]
    }
  }

  static {
    buckets = {
      isBucket: (value): value is Bucket => value instanceof Bucket && 'element' in value,
      sessionOf: bucket => bucket.session,
      elementOf: bucket => bucket.element,
      isDry: bucket => bucket.dry,
      shadowOf: (bucket, n, ask) => bucketShadow(bucket.session, bucket.name, ask, n, bucket.place),
      attempt: (bucket, n, ask) => bucket.attempt(n, ask),
      enter: (bucket, n, ask, arrival) => bucket.begin(n, ask, arrival),
      giveBack: (bucket, n) => bucket.giveBack(n)
    }
  }
}

interface ReadParent {
  readonly dry: boolean
  readonly element: Element
  readonly name: string
}

interface ReadOptions {
  readonly pace: Pace | undefined
  readonly parent: ReadParent | undefined
  readonly update: boolean
}

/** In place of the index of a bucket above. */
const NOBODY = -1
/** Buckets above one, and itself. */
const LEVELS_MAX = 8

function readOptions(options: unknown, session: Session): ReadOptions {
  const given = optionsObject(options, 'options')
  if (given === undefined) return { pace: undefined, parent: undefined, update: false }
  onlyKnown(given, ['rate', 'per', 'burst', 'parent', 'update', 'shadow'], 'bucket()')
  const { parent, update } = given as { parent?: unknown; update?: unknown }
  // How it runs can be said without saying what it is.
  const { rate, per, burst } = given as { [K in keyof PaceOptions]: unknown }
  const isNone = rate === undefined && per === undefined && burst === undefined && parent === undefined && update === undefined
  if (isNone && 'shadow' in given) return { pace: undefined, parent: undefined, update: false }
  return {
    pace: readPaceOf(given),
    parent: parent === undefined ? undefined : readParent(parent, session),
    update: update === undefined ? false : flag(update, 'update')
  }
}

function readParent(parent: unknown, session: Session): ReadParent {
  if (!buckets.isBucket(parent)) throw refuse('parent', 'a bucket', parent)
  if (buckets.sessionOf(parent).binding !== session.binding) {
    throw new ArgumentError('parent: the bucket belongs to another arena', { option: 'parent', given: parent })
  }
  return { dry: buckets.isDry(parent), element: buckets.elementOf(parent), name: parent.name }
}

function readPaceOf(given: object): Pace {
  const { rate, per, burst } = given as { [K in keyof PaceOptions]: unknown }
  return readPace(rate, per, burst)
}

function writePace(times: Float64Array, { rate, per, burst }: Pace): void {
  times[Time.Amounts] = rate
  times[Time.Amounts + 1] = per
  times[Time.Amounts + 2] = burst
}
