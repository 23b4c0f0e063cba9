import { Account, type Benefit } from './account.js'
import type { ControlWindows } from './control-windows.js'
import { Unsettled } from './unsettled.js'

/** Between two looks at the account, ms. */
const SETTLE_MS = 1_000
/** What is known of trials together. */
const SUMS = ['saved', 'lowerCost', 'gained', 'lost'] as const
/** Of a plan that takes another back. */
const ENDED_MS = 1

/** What plans would bring, or have brought, by two worlds of which one is without them. Sums are since ever, in request seconds by their costs. */
export interface Trial {
  /** ms up to which it has come */
  readonly tried: number
  /** what waiting would have cost without the plans less what it would have with them */
  readonly saved: number
  /** what it would have cost those for whom the plans are not */
  readonly lowerCost: number
  /** what groups saved whenever they waited less with the plans, and what they lost when they waited longer */
  readonly gained: number
  readonly lost: number
  /** Catches up as far as is known. @param now ms */
  advance(now: number): void
}

export interface TrialGuardOptions {
  /** ms until a plan that is written now is in force */
  readonly lag: number
  /** what waiting costs a request and second in the lowest tier */
  readonly lowest: number
}

/** What a guard has to know of the plans that it stands behind. */
export interface Guarded<P> {
  /** one of the same takes its place */
  keyOf(plan: P): string
  /** Tells trials that it is wanted from a time on. @param until ms */
  tried(plan: P, from: number, until: number): void
  /** the same without effect */
  emptied(plan: P): P
}

/** Who is asked right before plans are written. */
export interface Gate<P> {
  /** Whether one may begin, or go on. One that may not is as if it had never been wanted. */
  allows(plan: P): boolean
  /** One that was written is taken back. */
  ended(plan: P): void
}

/** What plans that are in force cost those whom they keep waiting at this moment, as far as it can be seen: requests by their costs. */
export type Losing<P> = (inForce: readonly P[]) => number

const OPEN: Gate<unknown> = { allows: () => true, ended: () => {} }

/** What is known of a source of plans. */
export interface TrialStatus {
  /** whether its plans are let through */
  readonly on: boolean
  readonly proven: boolean
  /** what it saves a second, in request seconds by their costs, as the trial says */
  readonly benefit: Benefit
  /** what is left of its budget, in the same */
  readonly balance: number
}

/**
 * Stands between a source of plans and the core: lets plans through as long as they are worth it by {@link Account}, as its trials say, and in a random part of the
 * time none, so that there is something to compare with. A plan that may pass is asked about by a gate, which may refuse it; one that is kept back is tried as it is wanted.
 */
export class TrialGuard<P extends { readonly until: number }> {
  readonly #lag: number
  readonly #windows: ControlWindows
  readonly #guarded: Guarded<P>
  readonly #trials: Trial[]
  /** of trials that are over */
  readonly #past = { saved: 0, lowerCost: 0, gained: 0, lost: 0 }
  readonly #account: Account
  readonly #unsettled: Unsettled
  readonly #wanted = new Map<string, { readonly plan: P; readonly until: number }>()
  #settled = Number.NEGATIVE_INFINITY
  /** ms, of the last period */
  #last = Number.NaN
  #passed = true

  constructor({ lag, lowest }: TrialGuardOptions, windows: ControlWindows, guarded: Guarded<P>, trials: readonly Trial[]) {
    this.#lag = lag
    this.#windows = windows
    this.#guarded = guarded
    this.#trials = [...trials]
    this.#account = new Account(lowest)
    this.#unsettled = new Unsettled(lowest)
  }

  /**
   * Once a period.
   *
   * @param plans what is wanted anew
   * @param gate is asked of each that is about to be written
   * @param losing default: that is known when those who wait are done
   * @returns what is to be written
   */
  pass(plans: readonly P[], now: number, gate: Gate<P> = OPEN, losing?: Losing<P>): readonly P[] {
    this.#look(now)
    const passed = this.#passed
    if (losing !== undefined && passed && this.#wanted.size > 0) this.#lose(now, losing(this.#inForce(now)))
    this.#last = now
    const passes = this.#account.isOn && !this.#windows.has(now) && this.#unsettled.sum <= this.#account.balance
    this.#passed = passes
    if (passes && passed) return plans.length === 0 ? plans : plans.filter(plan => this.#begins(plan, now, gate))
    const before = this.#inForce(now)
    for (const plan of plans) this.#want(plan, now)
    if (passes) return this.#inForce(now).filter(plan => gate.allows(plan) || this.#drop(plan, now))
    if (!passed) return []
    for (const plan of before) gate.ended(plan)
    return before.map(plan => ({ ...this.#guarded.emptied(plan), until: ENDED_MS }))
  }

  /** One more thing is tried. */
  try(trial: Trial): void {
    this.#trials.push(trial)
  }

  /** Nothing more is known of it: what it came to counts on. */
  forget(trial: Trial): void {
    const at = this.#trials.indexOf(trial)
    if (at < 0) return
    this.#trials.splice(at, 1)
    for (const of of SUMS) this.#past[of] += trial[of]
  }

  status(): TrialStatus {
    const { isOn, isProven, balance } = this.#account
    return { on: isOn, proven: isProven, benefit: this.#account.benefit(), balance }
  }

  #want(plan: P, now: number): void {
    const from = now + this.#lag
    this.#wanted.set(this.#guarded.keyOf(plan), { plan, until: now + plan.until })
    this.#guarded.tried(plan, from, from + plan.until)
  }

  #begins(plan: P, now: number, gate: Gate<P>): boolean {
    if (!gate.allows(plan)) return this.#drop(plan, now)
    this.#want(plan, now)
    return true
  }

  /** It is not written: nothing is to be tried of it, nor of one that goes before it. @returns false */
  #drop(plan: P, now: number): false {
    const key = this.#guarded.keyOf(plan)
    const known = this.#wanted.get(key)
    if (known === undefined || known.until <= now) return false
    this.#wanted.delete(key)
    const from = now + this.#lag
    this.#guarded.tried(this.#guarded.emptied(plan), from, from)
    return false
  }

  #look(now: number): void {
    if (now - this.#settled < SETTLE_MS) return
    this.#settled = now
    const sums = { ...this.#past }
    let tried = now
    for (const trial of this.#trials) {
      trial.advance(now)
      for (const of of SUMS) sums[of] += trial[of]
      tried = Math.min(tried, trial.tried)
    }
    this.#account.settle(now, sums.saved, sums.lowerCost)
    this.#unsettled.settle(now, tried, sums.gained, sums.lost)
  }

  #lose(now: number, requests: number): void {
    const passed = now - this.#last
    if (passed > 0) this.#unsettled.add(now, (requests * Math.min(passed, SETTLE_MS)) / 1000)
  }

  #inForce(now: number): P[] {
    return [...this.#wanted.values()].filter(({ until }) => until > now).map(({ plan, until }) => ({ ...plan, until: until - now }))
  }
}
