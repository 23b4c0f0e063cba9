import type { OutcomeNotice } from '../notices.js'
import { Account, type Benefit } from '../plan/account.js'
import type { RemedyKind } from './remedy-options.js'

/** A run that was asked for while a collision was foretold. Times in ms on the arena's clock. */
export interface OwnRun {
  readonly asked: number
  /** when it was admitted, or given up; undefined: it still waits */
  admitted: number | undefined
}

/** A collision at which something was done, or, so that there is something to compare with, was not. */
export interface Watched {
  readonly id: string
  readonly kind: RemedyKind
  /** whether it was left alone */
  readonly control: boolean
  /** ms on the arena's clock, and from then */
  readonly at: number
  readonly within: number
  /** index of the tier that collides */
  readonly upper: number
  /** what waiting costs a request and second, by tier */
  readonly costs: readonly number[]
}

/** What came of one. Costs in request seconds. */
export interface Weighed {
  readonly kind: RemedyKind
  readonly control: boolean
  /** runs of the workflow that were asked for within the time, and ms that they waited together: put off, or to be admitted */
  readonly runs: number
  readonly waited: number
  /** by costs: what these waited, and what the tier did */
  readonly cost: number
  readonly upperCost: number
  /** what doing it saved, beside the mean of those that were left alone; undefined: it was one of them, or there were too few */
  readonly effect: number | undefined
}

/** What one kind of remedy is worth. */
export interface RemedyWorth {
  /** collisions at which it was done, and at which it was not so that there is something to compare with, as far as they are weighed */
  readonly done: number
  readonly control: number
  /** whether it is done: one that costs more than it brings is not, until it is tried again */
  readonly on: boolean
  /** request seconds that it saves a collision, by costs, with the 95 % interval */
  readonly effect: Benefit
}

interface Open extends Watched {
  readonly runs: OwnRun[]
}

interface Scales {
  readonly account: Account
  readonly done: number[]
  readonly control: number[]
  /** of those that were done: costs that wait for something to be compared with */
  unpaid: number[]
  saved: number
}

const MS_PER_S = 1_000
/** Collisions that go on. */
const OPEN_MOST = 64
/** Of each group so many count, the latest. */
const WEIGHED_MOST = 256
/** Of fewer that were left alone no mean is made, and of fewer in either group no interval. */
const CONTROLS_LEAST = 3
const INTERVAL_LEAST = 5
/** A kind that is tried again may cost so many seconds of the workflow's own tier. */
const PROBE_SECONDS = 0.1
/** Standard normal quantile of 95 %, two-sided. */
const Z = 1.96

/**
 * What remedies cost and bring: the waits of the workflow's own runs and of the tier that they are for, in request seconds by their costs, at collisions at which something was
 * done and at others that were drawn at random and left alone. Each kind has a budget, as sources of plans have ({@link Account}), and is out while that is overdrawn.
 */
export class RemedyEffects {
  readonly #own: number
  readonly #kinds = new Map<RemedyKind, Scales>()
  #open: Open[] = []
  #until = Number.NEGATIVE_INFINITY

  /** @param own index of the workflow's tier */
  constructor(own: number) {
    this.#own = own
  }

  /** ms on the arena's clock until when runs are to be told of */
  get until(): number {
    return this.#until
  }

  watch(watched: Watched): void {
    if (this.#open.length >= OPEN_MOST) this.#open.shift()
    this.#open.push({ ...watched, runs: [] })
    this.#until = Math.max(this.#until, watched.at + watched.within)
  }

  /** A run is asked for; undefined: no collision is watched. */
  asked(now: number): OwnRun | undefined {
    if (now >= this.#until) return undefined
    const run: OwnRun = { asked: now, admitted: undefined }
    for (const { at, within, runs } of this.#open) if (now < at + within) runs.push(run)
    return run
  }

  /** Whether a kind is to be done. @param lowest what waiting costs in the workflow's tier */
  isOn(kind: RemedyKind, now: number, lowest: number): boolean {
    const { account, saved } = this.#of(kind, lowest)
    account.settle(now, saved, 0)
    return account.isOn
  }

  /** It is known what became of a collision; undefined: it is not one of those that are watched. */
  outcome({ id, waited }: OutcomeNotice, now: number): Weighed | undefined {
    const found = this.#open.find(one => one.id === id)
    if (found === undefined) return undefined
    this.#open = this.#open.filter(one => one !== found)
    const { kind, control, runs, costs, upper } = found
    const own = runs.reduce((all, run) => all + (run.admitted ?? now) - run.asked, 0)
    const lowest = costs[this.#own] ?? 0
    const cost = (lowest * own) / MS_PER_S
    const upperCost = ((costs[upper] ?? 0) * waited) / MS_PER_S
    const effect = this.#weigh(this.#of(kind, lowest), control, cost + upperCost, now)
    return { kind, control, runs: runs.length, waited: own, cost, upperCost, effect }
  }

  worth(): Partial<Record<RemedyKind, RemedyWorth>> {
    const entries = [...this.#kinds].map(([kind, { account, done, control }]) => {
      return [kind, { done: done.length, control: control.length, on: account.isOn, effect: between(control, done) }] as const
    })
    return Object.fromEntries(entries)
  }

  #weigh(scales: Scales, control: boolean, total: number, now: number): number | undefined {
    const group = control ? scales.control : scales.done
    group.push(total)
    if (group.length > WEIGHED_MOST) group.shift()
    if (!control) scales.unpaid.push(total)
    if (scales.control.length < CONTROLS_LEAST) return undefined
    const alone = mean(scales.control)
    for (const one of scales.unpaid) scales.saved += alone - one
    scales.unpaid = []
    scales.account.settle(now, scales.saved, 0)
    return control ? undefined : alone - total
  }

  #of(kind: RemedyKind, lowest: number): Scales {
    const known = this.#kinds.get(kind)
    if (known !== undefined) return known
    const scales = { account: new Account(lowest, PROBE_SECONDS * lowest), done: [], control: [], unpaid: [], saved: 0 }
    this.#kinds.set(kind, scales)
    return scales
  }
}

const mean = (values: readonly number[]) => values.reduce((all, one) => all + one, 0) / values.length

/** The difference of two means, with the interval of samples of unequal variances (Welch, Biometrika 1947), by the normal distribution. */
function between(control: readonly number[], done: readonly number[]): Benefit {
  if (control.length === 0 || done.length === 0) return { mean: 0, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  const difference = mean(control) - mean(done)
  if (Math.min(control.length, done.length) < INTERVAL_LEAST) {
    return { mean: difference, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  }
  const error = Z * Math.sqrt(variance(control) / control.length + variance(done) / done.length)
  return { mean: difference, low: difference - error, high: difference + error }
}

function variance(values: readonly number[]): number {
  const middle = mean(values)
  return values.reduce((all, one) => all + (one - middle) ** 2, 0) / (values.length - 1)
}
