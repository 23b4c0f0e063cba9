import { NS_PER_MS } from '../units.js'
import { At, type Binding, ENTRY_WORDS } from './binding.js'
import { Cohorts } from './cohorts.js'
import { NameIds } from './name-ids.js'

/** A request that waits, as the table of its environment knows it. */
export interface Waiter {
  /** the next of a batch that is being settled */
  next: object | undefined
  /** the session that it waits for: closing that one settles it */
  readonly owner: object
  /** Takes note of how the wait ended. Runs no user code, so the scratch stays as it is. */
  note(outcome: number, seqLow: number, grantWord: number): void
  /** Settles the promise as noted. */
  finish(): void
  /** Ends the wait because its governor closes. */
  close(): void
}

/** Somebody who wants to know when a grant was lost. */
export interface Watcher {
  /** the session that the grant belongs to */
  readonly owner: object
  /** Asks the arena whether the grant still holds, and says so to its user if it does not. */
  check(): void
  /** Says that the governor was closed. */
  close(): void
}

type OpenBinding = Binding & { readonly ageingMs: number; readonly capacity: { readonly waiters: number } }

/** Entries that one call can write behind {@link At.Settled}: when so many came, there may be more. */
const BATCH = 12

/**
 * The pending requests of one environment in one arena, by waiter id. It lives in `binding.state`, so that all governors and
 * all copies of the package (ESM and CommonJS) in the environment use the same one: whoever calls the addon may be
 * told of anybody's waiters.
 */
export class Waiting {
  /** Bumped whenever another copy of the package could no longer work with the table of this one. */
  static readonly VERSION = 3
  readonly version = Waiting.VERSION
  /** grants whose loss matters to somebody */
  readonly watched = new Set<Watcher>()
  /** requests that wait outside of the arena */
  readonly cohorts: Cohorts
  /** numbers of names that requests carry */
  readonly names: NameIds
  /** called after the virtual clock moved */
  readonly onAdvance = new Set<() => void>()
  /** by waiter id; the addon counts ids from 0 and uses them again, so it has no holes worth speaking of */
  private readonly table: (Waiter | undefined)[] = []
  private size = 0

  constructor(private readonly binding: OpenBinding) {
    this.names = new NameIds(name => binding.intern(name))
    this.cohorts = new Cohorts(
      () => binding.now(),
      () => binding.ageingMs * NS_PER_MS,
      binding.capacity.waiters / 8
    )
  }

  /** The table of this environment and arena, made at the first call. Undefined if another version of the package made it. */
  static of(binding: OpenBinding): Waiting | undefined {
    const found = binding.state as Waiting | undefined
    if (found === undefined) {
      const made = new Waiting(binding)
      binding.state = made
      return made
    }
    return found.version === Waiting.VERSION ? found : undefined
  }

  add(id: number, waiter: Waiter): void {
    while (this.table.length <= id) this.table.push(undefined)
    this.table[id] = waiter
    this.count()
  }

  /** One more that waits, by whatever way: the event loop goes on for it. */
  count(): void {
    if (this.size++ === 0) this.binding.ref(true)
  }

  discount(): void {
    if (--this.size === 0) this.binding.ref(false)
  }

  /** Forgets a waiter; false when its end is noted already. */
  remove(id: number, waiter: Waiter): boolean {
    if (this.table[id] !== waiter) return false
    this.table[id] = undefined
    this.discount()
    return true
  }

  /** Settles what the last call wrote behind {@link At.Settled}. To be called after its other answers were read. */
  settle(): void {
    const written = this.binding.scratch[At.OutSettled]
    if (written === 0) return
    this.finish(this.noteAll(written))
    if (written >= BATCH) this.drain()
  }

  /** Settles all that is to be settled, then looks after the watched grants. The addon's wake-up. */
  drain(): void {
    let lost = false
    // Each batch but the last settles somebody; more are a number that another thread has written there.
    for (let batches = this.table.length + 1; batches > 0; batches--) {
      lost = this.binding.drain() || lost
      const written = this.binding.scratch[At.OutSettled]
      this.finish(this.noteAll(written))
      if (written <= 0) break
    }
    if (!lost) return
    // What they wait behind may be lost, or all of the arena.
    this.cohorts.dissolveAll()
    for (const watcher of [...this.watched]) watcher.check()
  }

  waitersOf(owner: object): Waiter[] {
    const inArena = this.table.filter(waiter => waiter !== undefined) as Waiter[]
    return [...inArena, ...(this.cohorts.all() as readonly object[] as readonly Waiter[])].filter(waiter => waiter.owner === owner)
  }

  watchersOf(owner: object): Watcher[] {
    return [...this.watched].filter(watcher => watcher.owner === owner)
  }

  /**
   * Takes a batch out of the scratch before anything is settled: to resolve a promise looks up `then` on the value, which may
   * be a getter of the user that calls forelock again and has the scratch overwritten. The batch is chained through
   * its waiters, so that nothing is allocated.
   */
  private noteAll(written: number): Waiter | undefined {
    const scratch = this.binding.scratch
    let first: Waiter | undefined
    let last: Waiter | undefined
    // A call that fails leaves the number as it was: it must not have this batch read twice.
    scratch[At.OutSettled] = 0
    // No more than there is room for, whoever wrote the number.
    const count = Math.min(written, BATCH)
    for (let i = 0; i < count; i++) {
      const at = At.Settled + ENTRY_WORDS * i
      const id = scratch[at]
      const waiter = this.table[id]
      if (waiter === undefined || !this.remove(id, waiter)) continue
      waiter.note(scratch[at + 1], scratch[at + 2], scratch[at + 3])
      if (last === undefined) first = waiter
      else last.next = waiter
      last = waiter
    }
    return first
  }

  private finish(first: Waiter | undefined): void {
    let waiter = first
    while (waiter !== undefined) {
      const next = waiter.next as Waiter | undefined
      waiter.next = undefined
      waiter.finish()
      waiter = next
    }
  }
}
