import { duration, onlyKnown, optionsObject, refuse, text } from '../checks.js'
import { CapacityError } from '../errors/index.js'
import type { EventScope, TimedEvent } from '../events/event.js'
import { Ensemble } from '../predict/ensemble.js'
import { EventForecaster, readTimedEvent } from '../predict/event-forecaster.js'
import { type Forecast, LEVELS, type Model } from '../predict/forecaster.js'
import type { Scorekeeper } from '../predict/scorekeeper.js'
import { NumericStream } from '../predict/stream.js'
import type { Activity } from './activity.js'
import { Curve } from './curve.js'
import { DemandChecks, type DemandOutcome } from './demand-checks.js'
import { OwnModels } from './own-model.js'
import { type DemandOf, eachSubject, type Measure, readSubject, type Subject, type SubjectCount, type SubjectKind } from './subject.js'

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
const LEVELS_MAX = 1_000
/** It is learnt anew after so many new steps, or when there is a part more of them. */
const REFIT_STEPS = 16
const REFIT_PART = 0.1

/** What is counted of one subject: all of it, and of each tier. */
interface Counted {
  seen: number
  /** of each measure by index of the tier, behind that of all tiers */
  readonly requests: (Curve | undefined)[]
  readonly amount: (Curve | undefined)[]
  /** of a pool, by name */
  readonly dimensions: Map<string, (Curve | undefined)[]>
}

interface Fitted {
  readonly ensemble: Ensemble
  /** the same, or one around it that knows of events and of what goes before */
  readonly forecaster: Ensemble | EventForecaster
  readonly leaders: Leader[]
  /** the step after the last one that it knows */
  next: number
  length: number
  since: number
}

/** A workflow that raises another, as numbers that go before. */
interface Leader {
  readonly name: string
  readonly stream: NumericStream
  /** the step after the last one that the stream was told of */
  next: number
}

/** An event that is known, and to whom it matters. */
export interface ScopedEvent extends TimedEvent {
  readonly scope?: EventScope | undefined
}

/** A series to foretell. */
interface Wanted {
  readonly key: string | undefined
  readonly subject: Subject
  readonly step: number
  readonly horizon: number
  readonly now: number
  readonly first: number
  readonly values: Float64Array
}

/** Steps of each forecast that are scored when they are over. */
const SCORED_STEPS = 4
const EVENTS_MAX = 1_024
const LEADERS_MAX = 4
const MODEL = 'demand'
/** Within a step. */
const HALF = 0.5

/** Counts requests by who makes them and what they are about, and foretells how many there will be. */
export class DemandBook {
  readonly #tiers: readonly string[]
  readonly #since: number
  readonly #subjects = new Map<SubjectKind, Map<string, Counted>>()
  /** of all together, of whom each request is one; it may be forgotten as any other */
  #all: Counted | undefined
  #size = 0
  readonly #fitted = new Map<string, Promise<Fitted>>()
  readonly #models = new OwnModels()
  readonly #events = new Map<string, ScopedEvent>()
  #now = Number.NEGATIVE_INFINITY
  readonly #scores: Scorekeeper
  readonly #leadersOf: (workflow: string) => readonly string[]
  readonly #checks = new DemandChecks()

  /**
   * @param since ms since the Unix epoch from which on it is told of everything
   * @param scores is told what was said, and what came
   * @param leadersOf the workflows that raise one
   */
  constructor(tiers: readonly string[], since: number, scores: Scorekeeper, leadersOf: (workflow: string) => readonly string[] = () => []) {
    this.#tiers = tiers
    this.#since = since
    this.#scores = scores
    this.#leadersOf = leadersOf
  }

  /** Subjects that are counted. */
  get size(): number {
    return this.#size
  }

  asked(time: number, activity: Activity): void {
    this.#now = Math.max(this.#now, time)
    eachSubject(activity, time, this.#count)
  }

  readonly #count: SubjectCount = (kind, name, activity, time) => {
    const counted = this.#counted(kind, name)
    counted.seen++
    this.#add(counted.requests, activity.tier, time, 1)
    if (kind === 'bucket' || kind === 'pool') this.#add(counted.amount, activity.tier, time, activity.amount)
  }

  #add(curves: (Curve | undefined)[], tier: number, time: number, value: number): void {
    this.#curve(curves, undefined, 'sum').add(time, value)
    this.#curve(curves, tier, 'sum').add(time, value)
  }

  /** @param tier index; undefined: of all tiers together */
  used(time: number, pool: string, dimension: string, tier: number | undefined, amount: number): void {
    const { dimensions } = this.#counted('pool', pool)
    let curves = dimensions.get(dimension)
    if (curves === undefined) {
      curves = []
      dimensions.set(dimension, curves)
    }
    // Of most pools nothing is in use, at most looks, and what a curve is not told of is none.
    if (amount === 0 && curves[placeOf(tier)] !== undefined) return
    this.#curve(curves, tier, 'max').add(time, amount)
  }

  /** A model beside its own, for all series. @throws ArgumentError if it makes none */
  register(factory: ModelFactory): void {
    this.#models.add(factory)
    this.#fitted.clear()
  }

  /** @throws ArgumentError */
  async forecast(of: unknown, options: unknown, now: number): Promise<Demand> {
    const subject = readSubject(of, this.#tiers)
    const { horizon, levels = LEVELS, measure } = readOptions(options, subject)
    const kept = this.#known(subject, measure)
    // Of what was never asked for all that is known is that it was not.
    const curve = kept ?? new Curve(this.#since, 'sum')
    const steps = curve.for(horizon)
    const { step } = steps
    const { first, values } = steps.until(now)
    const key = kept === undefined ? undefined : JSON.stringify([subject, measure, step])
    const fitted = await this.#fit({ key, subject, step, horizon, now, first, values })
    const ahead = Math.max(1, Math.ceil(horizon / step))
    const forecast = fitted.forecaster.forecast(ahead, levels)
    const counts = subject.dimension === undefined ? measure : 'used'
    // What was forgotten meanwhile is not to be told of later.
    if (key !== undefined && kept === this.#known(subject, measure)) {
      this.#expectScores(key, fitted.next, forecast)
      const tier = subject.tier === undefined ? undefined : this.#tiers[subject.tier]
      this.#checks.expect(key, { ...subject, tier, measure: counts }, () => curve.for(horizon), first + values.length, forecast, now)
    }
    return {
      of: of as DemandOf,
      measure: counts,
      start: (first + values.length) * step,
      step,
      samples: values.length,
      weights: fitted.ensemble.weights.map(({ name, weight }) => ({ name, weight })),
      ...forecast
    }
  }

  /** What has become of some of what was said, since it was asked for last. */
  settle(now: number): DemandOutcome[] {
    return this.#checks.settle(now)
  }

  /**
   * An event that is known: from the next forecast on. One of the same id takes the place of the one before.
   *
   * @throws ArgumentError; CapacityError (`events`)
   */
  expect(event: ScopedEvent): void {
    const read = readEvent(event)
    const key = read.id ?? JSON.stringify([read.type, read.start, read.end])
    if (!this.#events.has(key)) this.#makeRoom()
    this.#events.set(key, read)
    this.#fitted.clear()
  }

  /** Of a tenant: its own series, what was said of them, and events that matter to nobody else. In what all ask for together it stays, as a part that nobody can tell. */
  forget(tenant: string): void {
    const isTheirs = (source: string | undefined) => {
      const { kind, name } = JSON.parse(source as string)[0] as Subject
      return kind === 'tenant' && name === tenant
    }
    if (this.#subjects.get('tenant')?.delete(tenant) === true) this.#size--
    for (const key of [...this.#fitted.keys()]) if (isTheirs(key)) this.#fitted.delete(key)
    this.#scores.forget(MODEL, isTheirs)
    this.#checks.forget(isTheirs)
    for (const [id, { scope }] of [...this.#events]) {
      if (scope?.tenant === tenant && scope.workflow === undefined) this.#events.delete(id)
    }
  }

  /** Takes an event back. False: there is none of this id. @throws ArgumentError */
  cancel(id: string): boolean {
    const was = this.#events.delete(text(id, 'id'))
    if (was) this.#fitted.clear()
    return was
  }

  /** Those that are over longest go first; none that is to come. */
  #makeRoom(): void {
    if (this.#events.size < EVENTS_MAX) return
    const oldest = [...this.#events].reduce((first, one) => ((one[1].end ?? one[1].start) < (first[1].end ?? first[1].start) ? one : first))
    if ((oldest[1].end ?? oldest[1].start) > this.#now) {
      throw new CapacityError(`no room for more than ${EVENTS_MAX} events`, { option: 'events', limit: EVENTS_MAX })
    }
    this.#events.delete(oldest[0])
  }

  /** One after the other for one series: a forecast that is asked for twice at once is fitted once. */
  #fit(wanted: Wanted): Promise<Fitted> {
    const { key } = wanted
    if (key === undefined) return this.#anew(wanted)
    const before = this.#fitted.get(key)
    this.#fitted.delete(key)
    if (this.#fitted.size >= ENSEMBLES_MAX) for (const oldest of this.#fitted.keys()) if (this.#fitted.delete(oldest)) break
    const fitted = before === undefined ? this.#anew(wanted) : before.then(known => this.#goOn(known, wanted))
    this.#fitted.set(key, fitted)
    // What failed once is not what each later question is answered with.
    fitted.catch(() => this.#fitted.get(key) === fitted && this.#fitted.delete(key))
    return fitted
  }

  async #anew(wanted: Wanted): Promise<Fitted> {
    const { subject, step, first, values } = wanted
    const ensemble = new Ensemble({ members: this.#models.make() })
    const events = [...this.#events.values()].filter(({ scope }) => matters(scope, subject))
    const leaders = this.#leaders(subject)
    const forecaster =
      events.length + leaders.length === 0
        ? ensemble
        : new EventForecaster({ step, inner: ensemble, streams: leaders.map(({ stream }) => stream), events: EVENTS_MAX })
    const fitted = { ensemble, forecaster, leaders, next: first + values.length, length: values.length, since: 0 }
    if (forecaster instanceof EventForecaster) for (const { scope: _, ...event } of events) forecaster.expect(event)
    await this.#learn(fitted, wanted)
    return fitted
  }

  async #learn({ forecaster, leaders }: Fitted, { step, horizon, now, first, values }: Wanted): Promise<void> {
    for (const leader of leaders) this.#tell(leader, horizon, now)
    if (forecaster instanceof EventForecaster) await forecaster.fit(values, first * step)
    else await forecaster.fit(values)
  }

  async #goOn(known: Fitted, wanted: Wanted): Promise<Fitted> {
    const { key, first, values, horizon, now } = wanted
    const end = first + values.length
    const fresh = Math.max(0, end - known.next)
    // After a gap longer than what is kept there is nothing to go on from.
    if (known.next < first) return this.#anew(wanted)
    let isWorse = false
    for (let at = known.next; at < end; at++) {
      const changes = this.#scores.came(key as string, at, values[at - first] as number)
      isWorse ||= changes.some(({ advice }) => advice === 'retrain')
    }
    if (isWorse || known.since + fresh >= Math.max(REFIT_STEPS, REFIT_PART * known.length)) {
      await this.#learn(known, wanted)
      if (isWorse) this.#scores.retrained(MODEL, key)
      return Object.assign(known, { next: end, length: values.length, since: 0 })
    }
    for (const leader of known.leaders) this.#tell(leader, horizon, now)
    for (let at = known.next; at < end; at++) known.forecaster.update(values[at - first] as number)
    return Object.assign(known, { next: Math.max(end, known.next), since: known.since + fresh })
  }

  #expectScores(source: string, next: number, { levels, quantiles, horizon }: Forecast): void {
    // Of a level that is asked for twice once.
    const places = levels.flatMap((level, i) => (level === levels[i - 1] ? [] : [i]))
    if (places.length === 0) return
    const distinct = places.map(i => levels[i] as number)
    for (let step = 0; step < Math.min(SCORED_STEPS, horizon); step++) {
      const said = places.map(i => (quantiles[i] as Float64Array)[step] as number)
      this.#scores.expect({ model: MODEL, source, due: next + step, levels: distinct, quantiles: said })
    }
  }

  #leaders({ kind, name }: Subject): Leader[] {
    if (kind !== 'workflow') return []
    const names = this.#leadersOf(name).filter(leader => leader !== name)
    return names.slice(0, LEADERS_MAX).map(leader => ({ name: leader, stream: new NumericStream(leader, { take: 'sum' }), next: 0 }))
  }

  #tell(leader: Leader, horizon: number, now: number): void {
    const steps = this.#known({ kind: 'workflow', name: leader.name, dimension: undefined, tier: undefined }, 'requests')?.for(horizon)
    if (steps === undefined) return
    const { first, values } = steps.until(now)
    for (let at = Math.max(leader.next, first); at < first + values.length; at++) {
      leader.stream.record((at + HALF) * steps.step, values[at - first] as number)
    }
    leader.next = first + values.length
  }

  /** Of more subjects than are kept, those that come most stay (space-saving: Metwally, Agrawal, El Abbadi, ICDT 2005). */
  #counted(kind: SubjectKind, name: string): Counted {
    const known = kind === 'all' && this.#all !== undefined ? this.#all : this.#subjects.get(kind)?.get(name)
    if (known !== undefined) return known
    const seen = this.#size >= SUBJECTS_MAX ? this.#forgetLeast() : 0
    const counted: Counted = { seen, requests: [], amount: [], dimensions: new Map() }
    const names = this.#subjects.get(kind) ?? new Map<string, Counted>()
    this.#subjects.set(kind, names.set(name, counted))
    if (kind === 'all') this.#all = counted
    this.#size++
    return counted
  }

  /** @returns how often it was seen */
  #forgetLeast(): number {
    const all = [...this.#subjects.values()].flatMap(names => [...names].map(([name, { seen }]) => ({ names, name, seen })))
    const least = all.reduce((least, one) => (one.seen < least.seen ? one : least))
    least.names.delete(least.name)
    if (least.names === this.#subjects.get('all')) this.#all = undefined
    this.#size--
    return least.seen
  }

  #curve(curves: (Curve | undefined)[], tier: number | undefined, take: 'sum' | 'max'): Curve {
    const at = placeOf(tier)
    curves[at] ??= new Curve(this.#since, take)
    return curves[at]
  }

  /** @param measure of a subject without a dimension */
  #known({ kind, name, dimension, tier }: Subject, measure: Measure): Curve | undefined {
    const counted = this.#subjects.get(kind)?.get(name)
    const curves = dimension === undefined ? counted?.[measure] : counted?.dimensions.get(dimension)
    return curves?.[placeOf(tier)]
  }
}

const placeOf = (tier: number | undefined) => (tier === undefined ? 0 : tier + 1)

/** Whether an event for somebody matters to a series: one of a workflow only to that, one for all to everybody. */
function matters(scope: EventScope | undefined, { kind, name }: Subject): boolean {
  const { workflow, tenant } = scope ?? {}
  if (workflow === undefined && tenant === undefined) return true
  return (kind === 'workflow' && name === workflow) || (kind === 'tenant' && name === tenant)
}

/** As the forecaster reads it that is told of it later: what it refuses would fail each forecast from then on. */
function readEvent(event: unknown): ScopedEvent {
  const given = optionsObject(event, 'event')
  if (given === undefined) throw refuse('event', 'an object', event)
  const scope = optionsObject((given as ScopedEvent).scope, 'event.scope') ?? {}
  onlyKnown(scope, ['workflow', 'tenant'], 'event.scope')
  const { workflow, tenant } = scope as { [K in keyof EventScope]: unknown }
  return {
    ...readTimedEvent(given),
    scope: {
      ...(workflow !== undefined && { workflow: text(workflow, 'event.scope.workflow') }),
      ...(tenant !== undefined && { tenant: text(tenant, 'event.scope.tenant') })
    }
  }
}

function readOptions(options: unknown, { kind, dimension }: Subject): { horizon: number; levels?: readonly number[]; measure: Measure } {
  const given = optionsObject(options, 'options')
  if (given === undefined) throw refuse('options', 'an object with a horizon', options)
  onlyKnown(given, ['horizon', 'levels', 'measure'], 'demand()')
  const { horizon, levels, measure } = given as { [K in keyof DemandOptions]: unknown }
  const ahead = duration(horizon, 'horizon')
  if (!(ahead > 0 && ahead <= HORIZON_MAX_MS)) throw refuse('horizon', `ms above 0, at most ${HORIZON_MAX_MS}`, horizon)
  if (levels !== undefined && !(Array.isArray(levels) && levels.length <= LEVELS_MAX))
    throw refuse('levels', `an array of at most ${LEVELS_MAX} numbers between 0 and 1`, levels)
  if (measure !== undefined && measure !== 'requests' && measure !== 'amount') throw refuse('measure', "'requests' or 'amount'", measure)
  if (measure !== undefined && dimension !== undefined) throw refuse('measure', 'left out for a dimension, which is what is used', measure)
  const isAmount = kind === 'bucket' || kind === 'pool'
  if (measure === 'amount' && !isAmount) throw refuse('measure', "'requests', for amounts of different things do not add up", measure)
  return {
    horizon: ahead,
    ...(levels !== undefined && { levels }),
    measure: measure ?? (isAmount ? 'amount' : 'requests')
  }
}
