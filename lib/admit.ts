import { type LockPart, LockWanted, readLocks } from './acquire-all.js'
import { Acquisition, type Part } from './acquisition.js'
import { Admission } from './admission.js'
import { Allocation, type AllocationTerms } from './allocation.js'
import { ArenaWait, labelled, ranOut } from './arena-wait.js'
import { readAsk, WAIT_KNOWN, type WaitOptions } from './ask.js'
import { type Bucket, buckets } from './bucket.js'
import { onlyKnown, optionsObject, refuse } from './checks.js'
import { enclosingGrants } from './enclosing.js'
import { ArgumentError } from './errors/index.js'
import { Grant } from './grant.js'
import { type Taken, tokenCount } from './pace.js'
import { type Pool, pools } from './pool.js'
import type { AmountsByName } from './pool-terms.js'
import type { Ask, Session } from './session.js'
import { readTerms } from './terms.js'

/** What is wanted together. */
export interface AdmitParts {
  /** units of a pool, or of several */
  pool?: readonly [pool: Pool, amounts: AmountsByName] | readonly (readonly [pool: Pool, amounts: AmountsByName])[] | undefined
  /** tokens of buckets */
  tokens?: readonly (readonly [bucket: Bucket, n: number])[] | undefined
  /** locks, as in {@link Governor.acquireAll} */
  locks?: readonly LockPart[] | undefined
}

export interface AdmitOptions extends WaitOptions {
  /** the grants that it belongs to */
  within?: Grant | readonly Grant[] | undefined
}

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
}

/** Decides at once: all of it, or who refused. */
export function tryAdmit(session: Session, parts: unknown, options: unknown): Admission | Refusal {
  const { wanted, enclosing } = readAdmit(session, parts, options, [
    ...WAIT_KNOWN.filter(known => known !== 'waitTimeout' && known !== 'signal'),
    'within'
  ])
  const held: Held[] = []
  try {
    for (const part of wanted) {
      const got = part.attempt(enclosing)
      if (got === undefined) {
        giveBack(wanted, held)
        return { ok: false, kind: part.kind, name: part.name, waitMs: part.waitMs }
      }
      held.push(got)
    }
  } catch (error) {
    giveBack(wanted, held)
    throw error
  }
  return admission(held)
}

/** Waits for all of it: see {@link Acquisition}. The one order for all is locks, then pools, then buckets, each by name. */
export async function admit(session: Session, parts: unknown, options: unknown): Promise<Admission> {
  const { wanted, ask, enclosing } = readAdmit(session, parts, options, [...WAIT_KNOWN, 'within'])
  if (ask.signal?.aborted) throw ask.signal.reason
  const terms = { timeout: ask.timeout, signal: ask.signal, enclosing }
  return admission(await new Acquisition(session, wanted, inOrder(wanted), terms).run())
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
    private readonly pool: Pool,
    private readonly amounts: readonly number[],
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
    private readonly bucket: Bucket,
    private readonly n: number,
    private readonly ask: Ask
  ) {
    this.name = bucket.name
  }

  attempt(): Taken | undefined {
    const taken = buckets.attempt(this.bucket, this.n, this.ask)
    this.waitMs = taken.waitMs
    return taken.ok ? taken : undefined
  }

  async wait(_: readonly Grant[], timeout: number, arrival: number): Promise<Taken> {
    const answer = buckets.enter(this.bucket, this.n, { ...this.ask, timeout }, arrival)
    return answer instanceof ArenaWait ? answer.promise : answer
  }

  giveBack(): void {
    this.bucket.refund(this.n)
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

interface ReadAdmit {
  readonly wanted: readonly Wanted[]
  readonly ask: Ask
  readonly enclosing: readonly Grant[]
}

function readAdmit(session: Session, parts: unknown, options: unknown, known: readonly string[]): ReadAdmit {
  session.mustBeOpen()
  const given = optionsObject(parts, 'parts')
  if (given === undefined) throw refuse('parts', 'an object with pool, tokens or locks', parts)
  onlyKnown(given, ['pool', 'tokens', 'locks'], 'admit()')
  const ask = readAsk(options, known, 'admit()', session)
  const within = (optionsObject(options, 'options') as { within?: Grant | readonly Grant[] } | undefined)?.within
  const { pool, tokens: asked, locks } = given as { [K in keyof AdmitParts]: unknown }
  const terms = readTerms({ within }, session.plainTerms, session)
  const wanted = [...readLockParts(session, locks, ask), ...readPools(session, pool, ask), ...readTokens(session, asked, ask)]
  return { wanted, ask, enclosing: enclosingGrants(session, terms.within) ?? [] }
}

function readLockParts(session: Session, list: unknown, { tier, signal }: Ask): AdmittedLock[] {
  if (list === undefined) return []
  return readLocks(session, list, { tier: session.tiers[tier], signal }).map(({ lock, terms }) => new AdmittedLock(lock, terms))
}

function readPools(session: Session, value: unknown, ask: Ask): AdmittedUnits[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw refuse('pool', 'a pool and its amounts, or an array of such', value)
  const list: readonly unknown[] = value.length === 2 && !Array.isArray(value[0]) ? [value] : value
  const { tier, tenant, workflow, client, signal } = ask
  const found = Array.from(list, (entry, position) => {
    const [pool, amounts] = pair(entry, `pool[${position}]`, 'a pool and its amounts')
    if (!pools.isPool(pool)) throw refuse(`pool[${position}]`, 'a pool and its amounts', pool)
    sameArena(session, pools.sessionOf(pool), `pool[${position}]`)
    return new AdmittedUnits(pool, pools.read(pool, amounts), { tier, tenant, workflow, client, grace: undefined }, signal)
  })
  return distinct(found, 'pool')
}

function readTokens(session: Session, value: unknown, ask: Ask): AdmittedTokens[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw refuse('tokens', 'an array of a bucket and a number each', value)
  const found = Array.from(value as unknown[], (entry, position) => {
    const [bucket, n] = pair(entry, `tokens[${position}]`, 'a bucket and a number')
    if (!buckets.isBucket(bucket)) throw refuse(`tokens[${position}]`, 'a bucket and a number', bucket)
    sameArena(session, buckets.sessionOf(bucket), `tokens[${position}]`)
    return new AdmittedTokens(bucket, tokenCount(n), ask)
  })
  return distinct(found, 'tokens')
}

function pair(entry: unknown, option: string, what: string): readonly unknown[] {
  if (!Array.isArray(entry) || entry.length !== 2) throw refuse(option, what, entry)
  return entry
}

function sameArena(session: Session, other: Session, option: string): void {
  if (other.binding !== session.binding) throw new ArgumentError(`${option} belongs to another arena`, { option, given: undefined })
}

function distinct<T extends { name: string }>(parts: T[], option: string): T[] {
  const names = new Set(parts.map(part => part.name))
  if (names.size < parts.length) throw new ArgumentError(`${option}: one is in the list twice`, { option, given: undefined })
  return parts
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
  const locks = held.filter((one): one is Grant => one instanceof Grant)
  const allocations = held.filter((one): one is Allocation => one instanceof Allocation)
  return new Admission(locks, allocations)
}
