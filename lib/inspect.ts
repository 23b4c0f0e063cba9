import type { LockMode } from './grant.js'
import type { ElementSnapshot, HolderSnapshot, WaiterSnapshot } from './native/binding.js'
import { nameOfPlace } from './shadow/places.js'

/** Who holds or waits. */
export interface Client {
  /** stable id of the JavaScript environment: `pid:participant:incarnation` */
  readonly client: string
  readonly pid: number
  readonly tid: number
  /** inode of the pid namespace that `pid` and `tid` belong to */
  readonly pidNamespace: number
  readonly tier: string
  readonly mode: LockMode
  /** ms since the grant (coarse), or since the request */
  readonly ageMs: number
}

export interface LockHolder extends Client {
  readonly token: bigint
  /** false: died holding it, and nobody has come for the lock since */
  readonly alive: boolean
}

export interface LockWaiter extends Client {
  /** `ready`: granted, but its environment has not taken it yet, for example because its event loop is blocked */
  readonly state: 'queued' | 'ready'
}

export interface LockSnapshot {
  readonly name: string
  /** of a rule that runs dry: what it would have made wait is a lock of the same name beside it, and keeps nobody out */
  readonly shadow: boolean
  readonly holders: readonly LockHolder[]
  /** in the order in which they would be served now */
  readonly waiters: readonly LockWaiter[]
}

/** The locks among the elements, in words. */
export function lockSnapshots(elements: readonly ElementSnapshot[], tiers: readonly string[]): LockSnapshot[] {
  return elements
    .filter(element => element.kind === 0)
    .map(({ name: place, holders, waiters }) => ({
      ...nameOfPlace(place),
      holders: holders.map(holder => ({ ...client(holder, tiers), token: holder.token, alive: holder.alive })),
      waiters: waiters.map(waiter => ({ ...client(waiter, tiers), state: waiter.state }))
    }))
}

function client(from: HolderSnapshot | WaiterSnapshot, tiers: readonly string[]): Client {
  return {
    client: from.client,
    pid: from.pid,
    tid: from.tid,
    pidNamespace: from.pidNamespace,
    tier: tiers[from.tier] ?? `tier ${from.tier}`,
    mode: from.shared ? 'shared' : 'exclusive',
    ageMs: from.ageMs
  }
}
