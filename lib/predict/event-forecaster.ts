import { count, onlyKnown, optionsObject, refuse, text } from '../checks.js'
import { CapacityError, CorruptError } from '../errors/index.js'
import type { TimedEvent } from '../events/event.js'
import { type Placed, typeOfKey } from './design.js'
import { BINS, type Place, type Reach } from './effect-profile.js'
import { Effects, type Expected, type SavedEffects } from './effects.js'
import { Ensemble } from './ensemble.js'
import { type Forecast, type Forecaster, LEVELS } from './forecaster.js'
import { Held } from './held.js'
import { normalQuantile } from './normal.js'
import { sealValue, unsealValue } from './saved.js'
import { seasonsOf } from './season.js'
import { NumericStream } from './stream.js'
import { Values } from './values.js'

export interface EventForecasterOptions {
  /** ms between two values */
  step: number
  /** what foretells the series without the effects; default an Ensemble */
  inner?: Forecaster | undefined
  /** numbers from outside that may go before the series */
  streams?: readonly NumericStream[] | undefined
  /** whether an effect is added to a value or multiplies it; default: what fits the series better */
  effect?: 'additive' | 'multiplicative' | undefined
  /** steps before an event in which it may show already; default 0 */
  before?: number | undefined
  /** steps after it in which it may still show; default 7 */
  after?: number | undefined
  /** values that are kept; default 4,096 */
  window?: number | undefined
  /** events that are kept, those out of the window not counted; default 1,024 */
  events?: number | undefined
}

/** What a type of events does. */
export interface EventEffect {
  readonly type: string
  readonly multiplicative: boolean
  /** by place in the profile: a factor, or what is added; bins double: `during 2` is from the fourth to the seventh step */
  readonly profile: readonly { readonly place: Place; readonly effect: number; readonly deviation: number }[]
}

/** What a stream does. */
export interface StreamEffect {
  readonly stream: string
  /** ms by which it goes before */
  readonly lag: number
  /** of a standard deviation of the stream: a factor, or what is added */
  readonly effect: number
}

const WINDOW = 4_096
const EVENTS = 1_024
const AFTER = 7
const REACH_MAX = 1_000
const STEP_MAX = 1e12
const TIME_MAX = 8.64e15
const MAGIC = 'forelock event forecaster 1\n'
const KNOWN_OPTIONS = ['step', 'inner', 'streams', 'effect', 'before', 'after', 'window', 'events'] as const

/**
 * Foretells a series that events and streams from outside act upon. Their effects are learnt and taken out, what is left is another forecaster's, and to its
 * forecast the effects of the events that are known to come are added again, with their uncertainty. What has no effect is found to have none.
 */
export class EventForecaster implements Forecaster {
  readonly name: string
  private readonly step: number
  private readonly inner: Forecaster
  private readonly streams: readonly NumericStream[]
  private readonly way: boolean | undefined
  private readonly reach: Reach
  private readonly most: number
  private readonly values: Values
  private readonly window: number
  private told = new Map<string, TimedEvent>()
  private effects: Effects | undefined = undefined
  /** of the streams that go before the series, in steps */
  private periods = new Map<string, number | undefined>()
  /** ms, of the step after the last value */
  private end = 0

  /** @throws ArgumentError */
  constructor(options: EventForecasterOptions) {
    const given = optionsObject(options, 'options') ?? {}
    onlyKnown(given, KNOWN_OPTIONS, 'EventForecaster')
    const {
      step,
      inner,
      streams = [],
      effect,
      before = 0,
      after = AFTER,
      window = WINDOW,
      events = EVENTS
    } = given as EventForecasterOptions
    if (typeof step !== 'number' || !(step > 0 && step <= STEP_MAX)) throw refuse('step', 'a number of milliseconds > 0', step)
    if (effect !== undefined && effect !== 'additive' && effect !== 'multiplicative') {
      throw refuse('effect', "'additive' or 'multiplicative'", effect)
    }
    if (!Array.isArray(streams) || streams.some(one => !(one instanceof NumericStream)))
      throw refuse('streams', 'an array of NumericStreams', streams)
    if (new Set(streams.map(({ name }) => name)).size < streams.length) throw refuse('streams', 'streams of different names', streams)
    this.step = step
    this.window = count(window, 'window', 8, 1_000_000)
    this.inner = inner ?? new Ensemble({ window })
    this.name = `${this.inner.name} with events`
    this.streams = streams
    this.way = effect === undefined ? undefined : effect === 'multiplicative'
    this.reach = { before: count(before, 'before', 0, REACH_MAX), after: count(after, 'after', 0, REACH_MAX) }
    this.most = count(events, 'events', 1, 100_000)
    this.values = new Values(this.window)
  }

  /**
   * Takes an event into account: from the next forecast on, if it is to come, and from the next fit on, if it was. One of the same id, or without ids of the same type
   * and time, takes the place of the one before.
   *
   * @throws ArgumentError; CapacityError (`events`)
   */
  expect(event: TimedEvent): void {
    const read = readTimedEvent(event)
    const key = read.id ?? JSON.stringify([read.type, read.start, read.end])
    if (!this.told.has(key) && this.told.size >= this.most) this.forget()
    if (!this.told.has(key) && this.told.size >= this.most) {
      throw new CapacityError(`no room for more than ${this.most} events`, { option: 'events', limit: this.most })
    }
    this.told.set(key, read)
  }

  /** Takes an event back. False: there is none of this id. */
  cancel(id: string): boolean {
    return this.told.delete(id)
  }

  /** What was learnt of each type of events, and of those that were learnt earlier. */
  get learnt(): EventEffect[] {
    const { effects } = this
    if (effects === undefined) return []
    const types = [...new Set([...effects.known.keys()].map(typeOfKey))]
    return types.map(type => ({ type, multiplicative: effects.multiplicative, profile: this.profileOf(type, effects) }))
  }

  /** What was learnt of the streams that go before the series. */
  get leading(): StreamEffect[] {
    const { effects } = this
    if (effects === undefined) return []
    return effects.leads.flatMap(lead => {
      const weight = effects.weightOf(lead)
      return weight === undefined ? [] : [{ stream: lead.name, lag: lead.lag * this.step, effect: effects.shown(weight) }]
    })
  }

  /**
   * @param begins ms since the Unix epoch: the beginning of the first value's step; without it, or with the signal in its place, no event has a place
   *   until one is given
   * @param signal ends the fit of the forecaster inside
   * @throws ArgumentError
   */
  async fit(values: ArrayLike<number>, begins: number | AbortSignal = 0, signal?: AbortSignal): Promise<void> {
    const isSignal = begins instanceof AbortSignal
    const start = isSignal ? 0 : begins
    if (typeof start !== 'number' || !(Math.abs(start) <= TIME_MAX)) throw refuse('start', 'ms since the Unix epoch', start)
    this.values.replace(values)
    this.end = start + this.step * values.length
    await this.learn(isSignal ? begins : signal)
  }

  update(value: number): void {
    this.values.push(value)
    this.end += this.step
    const at = this.values.length - 1
    const { effect } = this.expectedAt(at, 1, false)[0] as Expected
    this.inner.update(this.effects === undefined || !Number.isFinite(value) ? value : this.effects.remove(value, effect))
  }

  forecast(horizon: number, levels: readonly number[] = LEVELS): Forecast {
    const base = this.inner.forecast(horizon, levels)
    const { effects } = this
    if (effects === undefined) return base
    const expected = this.expectedAt(this.values.length, horizon, true)
    const bounded = (value: number) => (this.values.neverNegative && this.values.length > 0 ? Math.max(0, value) : value)
    const point = base.point.map((value, i) => bounded(effects.restore(value, (expected[i] as Expected).effect)))
    const quantiles = base.quantiles.map((line, k) => {
      const z = normalQuantile(base.levels[k] as number)
      return line.map((value, i) => {
        const { effect, deviation } = expected[i] as Expected
        if (effect === 0 && deviation === 0) return bounded(value)
        const middle = effects.restore(base.point[i] as number, effect)
        return bounded(wider(middle, effects.restore(value, effect) - middle, z * effects.deviationOf(middle, deviation)))
      })
    })
    // Of each step: rounding, and what is added to quantiles that are not about their middle, can make two change places.
    for (let i = 0; i < horizon; i++) inOrder(quantiles, i)
    return { ...base, point, quantiles }
  }

  /** The values, the events and what was learnt of them; what streams told is not in it, and the inner forecaster learns it anew. */
  save(): Uint8Array {
    const { end, step } = this
    const model = { step, end, values: [...this.values.all], events: [...this.told], effects: this.effects?.parts }
    return sealValue(MAGIC, model)
  }

  /**
   * Goes on from what was saved, in place of what it knows. Effects of types that the values do not show are kept.
   *
   * @throws CorruptError if it is not what `save()` gave, or of another step, and nothing has changed
   */
  async load(saved: Uint8Array): Promise<void> {
    const model = unsealValue(MAGIC, saved) as Saved | undefined
    if (model === undefined || model.step !== this.step)
      throw new CorruptError('the saved forecaster is damaged, or of another version or step', {})
    this.end = model.end
    this.values.replace(model.values)
    this.told = new Map(model.events.slice(-this.most))
    this.effects = model.effects === undefined ? undefined : Effects.from(model.effects, this.reach)
    await this.learn()
  }

  private async learn(signal?: AbortSignal): Promise<void> {
    this.forget()
    const all = this.values.all.slice()
    const origin = this.origin
    const streams = new Map(this.streams.map(stream => [stream.name, stream.on(origin, this.step, all.length)]))
    const { step, reach } = this
    const situation = { values: all, origin, step, events: [...this.told.values()], streams, reach }
    const effects = Effects.learn(situation, this.way, this.effects)
    this.effects = effects
    this.periods = new Map(effects.leads.map(({ name }) => [name, seasonsOf(seenOf(streams.get(name)))[0]]))
    const expected = this.expectedAt(0, all.length, false)
    await this.inner.fit(
      all.map((value, i) => effects.remove(value, (expected[i] as Expected).effect)),
      signal
    )
  }

  /** Time of the first value that is kept. */
  private get origin(): number {
    return this.end - this.step * this.values.length
  }

  private expectedAt(from: number, steps: number, isDoubtWanted: boolean): Expected[] {
    const { effects } = this
    if (effects === undefined) return new Array<Expected>(steps).fill({ effect: 0, deviation: 0 })
    const { origin, step, reach } = this
    const placed = effects.place([...this.told.values()], origin, step)
    const near = placed.filter(({ extent }) => extent.from - reach.before < from + steps && extent.to + reach.after > from)
    const held = new Map(effects.leads.map(({ name, lag }) => [name, this.heldOf(name, from + steps - lag)]))
    const lines = new Map([...held].map(([name, { values }]) => [name, values]))
    const doubt = isDoubtWanted ? (name: string, at: number) => held.get(name)?.doubt(at) ?? 0 : undefined
    return Array.from({ length: steps }, (_, i) => effects.at(from + i, reaching(near, from + i, reach), lines, doubt))
  }

  private heldOf(name: string, length: number): Held {
    const known = this.streams.find(one => one.name === name)?.on(this.origin, this.step, Math.max(0, length))
    return new Held(known ?? new Float64Array(0), length, this.periods.get(name))
  }

  /** What is out of the window says nothing any more. */
  private forget(): void {
    const from = this.end - this.step * (this.window + this.reach.after)
    for (const [key, { start, end = start }] of this.told) if (end < from) this.told.delete(key)
  }

  private profileOf(type: string, effects: Effects): EventEffect['profile'] {
    const one = (place: Place) => {
      const { effect, deviation, isKnown } = effects.ofType(type, place)
      return isKnown ? [{ place, effect: effects.shown(effect), deviation }] : []
    }
    const bins = Array.from({ length: BINS }, (_, i) => i)
    return [
      ...[...bins].reverse().flatMap(i => one(`before ${i}`)),
      ...bins.flatMap(i => one(`during ${i}`)),
      ...bins.flatMap(i => one(`after ${i}`))
    ]
  }
}

interface Saved {
  readonly step: number
  readonly end: number
  readonly values: number[]
  readonly events: [string, TimedEvent][]
  readonly effects?: SavedEffects
}

function seenOf(stream: Float64Array | undefined): Float64Array {
  const first = stream?.findIndex(value => !Number.isNaN(value)) ?? -1
  return first < 0 || stream === undefined ? new Float64Array(0) : stream.subarray(first)
}

function reaching(near: readonly Placed[], at: number, { before, after }: Reach): readonly Placed[] {
  return near.filter(({ extent }) => at >= extent.from - before && at < extent.to + after)
}

/** Two errors that have nothing to do with each other, together. */
function wider(middle: number, offset: number, more: number): number {
  const both = offset * more >= 0 ? Math.sign(offset + more) * Math.hypot(offset, more) : offset + more
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, middle + both))
}

function inOrder(quantiles: readonly Float64Array[], step: number): void {
  for (let k = 1; k < quantiles.length; k++) {
    const [line, below] = [quantiles[k] as Float64Array, quantiles[k - 1] as Float64Array]
    line[step] = Math.max(line[step] as number, below[step] as number)
  }
}

/** @throws ArgumentError */
export function readTimedEvent(event: unknown): TimedEvent {
  const given = optionsObject(event, 'event') ?? {}
  onlyKnown(given, EVENT_KNOWN, 'an event')
  const { type, start, end, weight, value, id } = given as { [K in keyof TimedEvent]: unknown }
  const isTime = (ms: unknown): ms is number => typeof ms === 'number' && Math.abs(ms) <= TIME_MAX
  if (!isTime(start)) throw refuse('event.start', 'ms since the Unix epoch', start)
  if (end !== undefined && !(isTime(end) && end >= start)) throw refuse('event.end', 'ms since the Unix epoch, not before the start', end)
  if (weight !== undefined && !(typeof weight === 'number' && weight >= 0 && weight <= 1_000)) {
    throw refuse('event.weight', 'a number from 0 to 1000', weight)
  }
  if (value !== undefined && !(typeof value === 'number' && Math.abs(value) <= 1e12)) throw refuse('event.value', 'a number', value)
  return {
    type: text(type, 'event.type'),
    start,
    ...(end !== undefined && { end }),
    ...(weight !== undefined && { weight }),
    ...(value !== undefined && { value }),
    ...(id !== undefined && { id: text(id, 'event.id') })
  }
}

/** Of an event, and what one has besides that was received: it may be handed on as it is. */
const EVENT_KNOWN = ['type', 'start', 'end', 'weight', 'value', 'id', 'scope', 'key', 'message', 'received']
