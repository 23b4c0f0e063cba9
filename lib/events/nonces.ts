import { CapacityError } from '../errors/index.js'

/**
 * The ids of messages that were accepted, each for as long as its signature would be accepted again. None is given up before that: when there is no
 * room, no message is accepted. Of those that are given up the latest time of signing is kept, and nothing signed until then is fresh any more,
 * so that a clock that is set back does not open a door to what was forgotten.
 */
export class Nonces {
  /** id -> time of signing, ms; in the order in which they came */
  private readonly seen = new Map<string, number>()
  private forgotten = Number.NEGATIVE_INFINITY
  private pruned = Number.NEGATIVE_INFINITY

  /**
   * @param most how many are kept
   * @param tolerance ms for which a signature is fresh
   */
  constructor(
    private readonly most: number,
    private readonly tolerance: number
  ) {}

  get size(): number {
    return this.seen.size
  }

  /** Whether nothing that was signed then has been forgotten. */
  remembers(signed: number): boolean {
    return signed > this.forgotten
  }

  has(id: string): boolean {
    return this.seen.has(id)
  }

  /** @throws CapacityError when there is no room; nothing has changed */
  add(id: string, signed: number, now: number): void {
    if (this.seen.size >= this.most) this.prune(now)
    if (this.seen.size >= this.most) {
      const limit = this.most
      throw new CapacityError(`no room for the ids of more than ${limit} messages within the tolerance: raise ids`, {
        option: 'events.ids',
        limit
      })
    }
    this.seen.set(id, signed)
  }

  toJSON(): { forgotten: number | null; seen: [string, number][] } {
    return { forgotten: Number.isFinite(this.forgotten) ? this.forgotten : null, seen: [...this.seen] }
  }

  /** Takes over what another one has seen, beside its own. */
  take(forgotten: number | null, seen: readonly (readonly [string, number])[]): void {
    this.forgotten = Math.max(this.forgotten, forgotten ?? Number.NEGATIVE_INFINITY)
    const latest = [...seen].sort(([, a], [, b]) => b - a)
    for (const [id, signed] of latest) {
      if (this.seen.size < this.most) this.seen.set(id, signed)
      else if (!this.seen.has(id)) this.forgotten = Math.max(this.forgotten, signed)
    }
  }

  /** Looks through all of them at most once in a while, whatever is sent when there is no room. */
  private prune(now: number): void {
    if (Math.abs(now - this.pruned) < this.tolerance / PRUNES) return
    this.pruned = now
    for (const [id, signed] of this.seen) {
      if (signed + this.tolerance >= now) continue
      this.seen.delete(id)
      this.forgotten = Math.max(this.forgotten, signed)
    }
  }
}

/** How often in a tolerance the ids are looked through. */
const PRUNES = 100
