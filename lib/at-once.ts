import { Admission } from './admission.js'
import { Allocation, type AllocationTerms } from './allocation.js'
import type { Ask } from './ask.js'
import { type Bucket, buckets } from './bucket.js'
import type { Element } from './element.js'
import { Grant } from './grant.js'
import { type Lock, locks } from './lock.js'
import { At, Code, DIMENSIONS, MOST_BUCKETS, MOST_LOCKS, PART_WORDS, RequestBit, Time } from './native/binding.js'
import { isPositive } from './pace.js'
import { type Pool, pools, writeAmounts } from './pool.js'
import { type Asked, type Session, UNKNOWN } from './session.js'
import { TIER_MASK } from './terms.js'
import { grantChannel, refusalChannel } from './traces.js'

/** Which part refused; `waitMs` is of a bucket. */
export interface RefusedAtOnce {
  readonly ok: false
  readonly kind: 'lock' | 'pool' | 'bucket'
  readonly name: string
  readonly waitMs: number | undefined
}

/**
 * Decides all parts in one call of the addon: one pool, four buckets and four locks at most, of which nothing is asked but what they are by
 * default. Undefined: it is not as plain as that, or there was a reason that is rare. Then nothing was taken, and it is to be asked for part
 * by part, which also tells what is wrong with it.
 */
export function admitAtOnce(
  session: Session,
  pair: unknown,
  tokens: unknown,
  lockList: unknown,
  ask: Ask
): Admission | RefusedAtOnce | undefined {
  if (ask.booker !== undefined || grantChannel.hasSubscribers || refusalChannel.hasSubscribers) return undefined
  const { asked } = session
  const { number } = asked
  // All of it is compared before anything is written; a getter may have closed the governor, or have asked for something else itself.
  if (number === 0 || !isSame(session, asked, pair, tokens, lockList, ask) || asked.number !== number || !session.open)
    return askAnew(session, pair, tokens, lockList, ask)
  const { scratch } = session
  scratch[At.Turn]++
  scratch[At.Arena] = session.arena
  scratch[At.Request] = ask.tier | RequestBit.Again
  scratch[At.Asked] = number
  if (ask !== session.plainAsk) writeNames(scratch, ask, RequestBit.Again)
  session.tryAdmit()
  const code = scratch[At.OutCode]
  if (code === Code.Ok) return admission(session, asked, ask)
  // Another account on this arena has asked for something else since.
  return code === Code.Differs ? askAnew(session, pair, tokens, lockList, ask) : refusal(session, code)
}

/** Whether it is what was asked for last: then the addon knows it. */
function isSame(session: Session, asked: Asked, pair: unknown, tokens: unknown, lockList: unknown, ask: Ask): boolean {
  const { lockCount, poolCount, bucketCount } = asked
  if (asked.tier !== tierOf(session, ask)) return false
  if (lockList === undefined ? lockCount !== 0 : lengthOf(lockList, MOST_LOCKS) !== lockCount) return false
  for (let i = 0; i < lockCount; i++) {
    const lock = (lockList as readonly unknown[])[i]
    // A lock may have come to another place in the arena.
    if (lock !== asked.locks[i] || locks.plainly(lock as Lock) !== session.parts[i]) return false
  }
  if (pair === undefined ? poolCount !== 0 : poolCount === 0 || lengthOf(pair, 2) !== 2) return false
  if (poolCount !== 0) {
    const pool = (pair as readonly unknown[])[0]
    if (pool !== asked.pools[0]) return false
    const units = pools.read(pool as Pool, (pair as readonly unknown[])[1])
    if (units !== asked.units && !areEqual(units, asked.units)) return false
  }
  if (tokens === undefined ? bucketCount !== 0 : lengthOf(tokens, MOST_BUCKETS) !== bucketCount) return false
  for (let i = 0; i < bucketCount; i++) {
    const entry = (tokens as readonly unknown[])[i]
    if (lengthOf(entry, 2) !== 2 || (entry as readonly unknown[])[0] !== asked.buckets[i]) return false
    if ((entry as readonly unknown[])[1] !== asked.tokens[i]) return false
  }
  return true
}

function areEqual(units: readonly number[], others: readonly number[]): boolean {
  for (let d = 0; d < DIMENSIONS; d++) if (units[d] !== others[d]) return false
  return true
}

/** Of locks asked for without options each has its own. */
function tierOf(session: Session, ask: Ask): number {
  return ask === session.plainAsk ? -1 : ask.tier
}

/** Writes all of it. */
function askAnew(session: Session, pair: unknown, tokens: unknown, lockList: unknown, ask: Ask): Admission | RefusedAtOnce | undefined {
  const { scratch, asked } = session
  asked.number = 0
  const turn = (scratch[At.Turn] + 1) | 0
  scratch[At.Turn] = turn
  const lockCount = lockList === undefined ? 0 : readLocks(session, lockList, ask)
  if (lockCount < 0) return undefined
  let units: readonly number[] | undefined
  if (pair !== undefined) {
    const pool = poolOf(session, pair)
    if (pool === undefined) return undefined
    units = pools.read(pool, (pair as readonly unknown[])[1])
    place(session, lockCount, pool.element)
  }
  const poolCount = units === undefined ? 0 : 1
  const bucketCount = tokens === undefined ? 0 : readBuckets(session, tokens, lockCount + poolCount)
  // A getter may have closed it, or have asked for something like this itself.
  if (bucketCount < 0 || !session.open || scratch[At.Turn] !== turn) return undefined
  asked.lockCount = lockCount
  asked.poolCount = poolCount
  asked.bucketCount = bucketCount
  scratch[At.Arena] = session.arena
  scratch[At.Locks] = lockCount
  scratch[At.Pools] = poolCount
  scratch[At.Buckets] = bucketCount
  scratch[At.Request] = ask.tier
  if (ask !== session.plainAsk) writeNames(scratch, ask, 0)
  if (units !== undefined) {
    asked.units = units
    writeAmounts(session, (asked.pools[0] as Pool).names.length, units)
  }
  scratch[At.Asked] = 0
  session.tryAdmit()
  asked.number = scratch[At.Asked]
  asked.tier = tierOf(session, ask)
  const code = scratch[At.OutCode]
  return code === Code.Ok ? admission(session, asked, ask) : refusal(session, code)
}

/** Apart, as all is that seldom comes to be: the engine inlines what is asked for each time only into what is small enough. */
function refusal(session: Session, code: number): RefusedAtOnce | undefined {
  const { scratch } = session
  // Who is settled may run code of the user, which may ask for something else.
  const refused = code === Code.Busy ? refusedBy(session) : undefined
  if (scratch[At.OutSettled] !== 0) session.waiting.settle()
  return refused
}

function refusedBy({ scratch, times, asked, parts }: Session): RefusedAtOnce {
  const refused = scratch[At.OutRefused]
  const kind = refused < asked.lockCount ? 'lock' : refused < asked.lockCount + asked.poolCount ? 'pool' : 'bucket'
  return { ok: false, kind, name: (parts[refused] as Element).name, waitMs: kind === 'bucket' ? times[Time.OutReady] : undefined }
}

function admission(session: Session, asked: Asked, ask: Ask): Admission {
  const { lockCount } = asked
  const first = lockCount === 0 ? undefined : grantAt(session, 0)
  const allocation = asked.poolCount === 0 ? undefined : allocationAt(session, lockCount, ask)
  const several = first !== undefined && lockCount > 1 ? severalOf(session, first, lockCount, allocation) : undefined
  if (session.scratch[At.OutSettled] !== 0) session.waiting.settle()
  return new Admission(first, allocation, several)
}

function severalOf(session: Session, first: Grant, lockCount: number, allocation: Allocation | undefined) {
  const granted = [first]
  for (let i = 1; i < lockCount; i++) granted.push(grantAt(session, i))
  return { locks: granted, allocations: allocation === undefined ? [] : [allocation] }
}

/** Its tier comes back in the word of the grant, where no bit of it is used. */
function grantAt({ scratch, parts }: Session, position: number): Grant {
  const at = At.Parts + PART_WORDS * position
  return new Grant(parts[position] as Element, scratch[at + 1], -1, scratch[at + 2], undefined)
}

function allocationAt(session: Session, position: number, ask: Ask): Allocation {
  const { scratch, asked, plainAsk, plainUnits } = session
  const at = At.Parts + PART_WORDS * position
  const terms = ask === plainAsk ? plainUnits : termsOf(ask)
  return new Allocation(asked.pools[0] as Pool, terms, scratch[at + 1], scratch[at + 2], scratch[at + 3], asked.units)
}

function termsOf({ tier, tenant, workflow, client }: Ask): AllocationTerms {
  return { tier, tenant, workflow, client, grace: undefined }
}

function writeNames(scratch: Int32Array, { tier, tenant, workflow, client }: Ask, bits: number): void {
  if ((tenant | workflow | client) === 0) return
  scratch[At.Request] = tier | RequestBit.Named | bits
  scratch[At.Tenant] = tenant
  scratch[At.Workflow] = workflow
  scratch[At.Client] = client
}

/** How many there are; -1: they are to be looked at more closely. */
function readLocks(session: Session, list: unknown, ask: Ask): number {
  const count = lengthOf(list, MOST_LOCKS)
  const { scratch } = session
  const known = session.asked.locks
  for (let i = 0; i < count; i++) {
    const lock = (list as readonly unknown[])[i]
    if (lock !== known[i] && !learn(session, known, i, lock, lockElement(session, lock), 0)) return -1
    // A lock may come to another place in the arena.
    const element = locks.plainly(lock as Lock)
    if (element === undefined) return -1
    const at = At.Parts + PART_WORDS * i
    place(session, i, element)
    scratch[at + 1] = element.gen
    scratch[at + 2] = ask === session.plainAsk ? locks.defaultsOf(lock as Lock).request & TIER_MASK : ask.tier
  }
  return count
}

/** Undefined: it is to be looked at more closely. */
function poolOf(session: Session, pair: unknown): Pool | undefined {
  if (lengthOf(pair, 2) !== 2) return undefined
  const pool = (pair as readonly unknown[])[0]
  const known = session.asked.pools
  return pool === known[0] || learn(session, known, 0, pool, poolElement(session, pool), 0) ? (pool as Pool) : undefined
}

function readBuckets(session: Session, list: unknown, from: number): number {
  const count = lengthOf(list, MOST_BUCKETS)
  const { times, asked } = session
  const known = asked.buckets
  for (let i = 0; i < count; i++) {
    const entry = (list as readonly unknown[])[i]
    if (lengthOf(entry, 2) !== 2) return -1
    const bucket = (entry as readonly unknown[])[0]
    const tokens = (entry as readonly unknown[])[1]
    if ((bucket !== known[i] && !learn(session, known, i, bucket, bucketElement(session, bucket), from)) || !isPositive(tokens)) return -1
    place(session, from + i, buckets.elementOf(bucket as Bucket))
    asked.tokens[i] = times[Time.Together + i] = tokens
  }
  return count
}

/** A getter may have asked for something else meanwhile, that the addon has a number of: what is written over is not that any more. */
function place({ scratch, parts, asked }: Session, position: number, element: Element): void {
  asked.number = 0
  parts[position] = element
  scratch[At.Parts + PART_WORDS * position] = element.index
}

/**
 * Remembers what stands at a place of a list, whose parts begin at `from`, if it is what it should be (then it has an element) and nothing before it is
 * the same. What was known of those behind it is known no more, because it was also that they are not this one.
 */
function learn(
  { parts, asked }: Session,
  known: unknown[],
  position: number,
  part: unknown,
  element: Element | undefined,
  from: number
): boolean {
  asked.number = 0
  known.fill(UNKNOWN, position)
  if (element === undefined) return false
  for (let i = from; i < from + position; i++) if ((parts[i] as Element).index === element.index) return false
  known[position] = part
  return true
}

function lockElement({ binding }: Session, lock: unknown): Element | undefined {
  return locks.isLock(lock) && locks.sessionOf(lock).binding === binding ? locks.plainly(lock) : undefined
}

function poolElement({ binding }: Session, pool: unknown): Element | undefined {
  return pools.isPool(pool) && !pools.isDry(pool) && pool.session.binding === binding ? pool.element : undefined
}

function bucketElement({ binding }: Session, bucket: unknown): Element | undefined {
  if (!buckets.isBucket(bucket) || buckets.isDry(bucket)) return undefined
  const element = buckets.elementOf(bucket)
  return element.session.binding === binding ? element : undefined
}

function lengthOf(list: unknown, most: number): number {
  return Array.isArray(list) && list.length <= most ? list.length : -1
}
