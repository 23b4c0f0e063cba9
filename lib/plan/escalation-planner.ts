import type { EscalationPlan } from '../plans.js'
import { criticalRatio } from './newsvendor.js'
import type { PoolPlanner, PoolView, Stream } from './pool-planner.js'

export interface EscalationPlannerOptions {
  /** names, lowest first */
  readonly tiers: readonly string[]
  /** what waiting costs a request and second, by tier */
  readonly waitCosts: readonly number[]
  /** the same of workflows that have costs of their own, by name */
  readonly workflowCosts: ReadonlyMap<string, number>
  /** ms between two plans */
  readonly period: number
}

/** An escalation that is wanted, and the request for which it is. */
export interface WantedEscalation {
  readonly plan: EscalationPlan
  readonly pool: string
  /** index: of its own */
  readonly tier: number
  /** units */
  readonly amount: number
}

/** Running means of what is asked for. */
interface Work {
  asked: number
  amount: number
  over: number
  held: number
}

/** A workflow at a pool, in one of the tiers in which it asks. */
interface Line {
  readonly workflow: string
  readonly cost: number
  readonly tier: number
  readonly work: Work
  /** what it asks for, and what those ask for behind whom it would wait */
  readonly own: Stream
  readonly ahead: Stream
}

interface PoolLines {
  readonly planner: PoolPlanner
  readonly capacity: number
  /** requests of others, by tier */
  readonly works: readonly Work[]
  /** the same, faded */
  readonly lately: number[]
  readonly lines: Line[]
}

/** At least as likely as this it comes: an escalation for nobody costs nobody anything, but a place among the plans. */
const COMES_LEAST = 0.1
/** Requests that a mean is of. */
const AVERAGED = 200
/** ms after which a request counts a third as much. */
const FADE_MS = 60_000
/** Plans are written for so many periods, and anew when they have this many left. */
const PLAN_PERIODS = 10
const RENEW_PERIODS = 3

/**
 * Which workflows to count as of a higher tier, and when: those for whom waiting is dearer than for their tier, as long as they are about to come to a pool that is about to be
 * short. A workflow is raised to the highest tier for which waiting costs no more than for itself, and in which it does more good than harm: whoever is passed waits for as long
 * as the one that passes has its units, who in turn waits so much less, so that who costs more by the time for which it has units goes first (the c-mu
 * rule: Smith, Various Optimizers for Single-Stage Production, 1956; Cox and Smith, Queues, 1961). It is raised where contention is at
 * least as likely as the newsvendor says: o / (u + o), where it saves u, and those whom it passes lose o.
 */
export class EscalationPlanner {
  readonly #options: EscalationPlannerOptions
  readonly #pools = new Map<string, PoolLines>()
  /** plans that are in force: until when, by workflow */
  readonly #written = new Map<string, { tier: number; until: number }>()

  constructor(options: EscalationPlannerOptions) {
    this.#options = options
  }

  /** There is a pool. @param planner of what is kept of it @param capacity units */
  pool(name: string, planner: PoolPlanner, capacity: number): void {
    const works = this.#options.tiers.map(() => newWork())
    this.#pools.set(name, { planner, capacity, works, lately: works.map(() => 0), lines: [] })
  }

  /** It is gone. */
  forget(pool: string): void {
    this.#pools.delete(pool)
  }

  /** A request came. @param tier its own, index @param amount units */
  came(pool: string, tier: number, amount: number, workflow: string | undefined): void {
    const known = this.#pools.get(pool)
    if (known === undefined) return
    const line = this.#meet(known, tier, workflow)
    const work = line?.work ?? (known.works[tier] as Work)
    work.asked++
    work.amount += (amount - work.amount) / Math.min(work.asked, AVERAGED)
    line?.own.add(amount)
    if (line === undefined) known.lately[tier] = (known.lately[tier] as number) + 1
    for (const other of known.lines) if (other !== line && tier >= other.tier) other.ahead.add(amount)
  }

  /** A request is over. @param held ms */
  ended(pool: string, tier: number, held: number, workflow: string | undefined): void {
    const known = this.#pools.get(pool)
    if (known === undefined) return
    const work = lineOf(known, tier, workflow)?.work ?? (known.works[tier] as Work)
    work.over++
    work.held += (held - work.held) / Math.min(work.over, AVERAGED)
  }

  /** Once a period. @param now ms @param viewOf a pool */
  plan(now: number, viewOf: (pool: string) => PoolView): WantedEscalation[] {
    const fade = Math.exp(-this.#options.period / FADE_MS)
    const wanted = new Map<string, WantedEscalation>()
    for (const [pool, known] of this.#pools) {
      for (let tier = 0; tier < known.lately.length; tier++) known.lately[tier] = (known.lately[tier] as number) * fade
      for (const line of known.lines) {
        const { workflow } = line
        const tier = this.#raised(known, line, viewOf(pool))
        // It is one plan for all pools: the highest that any wants.
        if (tier === undefined || tier <= this.#tierOf(wanted.get(workflow))) continue
        wanted.set(workflow, { plan: this.#planOf(workflow, tier), pool, tier: line.tier, amount: line.work.amount })
      }
    }
    return [...wanted.values()].filter(one => this.#isNews(one, now))
  }

  /** What was planned for a workflow has not been written. */
  dropped(workflow: string): void {
    this.#written.delete(workflow)
  }

  /** The tier that a workflow is to count as; undefined: its own. */
  #raised(known: PoolLines, line: Line, view: PoolView): number | undefined {
    if (line.own.exceeds(0) < COMES_LEAST) return undefined
    let contention: number | undefined
    for (let tier = this.#options.tiers.length - 1; tier > line.tier; tier--) {
      if ((this.#options.waitCosts[tier] ?? 0) > line.cost) continue
      const { saves, loses } = this.#worth(known, line, tier)
      if (!(saves > loses)) continue
      contention ??= this.#contention(known, line, view)
      if (contention >= criticalRatio(loses, saves)) return tier
    }
    return undefined
  }

  /** That it would have to wait behind somebody of its tier or above. */
  #contention({ capacity, lately }: PoolLines, { tier, work, ahead }: Line, view: PoolView): number {
    for (let above = tier; above < lately.length; above++) if (view.waiting(above) > 0) return 1
    return ahead.exceeds(Math.max(0, capacity - view.used() - work.amount))
  }

  /** Of each one that is passed on the way to a tier, on average: what the workflow saves, and what the other loses. */
  #worth({ works, lately }: PoolLines, { tier: own, work, cost }: Line, to: number): { saves: number; loses: number } {
    // Where nothing is known of how long somebody has what he asks for, all are alike.
    let isKnown = work.over > 0
    for (let tier = own; tier <= to; tier++) isKnown &&= (lately[tier] as number) < 1 || (works[tier] as Work).over > 0
    let [passed, saves, loses] = [0, 0, 0]
    for (let tier = own; tier <= to; tier++) {
      const count = lately[tier] as number
      passed += count
      saves += count * cost * (isKnown ? unitTime(works[tier] as Work) : 1)
      loses += count * (this.#options.waitCosts[tier] ?? 0) * (isKnown ? unitTime(work) : 1)
    }
    return passed > 0 ? { saves: saves / passed, loses: loses / passed } : { saves: 0, loses: 0 }
  }

  #planOf(workflow: string, tier: number): EscalationPlan {
    const until = PLAN_PERIODS * this.#options.period
    return { kind: 'escalation', workflow, tier: this.#options.tiers[tier] as string, until }
  }

  /** Whether it is to be written: it is another one, or runs out. */
  #isNews({ plan }: WantedEscalation, now: number): boolean {
    const tier = this.#options.tiers.indexOf(plan.tier)
    const written = this.#written.get(plan.workflow)
    // While it is in force for a higher one, that counts.
    if (written !== undefined && written.tier >= tier && written.until - now > RENEW_PERIODS * this.#options.period) return false
    this.#written.set(plan.workflow, { tier, until: now + plan.until })
    return true
  }

  #tierOf(wanted: WantedEscalation | undefined): number {
    return wanted === undefined ? -1 : this.#options.tiers.indexOf(wanted.plan.tier)
  }

  /** undefined: it is of no workflow for whom waiting is dearer than for its tier. */
  #meet(known: PoolLines, tier: number, workflow: string | undefined): Line | undefined {
    if (workflow === undefined) return undefined
    const cost = this.#options.workflowCosts.get(workflow) ?? 0
    if (!(cost > (this.#options.waitCosts[tier] ?? 0))) return undefined
    const found = lineOf(known, tier, workflow)
    if (found !== undefined) return found
    const { planner, lines } = known
    const made = { workflow, cost, tier, work: newWork(), own: planner.stream(), ahead: planner.stream() }
    lines.push(made)
    return made
  }
}

function lineOf({ lines }: PoolLines, tier: number, workflow: string | undefined): Line | undefined {
  return lines.find(line => line.workflow === workflow && line.tier === tier)
}

/** Unit milliseconds that it has. */
function unitTime({ amount, held }: Work): number {
  return amount * held
}

function newWork(): Work {
  return { asked: 0, amount: 0, over: 0, held: 0 }
}
