import type { OutcomeNotice } from '../notices.js'
import type { Benefit } from '../plan/account.js'
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
  /** collisions at which it was done since it was last put out, and at which it was not so that there is something to compare with, as far as they are weighed */
  readonly done: number
  readonly control: number
  /** whether it is done: one that was shown to cost more than it brings is not, until it is tried again */
  readonly on: boolean
  /** request seconds that it saves a collision, by costs, with the 95 % interval; of one that is put out, by which it was */
  readonly effect: Benefit
}

interface Open extends Watched {
  readonly runs: OwnRun[]
}

interface Scales {
  /** costs of collisions at which it was done, since it is on, and of those that were left alone */
  done: number[]
  readonly control: number[]
  /** ms until when it is not done */
  offUntil: number
  backOff: number
  /** by which it was put out last */
  proof: Benefit | undefined
}

const MS_PER_S = 1_000
/** Collisions that go on. */
const OPEN_MOST = 64
/** Of each group so many count, the latest. */
const WEIGHED_MOST = 128
/** Of fewer in either group there is no interval, and of fewer that were left alone nothing to compare with. */
const WEIGHED_LEAST = 5
/** One that is put out is tried again after this, ms, and each time after twice as long. */
const BACK_OFF_MS = 10_000
const BACK_OFF_MOST_MS = 600_000
/** Standard normal quantile of 95 %, two-sided. */
const Z = 1.96

/**
 * What remedies cost and bring: the waits of the workflow's own runs and of the tier that they are for, in request seconds by their costs, at collisions at which something was
 * done and at others that were drawn at random and left alone. A kind is put out when the whole interval of what it saves lies below zero, and tried again later.
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

  /** Whether a kind is to be done. */
  isOn(kind: RemedyKind, now: number): boolean {
    return now >= (this.#kinds.get(kind)?.offUntil ?? 0)
  }

  /** It is known what became of a collision; undefined: it is not one of those that are watched. */
  outcome({ id, waited }: OutcomeNotice, now: number): Weighed | undefined {
    const found = this.#open.find(one => one.id === id)
    if (found === undefined) return undefined
    this.#open = this.#open.filter(one => one !== found)
    const { kind, control, runs, costs, upper } = found
    const own = runs.reduce((all, run) => all + (run.admitted ?? now) - run.asked, 0)
    const cost = ((costs[this.#own] ?? 0) * own) / MS_PER_S
    const upperCost = ((costs[upper] ?? 0) * waited) / MS_PER_S
    const effect = this.#weigh(this.#of(kind), control, cost + upperCost, now)
    return { kind, control, runs: runs.length, waited: own, cost, upperCost, effect }
  }

  worth(now: number): Partial<Record<RemedyKind, RemedyWorth>> {
    const entries = [...this.#kinds].map(([kind, { done, control, proof }]) => {
      const effect = done.length === 0 && proof !== undefined ? proof : between(control, done)
      return [kind, { done: done.length, control: control.length, on: this.isOn(kind, now), effect }] as const
    })
    return Object.fromEntries(entries)
  }

  #weigh(scales: Scales, isControl: boolean, total: number, now: number): number | undefined {
    const { done, control } = scales
    const group = isControl ? control : done
    group.push(total)
    if (group.length > WEIGHED_MOST) group.shift()
    const effect = between(control, done)
    if (effect.low > 0) scales.backOff = BACK_OFF_MS
    if (effect.high < 0) {
      scales.proof = effect
      scales.offUntil = now + scales.backOff
      scales.backOff = Math.min(BACK_OFF_MOST_MS, 2 * scales.backOff)
      // When it is tried again it is by what it brings then.
      scales.done = []
    }
    return isControl || control.length < WEIGHED_LEAST ? undefined : mean(control) - total
  }

  #of(kind: RemedyKind): Scales {
    const known = this.#kinds.get(kind)
    if (known !== undefined) return known
    const scales = { done: [], control: [], offUntil: 0, backOff: BACK_OFF_MS, proof: undefined }
    this.#kinds.set(kind, scales)
    return scales
  }
}

const mean = (values: readonly number[]) => values.reduce((all, one) => all + one, 0) / values.length

/** The difference of two means, with the interval of samples of unequal variances (Welch, Biometrika 1947), by the normal distribution. */
function between(control: readonly number[], done: readonly number[]): Benefit {
  if (control.length === 0 || done.length === 0) return { mean: 0, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  const difference = mean(control) - mean(done)
  if (Math.min(control.length, done.length) < WEIGHED_LEAST) {
    return { mean: difference, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  }
  const error = Z * Math.sqrt(variance(control) / control.length + variance(done) / done.length)
  return { mean: difference, low: difference - error, high: difference + error }
}

function variance(values: readonly number[]): number {
  const middle = mean(values)
  return values.reduce((all, one) => all + (one - middle) ** 2, 0) / (values.length - 1)
}
