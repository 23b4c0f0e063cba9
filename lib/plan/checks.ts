import type { Plan } from '../plans.js'
import { Turns } from './turns.js'

/**
 * What a shadow request says of a plan before it begins: `ok`; `unneeded`: the request that it is for would be granted at once, whoever else usually
 * comes; `hopeless`: nothing can come of it in its time.
 */
export type Verdict = 'ok' | 'unneeded' | 'hopeless'

/** The request that a plan is for. */
export interface Expected {
  readonly kind: 'pool' | 'lock'
  readonly thing: string
  /** name: its own */
  readonly tier: string
  readonly workflow: string | undefined
  /** units */
  readonly amount: number
  /** ms from now within which it comes */
  readonly within: number
}

/** Who can say. */
export interface Checker {
  /** @param until ms from now at which the plan would end @returns undefined: nothing was asked, and the plan is as good as any */
  check(expected: Expected, until: number): Verdict | undefined
}

export interface CheckStatus {
  /** shadow requests that were made */
  readonly checked: number
  /** plans that were not written, because they were not needed, or could not have helped */
  readonly unneeded: number
  readonly hopeless: number
}

/** Shadow requests in one period: one of a lock takes some 50 us, one of a pool some ms. What is beyond that begins in a later one. */
const CHECKS_MOST = { lock: 32, pool: 2 } as const
/** Plans that are remembered, before those that are over are looked for. */
const REMEMBERED_MOST = 4_096

/**
 * Has each plan checked by a shadow request right before it begins. One that only goes on is not asked about again, nor for as long as it would have been in force one
 * that was not written.
 */
export class Checks {
  /** what was said, and ms until which that holds; ok: it was written */
  readonly #said = new Map<string, { readonly verdict: Verdict; readonly until: number }>()
  readonly #turns = { lock: new Turns(CHECKS_MOST.lock), pool: new Turns(CHECKS_MOST.pool) }
  #checked = 0
  #unneeded = 0
  #hopeless = 0

  /** A period begins. @param now ms */
  begin(now: number): void {
    this.#turns.lock.begin()
    this.#turns.pool.begin()
    if (this.#said.size < REMEMBERED_MOST) return
    for (const [key, { until }] of this.#said) if (until <= now) this.#said.delete(key)
  }

  /** Whether a plan is to be written, which then is at once: asked last of all. @param now ms */
  allows(plan: Plan, expected: Expected, now: number, checker: Checker): boolean {
    const key = keyOf(plan)
    const known = this.#said.get(key)
    if (known !== undefined && known.until > now && known.verdict !== 'ok') return false
    const goesOn = known !== undefined && known.until > now
    const verdict = goesOn ? 'ok' : this.#ask(key, plan, expected, checker)
    // It is not known yet: it may be by the next period.
    if (verdict === undefined) return false
    this.#said.set(key, { verdict, until: now + plan.until })
    if (verdict === 'unneeded') this.#unneeded++
    else if (verdict === 'hopeless') this.#hopeless++
    return verdict === 'ok'
  }

  /** One that takes another back: what comes next begins. @returns whether there is anything to take back */
  ends(plan: Plan): boolean {
    const key = keyOf(plan)
    const wasWritten = this.#said.get(key)?.verdict === 'ok'
    if (wasWritten) this.#said.delete(key)
    return wasWritten
  }

  /** Plans that have not begun do so anew. */
  forget(): void {
    this.#said.clear()
  }

  status(): CheckStatus {
    return { checked: this.#checked, unneeded: this.#unneeded, hopeless: this.#hopeless }
  }

  /** @returns undefined: it is not its turn */
  #ask(key: string, plan: Plan, expected: Expected, checker: Checker): Verdict | undefined {
    const turns = this.#turns[expected.kind]
    if (!turns.isFor(key)) return undefined
    const verdict = checker.check(expected, plan.until)
    if (verdict === undefined) return 'ok'
    turns.took(key)
    this.#checked++
    // Who is raised while he gets in line stays so after its end.
    return verdict === 'hopeless' && plan.kind === 'escalation' ? 'ok' : verdict
  }
}

/** Of what it is about, and for whom. */
function keyOf(plan: Plan): string {
  if (plan.kind === 'escalation') return `escalation\0${plan.workflow}`
  const what = plan.kind === 'hold' ? plan.lock : plan.kind === 'reserve' ? plan.bucket : plan.pool
  return `${plan.kind}\0${what}\0${plan.kind === 'reserve' ? '' : plan.tier}`
}
