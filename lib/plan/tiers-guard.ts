import { ControlWindows, type Waits } from './control-windows.js'
import { type Gate, type Guarded, type Losing, type Trial, TrialGuard, type TrialStatus } from './trial-guard.js'

export interface TiersGuardOptions {
  /** names, lowest first */
  readonly tiers: readonly string[]
  /** what waiting costs a request and second, by tier */
  readonly waitCosts: readonly number[]
  /** ms until a plan that is written now is in force */
  readonly lag: number
  /** part of the time in which nothing is planned, 0 to 1 */
  readonly control: number
  /** of the choice of that time */
  readonly seed: number
}

/** Waits of the requests of a tier. */
export interface GroupWaits extends Waits {
  readonly tier: string
}

export interface GuardStatus extends TrialStatus {
  /** requests that came in times without plans, and in the others */
  readonly control: readonly GroupWaits[]
  readonly planned: readonly GroupWaits[]
}

/** The guard of plans of one kind for the tiers of a thing. */
export class TiersGuard<P extends { readonly until: number }> {
  readonly #tiers: readonly string[]
  readonly #windows: ControlWindows
  readonly #guard: TrialGuard<P>

  constructor({ tiers, control, seed, lag, waitCosts }: TiersGuardOptions, trial: Trial, guarded: Guarded<P>) {
    this.#tiers = tiers
    this.#windows = new ControlWindows(control, seed, tiers.length)
    this.#guard = new TrialGuard({ lag, lowest: waitCosts[0] ?? 1 }, this.#windows, guarded, [trial])
  }

  /** A request has what it asked for. @param time ms, when it came @param waited ms */
  waited(time: number, tier: number, waited: number): void {
    this.#windows.count(time, tier, waited)
  }

  /** Once a period, as {@link TrialGuard.pass}. */
  pass(plans: readonly P[], now: number, gate?: Gate<P>, losing?: Losing<P>): readonly P[] {
    return this.#guard.pass(plans, now, gate, losing)
  }

  status(): GuardStatus {
    const waits = (control: boolean) => this.#tiers.map((tier, t) => ({ tier, ...this.#windows.waits(t, control) }))
    return { ...this.#guard.status(), control: waits(true), planned: waits(false) }
  }
}
