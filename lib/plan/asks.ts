import type { SavedAsk } from './saved-sequels.js'
import type { WarmKind } from './warm-planner.js'

/** What a workflow asks for at its beginning. */
export interface Ask {
  readonly kind: WarmKind
  readonly name: string
  /** index of the tier of whoever asked last */
  readonly tier: number
  /** of its beginnings, the part that asked for it */
  readonly share: number
  /** how much at each of the last beginnings that did */
  readonly amounts: readonly number[]
}

interface Known {
  readonly kind: WarmKind
  readonly name: string
  tier: number
  /** beginnings that asked for it; of some time ago, each counts less */
  count: number
  readonly amounts: number[]
  /** asked for since the last beginning */
  now: number
  isAsked: boolean
}

/** Things that are known of a workflow; of more, those that it asks for most. */
const THINGS_MOST = 32
/** Beginnings of which one counts a third by then. */
const FADE = 50
const AMOUNTS = 16

/** What one workflow usually asks for when it begins: how often, and how much. Learnt from each beginning when it is over. */
export class Asks {
  readonly #known = new Map<string, Known>()
  #begun = 0
  #isOpen = false

  /** It begins, or nothing more belongs to its beginning. @param isNew whether one begins */
  turn(isNew: boolean): void {
    if (this.#isOpen) this.#close()
    this.#isOpen = isNew
  }

  /** It asks for something at its beginning. */
  came(kind: WarmKind, name: string, tier: number, amount: number): void {
    if (!this.#isOpen) return
    const key = `${kind}:${name}`
    let known = this.#known.get(key)
    if (known === undefined) {
      if (this.#known.size >= THINGS_MOST && !this.#forgetRarest()) return
      known = { kind, name, tier, count: 0, amounts: [], now: 0, isAsked: false }
      this.#known.set(key, known)
    }
    known.tier = tier
    known.now += amount
    known.isAsked = true
  }

  /** The beginnings that are over and count. */
  get begun(): number {
    return this.#begun
  }

  *usual(): Generator<Ask> {
    if (this.#begun === 0) return
    for (const { kind, name, tier, count, amounts } of this.#known.values()) {
      if (amounts.length > 0) yield { kind, name, tier, share: count / this.#begun, amounts }
    }
  }

  save(): SavedAsk[] {
    return [...this.#known.values()].map(({ kind, name, tier, count, amounts }) => ({ kind, name, tier, count, amounts: [...amounts] }))
  }

  /** Goes on from what was saved, in place of what it knows. @param begun beginnings that count */
  load(begun: number, asks: readonly SavedAsk[]): void {
    this.#begun = begun
    this.#isOpen = false
    this.#known.clear()
    for (const { kind, name, tier, count, amounts } of asks.slice(0, THINGS_MOST)) {
      this.#known.set(`${kind}:${name}`, { kind, name, tier, count, amounts: amounts.slice(-AMOUNTS), now: 0, isAsked: false })
    }
  }

  #close(): void {
    const left = 1 - 1 / FADE
    this.#begun = this.#begun * left + 1
    for (const known of this.#known.values()) {
      known.count *= left
      if (!known.isAsked) continue
      known.count++
      known.amounts.push(known.now)
      if (known.amounts.length > AMOUNTS) known.amounts.shift()
      known.now = 0
      known.isAsked = false
    }
  }

  /** @returns whether there is a place now: what this beginning asks for stays */
  #forgetRarest(): boolean {
    let rarest: [string, number] | undefined
    for (const [key, { count, isAsked }] of this.#known) {
      if (!isAsked && (rarest === undefined || count < rarest[1])) rarest = [key, count]
    }
    return rarest !== undefined && this.#known.delete(rarest[0])
  }
}
