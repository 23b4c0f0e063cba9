import { Bucket } from '../bucket.js'
import { findElement } from '../enter.js'
import { Kind } from '../native/binding.js'
import type { WarmKind } from '../plan/warm-planner.js'
import { Pool } from '../pool.js'
import type { Session } from '../session.js'

/**
 * Sees to it that a thing has its place in the arena, and that the memory behind it has been looked at. A lock that nobody has held for a while may have given its
 * place away: it gets one again, and keeps it past the next round of who looks for one. What is held or waited for never gives its place to it.
 *
 * @throws NotFoundError if there is no such bucket or pool; CapacityError, NameError, MemoryError, ClosedError
 */
export function makeResident(session: Session, kind: WarmKind, name: string): void {
  if (kind === 'lock') findElement(session, name, Kind.Lock)
  // To read what it is touches all of it.
  else if (kind === 'bucket') void new Bucket(session, name, undefined).rate
  else if (kind === 'pool') new Pool(session, name, undefined, 'pool', false, false).usage()
}
