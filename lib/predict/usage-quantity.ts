import { Residuals } from './residuals.js'
import type { Row } from './usage-input.js'
import { INFORMED, MAX_AT, MEMBERS, Members } from './usage-members.js'
import type { UnderRate } from './usage-rate.js'
import { Window } from './usage-window.js'

/** What a request is expected to take of one resource, in the unit in which it was told. */
export interface UsagePrediction {
  /** the middle: about half of such requests take less */
  readonly expected: number
  /** the interval that holds the part asked for of them */
  readonly low: number
  readonly high: number
  /** what to set aside, so that it is too little in as few requests as said */
  readonly allocate: number
  /** the part of the error that goes away when the input is looked at, from 0 to 1; near 0: the input says nothing, and the interval is that of all */
  readonly explained: number
  /** what it comes from: the input, such requests whatever their input, what was declared of them, or the greatest of a few */
  readonly from: 'input' | 'history' | 'declared' | 'few'
  /** requests that it was learnt from */
  readonly samples: number
}

/** What is known of a resource without having seen a request. */
export interface Bounds {
  readonly expected: number | undefined
  readonly least: number | undefined
  readonly most: number | undefined
}

/** With fewer requests models are not asked. */
export const FEW = 5
/** Members are tried from so many on. */
const TRIED = 2
/** Too little costs so many times the amount, where models are compared; from 1 to 6 the first third of the sizey traces is wasted alike. */
const PENALTY = 3
const LEAST_COST = 1e-3
const DECAY = 0.99
/** Amounts weigh in costs as they are; beyond e^300 they would overflow. */
const WEIGHT_MAX = 300
const RATIO_MAX = Math.log(1e6)
/** How fast the ends of the interval follow what is seen (adaptive conformal inference, Gibbs and Candès 2021), for this coverage. */
const ADAPTED_COVERAGE = 0.9
const ADAPT = 0.01
const RATIO_LEAST = 0.1
const RATIO_MOST = 4
/** Less is chance. */
const SAYS_SOMETHING = 0.05

export interface SavedQuantity {
  rows: ReturnType<Window['save']>
  residuals: number[][]
  costs: number[]
  weights: number[]
  errors: number[]
  tried: number
  samples: number
  ends: [low: number, high: number]
}

/** Learns what one kind of request takes of one resource. */
export class Quantity {
  private readonly window = new Window()
  private readonly members = new Members(this.window)
  private readonly residuals = MEMBERS.map(() => new Residuals())
  private readonly said = new Float64Array(MEMBERS.length)
  /** what each would have wasted, and of what amounts, decayed */
  private costs = new Float64Array(MEMBERS.length)
  private weights = new Float64Array(MEMBERS.length)
  /** absolute errors, and of how many, decayed */
  private errors = new Float64Array(MEMBERS.length)
  private tried = 0
  private samples = 0
  /** what the tail probabilities of the two ends are multiplied by */
  private ends: [low: number, high: number] = [1, 1]

  constructor(private readonly rate: UnderRate) {}

  /** @param allocated what was said of it before, if it was asked about */
  learn(row: Row, value: number, allocated?: number): void {
    const amount = Math.log1p(value)
    if (this.samples >= TRIED) this.judge(row, amount, allocated)
    this.window.add(row, amount)
    this.samples++
    this.members.fit()
  }

  /** Undefined: nothing is known. */
  predict(row: Row, coverage: number, bounds: Bounds | undefined): UsagePrediction | undefined {
    if (this.samples < FEW) return this.guess(coverage, bounds)
    this.members.predict(row, this.said)
    const { expected, low, high } = this.interval((1 - coverage) / 2)
    const explained = this.explained()
    const into = within(bounds)
    return {
      expected: into(expected),
      low: into(low),
      high: into(high),
      allocate: into(Math.max(expected, fromLog(this.allocated()))),
      explained,
      from: explained >= SAYS_SOMETHING ? 'input' : 'history',
      samples: this.samples
    }
  }

  save(): SavedQuantity {
    return {
      rows: this.window.save(),
      residuals: this.residuals.map(({ all }) => all),
      costs: [...this.costs],
      weights: [...this.weights],
      errors: [...this.errors],
      tried: this.tried,
      samples: this.samples,
      ends: this.ends
    }
  }

  static load(saved: SavedQuantity, rate: UnderRate): Quantity {
    const quantity = new Quantity(rate)
    for (const [amount, numbers, texts] of saved.rows) {
      quantity.window.add({ numbers: Float64Array.from(numbers, x => x ?? Number.NaN), texts: Int32Array.from(texts) }, amount)
    }
    for (const [i, errors] of saved.residuals.entries()) for (const error of errors) quantity.residuals[i]?.add(error)
    quantity.costs = Float64Array.from(saved.costs)
    quantity.weights = Float64Array.from(saved.weights)
    quantity.errors = Float64Array.from(saved.errors)
    quantity.tried = saved.tried
    quantity.samples = saved.samples
    quantity.ends = saved.ends
    if (saved.samples > 0) quantity.members.fit()
    return quantity
  }

  /** What would have been said of it, against what came. */
  private judge(row: Row, amount: number, allocated: number | undefined): void {
    const { said, residuals, costs, weights, errors, rate } = this
    this.members.predict(row, said)
    if (this.samples >= FEW) {
      const { expected, low, high } = this.interval((1 - ADAPTED_COVERAGE) / 2)
      const came = fromLog(amount)
      this.ends = [adapted(this.ends[0], came < low), adapted(this.ends[1], came > high)]
      rate.saw(came > (allocated ?? Math.max(expected, fromLog(this.allocated()))), (residuals[this.cheapest()] as Residuals).upper)
    }
    const weight = Math.exp(Math.min(WEIGHT_MAX, amount))
    for (let i = 0; i < said.length; i++) {
      const past = residuals[i] as Residuals
      const error = amount - (said[i] as number)
      const over = rate.raise(past.upper, past.length) - error
      const cost = over >= 0 ? Math.expm1(Math.min(RATIO_MAX, over)) : PENALTY
      costs[i] = DECAY * (costs[i] as number) + weight * cost
      weights[i] = DECAY * (weights[i] as number) + weight
      errors[i] = DECAY * (errors[i] as number) + Math.abs(error - past.median)
      past.add(error)
    }
    this.tried = DECAY * this.tried + 1
  }

  private guess(coverage: number, bounds: Bounds | undefined): UsagePrediction | undefined {
    const { samples, window, rate } = this
    const declared = bounds?.expected ?? bounds?.most ?? bounds?.least
    if (samples === 0 && declared === undefined) return undefined
    let [sum, least, most] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let at = 0; at < samples; at++) {
      const amount = window.amounts[at] as number
      sum += amount
      least = Math.min(least, amount)
      most = Math.max(most, amount)
    }
    const into = within(bounds)
    if (declared !== undefined) {
      const high = into(Math.max(bounds?.most ?? declared, fromLog(most)))
      const low = into(Math.min(bounds?.least ?? declared, fromLog(least)))
      return { expected: declared, low, high, allocate: high, explained: 0, from: 'declared', samples }
    }
    const beyond = rate.scale * Math.log(2 / (1 - coverage))
    const high = fromLog(most + beyond)
    const allocate = fromLog(most + rate.blind)
    return { expected: fromLog(sum / samples), low: fromLog(least - beyond), high, allocate, explained: 0, from: 'few', samples }
  }

  /** The middle and the two ends that what comes lies beyond with a probability of `tail` each: those of the members, by how small their errors were. */
  private interval(tail: number): { expected: number; low: number; high: number } {
    const { said, residuals, errors, rate, ends } = this
    const [below, above] = [beyond(tail, ends[0]), beyond(tail, ends[1])]
    let [all, middle, low, high] = [0, 0, 0, 0]
    for (let i = 0; i < said.length; i++) {
      const past = residuals[i] as Residuals
      const share = shareOf((errors[i] as number) / this.tried)
      all += share
      middle += share * ((said[i] as number) + past.median)
      low += share * ((said[i] as number) + past.below(below, rate.scale))
      high += share * ((said[i] as number) + past.above(above, rate.scale))
    }
    const expected = fromLog(middle / all)
    return { expected, low: Math.min(expected, fromLog(low / all)), high: Math.max(expected, fromLog(high / all)) }
  }

  /**
   * ln(1 + amount): the mean of what the members would allocate, by how little they wasted; but not more beyond what ever came, or is expected now, than errors of all
   * kinds lie beyond their thresholds: a tail that a few errors tell of reaches anywhere.
   */
  private allocated(): number {
    const { said, residuals, costs, weights, rate } = this
    let [all, sum, middle] = [0, 0, 0]
    for (let i = 0; i < said.length; i++) {
      const past = residuals[i] as Residuals
      const share = shareOf((costs[i] as number) / (weights[i] as number))
      all += share
      sum += share * ((said[i] as number) + rate.raise(past.upper, past.length))
      middle += share * (said[i] as number)
    }
    const most = Math.max(said[MAX_AT] as number, middle / all) + rate.reach
    return Math.min(most, sum / all)
  }

  private cheapest(): number {
    let [best, least] = [0, Number.POSITIVE_INFINITY]
    for (let i = 0; i < this.costs.length; i++) {
      const cost = (this.costs[i] as number) / (this.weights[i] as number)
      if (cost < least) {
        least = cost
        best = i
      }
    }
    return best
  }

  private explained(): number {
    if (!this.members.hasInput || this.tried === 0) return 0
    let [informed, blind] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (let i = 0; i < this.errors.length; i++) {
      const error = this.errors[i] as number
      if (INFORMED[i] === true) informed = Math.min(informed, error)
      else blind = Math.min(blind, error)
    }
    return blind > 0 ? Math.max(0, 1 - informed / blind) : 0
  }
}

/** A ratio after a step: a miss beyond an end makes what may lie beyond it rarer. */
function adapted(ratio: number, isBeyond: boolean): number {
  const tail = (1 - ADAPTED_COVERAGE) / 2
  return Math.min(RATIO_MOST, Math.max(RATIO_LEAST, ratio + (ADAPT * (tail - (isBeyond ? 1 : 0))) / tail))
}

/** The tail that is asked of the errors so that one of this probability comes: what is adapted at one coverage tells less of those near the middle. */
function beyond(tail: number, ratio: number): number {
  return (2 * tail) ** (1 + Math.log(ratio) / Math.log(1 - ADAPTED_COVERAGE)) / 2
}

/** A member counts by the fourth power of its inverse cost, or error. */
function shareOf(cost: number): number {
  return 1 / ((LEAST_COST + cost) ** 2) ** 2
}

function within(bounds: Bounds | undefined): (value: number) => number {
  const { least = 0, most = Number.POSITIVE_INFINITY } = bounds ?? {}
  return value => Math.min(most, Math.max(least, value))
}

/** Back to an amount; never negative, never infinite. */
function fromLog(amount: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(0, Math.expm1(amount)))
}
