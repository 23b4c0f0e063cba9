import type { ElementSnapshot } from '../native/binding.js'
import { nameOfPlace } from '../shadow/places.js'
import type { LockMode } from './webidl.js'

/** Dictionary `LockInfo`: a lock that is held, or a request that waits. */
export interface LockInfo {
  /** the environment (main thread or worker) that holds or requests it; opaque */
  clientId: string
  mode: LockMode
  name: string
}

/** Dictionary `LockManagerSnapshot`. Of one name, the requests are in the order in which they will be granted. */
export interface LockManagerSnapshot {
  held: LockInfo[]
  pending: LockInfo[]
}

/** What the element of a lock is in the arena; buckets and pools are no locks. */
const KIND_LOCK = 0

/** The state of all locks as `query()` reports it. Members of dictionaries are made in lexicographical order, as Web IDL has it. */
export function toSnapshot(elements: readonly ElementSnapshot[]): LockManagerSnapshot {
  const held: LockInfo[] = []
  const pending: LockInfo[] = []
  for (const { name: place, kind, holders, waiters } of elements) {
    if (kind !== KIND_LOCK) continue
    const { name } = nameOfPlace(place)
    for (const holder of holders) held.push(toInfo(name, holder))
    for (const waiter of waiters) if (waiter.state === 'queued') pending.push(toInfo(name, waiter))
  }
  return { held, pending }
}

function toInfo(name: string, { client, shared }: { readonly client: string; readonly shared: boolean }): LockInfo {
  return { clientId: client, mode: shared ? 'shared' : 'exclusive', name }
}
