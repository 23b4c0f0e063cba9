import type { TimedEvent } from '../events/event.js'
import { Columns, DECLARED_SPREAD, isDeclared, isOccasion, keyOf, type Placed, placed, sizesOf, termsOf, typeOfKey } from './design.js'
import { type Extent, extentOf, type Place, type Reach } from './effect-profile.js'
import { type Leading, leadingLag, leadOf } from './lead.js'
import { type Regression, regression } from './regression.js'
import { seasonsOf } from './season.js'
import { type Memory, memoryOf, whitened, whitenedColumn } from './whiten.js'

/** A series, and what is known beside it. */
export interface Situation {
  /** all finite, the oldest first */
  readonly values: Float64Array
  /** ms since the Unix epoch: the beginning of the first value's step */
  readonly origin: number
  /** ms */
  readonly step: number
  readonly events: readonly TimedEvent[]
  /** by name, at the same steps */
  readonly streams: ReadonlyMap<string, Float64Array>
  readonly reach: Reach
}

/** One weight: what it is, and its variance. */
export interface Known {
  readonly weight: number
  readonly variance: number
}

/** What is kept of effects. */
export interface SavedEffects {
  readonly multiplicative: boolean
  readonly known: readonly (readonly [string, Known])[]
  readonly sizes: readonly (readonly [string, number])[]
  readonly unit: number
  readonly level: number
}

/** What is expected of the events at a step. */
export interface Expected {
  /** added to the value, or to its logarithm */
  readonly effect: number
  readonly deviation: number
}

const NONE: Expected = { effect: 0, deviation: 0 }
/** Fewer values tell no effect from chance. */
const VALUES_MIN = 24
const TYPES_MAX = 16
const OCCASIONS_MAX = 64
const ROUNDS = 3
/** A factor is from a thousandth to a thousandfold. */
const LOG_MOST = Math.log(1_000)
/** What is 0 has no logarithm: it is taken for so small a part of the middle. */
const FLOOR_PART = 1e-3
const LEAST_FACTOR = 0.05

/**
 * What events and streams do to a series: regression on them with autoregressive errors (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, ch. 10),
 * events with a profile about their time as the holidays of Prophet (Taylor and Letham, The American Statistician 72(1), 2018), each shrunk by
 * what its type has shown so far.
 */
export class Effects {
  private constructor(
    /** effects are factors: they are added to the logarithm */
    readonly multiplicative: boolean,
    private readonly sizes: ReadonlyMap<string, number>,
    /** what effects are in units of, so that their squares are numbers, however large values are */
    private readonly unit: number,
    private readonly level: number,
    private readonly reach: Reach,
    private readonly keys: ReadonlyMap<string, number>,
    private readonly weights: Float64Array,
    private readonly covariance: Float64Array,
    /** what was learnt before of types that are not among the keys, and the spread of single events by type */
    readonly known: ReadonlyMap<string, Known>,
    readonly leads: readonly Leading[],
    /** mean absolute error of a step in which something is going on */
    readonly error: number
  ) {}

  /**
   * @param multiplicative whether effects are factors; undefined: what fits better
   * @param before what was learnt earlier, for types that are not seen in these values
   */
  static learn(situation: Situation, multiplicative: boolean | undefined, before: Effects | undefined): Effects {
    const { values } = situation
    const mayBeFactors = values.length > 0 && values.every(value => value >= 0) && values.some(value => value > 0)
    const ways = multiplicative === undefined ? (mayBeFactors ? [true, false] : [false]) : [multiplicative && mayBeFactors]
    const learnt = ways.map(way => Effects.learnAs(situation, way, before))
    // Where nothing tells them apart it stays as it was, since what was learnt as one is of no use as the other.
    const asBefore = learnt.find(one => one.multiplicative === before?.multiplicative) ?? (learnt[0] as Effects)
    return learnt.reduce((best, one) => (one.error < best.error ? one : best), asBefore)
  }

  private static learnAs(situation: Situation, multiplicative: boolean, before: Effects | undefined): Effects {
    const { values, origin, step, events, reach } = situation
    const isSeen = ({ from, to }: Extent) => from - reach.before < values.length && to + reach.after > 0
    const present = events.filter(event => isSeen(extentOf(event, origin, step)))
    // What was learnt of a type is in units of what was usual for it then.
    const sizes = new Map([...sizesOf(events), ...(before?.sizesApartFrom(present) ?? [])])
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
    const floor = FLOOR_PART * medianOf(values.filter(value => value > 0)) || Number.MIN_VALUE
    const y = multiplicative ? values.map(value => Math.log(Math.max(value, floor))) : values.map(value => value / largest)
    const unit = multiplicative ? 1 : largest
    const level = multiplicative ? 1 : y.reduce((sum, value) => sum + Math.abs(value) / y.length, 0)
    const declaredOf = (factor: number) => declared(factor, multiplicative, level)
    const seen = present.map(event => placed(event, origin, step, sizes, declaredOf))
    const known = before?.multiplicative === multiplicative ? rescaled(before.known, before.unit / unit) : new Map<string, Known>()
    const learnt = learnOn(y, seen, situation)
    const { found, columns, leads } = learnt
    const keys = new Map(columns.keys.map((key, i) => [key, i]))
    remember(known, columns, found)
    const left = leftOf(y, learnt)
    rememberNoise(known, left, columns)
    const error = errorOf(y, left, columns, multiplicative ? values : undefined, unit)
    return new Effects(multiplicative, sizes, unit, level, reach, keys, found.weights, found.covariance, known, leads, error)
  }

  private sizesApartFrom(events: readonly TimedEvent[]): (readonly [string, number])[] {
    const types = new Set(events.map(({ type }) => type))
    return [...this.sizes].filter(([type]) => !types.has(type) && this.known.has(keyOf(type, 'level')))
  }

  /** What was saved of one: {@link Effects.parts}. */
  static from({ multiplicative, known, sizes, unit, level }: SavedEffects, reach: Reach): Effects {
    const none = new Float64Array(0)
    return new Effects(multiplicative, new Map(sizes), unit, level, reach, new Map(), none, none, new Map(known), [], Number.NaN)
  }

  /** To be saved. */
  get parts(): SavedEffects {
    const { multiplicative, unit, level } = this
    return { multiplicative, known: [...this.known], sizes: [...this.sizes], unit, level }
  }

  place(events: readonly TimedEvent[], origin: number, step: number): Placed[] {
    return events.map(event => placed(event, origin, step, this.sizes, factor => declared(factor, this.multiplicative, this.level)))
  }

  /**
   * @param at the step
   * @param placedEvents those that may reach it
   * @param streams the values of each stream up to there, known or held
   * @param doubt standard deviation of a stream's value there, by name; undefined: nobody asks how certain it is
   */
  at(
    at: number,
    placedEvents: readonly Placed[],
    streams: ReadonlyMap<string, ArrayLike<number>>,
    doubt?: (name: string, at: number) => number
  ): Expected {
    const xs = new Map<number, number>()
    let [effect, variance] = [0, 0]
    for (const event of placedEvents) {
      for (const { key, x } of termsOf(at, event, this.reach)) {
        if (key === keyOf(event.type, 'level')) variance += this.known.get(keyOf(event.type, 'noise'))?.variance ?? 0
        const index = this.keys.get(key)
        if (index !== undefined) {
          xs.set(index, (xs.get(index) ?? 0) + x)
          continue
        }
        const known = this.knownOf(key)
        effect += x * known.weight
        variance += x * x * known.variance
      }
    }
    for (const lead of this.leads) {
      const index = this.keys.get(keyOf(lead.name, 'stream'))
      if (index === undefined) continue
      xs.set(index, leadOf(lead, streams.get(lead.name), at))
      const unsure = doubt?.(lead.name, at - lead.lag) ?? 0
      variance += ((this.weights[index] as number) * (unsure / lead.deviation)) ** 2
    }
    for (const [i, x] of xs) effect += x * (this.weights[i] as number)
    if (doubt === undefined) return this.bounded(this.unit * effect, 0)
    for (const [i, x] of xs) {
      for (const [j, other] of xs) variance += x * other * (this.covariance[i * this.weights.length + j] as number)
    }
    return this.bounded(this.unit * effect, this.unit * Math.sqrt(Math.max(0, variance)))
  }

  /** Without the effect. */
  remove(value: number, effect: number): number {
    return finite(this.multiplicative ? value / Math.exp(effect) : value - effect)
  }

  /** With it. */
  restore(value: number, effect: number): number {
    return finite(this.multiplicative ? value * Math.exp(effect) : value + effect)
  }

  /** Standard deviation of a value whose effect is so uncertain. */
  deviationOf(value: number, deviation: number): number {
    return this.multiplicative ? Math.abs(value) * deviation : deviation
  }

  /** As users see it: a factor, or what is added. */
  shown(effect: number): number {
    return this.multiplicative ? Math.exp(effect) : effect
  }

  /** Of a standard deviation of a stream. */
  weightOf({ name }: Leading): number | undefined {
    const index = this.keys.get(keyOf(name, 'stream'))
    return index === undefined ? undefined : this.unit * (this.weights[index] as number)
  }

  /** What an event of a type does at a place of its profile, but for what was declared. */
  ofType(type: string, place: Place): Expected & { readonly isKnown: boolean } {
    const parts = place.startsWith('during') ? [place, 'level', 'occasions', 'noise'] : [place]
    const found = parts.flatMap(part => this.known.get(keyOf(type, part)) ?? [])
    const effect = this.unit * found.reduce((sum, { weight }) => sum + weight, 0)
    const deviation = this.unit * Math.sqrt(found.reduce((sum, { variance }) => sum + Math.max(0, variance), 0))
    return { effect, deviation, isKnown: this.known.has(keyOf(type, place)) }
  }

  private bounded(effect: number, deviation: number): Expected {
    if (!Number.isFinite(effect)) return NONE
    if (!this.multiplicative) return { effect, deviation: Number.isFinite(deviation) ? deviation : Number.MAX_VALUE }
    return { effect: Math.min(LOG_MOST, Math.max(-LOG_MOST, effect)), deviation: Math.min(LOG_MOST, deviation) }
  }

  private knownOf(key: string): Known {
    const type = typeOfKey(key)
    if (isOccasion(key)) return { weight: 0, variance: this.known.get(keyOf(type, 'occasions'))?.variance ?? 0 }
    return this.known.get(key) ?? (isDeclared(key) ? { weight: 1, variance: DECLARED_SPREAD } : { weight: 0, variance: 0 })
  }
}

interface Learnt {
  readonly found: Regression
  readonly columns: Columns
  readonly leads: readonly Leading[]
  readonly memory: Memory
}

/** Memory and effects by turns: each is learnt from what is left without the other. */
function learnOn(y: Float64Array, seen: readonly Placed[], { streams, reach }: Situation): Learnt {
  const columns = columnsOf(seen, y.length, reach)
  const leads: Leading[] = []
  let memory: Memory = { lags: [], weights: [] }
  const nothing: Regression = { weights: new Float64Array(0), covariance: new Float64Array(0), spreads: new Float64Array(0), variance: 0 }
  if (y.length < VALUES_MIN || (columns.keys.length === 0 && streams.size === 0)) {
    return { found: nothing, columns: new Columns(), leads, memory }
  }
  const seasons = seasonsOf(y)
  let found = nothing
  let left = y
  for (let round = 0; round < ROUNDS; round++) {
    memory = memoryOf(left, seasons)
    const target = whitened(y, memory)
    const all = columns.all
    const white = all.map(column => whitenedColumn(column, y.length, memory))
    found = regression(
      target,
      white,
      columns.groups.map(group => (isDeclared(group) ? DECLARED_SPREAD : undefined)),
      round === 0 ? undefined : found
    )
    if (round === 0) {
      const residual = without(target, white, found)
      for (const [name, values] of streams) {
        const lead = leadingLag(name, values, residual, memory, y.length)
        if (lead === undefined) continue
        leads.push(lead)
        const key = keyOf(name, 'stream')
        for (let at = 0; at < y.length; at++) columns.add({ key, group: key, x: leadOf(lead, values, at) }, at)
      }
    }
    if (round < ROUNDS - 1 && found.weights.length === all.length) left = without(y, all, found)
  }
  return { found, columns, leads, memory }
}

/** Of the types that were seen most, and of each the last events. */
function columnsOf(seen: readonly Placed[], length: number, reach: Reach): Columns {
  const counts = new Map<string, number>()
  for (const { type } of seen) counts.set(type, (counts.get(type) ?? 0) + 1)
  const most = new Set(
    [...counts]
      .sort(([, a], [, b]) => b - a)
      .slice(0, TYPES_MAX)
      .map(([type]) => type)
  )
  const each = Math.floor(OCCASIONS_MAX / Math.max(1, most.size))
  const columns = new Columns()
  for (const type of most) {
    const own = seen.filter(event => event.type === type).sort((a, b) => b.extent.from - a.extent.from)
    for (const [i, event] of own.entries()) {
      const [from, to] = [Math.max(0, event.extent.from - reach.before), Math.min(length, event.extent.to + reach.after)]
      for (let at = from; at < to; at++) {
        for (const term of termsOf(at, event, reach)) if (i < each || !isOccasion(term.key)) columns.add(term, at)
      }
    }
  }
  return columns
}

function remember(known: Map<string, Known>, columns: Columns, { weights, covariance, spreads }: Regression): void {
  for (const [i, key] of columns.keys.entries()) {
    if (isOccasion(key) || key.startsWith('stream\n')) continue
    known.delete(key)
    known.set(key, { weight: weights[i] as number, variance: covariance[i * weights.length + i] as number })
  }
  for (const [i, group] of columns.groups.entries()) {
    if (!group.startsWith('occasion\n')) continue
    const key = keyOf(typeOfKey(group), 'occasions')
    known.delete(key)
    known.set(key, { weight: 0, variance: spreads[i] as number })
  }
  for (const key of known.keys()) {
    if (known.size <= KNOWN_MAX) break
    known.delete(key)
  }
}

/** What was learnt in other units; what is declared has none. */
function rescaled(known: ReadonlyMap<string, Known>, ratio: number): Map<string, Known> {
  const one = ([key, { weight, variance }]: readonly [string, Known]) =>
    [key, isDeclared(key) ? { weight, variance } : { weight: ratio * weight, variance: ratio ** 2 * variance }] as const
  return new Map([...known].map(one))
}

const KNOWN_MAX = 4_096
/** Steps from which on a variance is told. */
const NOISE_MIN = 8

function without(y: Float64Array, columns: ReturnType<Columns['all']['slice']>, { weights }: Regression): Float64Array {
  const left = y.slice()
  for (const [i, { at, x }] of columns.entries()) {
    at.forEach((place, k) => {
      left[place] = (left[place] as number) - (weights[i] as number) * (x[k] as number)
    })
  }
  return left
}

/** What is left a step ahead without memory and effects, from the `first`-th value on. */
interface Left {
  readonly first: number
  readonly errors: Float64Array
}

function leftOf(y: Float64Array, { found, columns, memory }: Learnt): Left {
  const white = columns.all.map(column => whitenedColumn(column, y.length, memory))
  const left = without(whitened(y, memory), white, found)
  const mean = left.reduce((sum, value) => sum + value / left.length, 0)
  return { first: y.length - left.length, errors: left.map(value => value - mean) }
}

/** Mean absolute error a step ahead, in the units of the values, where something is going on. */
function errorOf(y: Float64Array, { first, errors }: Left, columns: Columns, values: Float64Array | undefined, unit: number): number {
  const { keys } = columns
  if (keys.length === 0) return 0
  const going = new Set(columns.all.flatMap(({ at }, i) => (keys[i]?.startsWith('stream\n') ? [] : [...at])))
  let [sum, count] = [0, 0]
  for (const [i, error] of errors.entries()) {
    if (going.size > 0 && !going.has(first + i)) continue
    sum +=
      values === undefined ? Math.abs(error) * unit : Math.abs((values[first + i] as number) - Math.exp((y[first + i] as number) - error))
    count++
  }
  return count === 0 ? 0 : sum / count
}

/** By how much what is left varies more while events of a type are going on than without any: a variance. */
function rememberNoise(known: Map<string, Known>, { first, errors }: Left, columns: Columns): void {
  const all = columns.all
  const during = columns.keys.flatMap((key, i) => (key.startsWith('level\n') ? [{ type: typeOfKey(key), at: all[i]?.at ?? [] }] : []))
  const going = new Set(during.flatMap(({ at }) => [...at]))
  const usual = meanSquare(errors.filter((_, i) => !going.has(first + i)))
  for (const { type, at } of during) {
    const own = Float64Array.from(
      at.filter(place => place >= first),
      place => errors[place - first] as number
    )
    const more = own.length < NOISE_MIN ? 0 : Math.max(0, meanSquare(own) - usual)
    known.set(keyOf(type, 'noise'), { weight: 0, variance: more })
  }
}

function meanSquare(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value ** 2 / values.length, 0)
}

function declared(factor: number, multiplicative: boolean, level: number): number {
  return multiplicative ? Math.log(Math.max(LEAST_FACTOR, factor)) : (factor - 1) * level
}

function medianOf(values: Float64Array): number {
  return values.slice().sort()[values.length >> 1] ?? 1
}

function finite(value: number): number {
  return Number.isNaN(value) ? 0 : Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value))
}
