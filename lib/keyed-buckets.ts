import { inspect } from 'node:util'
import { exceeds, labelled } from './arena-wait.js'
import { count, flag, onlyKnown, optionsObject, refuse, text } from './checks.js'
import { ConfigError, type ForelockError, InUseError } from './errors/index.js'
import { At, type Binding, Code, Time } from './native/binding.js'
import { quote } from './native/codes.js'
import { KeyCache } from './native/key-cache.js'
import { type BucketState, burstTooLarge, type Pace, readPace, type Taken, tokenCount } from './pace.js'
import type { Session } from './session.js'
import { countDry, runsDry } from './shadow/dry.js'
import { dryPlace } from './shadow/places.js'

export interface KeyedBucketsOptions {
  /** tokens per `per` ms that each key gets */
  rate: number
  /** ms; default 1,000 */
  per?: number | undefined
  /** tokens of a full bucket, so many can be taken at once; default: the rate, rounded up */
  burst?: number | undefined
  /** keys that can be in debt (that is, not full) at once, up to 2^28; 51 bytes each; default 65,536 */
  keys?: number | undefined
  /** changes the rate of a family that exists; what its keys have taken stays taken */
  update?: boolean | undefined
  /** runs dry: all is granted, and what would not have been is counted */
  shadow?: boolean | undefined
}

const KEYS_DEFAULT = 65_536
const KEYS_MAX = 2 ** 28

/**
 * Token buckets of one rate, one for each key: users, addresses, API keys. A bucket by the generic cell rate algorithm (ITU-T I.371) is one
 * word in the arena; one that is full takes no memory. See {@link Governor.buckets}.
 */
export class KeyedBuckets {
  private readonly session: Session
  readonly name: string
  /** number in the addon */
  private readonly family: number
  /** what each key gets, as it was when this object was made */
  readonly rate: number
  readonly per: number
  readonly burst: number
  /** keys that can be in debt at once */
  readonly keys: number
  private readonly take: Binding['keyedTake']
  private readonly again: Binding['keyedAgain']
  private readonly cache = new KeyCache()
  /** it runs dry, apart from what is enforced */
  private readonly dry: boolean
  private readonly look: Binding['keyedPeek']
  private readonly giveBack: Binding['keyedRefund']

  /** @internal */
  constructor(session: Session, family: unknown, given: unknown) {
    const options = optionsObject(given, 'options')
    if (options === undefined) throw refuse('options', 'an object with a rate', given)
    onlyKnown(options, ['rate', 'per', 'burst', 'keys', 'update', 'shadow'], 'buckets()')
    const { rate, per, burst, keys, update } = options as { [K in keyof KeyedBucketsOptions]: unknown }
    const pace = readPace(rate, per, burst)
    this.session = session
    this.name = text(family, 'family')
    this.rate = pace.rate
    this.per = pace.per
    this.burst = pace.burst
    this.keys = keys === undefined ? KEYS_DEFAULT : count(keys, 'keys', 1, KEYS_MAX)
    this.dry = runsDry(session, options)
    this.family = openFamily(session, this.name, this.dry, pace, this.keys, update === undefined ? false : flag(update, 'update'))
    this.take = session.binding.keyedTake
    this.again = session.binding.keyedAgain
    this.look = session.binding.keyedPeek
    this.giveBack = session.binding.keyedRefund
  }

  /**
   * Takes `n` tokens of the key's bucket, all or none, at once. A part of a token may be asked for.
   *
   * @param key any string of up to 4,096 UTF-16 code units
   * @throws ExceedsError if `n` is more than the burst; ArgumentError; CapacityError (`keys`) if more keys are in debt at once than there is room for;
   *   NameError, ClosedError, CorruptError, RetiredError
   */
  tryTake(key: string, n = 1): Taken {
    const session = this.session
    const { scratch, times } = session
    this.prepare(key, n)
    if (this.cache.recall(key, scratch)) {
      this.again()
    } else {
      this.take(key)
      this.cache.note(key, scratch)
    }
    const code = scratch[At.OutCode]
    const remaining = times[Time.OutRemaining] as number
    if (this.dry) return this.takenDry(code as number, remaining, key, n)
    if (code === Code.Ok) return { ok: true, waitMs: 0, remaining }
    if (code !== Code.Busy) throw this.failure(code as number, key, n)
    return { ok: false, waitMs: times[Time.OutReady] as number, remaining }
  }

  /**
   * What {@link tryTake} would answer now, and takes nothing.
   *
   * @throws as {@link tryTake}, but no CapacityError
   */
  peek(key: string, n = 1): BucketState {
    const { times } = this.session
    const code = this.call(this.look, key, n)
    if (code !== Code.Ok && code !== Code.Busy) throw this.failure(code, key, n)
    return {
      ok: code === Code.Ok,
      waitMs: times[Time.OutReady] as number,
      remaining: times[Time.OutRemaining] as number,
      limit: times[Time.OutLimit] as number,
      resetMs: times[Time.OutFull] as number
    }
  }

  /**
   * Gives `n` tokens back, of work that was not done. What the bucket has no room for is gone: it never holds more than the burst.
   *
   * @throws as {@link peek}
   */
  refund(key: string, n = 1): void {
    const code = this.call(this.giveBack, key, n)
    if (code !== Code.Ok) throw this.failure(code, key, n)
  }

  /** What it is, for a log: the keys that it has met of late are none of it. */
  toJSON(): { name: string; rate: number; per: number; burst: number; keys: number; arena: string } {
    const { name, rate, per, burst, keys, session } = this
    return { name, rate, per, burst, keys, ...session.toJSON() }
  }

  /** @internal */
  [inspect.custom](): object {
    return this.toJSON()
  }

  /** Whatever the answer was: what is refused, or cannot be remembered, is granted without tokens. */
  private takenDry(code: number, remaining: number, key: string, n: number): Taken {
    const refused = code === Code.Busy || code === Code.Never || code === Code.NoKeys
    if (code !== Code.Ok && !refused) throw this.failure(code, key, n)
    countDry(this.session, 'buckets', this.name, refused ? 'refusals' : 'grants')
    return { ok: true, waitMs: 0, remaining: code === Code.Ok || code === Code.Busy ? remaining : 0 }
  }

  private prepare(key: unknown, n: unknown): void {
    const session = this.session
    if (n !== 1) tokenCount(n)
    if (typeof key !== 'string') throw refuse('key', 'a string', key)
    if (!session.open) session.mustBeOpen(this.name)
    const { scratch } = session
    scratch[At.Arena] = session.arena
    scratch[At.Index] = this.family
    session.times[Time.Tokens] = n as number
  }

  private call(operation: (key: string) => void, key: string, n: number): number {
    this.prepare(key, n)
    operation(key)
    return this.session.scratch[At.OutCode] as number
  }

  private failure(code: number, key: string, n: number): ForelockError {
    if (code === Code.Never) return exceeds(labelled('buckets', this.name), this.name, n)
    return this.session.failure(code, code === Code.NameTooLong ? key : this.name, this.keys)
  }
}

/** The number of the family in the addon, which makes it if it is not there. */
function openFamily(session: Session, name: string, dry: boolean, pace: Pace, keys: number, update: boolean): number {
  session.mustBeOpen(name)
  const { scratch, times } = session
  scratch[At.Request] = update ? 1 : 0
  times[Time.Rate] = pace.rate
  times[Time.Per] = pace.per
  times[Time.Burst] = pace.burst
  times[Time.Keys] = keys
  const code = session.binding.keyedOpen(dry ? dryPlace(name) : name)
  if (code === Code.Ok) return scratch[At.OutIndex] as number
  if (code === Code.BadArgument) throw burstTooLarge(pace)
  if (code === Code.Busy) throw new InUseError(`the rate of the buckets ${quote(name)} is just being changed by another environment`, {})
  if (code === Code.Differs) throw differs(name, { ...pace, keys }, times)
  throw session.failure(code, name, keys)
}

/** The first number in which a family is not as it was asked for. */
function differs(name: string, given: Pace & { keys: number }, stored: Float64Array): ConfigError {
  const places = { keys: Time.Keys, rate: Time.Rate, per: Time.Per, burst: Time.Burst } as const
  for (const [option, at] of Object.entries(places) as [keyof typeof places, Time][]) {
    if (stored[at] === given[option]) continue
    const how = option === 'keys' ? 'which stays' : 'change it with `update: true`'
    return new ConfigError(`the buckets ${quote(name)} were made with ${option} ${stored[at]}, not ${given[option]}; ${how}`, {
      option,
      stored: stored[at],
      given: given[option]
    })
  }
  return new ConfigError(`the buckets ${quote(name)} were made with other numbers`, { option: 'rate', stored: undefined, given })
}
