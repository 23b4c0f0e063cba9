import type { Allocation } from './allocation.js'
import { dispose, type Grant } from './grant.js'

/** Something of an admission that is held, and ends as it does. */
type Holding = Grant | Allocation

/** What was admitted, held as one: see {@link Governor.admit}. It ends once, all of it together. */
export class Admission {
  readonly ok = true
  /** a grant for each lock, in the order asked for */
  readonly locks: readonly Grant[]
  /** an allocation for each pool, in the order asked for */
  readonly allocations: readonly Allocation[]
  #controller: AbortController | undefined = undefined

  /** @internal */
  constructor(locks: readonly Grant[], allocations: readonly Allocation[]) {
    this.locks = locks
    this.allocations = allocations
  }

  /** The allocation of the first pool. */
  get allocation(): Allocation | undefined {
    return this.allocations[0]
  }

  /** True once all of it was released, or a part was found to be lost. */
  get ended(): boolean {
    return this.#holdings().every(holding => holding.ended) || this.#controller?.signal.aborted === true
  }

  /** Aborts when any part is lost or recalled, with the reason of that part's own signal. */
  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal
    const controller = new AbortController()
    this.#controller = controller
    for (const { signal } of this.#holdings()) {
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
    return this.#end(holding => holding.release())
  }

  /** Like `release()`: the work was done. */
  success(): boolean {
    return this.#end(holding => holding.success())
  }

  /** Releases; see {@link Grant.ignore}. */
  ignore(): boolean {
    return this.#end(holding => holding.ignore())
  }

  /** Releases; see {@link Grant.drop}. */
  drop(): boolean {
    return this.#end(holding => holding.drop())
  }

  [dispose](): void {
    this.release()
  }

  #holdings(): Holding[] {
    return [...this.locks, ...this.allocations]
  }

  #end(end: (holding: Holding) => boolean): boolean {
    const { locks, allocations } = this
    let all = true
    let errors: unknown[] | undefined
    // In the reverse of the order in which they were taken.
    for (let position = locks.length + allocations.length - 1; position >= 0; position--) {
      const holding = position < locks.length ? locks[position] : allocations[position - locks.length]
      try {
        all = end(holding as Holding) && all
      } catch (error) {
        errors = [...(errors ?? []), error]
      }
    }
    if (errors !== undefined) throw errors[0]
    return all
  }
}
