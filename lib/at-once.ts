import { Admission } from './admission.js'
import { Allocation, type AllocationTerms } from './allocation.js'
import type { Ask } from './ask.js'
import { buckets } from './bucket.js'
import type { Element } from './element.js'
import { Grant } from './grant.js'
import { locks } from './lock.js'
import { At, Code, MOST_BUCKETS, MOST_LOCKS, PART_WORDS, RequestBit, Time } from './native/binding.js'
import { isPositive } from './pace.js'
import { type Pool, pools, writeAmounts } from './pool.js'
import type { Session } from './session.js'
import { TIER_MASK } from './terms.js'
import { grantChannel, refusalChannel } from './traces.js'

/** Which part refused; `waitMs` is of a bucket. */
export interface RefusedAtOnce {
  readonly ok: false
  readonly kind: 'lock' | 'pool' | 'bucket'
  readonly name: string
  readonly waitMs: number | undefined
}

const NO_UNITS: readonly number[] = [0, 0, 0, 0, 0, 0]

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
  const { scratch, times, parts } = session
  const turn = (scratch[At.Turn] + 1) | 0
  scratch[At.Turn] = turn
  const lockCount = readLocks(session, lockList, ask)
  if (lockCount < 0) return undefined
  let pool: Pool | undefined
  let units = NO_UNITS
  let unitCount = 0
  if (pair !== undefined) {
    pool = poolOf(session, pair)
    if (pool === undefined) return undefined
    units = pools.read(pool, (pair as readonly unknown[])[1])
    note(session, lockCount, pool.element)
    unitCount = 1
  }
  const bucketCount = readBuckets(session, tokens, lockCount + unitCount)
  // A getter may have closed it, or have asked for something like this itself.
  if (bucketCount < 0 || !session.open || scratch[At.Turn] !== turn) return undefined
  scratch[At.Arena] = session.arena
  scratch[At.Locks] = lockCount
  scratch[At.Pools] = unitCount
  scratch[At.Buckets] = bucketCount
  writeAsker(scratch, ask)
  writeAmounts(times, units)
  session.tryAdmit()
  const code = scratch[At.OutCode]
  if (code === Code.Ok) return admission(session, lockCount, pool, units, ask)
  const refused = scratch[At.OutRefused]
  const waitMs = times[Time.OutReady]
  if (scratch[At.OutSettled] !== 0) session.waiting.settle()
  if (code !== Code.Busy) return undefined
  const kind = refused < lockCount ? 'lock' : refused < lockCount + unitCount ? 'pool' : 'bucket'
  return { ok: false, kind, name: (parts[refused] as Element).name, waitMs: kind === 'bucket' ? waitMs : undefined }
}

function admission(session: Session, lockCount: number, pool: Pool | undefined, units: readonly number[], ask: Ask): Admission {
  const first = lockCount === 0 ? undefined : grantAt(session, 0)
  const allocation = pool === undefined ? undefined : allocationAt(session, lockCount, pool, units, ask)
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

function allocationAt(session: Session, position: number, pool: Pool, units: readonly number[], ask: Ask): Allocation {
  const { scratch, plainAsk, plainUnits } = session
  const at = At.Parts + PART_WORDS * position
  const { tier, tenant, workflow, client } = ask
  const terms: AllocationTerms = ask === plainAsk ? plainUnits : { tier, tenant, workflow, client, grace: undefined }
  return new Allocation(pool, terms, scratch[at + 1], scratch[at + 2], scratch[at + 3], units)
}

function writeAsker(scratch: Int32Array, { tier, tenant, workflow, client }: Ask): void {
  const named = (tenant | workflow | client) === 0 ? 0 : RequestBit.Named
  scratch[At.Request] = tier | named
  if (named === 0) return
  scratch[At.Tenant] = tenant
  scratch[At.Workflow] = workflow
  scratch[At.Client] = client
}

/** How many there are; -1: they are to be looked at more closely. */
function readLocks(session: Session, list: unknown, ask: Ask): number {
  if (list === undefined) return 0
  const count = lengthOf(list, MOST_LOCKS)
  for (let i = 0; i < count; i++) {
    const lock = (list as readonly unknown[])[i]
    const element = locks.isLock(lock) && locks.sessionOf(lock).binding === session.binding ? locks.plainly(lock) : undefined
    if (element === undefined || isThere(session, element, 0, i)) return -1
    const at = note(session, i, element)
    session.scratch[at + 1] = element.gen
    session.scratch[at + 2] = ask === session.plainAsk ? locks.defaultsOf(lock as never).request & TIER_MASK : ask.tier
  }
  return count
}

/** Undefined: it is to be looked at more closely. */
function poolOf(session: Session, pair: unknown): Pool | undefined {
  if (lengthOf(pair, 2) !== 2) return undefined
  const pool = (pair as readonly unknown[])[0]
  return pools.isPool(pool) && !pools.isDry(pool) && pool.session.binding === session.binding ? pool : undefined
}

function readBuckets(session: Session, list: unknown, from: number): number {
  if (list === undefined) return 0
  const count = lengthOf(list, MOST_BUCKETS)
  for (let i = 0; i < count; i++) {
    const entry = (list as readonly unknown[])[i]
    if (lengthOf(entry, 2) !== 2) return -1
    const bucket = (entry as readonly unknown[])[0]
    const tokens = (entry as readonly unknown[])[1]
    if (!buckets.isBucket(bucket) || buckets.isDry(bucket) || !isPositive(tokens)) return -1
    const element = buckets.elementOf(bucket)
    if (element.session.binding !== session.binding || isThere(session, element, from, from + i)) return -1
    note(session, from + i, element)
    session.times[Time.Together + i] = tokens
  }
  return count
}

/** Where it stands in the scratch. */
function note({ scratch, parts }: Session, position: number, element: Element): number {
  const at = At.Parts + PART_WORDS * position
  parts[position] = element
  scratch[at] = element.index
  return at
}

function isThere({ parts }: Session, { index }: Element, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((parts[i] as Element).index === index) return true
  return false
}

function lengthOf(list: unknown, most: number): number {
  return Array.isArray(list) && list.length <= most ? list.length : -1
}
