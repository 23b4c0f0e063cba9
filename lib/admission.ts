import type { Allocation } from './allocation.js'
import { dispose, type Grant, grants } from './grant.js'
import { At, Code, Ending, PART_WORDS } from './native/binding.js'
import { isGone } from './native/codes.js'
import { endChannel } from './traces.js'

/** Something of an admission that is held, and ends as it does. */
type Holding = Grant | Allocation

/** What it holds, as arrays. */
interface Parts {
  readonly locks: readonly Grant[]
  readonly allocations: readonly Allocation[]
}

/** What was admitted, held as one: see {@link Governor.admit}. It ends once, all of it together. */
export class Admission {
  readonly ok: true
  /** the allocation of the first pool */
  readonly allocation: Allocation | undefined
  private readonly grant: Grant | undefined
  /** whether there are more than these two */
  private readonly isSeveral: boolean
  /** made when they are looked at, unless there are several */
  private parts: Parts | undefined
  private controller: AbortController | undefined

  /** @internal At most one lock and one allocation; or all of them, in the order asked for. */
  constructor(grant: Grant | undefined, allocation: Allocation | undefined, several: Parts | undefined) {
    // All of it here: a class field is defined by a call of its own.
    this.ok = true
    this.allocation = allocation
    this.grant = grant
    this.isSeveral = several !== undefined
    this.parts = several
    this.controller = undefined
  }

  /** A grant for each lock, in the order asked for. */
  get locks(): readonly Grant[] {
    return this.listed().locks
  }

  /** An allocation for each pool, in the order asked for. */
  get allocations(): readonly Allocation[] {
    return this.listed().allocations
  }

  /** True once all of it was released, or a part was found to be lost. */
  get ended(): boolean {
    return this.holdings().every(holding => holding.ended) || this.controller?.signal.aborted === true
  }

  /** Aborts when any part is lost or recalled, with the reason of that part's own signal. */
  get signal(): AbortSignal {
    if (this.controller !== undefined) return this.controller.signal
    const controller = new AbortController()
    this.controller = controller
    for (const { signal } of this.holdings()) {
      if (signal.aborted) controller.abort(signal.reason)
      else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true })
    }
    return controller.signal
  }

  /**
   * Gives back what is held; tokens stay spent. True if all of it was still held.
   *
   * @throws CorruptError if the arena is damaged; the rest is released all the same
   */
  release(): boolean {
    return this.end(Ending.Success)
  }

  /** Like `release()`: the work was done. */
  success(): boolean {
    return this.end(Ending.Success)
  }

  /** Releases; see {@link Grant.ignore}. */
  ignore(): boolean {
    return this.end(Ending.Ignored)
  }

  /** Releases; see {@link Grant.drop}. */
  drop(): boolean {
    return this.end(Ending.Dropped)
  }

  [dispose](): void {
    this.release()
  }

  private listed(): Parts {
    const { grant, allocation } = this
    this.parts ??= { locks: grant === undefined ? [] : [grant], allocations: allocation === undefined ? [] : [allocation] }
    return this.parts
  }

  private holdings(): Holding[] {
    return [...this.locks, ...this.allocations]
  }

  private end(ending: Ending): boolean {
    const ended = this.isSeveral ? undefined : endTogether(this.grant, this.allocation, ending)
    return ended === undefined ? this.endEach(ending) : ended
  }

  private endEach(ending: Ending): boolean {
    let all = true
    let errors: unknown[] | undefined
    // In the reverse of the order in which they were taken.
    for (const holding of this.holdings().reverse()) {
      try {
        all = (ending === Ending.Success ? holding.release() : ending === Ending.Ignored ? holding.ignore() : holding.drop()) && all
      } catch (error) {
        errors = [...(errors ?? []), error]
      }
    }
    if (errors !== undefined) throw errors[0]
    return all
  }
}

/** Both in one call of the addon; undefined: there is more to the end of one of them than that, and neither has ended. */
function endTogether(grant: Grant | undefined, allocation: Allocation | undefined, ending: Ending): boolean | undefined {
  const session = grant !== undefined ? grants.elementOf(grant).session : allocation?.session
  if (session === undefined || session.cohorts.active !== 0 || endChannel.hasSubscribers) return undefined
  const { scratch } = session
  scratch[At.Turn]++
  if (grant !== undefined && !grants.writeHeld(grant, scratch, At.Parts)) return undefined
  const locks = grant === undefined ? 0 : 1
  if (allocation !== undefined && !allocation.writeHeld(scratch, At.Parts + PART_WORDS * locks)) return undefined
  if (grant !== undefined) grants.markEnded(grant)
  if (allocation !== undefined) allocation.markEnded()
  scratch[At.Arena] = session.arena
  scratch[At.Locks] = locks
  scratch[At.Pools] = allocation === undefined ? 0 : 1
  scratch[At.Ending] = ending
  session.releaseTogether()
  const code = scratch[At.OutCode]
  if (scratch[At.OutSettled] !== 0) session.waiting.settle()
  if (session.progress !== undefined) session.progress()
  if (code === Code.Ok) return true
  if (code === Code.Lost || isGone(code)) return false
  throw session.failure(code, (grant ?? allocation)?.name)
}
