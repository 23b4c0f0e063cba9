import { duration, onlyKnown, optionsObject, refuse } from '../checks.js'
import { Ensemble } from '../predict/ensemble.js'
import { type Forecast, LEVELS, type Model } from '../predict/forecaster.js'
import type { Activity } from './activity.js'
import { Curve } from './curve.js'
import { type DemandOf, type Measure, readSubject, type Subject, type SubjectKind, subjectsOf } from './subject.js'

export interface DemandOptions {
  /** ms ahead, at most 60 hours */
  readonly horizon: number
  /** of the quantiles, between 0 and 1; default .025, .1, .25, .5, .75, .9, .975 */
  readonly levels?: readonly number[] | undefined
  /** default: of a bucket and a pool `amount`, else `requests` */
  readonly measure?: Measure | undefined
}

/** How much will be asked for: a value for each step, the next one first. */
export interface Demand extends Forecast {
  readonly of: DemandOf
  /** `used`: the most of a dimension that is handed out in a step, in its units; the others are sums of a step */
  readonly measure: Measure | 'used'
  /** ms since the Unix epoch at which the first step begins, which has begun already */
  readonly start: number
  /** ms */
  readonly step: number
  /** steps that this was learnt from */
  readonly samples: number
  /** the members that speak, and how much each says */
  readonly weights: readonly { readonly name: string; readonly weight: number }[]
}

/** Makes a model of a user's for each series. */
export type ModelFactory = () => Model

const SUBJECTS_MAX = 512
const HORIZON_MAX_MS = 60 * 3_600_000
const ENSEMBLES_MAX = 128
/** It is learnt anew after so many new steps, or when there is a part more of them. */
const REFIT_STEPS = 16
const REFIT_PART = 0.1

/** What is counted of one subject: all of it, and of each tier. */
interface Counted {
  seen: number
  readonly curves: Map<string, Curve>
}

interface Fitted {
  readonly ensemble: Ensemble
  /** the step after the last one that it knows */
  next: number
  length: number
  since: number
}

/** Counts requests by who makes them and what they are about, and foretells how many there will be. */
export class DemandBook {
  readonly #tiers: readonly string[]
  readonly #since: number
  readonly #subjects = new Map<string, Counted>()
  readonly #fitted = new Map<string, Promise<Fitted>>()
  #factories: readonly ModelFactory[] = []

  /** @param since ms since the Unix epoch from which on it is told of everything */
  constructor(tiers: readonly string[], since: number) {
    this.#tiers = tiers
    this.#since = since
  }

  /** Subjects that are counted. */
  get size(): number {
    return this.#subjects.size
  }

  asked(time: number, activity: Activity): void {
    for (const [kind, name] of subjectsOf(activity)) {
      const counted = this.#counted(kind, name)
      counted.seen++
      for (const tier of [undefined, activity.tier]) {
        this.#curve(counted, 'requests', tier, 'sum').add(time, 1)
        if (kind === 'bucket' || kind === 'pool') this.#curve(counted, 'amount', tier, 'sum').add(time, activity.amount)
      }
    }
  }

  /** @param tier index; undefined: of all tiers together */
  used(time: number, pool: string, dimension: string, tier: number | undefined, amount: number): void {
    this.#curve(this.#counted('pool', pool), dimensionOf(dimension), tier, 'max').add(time, amount)
  }

  /** A model beside its own, for all series. */
  register(factory: ModelFactory): void {
    this.#factories = [...this.#factories, factory]
    this.#fitted.clear()
  }

  /** @throws ArgumentError */
  async forecast(of: unknown, options: unknown, now: number): Promise<Demand> {
    const subject = readSubject(of, this.#tiers)
    const { horizon, levels = LEVELS, measure } = readOptions(options, subject)
    const kept = this.#subjects.get(keyOf(subject.kind, subject.name))?.curves.get(curveOf(measureOf(subject, measure), subject.tier))
    // Of what was never asked for all that is known is that it was not.
    const steps = (kept ?? new Curve(this.#since, 'sum')).for(horizon)
    const { first, values } = steps.until(now)
    const key = JSON.stringify([subject, measure, steps.step])
    const fitted = await this.#fit(kept === undefined ? undefined : key, first, values)
    const ahead = Math.max(1, Math.ceil(horizon / steps.step))
    return {
      of: of as DemandOf,
      measure: subject.dimension === undefined ? measure : 'used',
      start: (first + values.length) * steps.step,
      step: steps.step,
      samples: values.length,
      weights: fitted.ensemble.weights.map(({ name, weight }) => ({ name, weight })),
      ...fitted.ensemble.forecast(ahead, levels)
    }
  }

  /** One after the other for one series: a forecast that is asked for twice at once is fitted once. */
  #fit(key: string | undefined, first: number, values: Float64Array): Promise<Fitted> {
    if (key === undefined) return this.#anew(first, values)
    const before = this.#fitted.get(key)
    this.#fitted.delete(key)
    if (this.#fitted.size >= ENSEMBLES_MAX) for (const oldest of this.#fitted.keys()) if (this.#fitted.delete(oldest)) break
    const fitted = before === undefined ? this.#anew(first, values) : before.then(known => this.#goOn(known, first, values))
    this.#fitted.set(key, fitted)
    return fitted
  }

  async #anew(first: number, values: Float64Array): Promise<Fitted> {
    const ensemble = new Ensemble({ members: this.#factories.map(factory => factory()) })
    await ensemble.fit(values)
    return { ensemble, next: first + values.length, length: values.length, since: 0 }
  }

  async #goOn(known: Fitted, first: number, values: Float64Array): Promise<Fitted> {
    const end = first + values.length
    const fresh = end - known.next
    // After a gap longer than what is kept there is nothing to go on from.
    if (known.next < first) return this.#anew(first, values)
    if (known.since + fresh >= Math.max(REFIT_STEPS, REFIT_PART * known.length)) {
      await known.ensemble.fit(values)
      return Object.assign(known, { next: end, length: values.length, since: 0 })
    }
    for (let at = known.next; at < end; at++) known.ensemble.update(values[at - first] as number)
    return Object.assign(known, { next: Math.max(end, known.next), since: known.since + Math.max(0, fresh) })
  }

  /** Of more subjects than are kept, those that come most stay (space-saving: Metwally, Agrawal, El Abbadi, ICDT 2005). */
  #counted(kind: SubjectKind, name: string): Counted {
    const key = keyOf(kind, name)
    const known = this.#subjects.get(key)
    if (known !== undefined) return known
    let seen = 0
    if (this.#subjects.size >= SUBJECTS_MAX) {
      const [least, counted] = leastOf(this.#subjects)
      seen = counted.seen
      this.#subjects.delete(least)
    }
    const counted = { seen, curves: new Map<string, Curve>() }
    this.#subjects.set(key, counted)
    return counted
  }

  #curve({ curves }: Counted, measure: string, tier: number | undefined, take: 'sum' | 'max'): Curve {
    const key = curveOf(measure, tier)
    const known = curves.get(key)
    if (known !== undefined) return known
    const curve = new Curve(this.#since, take)
    curves.set(key, curve)
    return curve
  }
}

function leastOf(subjects: ReadonlyMap<string, Counted>): [string, Counted] {
  return [...subjects].reduce((least, one) => (one[1].seen < least[1].seen ? one : least))
}

const keyOf = (kind: SubjectKind, name: string) => `${kind} ${name}`
const curveOf = (measure: string, tier: number | undefined) => (tier === undefined ? measure : `${tier} ${measure}`)
/** No measure begins like this. */
const dimensionOf = (dimension: string) => `dimension ${dimension}`
const measureOf = ({ dimension }: Subject, measure: Measure) => (dimension === undefined ? measure : dimensionOf(dimension))

function readOptions(options: unknown, { kind, dimension }: Subject): { horizon: number; levels?: readonly number[]; measure: Measure } {
  const given = optionsObject(options, 'options')
  if (given === undefined) throw refuse('options', 'an object with a horizon', options)
  onlyKnown(given, ['horizon', 'levels', 'measure'], 'demand()')
  const { horizon, levels, measure } = given as { [K in keyof DemandOptions]: unknown }
  const ahead = duration(horizon, 'horizon')
  if (!(ahead > 0 && ahead <= HORIZON_MAX_MS)) throw refuse('horizon', `ms above 0, at most ${HORIZON_MAX_MS}`, horizon)
  if (measure !== undefined && measure !== 'requests' && measure !== 'amount') throw refuse('measure', "'requests' or 'amount'", measure)
  if (measure !== undefined && dimension !== undefined) throw refuse('measure', 'left out for a dimension, which is what is used', measure)
  const isAmount = kind === 'bucket' || kind === 'pool'
  if (measure === 'amount' && !isAmount) throw refuse('measure', "'requests', for amounts of different things do not add up", measure)
  return {
    horizon: ahead,
    ...(levels !== undefined && { levels: levels as readonly number[] }),
    measure: measure ?? (isAmount ? 'amount' : 'requests')
  }
}
