import type { Expectation } from './expected.js'
import type { LikelyLock } from './lock-planner.js'
import type { SavedSequels } from './saved-sequels.js'
import { type Due, Sequels, type SequelsStatus } from './sequels.js'
import type { Likely, WarmKind } from './warm-planner.js'

/** A request of a workflow. */
export interface Work {
  readonly kind: WarmKind
  readonly thing: string
  readonly tier: number
  readonly amount: number
}

/** What the beginnings of workflows say of what others will ask for, in the words of each planner. */
export class Foretold {
  readonly #sequels = new Sequels()
  #now = Number.NEGATIVE_INFINITY
  /** as of now; undefined: nobody has asked yet */
  #dueNow: readonly Due[] | undefined

  /**
   * @param time ms; in order
   * @param work what it asks for; undefined: something that nothing is planned for
   * @returns whether it was foretold
   */
  came(workflow: string, time: number, work?: Work): boolean {
    return this.#sequels.came(workflow, time, work?.kind, work?.thing, work?.tier, work?.amount)
  }

  /** Once a period, before the others are asked. @param now ms */
  advance(now: number): void {
    this.#sequels.advance(now)
    this.#now = now
    this.#dueNow = undefined
  }

  /** What a tier will ask a pool for within so many ms. */
  expected(pool: string, tier: number, ms: number): readonly Expectation[] {
    if (this.#due.length === 0) return NOTHING
    const expected: Expectation[] = []
    for (const due of this.#due) {
      for (const { kind, name, tier: own, share, amounts } of due.asks) {
        if (kind === 'pool' && name === pool && own === tier) expected.push({ probability: due.within(ms) * share, amounts })
      }
    }
    return expected
  }

  /** Locks that a tier, or one above it, will ask for within so many ms. */
  locks(tier: number, ms: number, least: number): LikelyLock[] {
    return this.#due.flatMap(due => {
      const comes = due.within(ms)
      if (comes < least) return []
      return due.asks.flatMap(({ kind, name, tier: own, share }): LikelyLock[] =>
        kind === 'lock' && own >= tier && comes * share >= least
          ? [{ name, score: comes * share, workflow: due.workflow, from: due.from }]
          : []
      )
    })
  }

  /** What begins, or will be asked for, from some time within so many ms on: until when it may. */
  likely(ms: number): Likely[] {
    return this.#due.flatMap(({ workflow, from, until, probability, asks }): Likely[] => {
      if (from > ms || until === 0) return []
      const things = asks.map(({ kind, name, share }): Likely => ({ kind, name, score: probability * share, workflow, until }))
      return [{ kind: 'workflow', name: workflow, score: probability, workflow, until }, ...things]
    })
  }

  get #due(): readonly Due[] {
    this.#dueNow ??= this.#sequels.isExpecting ? [...this.#sequels.due(this.#now)] : NOTHING
    return this.#dueNow
  }

  save(): Uint8Array {
    return this.#sequels.save()
  }

  load(saved: SavedSequels): void {
    this.#sequels.load(saved)
    this.#dueNow = undefined
  }

  status(): SequelsStatus {
    return this.#sequels.status()
  }
}

const NOTHING: readonly never[] = []
