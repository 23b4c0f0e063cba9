import { Lock } from '../lock.js'
import type { Session } from '../session.js'

/** Names kept at least and, less one, half the names kept at most. */
const GENERATION = 512

/**
 * The locks of the names used lately, so that a name that comes again need not be looked up in the arena again. Two generations,
 * so that an endless stream of names costs a bounded memory: what has not been used for one generation is dropped.
 */
export class LockNames {
  private young = new Map<string, Lock>()
  private old = new Map<string, Lock>()

  constructor(private readonly session: Session) {}

  get(name: string): Lock {
    return this.young.get(name) ?? this.renew(name)
  }

  private renew(name: string): Lock {
    const lock = this.old.get(name) ?? new Lock(this.session, name, undefined)
    if (this.young.size === GENERATION) {
      this.old = this.young
      this.young = new Map()
    }
    this.young.set(name, lock)
    return lock
  }
}
