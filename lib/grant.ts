import type { Element } from './element.js'
import { track, tracks, untrack } from './leaks.js'
import { At, Code, ENTRY_WORDS, Ending, GrantBit, RequestBit, sequenceOf, Time } from './native/binding.js'
import { isGone } from './native/codes.js'
import { writeNames } from './request-names.js'
import type { Session } from './session.js'
import { endChannel, traceEnd } from './traces.js'
import { askArena, Watch } from './watch.js'

/** How a lock is held: alone, or together with others that share it. */
export type LockMode = 'exclusive' | 'shared'

/** Symbol.dispose, also where Node has the protocol but not yet the name (before 20.5). */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('nodejs.dispose')

// The small facts of a grant in one word, so that a grant is four fields: its tier, RequestBit.Shared and GrantBit.OwnerDied, what follows, and
// from GRANT_SEQUENCE_SHIFT on the upper bits of its sequence.
const TIER_MASK = 3
const TRACKED = 16
const WATCHED = 32
const ENDED = 64
const ENCLOSED = 128
const SPECIAL = TRACKED | WATCHED | ENDED | ENCLOSED

/** What a grant keeps of its request and of the addon's answer to it. */
export function grantBits(request: number, grant: number): number {
  return (request & (TIER_MASK | RequestBit.Shared)) | grant
}

/** The enclosing grants of a wait that the arena keeps: nearest first, what is further out is not looked at. */
export const ENCLOSING_MAX = 13

/** What the other faces may do with a grant, and users may not. */
interface GrantInternals {
  isGrant(value: unknown): value is Grant
  elementOf(grant: Grant): Element
  /** Says that the grant has a ttl, which cannot end before this time on the arena clock. */
  endsAfter(grant: Grant, ns: number): void
  /** Asks the arena whether the grant still holds. */
  holds(grant: Grant): boolean
  /** The grants that enclosed the request for this one. */
  enclosingOf(grant: Grant): readonly Grant[] | undefined
  /** Writes an exclusive grant into the scratch as one of several that end together. False: there is more to its end than the addon's. */
  writeHeld(grant: Grant, scratch: Int32Array, at: number): boolean
  /** It ends, by whatever call. */
  markEnded(grant: Grant): void
  /** Writes those that are still held, nearest first, into the scratch. */
  writeEnclosing(grants: readonly Grant[], scratch: Int32Array): void
}
export let grants: GrantInternals

/**
 * A lock that is held. It ends once: by `release()`, `success()`, `ignore()` or `drop()`, or at the end of a `using` block.
 * Made by {@link Lock.acquire} and its sisters only.
 */
export class Grant {
  // Not #private: those hold their numbers boxed, which makes tryAcquire() and release() together slower by a sixth.
  private readonly element: Element
  private readonly seqLow: number
  private readonly waiter: number
  private bits: number
  // These two are there only where the bits say so: most grants have neither, and all that a grant is made of is memory to be fetched.
  declare private enclosing: readonly Grant[] | undefined
  declare private watch: Watch | undefined

  /** @internal */
  constructor(element: Element, seqLow: number, waiter: number, bits: number, enclosing: readonly Grant[] | undefined) {
    this.element = element
    this.seqLow = seqLow
    this.waiter = waiter
    this.bits = bits
    if (enclosing !== undefined) this.enclose(enclosing)
    element.session.held++
    if (tracks(element)) this.track()
  }

  /** The name of the lock. */
  get name(): string {
    return this.element.name
  }

  /**
   * The fencing token: grows with every grant of this lock, over crashes, recycling, unlink and reboot of the host. Pass it on
   * with each write, and let the store refuse a token smaller than one it has seen. Shared grants have one each too.
   */
  get token(): bigint {
    return this.element.token(this.sequence())
  }

  get mode(): LockMode {
    return (this.bits & RequestBit.Shared) === 0 ? 'exclusive' : 'shared'
  }

  /** The name of the tier the lock was granted in. */
  get tier(): string {
    return this.element.session.tiers[this.bits & TIER_MASK] ?? ''
  }

  /** True when the holder before this one died without releasing: what the lock protects may be half done. */
  get ownerDied(): boolean {
    return (this.bits & GrantBit.OwnerDied) !== 0
  }

  /** True once the grant was released, or found to be lost. */
  get ended(): boolean {
    return (this.bits & ENDED) !== 0 || ((this.bits & WATCHED) !== 0 && this.watch?.lost === true)
  }

  /**
   * Aborts when the lock is lost while held: with a `TtlError` at the end of its ttl, a `StolenError` when it was stolen, a
   * `ClosedError` when the governor closes. Made at the first look; it never aborts after a release.
   */
  get signal(): AbortSignal {
    return this.watched(0).signal((this.bits & ENDED) === 0)
  }

  /**
   * Gives the lock back, to the one who has waited longest in the highest tier. True if that ended the grant; false, and no error, when it
   * had ended before, or the lock was lost meanwhile.
   *
   * @throws CorruptError if the arena is damaged
   */
  release(): boolean {
    return this.end(Ending.Success)
  }

  /** Like `release()`: the work under the lock was done. */
  success(): boolean {
    return this.end(Ending.Success)
  }

  /** Releases; how long the lock was held says nothing about the work (it failed early, or was a probe). */
  ignore(): boolean {
    return this.end(Ending.Ignored)
  }

  /** Releases; the work was given up because of overload or lack of time. */
  drop(): boolean {
    return this.end(Ending.Dropped)
  }

  [dispose](): void {
    this.end(Ending.Success)
  }

  private end(ending: Ending): boolean {
    const { element, bits } = this
    // Before anything is written: on a receiver that is no grant this throws.
    const { session } = element
    if ((bits & SPECIAL) !== 0) return this.endSpecial(ending)
    this.bits = bits | ENDED
    return this.giveBack(element, session, ending)
  }

  /** The ends that are not as usual, apart so that the usual one stays small enough to be inlined. */
  private endSpecial(ending: Ending): boolean {
    const bits = this.bits
    if ((bits & ENDED) !== 0) return false
    this.bits = bits | ENDED
    if ((bits & TRACKED) !== 0) untrack(this)
    const watch = (bits & WATCHED) === 0 ? undefined : this.watch
    // A chain of hand-over-hand grants must not keep all its predecessors alive.
    if ((bits & ENCLOSED) !== 0) this.enclosing = undefined
    // For a lost grant too: its sequence has passed, so that nobody else's is touched.
    const released = this.giveBack(this.element, this.element.session, ending)
    if (released) watch?.stop()
    else watch?.lose()
    return released
  }

  private giveBack(element: Element, session: Session, ending: Ending): boolean {
    const scratch = session.scratch
    session.held--
    if (endChannel.hasSubscribers) traceEnd(this, ending)
    scratch[At.Ending] = ending
    if (session.cohorts.active !== 0 && this.passOn()) return true
    scratch[At.Arena] = session.arena
    scratch[At.Index] = element.index
    scratch[At.SeqLow] = this.seqLow
    scratch[At.Grant] = this.bits
    scratch[At.Waiter] = this.waiter
    session.release()
    const code = scratch[At.OutCode]
    if (scratch[At.OutSettled] !== 0) session.waiting.settle()
    if (session.progress !== undefined) session.progress()
    return code === Code.Ok || this.refused(code)
  }

  /** Hands the lock to the next of this environment that waits outside of the arena, if it is for this environment to say who is next. */
  private passOn(): boolean {
    const { index, session } = this.element
    const { cohorts, scratch } = session
    const next = cohorts.next(index)
    if (next === undefined) return false
    if (this.waiter === -1) {
      scratch[At.Arena] = session.arena
      scratch[At.Index] = index
      scratch[At.Gen] = this.element.gen
      scratch[At.SeqLow] = this.seqLow
      scratch[At.Grant] = this.bits
      scratch[At.Tier] = next.tierIndex
      scratch[At.Request] = next.names === undefined ? 0 : RequestBit.Named
      writeNames(scratch, next.names)
      session.times[Time.Arrival] = next.arrival
      session.pass()
      if (scratch[At.OutCode] === Code.Ok) {
        cohorts.remove(index, next)
        next.takeOver(scratch[At.OutSeqLow], scratch[At.OutGrant])
        session.progress?.()
        return true
      }
    }
    cohorts.dissolve(index)
    return false
  }

  private refused(code: number): boolean {
    if (isGone(code)) return false
    const { session, name } = this.element
    throw session.failure(code, name)
  }

  private sequence(): number {
    return sequenceOf(this.seqLow, this.bits)
  }

  private watched(endsNotBefore: number): Watch {
    if ((this.bits & WATCHED) === 0) {
      this.watch = new Watch(this.element, this.sequence(), this.waiter, endsNotBefore)
      this.bits |= WATCHED
    }
    return this.watch as Watch
  }

  private enclose(enclosing: readonly Grant[]): void {
    this.enclosing = enclosing
    this.bits |= ENCLOSED
  }

  private track(): void {
    const bits = this.bits
    this.bits = bits | TRACKED
    track(this, { element: this.element, seq: this.sequence(), shared: (bits & RequestBit.Shared) !== 0, tier: bits & TIER_MASK })
  }

  static {
    // A promise that is resolved with an object looks up `then`: an end to the search right here, instead of past all members of this
    // prototype and the next, saves 24 ns of 112 per await (Node 20, AMD EPYC).
    Object.defineProperty(Grant.prototype, 'then', { value: undefined })
    grants = {
      isGrant: (value): value is Grant => value instanceof Grant && 'element' in value,
      elementOf: grant => grant.element,
      endsAfter(grant, ns) {
        grant.watched(ns)
      },
      holds(grant) {
        if (grant.ended) return false
        if (askArena(grant.element, grant.sequence(), grant.waiter) === Code.Ok) return true
        grant.watched(0).check()
        return false
      },
      writeHeld({ element, seqLow, waiter, bits }, scratch, at) {
        scratch[at] = element.index
        scratch[at + 1] = seqLow
        scratch[at + 2] = bits
        return (bits & SPECIAL) === 0 && waiter === -1
      },
      markEnded(grant) {
        grant.bits |= ENDED
        grant.element.session.held--
      },
      enclosingOf: grant => ((grant.bits & ENCLOSED) === 0 ? undefined : grant.enclosing),
      writeEnclosing(grants, scratch) {
        let written = 0
        for (const grant of grants) {
          if (written === ENCLOSING_MAX) break
          if (grant.ended) continue
          const at = At.Enclosing + ENTRY_WORDS * written++
          scratch[at] = grant.element.index
          scratch[at + 1] = grant.seqLow
          scratch[at + 2] = grant.bits
          scratch[at + 3] = grant.waiter
        }
        scratch[At.EnclosingCount] = written
      }
    }
  }
}
