import type { OutcomeNotice } from '../notices.js'
import { TwoGroups, type Worth } from '../plan/two-groups.js'
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

/** What one kind of remedy is worth, by collision: request seconds, by costs. */
export type RemedyWorth = Worth

interface Open extends Watched {
  readonly runs: OwnRun[]
}

const MS_PER_S = 1_000
/** Collisions that go on. */
const OPEN_MOST = 64

/**
 * What remedies cost and bring: the waits of the workflow's own runs and of the tier that they are for, in request seconds by their costs, at collisions at which something was
 * done and at others that were drawn at random and left alone. A kind is put out when the whole interval of what it saves lies below zero, and tried again later.
 */
export class RemedyEffects {
  readonly #own: number
  readonly #kinds = new Map<RemedyKind, TwoGroups>()
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
    return this.#kinds.get(kind)?.isOn(now) ?? true
  }

  /** It is known what became of a collision; undefined: it is not one of those that are watched. */
  outcome({ id, waited }: OutcomeNotice, now: number): Weighed | undefined {
    const found = this.#open.find(one => one.id === id)
    if (found === undefined) return undefined
    this.#open = this.#open.filter(one => one !== found)
    const { kind, control, at, runs, costs, upper } = found
    const own = runs.reduce((all, run) => all + (run.admitted ?? now) - run.asked, 0)
    const cost = ((costs[this.#own] ?? 0) * own) / MS_PER_S
    const upperCost = ((costs[upper] ?? 0) * waited) / MS_PER_S
    const effect = this.#of(kind).add(control, cost + upperCost, now, at)
    return { kind, control, runs: runs.length, waited: own, cost, upperCost, effect }
  }

  worth(now: number): Partial<Record<RemedyKind, RemedyWorth>> {
    return Object.fromEntries([...this.#kinds].map(([kind, groups]) => [kind, groups.worth(now)]))
  }

  #of(kind: RemedyKind): TwoGroups {
    const known = this.#kinds.get(kind) ?? new TwoGroups()
    this.#kinds.set(kind, known)
    return known
  }
}
