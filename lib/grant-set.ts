import { dispose, type Grant } from './grant.js'

/** Several locks held as one: see {@link Governor.acquireAll}. It ends once, all its grants together. */
export class GrantSet {
  /** One for each lock asked for, in that order. Each may be ended before the set. */
  readonly grants: readonly Grant[]
  #controller: AbortController | undefined = undefined

  /** @internal */
  constructor(held: readonly Grant[]) {
    this.grants = Object.freeze([...held])
  }

  /** True when the holder of any of the locks died before us without releasing. */
  get ownerDied(): boolean {
    return this.grants.some(grant => grant.ownerDied)
  }

  /** True once all grants were released, or any was found to be lost. */
  get ended(): boolean {
    return this.grants.every(grant => grant.ended) || this.#controller?.signal.aborted === true
  }

  /** Aborts when any of the locks is lost while held, with the reason of that grant's own signal. */
  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal
    const controller = new AbortController()
    this.#controller = controller
    for (const { signal } of this.grants) {
      if (signal.aborted) controller.abort(signal.reason)
      else signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true })
    }
    return controller.signal
  }

  /** Gives all locks back. True if all of them were still held; a lost one is no error.
   *
   * @throws CorruptError if the arena is damaged; the others are released all the same */
  release(): boolean {
    return this.#end(grant => grant.release())
  }

  /** Like `release()`: the work under the locks was done. */
  success(): boolean {
    return this.#end(grant => grant.success())
  }

  /** Releases; see {@link Grant.ignore}. */
  ignore(): boolean {
    return this.#end(grant => grant.ignore())
  }

  /** Releases; see {@link Grant.drop}. */
  drop(): boolean {
    return this.#end(grant => grant.drop())
  }

  [dispose](): void {
    this.release()
  }

  #end(end: (grant: Grant) => boolean): boolean {
    let all = true
    const errors: unknown[] = []
    for (const grant of this.grants) {
      try {
        all = end(grant) && all
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
    return all
  }
}
