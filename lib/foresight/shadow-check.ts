import { NotFoundError } from '../errors/index.js'
import { DIMENSIONS } from '../native/binding.js'
import type { Checker, Expected, Verdict } from '../plan/checks.js'
import { Pool, pools } from '../pool.js'
import type { Session } from '../session.js'
import type { ShadowAnswer, ShadowHolder } from '../shadow/answer.js'
import { idOf, plainShadow, type ShadowAsk } from '../shadow/options.js'
import { lockShadow } from '../shadow/request.js'
import { NS_PER_MS } from '../units.js'

/** A request that waits less often than one in a thousand needs no plan. */
const CONTENTION_LEAST = 0.001

/** Where more than so many hold or wait a shadow request takes tens of ms: that a plan is due there is asked for a tier once in so many ms. */
const MANY = 512
const MANY_EVERY_MS = 10_000
const DUE_MOST = 4_096

/** What a part that was made of so many units loses. */
const ROUNDING = 1e-6

/** Asks the arena what would become of the request that a plan is for. */
export class ShadowCheck implements Checker {
  readonly #session: Session
  readonly #unitsOf: (pool: string) => number
  /** of things with many at them, for whom plans were found to be due: ms until which they are taken to be */
  readonly #due = new Map<string, number>()

  /** @param unitsOf what a planner calls the whole of a pool */
  constructor(session: Session, unitsOf: (pool: string) => number) {
    this.#session = session
    this.#unitsOf = unitsOf
  }

  check(expected: Expected, until: number): Verdict | undefined {
    const key = JSON.stringify([expected.kind, expected.thing, expected.tier, expected.workflow])
    const now = this.#session.binding.now() / NS_PER_MS
    if (now < (this.#due.get(key) ?? 0)) return undefined
    try {
      const { verdict, many } = expected.kind === 'lock' ? this.#checkLock(expected, until) : this.#checkPool(expected, until)
      this.#remember(key, many && verdict === 'ok', now)
      return verdict
    } catch (error) {
      // Its place has been given to another since: whoever writes the plan will find out.
      if (!(error instanceof NotFoundError)) throw error
      return undefined
    }
  }

  /** Hopeless: who holds it is below the tier that it is to be held for, and is as likely as not to outlast the plan. */
  #checkLock(expected: Expected, until: number): Said {
    const { thing, tier } = expected
    const answer = lockShadow(this.#session, thing, this.#ask(expected), thing)
    const many = isMany(answer)
    if (answer.holders.length === 0 && isSure(answer)) return { verdict: 'unneeded', many }
    const { tiers } = this.#session
    const isBelow = (holder: ShadowHolder) => tiers.indexOf(holder.tier) < tiers.indexOf(tier)
    return { verdict: answer.holders.some(holder => isBelow(holder) && lasts(holder, until)) ? 'hopeless' : 'ok', many }
  }

  /** Hopeless: it is full, and nothing of it is likely to come back while the plan is in force. */
  #checkPool(expected: Expected, until: number): Said {
    const pool = new Pool(this.#session, expected.thing, undefined, 'pool', false, false)
    const { names, capacity } = pools.termsOf(pool)
    const part = Math.min(1, expected.amount / this.#unitsOf(expected.thing))
    const amounts = Array.from({ length: DIMENSIONS }, (_, d) => unitsOf(part, capacity[d] ?? 0))
    const answer = pools.shadowOf(pool, amounts, this.#ask(expected))
    const many = isMany(answer)
    const free = names.map((name, d) => (capacity[d] as number) - heldOf(answer, name))
    if (free.every((units, d) => units >= (amounts[d] as number)) && isSure(answer)) return { verdict: 'unneeded', many }
    const isFull = free.some(units => units <= 0)
    return { verdict: isFull && answer.holders.every(holder => lasts(holder, until)) ? 'hopeless' : 'ok', many }
  }

  #remember(key: string, isDue: boolean, now: number): void {
    if (!isDue) {
      this.#due.delete(key)
      return
    }
    this.#due.set(key, now + MANY_EVERY_MS)
    if (this.#due.size > DUE_MOST)
      for (const [one, until] of this.#due) if (until <= now || this.#due.size > DUE_MOST) this.#due.delete(one)
  }

  /** As it would come at the end of the time: until then others may. */
  #ask({ tier, workflow, within }: Expected): ShadowAsk {
    const session = this.#session
    return { ...plainShadow(session), tier: session.tiers.indexOf(tier), workflow: idOf(session, workflow), in: within }
  }
}

interface Said {
  readonly verdict: Verdict
  /** so many hold or wait that it takes long to ask */
  readonly many: boolean
}

function isMany({ holders, ahead, displaced }: ShadowAnswer): boolean {
  return holders.length + ahead.length + displaced.length > MANY
}

/** Whole units, and one at least where there are any. */
function unitsOf(part: number, capacity: number): number {
  return Math.min(capacity, Math.max(1, Math.ceil(part * capacity - ROUNDING)))
}

/** Of what is free now. */
function isSure({ contention, ahead }: ShadowAnswer): boolean {
  return ahead.length === 0 && contention < CONTENTION_LEAST
}

/** Of a holder of whom nothing is known nothing is said. */
function lasts({ remaining }: ShadowHolder, ms: number): boolean {
  return remaining !== undefined && remaining.p50 > ms
}

/** Units of a dimension that are held. */
function heldOf({ holders }: ShadowAnswer, name: string): number {
  return holders.reduce((all, { amounts }) => all + (amounts?.[name] ?? 0), 0)
}
