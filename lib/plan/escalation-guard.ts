import type { EscalationPlan } from '../plans.js'
import { ControlWindows, type Waits } from './control-windows.js'
import { PoolTrial } from './pool-trial.js'
import type { TierUnits } from './pool-world.js'
import { type Gate, TrialGuard, type TrialStatus } from './trial-guard.js'

export interface EscalationGuardOptions {
  /** names, lowest first */
  readonly tiers: readonly string[]
  /** what waiting costs a request and second, by tier */
  readonly waitCosts: readonly number[]
  /** the same of workflows that have costs of their own, by name */
  readonly workflowCosts: ReadonlyMap<string, number>
  /** ms after which who waits rises a tier; 0: never */
  readonly ageing: number
  /** ms until a plan that is written now is in force */
  readonly lag: number
  /** part of the time in which nothing is planned, 0 to 1 */
  readonly control: number
  /** of the choice of that time */
  readonly seed: number
}

/** Waits of the requests of a workflow. */
export interface WorkflowWaits extends Waits {
  readonly workflow: string
}

export interface EscalationStatus extends TrialStatus {
  /** plans that were wanted, without those that go on */
  readonly begun: number
  /** requests that came in times without plans, and in the others, of workflows with costs of their own */
  readonly control: readonly WorkflowWaits[]
  readonly planned: readonly WorkflowWaits[]
}

/** Of the seed, so that its windows are not those of other sources. */
const OTHER_WINDOWS = 0x5bd1e995

/**
 * The guard of all escalations. What a workflow saves that is raised, and what those lose whom it passes, is tried at each pool: the same requests, in their own tiers
 * and in those that they were to have.
 */
export class EscalationGuard {
  readonly #options: EscalationGuardOptions
  readonly #groups: ReadonlyMap<string, number>
  readonly #trials = new Map<string, PoolTrial>()
  readonly #windows: ControlWindows
  readonly #guard: TrialGuard<EscalationPlan>
  readonly #raised = new Map<string, { tier: number; from: number; until: number }>()
  #begun = 0

  constructor(options: EscalationGuardOptions) {
    this.#options = options
    const { waitCosts, workflowCosts, control, seed, lag } = options
    this.#groups = new Map([...workflowCosts.keys()].map((workflow, i) => [workflow, waitCosts.length + i]))
    this.#windows = new ControlWindows(control, seed ^ OTHER_WINDOWS, waitCosts.length + workflowCosts.size)
    const guarded = {
      keyOf: ({ workflow }: EscalationPlan) => workflow,
      tried: (plan: EscalationPlan, from: number, until: number) => this.#raise(plan, from, until),
      emptied: (plan: EscalationPlan) => plan
    }
    this.#guard = new TrialGuard({ lag, lowest: waitCosts[0] ?? 1 }, this.#windows, guarded, [])
  }

  /** There is a pool. @param capacity units @param parts what each tier may have; default: anything */
  pool(name: string, capacity: number, parts?: readonly TierUnits[]): void {
    const { waitCosts, workflowCosts, ageing } = this.#options
    const trial = new PoolTrial({ capacity, waitCosts, ageing, groupCosts: [...workflowCosts.values()], parts })
    this.#trials.set(name, trial)
    this.#guard.try(trial)
  }

  /** It is gone. */
  forget(pool: string): void {
    const trial = this.#trials.get(pool)
    if (trial === undefined) return
    this.#trials.delete(pool)
    this.#guard.forget(trial)
  }

  came(pool: string, time: number, tier: number, amount: number, workflow: string | undefined): void {
    const raised = workflow === undefined ? undefined : this.#raised.get(workflow)
    const isRaised = raised !== undefined && time >= raised.from && time < raised.until
    const as = isRaised ? Math.max(tier, raised.tier) : tier
    this.#trials.get(pool)?.came(time, tier, amount, this.#groupOf(tier, workflow), as)
  }

  /** @param time ms, when it came */
  ended(pool: string, time: number, tier: number, waited: number, duration: number, workflow: string | undefined): void {
    const group = this.#groupOf(tier, workflow)
    this.#trials.get(pool)?.ended(time, group, duration)
    this.#windows.count(time, group, waited)
  }

  /** Once a period, as {@link TrialGuard.pass}. */
  pass(plans: readonly EscalationPlan[], now: number, gate?: Gate<EscalationPlan>): readonly EscalationPlan[] {
    return this.#guard.pass(plans, now, gate)
  }

  status(): EscalationStatus {
    const waits = (control: boolean) => [...this.#groups].map(([workflow, group]) => ({ workflow, ...this.#windows.waits(group, control) }))
    return { ...this.#guard.status(), begun: this.#begun, control: waits(true), planned: waits(false) }
  }

  #raise({ workflow, tier: name }: EscalationPlan, from: number, until: number): void {
    const tier = this.#options.tiers.indexOf(name)
    const known = this.#raised.get(workflow)
    // What takes the place of one that is in force goes on from its beginning.
    const goesOn = known?.tier === tier && known.until >= from
    if (!goesOn) this.#begun++
    this.#raised.set(workflow, { tier, from: goesOn ? known.from : from, until })
  }

  #groupOf(tier: number, workflow: string | undefined): number {
    return (workflow === undefined ? undefined : this.#groups.get(workflow)) ?? tier
  }
}
