import type { KeepPlan } from '../plans.js'
import { ArrivalTable } from './arrival-table.js'
import type { Expectation } from './expected.js'
import { type Extra, ExtraSwitch } from './extra.js'
import { criticalRatio } from './newsvendor.js'

/** What the planner of a pool is told about it. Units are of its first dimension. */
export interface PoolView {
  /** ms */
  readonly now: number
  /** units that all hold together */
  used(): number
  /** requests of a tier that wait */
  waiting(tier: number): number
  /** What a tier is foretold to ask for within so many ms, apart from what was told of otherwise, in units; undefined: nothing. */
  expected?(tier: number, ms: number): readonly Expectation[]
  /** What stands for what is used and who waits: the same as long as that is the same. Undefined: there is nothing that does */
  readonly state?: object | undefined
}

/** Requests of a pool that are foretold beside its tiers. */
export interface Stream {
  /** One came. @param amount units */
  add(amount: number): void
  /** The probability that more than so many units are asked for within the {@link PoolPlanner.horizon}. */
  exceeds(units: number): number
}

export interface PoolPlannerOptions {
  /** name of the pool */
  readonly pool: string
  /** units that there are */
  readonly capacity: number
  /** units that are asked for in whole numbers of: 1 of permits; 0: in any parts */
  readonly unit: number
  /** names, lowest first */
  readonly tiers: readonly string[]
  /** what waiting costs a request and second, by tier */
  readonly waitCosts: readonly number[]
  /** what a unit that nobody has costs a second */
  readonly idleCost: number
  /** the part of the pool that plans may keep, 0 to 1 */
  readonly maxReserve: number
  /** ms */
  readonly period: number
  /** periods from the data to the plan in force */
  readonly lag: number
  /** when to keep, and how much; default: what the costs say, all the time */
  readonly extra?: Extra | undefined
  /** whether it is asked what {@link PoolPlanner.collides} and what is foreseen; default true */
  readonly collisions?: boolean | undefined
}

/** What a tier will ask for, in units, beside what there is. */
export interface Foreseen {
  readonly capacity: number
  readonly free: number
  /** by the quantile that is worth keeping */
  readonly expected: number
  /** what a request of any tier asks for, on average */
  readonly usual: number
  /** ms until so much has come free that the tier finds what it will ask for, and one request of usual size does, as fast as units come free lately */
  readonly gap: number
}

interface Kept {
  /** units, in steps */
  steps: number
  /** ms */
  until: number
  /** it was not written the last time: nothing is left out for it */
  isDropped: boolean
}

/** Units that a planner tells apart: of few, each. */
const STEPS_MOST = 64
/** Steps in which all of a pool is told apart: a table has two more, so that more than all is one of them. */
const WIDE_STEPS = 62
/** Completed requests for which one waits at most, on average: what comes free in that time needs no keeping. */
const COME_FREE = 2
/** Periods over which use and completions are averaged. */
const AVERAGED = 600
/** Periods that may be looked ahead, and how often that is chosen anew. */
const HORIZONS = [1, 2, 3, 5, 8, 13, 20, 32, 50, 80, 130, 200, 320, 500]
const HORIZON_EVERY = 20
/** Waits that a mean is of, and that it takes; until then who finds nothing is taken to wait for this part of the horizon. */
const WAITS = 200
const WAITS_KNOWN = 20
const MISSED = 0.5
/** Nothing is ever quite used up. */
const BUSY_MOST = 0.98
/** Somebody is told of a collision when it is as likely as not, and it is over when it is half as likely. */
const LIKELY = 0.5
/** Plans are written for so many periods, and anew when they change or have this many left. */
const PLAN_PERIODS = 10
const RENEW_PERIODS = 3

/**
 * How much of a pool to keep free for its upper tiers: of each the newsvendor's quantile of what it will ask for until a plan that is made
 * now is in force and two requests have come free. Who comes and finds nothing waits half of that time on average, so a missing unit costs
 * half of it. A unit that is kept costs its idling, and as long as lower tiers wait what those lose: the time that it takes to work off who waits, divided
 * by the units, for each of them and for all who come before that is done (M/G/c in heavy traffic: Kingman 1961).
 */
export class PoolPlanner {
  readonly #options: PoolPlannerOptions
  readonly #step: number
  readonly #most: number
  readonly #tiers: (ArrivalTable | undefined)[][]
  /** the same in steps by which all that may be free is told apart, where that takes coarser ones */
  readonly #wide: (ArrivalTable | undefined)[][]
  readonly #wideStep: number
  readonly #isWide: boolean
  readonly #streams: (ArrivalTable | undefined)[][] = []
  /** all of them together */
  readonly #tables: ArrivalTable[] = []
  readonly #extras: readonly ExtraSwitch[]
  /** what is in force, by tier */
  readonly #kept: Kept[]
  /** index of what is looked ahead */
  #horizon = 0
  readonly #waits: { count: number; mean: number }[]
  #periods = 0
  #busy = 0
  #freed = 0
  #ended = 0
  #meanAmount = 0
  #requests = 0
  /** periods that have passed at rest and are still to be counted, and how many there may be; in a state, with so much in use of what there is */
  readonly #rest = { passed: 0, most: 0, state: undefined as object | undefined, busy: 0 }

  constructor(options: PoolPlannerOptions) {
    this.#options = options
    const most = options.maxReserve * options.capacity
    // Where nothing may be kept it is foretold all the same.
    this.#step = Math.max(options.unit, (most > 0 ? most : options.capacity) / STEPS_MOST) || 1
    this.#most = Math.floor(most / this.#step + 1e-9)
    this.#kept = options.tiers.map(() => ({ steps: 0, until: 0, isDropped: false }))
    this.#tiers = options.tiers.map(() => [])
    this.#wide = options.tiers.map(() => [])
    this.#wideStep = Math.max(this.#step, options.capacity / WIDE_STEPS)
    const { collisions = true, extra } = options
    this.#isWide = this.#wideStep > this.#step && (collisions || extra !== undefined)
    this.#extras = options.tiers.map(() => new ExtraSwitch())
    this.#waits = options.tiers.map(() => ({ count: 0, mean: 0 }))
    this.#lookAhead(options.lag + 1 + COME_FREE)
  }

  /** ms for which it looks ahead */
  get horizon(): number {
    return (HORIZONS[this.#horizon] as number) * this.#options.period
  }

  /** A request came. @param isForetold whether {@link PoolView.expected} told of it: what comes anyway is learnt from the others */
  came(tier: number, amount: number, isForetold = false): void {
    this.#wake()
    this.#requests++
    this.#meanAmount += (amount - this.#meanAmount) / Math.min(this.#requests, AVERAGED)
    // Nobody is kept waiting for the lowest tier.
    if (tier === 0 || isForetold) return
    for (const table of this.#tablesOf(tier)) table?.add(amount / this.#step)
    if (this.#isWide) for (const table of this.#tablesOf(tier, this.#wide)) table?.add(amount / this.#wideStep)
  }

  /** A request gave back what it had. @param waited ms that it waited before */
  ended(tier: number, waited: number): void {
    this.#wake()
    this.#ended++
    if (waited === 0) return
    const waits = this.#waits[tier] as { count: number; mean: number }
    waits.count++
    waits.mean += (waited - waits.mean) / Math.min(waits.count, WAITS)
  }

  /** Once a period: the plans that are to be written now. */
  plan(view: PoolView): KeepPlan[] {
    const { period, capacity } = this.#options
    if (this.#rests(view)) return []
    this.#wake()
    this.#count(this.#busyAs(view))
    for (const table of this.#tables) table.tick()
    if (this.#periods % HORIZON_EVERY === 0 && this.#freed > 0) this.#lookAhead(this.#options.lag + 1 + COME_FREE / this.#freed)
    const plans: KeepPlan[] = []
    let left = this.#most
    // The upper tiers choose first; what they keep is kept for them alone.
    for (let tier = this.#tiers.length - 1; tier > 0; tier--) {
      const expected = this.#expected(tier, view, this.#step)
      const table = (expected.length > 0 ? this.#tablesOf(tier) : this.#tiers[tier])?.[this.#horizon]
      if (table === undefined) continue
      const steps = Math.min(left, this.#wanted(tier, table, view, expected))
      const kept = this.#kept[tier] as Kept
      if (!kept.isDropped) left -= steps
      kept.isDropped = false
      const ends = kept.until - view.now
      if (steps === kept.steps && (steps === 0 || ends > RENEW_PERIODS * period)) continue
      kept.steps = steps
      kept.until = view.now + PLAN_PERIODS * period
      const amount = steps === 0 ? 0 : Math.min(1, (steps * this.#step) / capacity)
      plans.push({
        kind: 'keep',
        pool: this.#options.pool,
        tier: this.#options.tiers[tier] as string,
        amount,
        until: PLAN_PERIODS * period
      })
    }
    return plans
  }

  /**
   * After {@link plan}, where nobody is told of a collision: as long as it is seen that the next looks would find what this one did, they are not taken, until somebody comes or is done, or the
   * view is in another state. What they would have counted is counted then. Of many pools nothing happens in most.
   */
  rest(view: PoolView): void {
    const { state } = view
    if (state === undefined || this.#options.extra !== undefined) return
    const most = Math.min(HORIZON_EVERY - 1 - (this.#periods % HORIZON_EVERY), this.#still(view))
    if (most > 0) Object.assign(this.#rest, { passed: 0, most, state, busy: this.#busyAs(view) })
  }

  /** Whether nothing is looked at in this period. */
  get isAtRest(): boolean {
    return this.#rest.passed > 0
  }

  /** Foretells others. */
  stream(): Stream {
    const tables: (ArrivalTable | undefined)[] = []
    this.#streams.push(tables)
    this.#fill(tables)
    const step = this.#wideStep
    return {
      add: amount => {
        this.#wake()
        for (const table of tables) table?.add(amount / step)
      },
      exceeds: units => {
        this.#wake()
        return tables[this.#horizon]?.exceeds(Math.max(0, units) / step) ?? 0
      }
    }
  }

  /** Whether a tier is about to ask for more than is free, as somebody is to be told. @param told whether he was, and it is not over */
  collides(tier: number, view: PoolView, told: boolean): boolean {
    // Where somebody says when it is time for more, that is when.
    if (this.#options.extra !== undefined) return (this.#extras[tier] as ExtraSwitch).isOn
    const probability = this.contention(tier, view)
    return probability >= LIKELY || (told && probability >= LIKELY / 2)
  }

  /** That a tier will ask for more than is free now, within the {@link horizon}. */
  contention(tier: number, view: PoolView): number {
    this.#wake()
    const free = Math.max(0, this.#options.capacity - view.used())
    const { table, step } = this.#demandOf(tier)
    return table?.exceeds(free / step, this.#expected(tier, view, step)) ?? 0
  }

  /** What was planned for a tier has not been written. @param tier index */
  dropped(tier: number): void {
    const kept = this.#kept[tier] as Kept
    kept.steps = 0
    kept.isDropped = true
  }

  /** What a tier will ask for within the {@link horizon}, beside what there is. */
  foresees(tier: number, view: PoolView): Foreseen {
    this.#wake()
    const { capacity, period } = this.#options
    const free = Math.max(0, capacity - view.used())
    const { table, step } = this.#demandOf(tier)
    const steps = table?.quantile(this.ratio(tier, view), this.#expected(tier, view, step)) ?? 0
    const expected = Math.min(capacity, steps * step)
    const usual = Math.min(capacity, this.#meanAmount)
    const lacking = Math.max(0, Math.min(capacity, expected + usual) - free)
    const freed = this.#freed * usual
    // Where nothing was seen to come free it is said to do so by then.
    const gap = lacking === 0 ? 0 : freed > 0 ? (lacking / freed) * period : this.horizon
    return { capacity, free, expected, usual, gap }
  }

  /** units that are kept for a tier, as last planned */
  kept(tier: number): number {
    return (this.#kept[tier] as Kept).steps * this.#step
  }

  /** The quantile that is kept for a tier now. */
  ratio(tier: number, view: PoolView): number {
    this.#wake()
    const { waitCosts, idleCost, capacity } = this.#options
    // In requests of a usual size, as those who wait are.
    const units = this.#meanAmount > 0 ? Math.max(1, capacity / this.#meanAmount) : Number.POSITIVE_INFINITY
    const spare = units * (1 - Math.min(BUSY_MOST, this.#busy))
    let over = idleCost
    for (let lower = 0; lower < tier; lower++) over += ((waitCosts[lower] ?? 0) * view.waiting(lower)) / spare
    const { count, mean } = this.#waits[tier] as { count: number; mean: number }
    const missed = count < WAITS_KNOWN ? MISSED : Math.min(1, mean / this.horizon)
    return criticalRatio((waitCosts[tier] ?? 0) * missed, over)
  }

  #rests(view: PoolView): boolean {
    const rest = this.#rest
    if (rest.passed === rest.most || view.state !== rest.state) return false
    for (let tier = 1; tier < this.#tiers.length; tier++) if ((view.expected?.(tier, this.horizon) ?? NOTHING).length > 0) return false
    rest.passed++
    return true
  }

  /** Counts the periods of a rest, as they would have been. */
  #wake(): void {
    const rest = this.#rest
    const { passed, busy } = rest
    rest.passed = 0
    rest.most = 0
    if (passed === 0) return
    for (let i = 0; i < passed; i++) this.#count(busy)
    for (const table of this.#tables) table.tick(passed)
  }

  /** A period. @param busy part of the pool that is in use */
  #count(busy: number): void {
    this.#periods++
    const part = 1 / Math.min(this.#periods, AVERAGED)
    this.#busy += (busy - this.#busy) * part
    this.#freed += (this.#ended - this.#freed) * part
    this.#ended = 0
  }

  #busyAs(view: PoolView): number {
    const { capacity } = this.#options
    return capacity > 0 ? view.used() / capacity : 1
  }

  /** Periods for which nothing is kept, and nothing collides that does not now, as long as nothing happens. */
  #still(view: PoolView): number {
    let still = Number.POSITIVE_INFINITY
    for (let tier = 0; tier < this.#tiers.length; tier++) {
      const { steps, isDropped } = this.#kept[tier] as Kept
      // Who waits makes it dear to keep something, by how busy it was of late.
      if (steps > 0 || isDropped || view.waiting(tier) > 0) return 0
      if (tier > 0 && this.#expected(tier, view, 1).length > 0) return 0
      for (const kind of [this.#tiers, this.#wide]) still = Math.min(still, kind[tier]?.[this.#horizon]?.still ?? still)
    }
    return still
  }

  /** Steps to keep for a tier: by the costs, all the time, or when it is time for more. */
  #wanted(tier: number, table: ArrivalTable, view: PoolView, expected: readonly Expectation[]): number {
    const { extra, capacity } = this.#options
    const ratio = this.ratio(tier, view)
    if (extra === undefined) return table.quantile(ratio, expected)
    // It pays where p u > (1 - p) o: from the probability o / (u + o) on.
    const { threshold = 1 - ratio, share } = extra
    const isExtra = (this.#extras[tier] as ExtraSwitch).look(this.contention(tier, view), threshold, this.horizon, view.now)
    if (!isExtra) return 0
    return share === undefined ? table.quantile(ratio, expected) : Math.floor((share * capacity) / this.#step + 1e-9)
  }

  /** What a tier asks for, up to all that there is; and in steps of how many units. */
  #demandOf(tier: number): { readonly table: ArrivalTable | undefined; readonly step: number } {
    // Of a small pool the steps by which is kept are fine and enough for all of it.
    const isWide = this.#isWide
    const tables = isWide ? this.#wide : this.#tiers
    return { table: tables[tier]?.[this.#horizon], step: isWide ? this.#wideStep : this.#step }
  }

  /** In steps of so many units. */
  #expected(tier: number, view: PoolView, step: number): readonly Expectation[] {
    const expected = view.expected?.(tier, this.horizon) ?? NOTHING
    // Mostly nothing is.
    if (expected.length === 0) return NOTHING
    return expected.map(({ probability, amounts }) => ({ probability, amounts: amounts.map(amount => amount / step) }))
  }

  /** Those beside it learn as well, for when they are wanted. */
  #lookAhead(wanted: number): void {
    let nearest = 0
    for (let i = 1; i < HORIZONS.length; i++) if (off(i, wanted) < off(nearest, wanted)) nearest = i
    this.#horizon = nearest
    for (const kind of [this.#tiers, this.#wide]) for (const tables of kind) if (tables.length > 0) this.#fill(tables)
    for (const tables of this.#streams) this.#fill(tables)
  }

  #tablesOf(tier: number, kind = this.#tiers): readonly (ArrivalTable | undefined)[] {
    const tables = kind[tier] as (ArrivalTable | undefined)[]
    if (tables.length === 0) this.#fill(tables)
    return tables
  }

  #fill(tables: (ArrivalTable | undefined)[]): void {
    for (let i = Math.max(0, this.#horizon - 1); i <= Math.min(HORIZONS.length - 1, this.#horizon + 1); i++) {
      if (tables[i] !== undefined) continue
      const table = new ArrivalTable(HORIZONS[i] as number)
      tables[i] = table
      this.#tables.push(table)
    }
  }
}

const NOTHING: readonly Expectation[] = []

function off(horizon: number, wanted: number): number {
  return Math.abs(Math.log((HORIZONS[horizon] as number) / wanted))
}
