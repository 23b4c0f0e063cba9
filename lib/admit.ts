import { type LockPart, LockWanted, readLocks, repeated } from './acquire-all.js'
import { Acquisition, type Part } from './acquisition.js'
import { Admission } from './admission.js'
import { Allocation, type AllocationTerms } from './allocation.js'
import { ArenaWait, labelled, ranOut } from './arena-wait.js'
import { type Ask, readAsk, WAIT_KNOWN, type WaitOptions } from './ask.js'
import { admitAtOnce } from './at-once.js'
import type { Booker } from './booker.js'
import { type Bucket, buckets } from './bucket.js'
import { fitTogether, mustFitTogether } from './burst-sums.js'
import { onlyKnown, optionsObject, refuse } from './checks.js'
import { enclosingGrants } from './enclosing.js'
import { ArgumentError } from './errors/index.js'
import { Grant } from './grant.js'
import { locks } from './lock.js'
import { type Taken, tokenCount } from './pace.js'
import { type Pool, pools } from './pool.js'
import type { AmountsByName } from './pool-terms.js'
import type { Session } from './session.js'
import type { ShadowAnswer } from './shadow/answer.js'
import { type ShadowAsk, shadowOfLock } from './shadow/options.js'
import { type LockDefaults, readWithin } from './terms.js'

/** What is wanted together. */
export interface AdmitParts {
  /** units of a pool, or of several */
  pool?: readonly [pool: Pool, amounts: AmountsByName] | readonly (readonly [pool: Pool, amounts: AmountsByName])[] | undefined
  /** tokens of buckets */
  tokens?: readonly (readonly [bucket: Bucket, n: number])[] | undefined
  /** locks, as in {@link Governor.acquireAll} */
  locks?: readonly LockPart[] | undefined
}

export interface AdmitOptions extends WaitOptions {}

/** Why a request was not admitted. */
export interface Refusal {
  readonly ok: false
  /** the part that refused */
  readonly kind: 'lock' | 'pool' | 'bucket'
  readonly name: string
  /** of a bucket: ms until it would grant its part if nobody else came; unknown for the others */
  readonly waitMs: number | undefined
}

type Held = Grant | Allocation | Taken

/** A part that can also say who it is. */
interface Wanted extends Part<Held> {
  readonly kind: Refusal['kind']
  readonly name: string
  readonly waitMs?: number | undefined
  /** of a bucket */
  readonly tokens?: number
}

/** Decides at once: all of it, or who refused. */
export function tryAdmit(session: Session, parts: unknown, options: unknown): Admission | Refusal {
  const given = readGiven(session, parts)
  const isPlain = options === undefined && !session.encloses
  const ask = isPlain ? session.plainAsk : readAsk(options, TRY_KNOWN, 'admit()', session)
  const { pool, tokens, locks } = given
  const enclosing = isPlain ? undefined : readEnclosing(session, options, ask)
  const answer = enclosing === undefined ? admitAtOnce(session, pool, tokens, locks, ask) : undefined
  if (answer?.ok || (answer !== undefined && answer.kind !== 'bucket')) return answer
  const wanted = readParts(session, pool, tokens, locks, ask)
  if (answer === undefined) return tryParts(session, wanted, ask, enclosing ?? NONE)
  mustFitTogether(session, tokensOf(wanted))
  return answer
}

function tokensOf(wanted: readonly Wanted[]): readonly AdmittedTokens[] {
  return wanted.filter((part): part is AdmittedTokens => part instanceof AdmittedTokens)
}

/** One after the other. */
function tryParts(session: Session, wanted: readonly Wanted[], ask: Ask, enclosing: readonly Grant[]): Admission | Refusal {
  const held: Held[] = []
  try {
    for (let position = 0; position < wanted.length; position++) {
      const part = wanted[position] as Wanted
      const got = part.attempt(enclosing)
      if (got === undefined) {
        giveBack(wanted, held)
        ask.booker?.book(part.kind, part.name, 0, undefined)
        if (part.kind === 'bucket') mustFitTogether(session, tokensOf(wanted))
        return { ok: false, kind: part.kind, name: part.name, waitMs: part.waitMs }
      }
      held.push(got)
    }
  } catch (error) {
    giveBack(wanted, held)
    throw error
  }
  book(wanted, held, ask.booker, 0)
  return admission(held)
}

/** Waits for all of it: see {@link Acquisition}. The one order for all is locks, then pools, then buckets, each by name. */
export async function admit(session: Session, parts: unknown, options: unknown): Promise<Admission> {
  const given = readGiven(session, parts)
  const ask = readAsk(options, WAIT_KNOWN, 'admit()', session)
  const { pool, tokens, locks } = given
  const enclosing = readEnclosing(session, options, ask)
  if (ask.signal?.aborted) throw ask.signal.reason
  const answer = enclosing === undefined ? admitAtOnce(session, pool, tokens, locks, ask) : undefined
  if (answer?.ok) return answer
  const wanted = readParts(session, pool, tokens, locks, ask)
  mustFitTogether(session, tokensOf(wanted))
  const terms = { timeout: ask.timeout, signal: ask.signal, enclosing: enclosing ?? NONE }
  const began = performance.now()
  const held = await new Acquisition(session, wanted, inOrder(wanted), terms).run()
  book(wanted, held, ask.booker, performance.now() - began)
  return admission(held)
}

/** The wait was one for all of them. */
function book(wanted: readonly Wanted[], held: readonly Held[], booker: Booker | undefined, waitedMs: number): void {
  if (booker === undefined) return
  wanted.forEach(({ kind, name, tokens }, position) => {
    booker.book(kind, name, position === 0 ? waitedMs : 0, tokens ?? (held[position] as Grant | Allocation))
  })
}

/** What a shadow admission says of its parts. */
export interface PartAnswers {
  /** in the order in which they would be asked for */
  readonly answers: readonly ShadowAnswer[]
  /** whether there could ever be all of them: see {@link fitTogether} */
  readonly fit: boolean
}

/** What a shadow admission asks of its parts. */
export function shadowParts(session: Session, parts: unknown, ask: ShadowAsk): PartAnswers {
  const { pool, tokens, locks: wantedLocks } = readGiven(session, parts)
  const asked = readAsk({ tier: session.tiers[ask.tier] }, WAIT_KNOWN, 'admit()', session)
  const wanted = readParts(session, pool, tokens, wantedLocks, asked)
  const answers = inOrder(wanted).map(position => {
    const part = wanted[position] as Wanted
    if (part instanceof AdmittedUnits) return pools.shadowOf(part.pool, part.amounts, ask)
    if (part instanceof AdmittedTokens) return buckets.shadowOf(part.bucket, part.tokens, ask)
    const { lock, terms } = part as AdmittedLock
    const { tier, shared, ttl } = shadowOfLock(session, terms)
    return locks.shadowOf(lock, { ...ask, tier, shared, ttl })
  })
  return { answers, fit: fitTogether(session, tokensOf(wanted)) }
}

class AdmittedLock extends LockWanted implements Wanted {
  readonly kind = 'lock'

  get name(): string {
    return this.lock.name
  }
}

class AdmittedUnits implements Wanted {
  readonly kind = 'pool'
  readonly name: string

  constructor(
    readonly pool: Pool,
    readonly amounts: readonly number[],
    private readonly terms: AllocationTerms,
    private readonly signal: AbortSignal | undefined
  ) {
    this.name = pool.name
  }

  attempt(): Allocation | undefined {
    return pools.tryUnits(this.pool, this.amounts, this.terms)
  }

  async wait(_: readonly Grant[], timeout: number, arrival: number): Promise<Allocation> {
    const answer = pools.units(this.pool, this.amounts, this.terms, { timeout, signal: this.signal, arrival })
    return answer instanceof ArenaWait ? answer.promise : answer
  }

  giveBack(held: Allocation): void {
    held.ignore()
  }

  holds(held: Allocation): boolean {
    return !held.ended
  }

  grantOf(): undefined {
    return undefined
  }

  timedOut(waitedMs: number): Error {
    return ranOut(labelled(this.kind, this.name), this.name, waitedMs)
  }
}

class AdmittedTokens implements Wanted {
  readonly kind = 'bucket'
  readonly name: string
  waitMs: number | undefined = undefined

  constructor(
    readonly bucket: Bucket,
    readonly tokens: number,
    private readonly ask: Ask
  ) {
    this.name = bucket.name
  }

  attempt(): Taken | undefined {
    const taken = buckets.attempt(this.bucket, this.tokens, this.ask)
    this.waitMs = taken.waitMs
    return taken.ok ? taken : undefined
  }

  async wait(_: readonly Grant[], timeout: number, arrival: number): Promise<Taken> {
    const answer = buckets.enter(this.bucket, this.tokens, { ...this.ask, timeout }, arrival)
    return answer instanceof ArenaWait ? answer.promise : answer
  }

  giveBack(): void {
    buckets.giveBack(this.bucket, this.tokens)
  }

  holds(): boolean {
    return true
  }

  grantOf(): undefined {
    return undefined
  }

  timedOut(waitedMs: number): Error {
    return ranOut(labelled(this.kind, this.name), this.name, waitedMs)
  }
}

/** What is wanted, each to be read once. */
interface GivenParts {
  readonly pool?: unknown
  readonly tokens?: unknown
  readonly locks?: unknown
}

function readGiven(session: Session, parts: unknown): GivenParts {
  session.mustBeOpen()
  const given = optionsObject(parts, 'parts')
  if (given === undefined) throw refuse('parts', 'an object with pool, tokens or locks', parts)
  for (const name in given) if (name !== 'pool' && name !== 'tokens' && name !== 'locks') onlyKnown(given, PARTS, 'admit()')
  return given
}

function readEnclosing(session: Session, options: unknown, ask: Ask): readonly Grant[] | undefined {
  return enclosingGrants(session, options === undefined ? undefined : grantsWithin(session, options), ask.booker)
}

function readParts(session: Session, pool: unknown, tokens: unknown, locks: unknown, ask: Ask): readonly Wanted[] {
  const wanted: Wanted[] = []
  readLockParts(session, locks, ask, wanted)
  readPools(session, pool, ask, wanted)
  readTokens(session, tokens, ask, wanted)
  return wanted
}

const PARTS = ['pool', 'tokens', 'locks'] as const
const TRY_KNOWN = WAIT_KNOWN.filter(known => known !== 'waitTimeout' && known !== 'signal')
const NONE: readonly Grant[] = []

function grantsWithin(session: Session, options: unknown): readonly Grant[] | undefined {
  const within = (options as AdmitOptions | undefined)?.within
  return within === undefined ? undefined : readWithin(within, session).grants
}

function readLockParts(session: Session, list: unknown, ask: Ask, wanted: Wanted[]): void {
  if (list === undefined) return
  const options = ask === session.plainAsk ? NO_OPTIONS : { tier: session.tiers[ask.tier], signal: ask.signal, ...wordsOf(session, ask) }
  for (const { lock, terms } of readLocks(session, list, options)) wanted.push(new AdmittedLock(lock, terms))
}

/** On whose behalf, as a lock is told; one of the names for which there was no room is left out. */
function wordsOf({ binding }: Session, { workflow, tenant, client }: Ask): Pick<LockDefaults, 'workflow' | 'tenant' | 'client'> {
  const word = (id: number) => (id === 0 ? undefined : binding.nameOf(id))
  return { workflow: word(workflow), tenant: word(tenant), client: word(client) }
}

const NO_OPTIONS = {}

function readPools(session: Session, value: unknown, ask: Ask, wanted: Wanted[]): void {
  if (value === undefined) return
  if (!Array.isArray(value)) throw refuse('pool', 'a pool and its amounts, or an array of such', value)
  const list: readonly unknown[] = value.length === 2 && !Array.isArray(value[0]) ? [value] : value
  const { tier, tenant, workflow, client, signal } = ask
  const terms = { tier, tenant, workflow, client, grace: undefined }
  const from = wanted.length
  for (let position = 0; position < list.length; position++) {
    const entry = list[position]
    if (!isPair(entry)) throw refuse(`pool[${position}]`, 'a pool and its amounts', entry)
    const pool = entry[0]
    if (!pools.isPool(pool)) throw refuse(`pool[${position}]`, 'a pool and its amounts', pool)
    if (pools.sessionOf(pool).binding !== session.binding) throw otherArena(`pool[${position}]`)
    wanted.push(new AdmittedUnits(pool, pools.read(pool, entry[1]), terms, signal))
  }
  mustDiffer(wanted, from, 'pool')
}

function readTokens(session: Session, value: unknown, ask: Ask, wanted: Wanted[]): void {
  if (value === undefined) return
  if (!Array.isArray(value)) throw refuse('tokens', 'an array of a bucket and a number each', value)
  const from = wanted.length
  for (let position = 0; position < value.length; position++) {
    const entry: unknown = value[position]
    if (!isPair(entry)) throw refuse(`tokens[${position}]`, 'a bucket and a number', entry)
    const bucket = entry[0]
    if (!buckets.isBucket(bucket)) throw refuse(`tokens[${position}]`, 'a bucket and a number', bucket)
    if (buckets.sessionOf(bucket).binding !== session.binding) throw otherArena(`tokens[${position}]`)
    wanted.push(new AdmittedTokens(bucket, tokenCount(entry[1]), ask))
  }
  mustDiffer(wanted, from, 'tokens')
}

function isPair(entry: unknown): entry is readonly [unknown, unknown] {
  return Array.isArray(entry) && entry.length === 2
}

function otherArena(option: string): ArgumentError {
  return new ArgumentError(`${option} belongs to another arena`, { option, given: undefined })
}

function mustDiffer(wanted: readonly Wanted[], from: number, option: string): void {
  if (repeated(wanted, nameOf, from) !== undefined) {
    throw new ArgumentError(`${option}: one is in the list twice`, { option, given: undefined })
  }
}

function nameOf(part: Wanted): string {
  return part.name
}

/** They stand by kind already. */
function inOrder(wanted: readonly Wanted[]): number[] {
  const kinds = ['lock', 'pool', 'bucket']
  const rank = (position: number) => kinds.indexOf((wanted[position] as Wanted).kind)
  const name = (position: number) => (wanted[position] as Wanted).name
  return [...wanted.keys()].sort((a, b) => rank(a) - rank(b) || (name(a) < name(b) ? -1 : 1))
}

function giveBack(wanted: readonly Wanted[], held: readonly Held[]): void {
  for (let position = held.length - 1; position >= 0; position--) (wanted[position] as Wanted).giveBack(held[position] as Held)
}

function admission(held: readonly Held[]): Admission {
  const locks: Grant[] = []
  const allocations: Allocation[] = []
  for (let position = 0; position < held.length; position++) {
    const one = held[position]
    if (one instanceof Grant) locks.push(one)
    else if (one instanceof Allocation) allocations.push(one)
  }
  return locks.length <= 1 && allocations.length <= 1
    ? new Admission(locks[0], allocations[0], undefined)
    : new Admission(locks[0], allocations[0], { locks, allocations })
}
