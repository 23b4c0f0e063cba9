import { count, entry, onlyKnown, optionsObject, refuse, text } from './checks.js'
import { ArgumentError } from './errors/index.js'
import { DIMENSIONS, type PoolState, UNITS_MAX } from './native/binding.js'
import type { Session } from './session.js'

/** Amounts by the names of a pool's dimensions: whole units, such as millicores or bytes. */
export type AmountsByName = Readonly<Record<string, number>>

/** A part of each dimension, 0 to 1: one number for all, or by name. */
export type Part = number | AmountsByName

/** What a tier may have. */
export interface TierPart {
  /** kept for the tier whether it uses it or not; default 0 */
  floor?: Part | undefined
  /** beyond the floor: its own when it wants it, lent to others while it does not, and given back first when they release; default 0 */
  share?: Part | undefined
  /** the most it may have; default: all */
  ceiling?: Part | undefined
}

export interface PoolOptions {
  /** what there is, by name: 1 to 6 dimensions */
  capacity: AmountsByName
  /** by the names of the arena's tiers */
  tiers?: Readonly<Record<string, TierPart>> | undefined
  /** weights of tenants that are not to count as 1 */
  tenants?: Readonly<Record<string, { weight: number }>> | undefined
  /** what a request may demand of the pool, such as a certification */
  labels?: readonly string[] | undefined
  /** changes the capacity and the tiers of a pool that is there, instead of a `ConfigError` */
  update?: boolean | undefined
  /** runs the pool dry: what it would refuse or make wait is granted, and counted; default as `open({ shadow })` */
  shadow?: boolean | undefined
}

/** The parts of one tier, a fraction for each dimension. A ceiling of Infinity is none. */
interface Fractions {
  floor: number[]
  share: number[]
  ceiling: number[]
}

export interface PoolTerms {
  readonly names: readonly string[]
  readonly capacity: readonly number[]
  readonly tiers: readonly Fractions[]
  readonly tenants: readonly (readonly [id: number, weight: number])[]
  /** ids of names */
  readonly labels: readonly number[]
}

const NAME_BYTES = 31
const TENANTS_MAX = 63
const LABELS_MAX = 16
const TIERS = 4
const NO_PARTS: Fractions = { floor: [], share: [], ceiling: [] }
/** Fractions such as 0.1 + 0.2 + 0.7 add up to a little more than 1. */
const ROUNDING = 1e-9

/** @throws ArgumentError, NameError */
export function readTerms(given: object, session: Session): PoolTerms {
  const { capacity, tiers, tenants, labels } = given as { [K in keyof PoolOptions]: unknown }
  const units = readCapacity(capacity)
  // In one order for all, who may write them down in any.
  const names = Object.keys(units).sort()
  const parts = readTiers(tiers, names, session.tiers)
  floorsMustFit(parts, names)
  const amounts = names.map(name => units[name] as number)
  return { names, capacity: amounts, tiers: parts, tenants: readTenants(tenants, session), labels: labelIds(labels, session) }
}

export function readCapacity(value: unknown): AmountsByName {
  const given = optionsObject(value, 'capacity')
  if (given === undefined) throw refuse('capacity', 'an object with an amount for each dimension', value)
  const entries = Object.entries(given)
  if (entries.length < 1 || entries.length > DIMENSIONS) throw refuse('capacity', `an object of 1 to ${DIMENSIONS} dimensions`, value)
  for (const [name, amount] of entries) {
    const bytes = Buffer.byteLength(name)
    // A lone surrogate has no bytes of its own: two such names would be one.
    const isText = Buffer.from(name).toString() === name && !name.includes('\0')
    if (bytes < 1 || bytes > NAME_BYTES || !isText) throw refuse('capacity', `named in 1 to ${NAME_BYTES} bytes of text`, name)
    count(amount, `capacity.${name}`, 0, UNITS_MAX)
  }
  return Object.fromEntries(entries) as AmountsByName
}

function readTiers(value: unknown, names: readonly string[], tiers: readonly string[]): Fractions[] {
  const given = optionsObject(value, 'tiers') ?? {}
  onlyKnown(given, tiers, 'tiers')
  return tiers.map(tier => {
    const option = `tiers.${tier}`
    const part = optionsObject(entry(given, tier), option) ?? {}
    onlyKnown(part, ['floor', 'share', 'ceiling'], option)
    const { floor, share, ceiling } = part as { [K in keyof TierPart]: unknown }
    const read = {
      floor: readPart(floor, names, `${option}.floor`, 0),
      share: readPart(share, names, `${option}.share`, 0),
      ceiling: readPart(ceiling, names, `${option}.ceiling`, Number.POSITIVE_INFINITY)
    }
    names.forEach((name, d) => {
      if ((read.floor[d] as number) + (read.share[d] as number) > (read.ceiling[d] as number) + ROUNDING) {
        throw new ArgumentError(`${option}: floor and share of ${name} are above the ceiling`, { option, given: part })
      }
    })
    return read
  })
}

function readPart(value: unknown, names: readonly string[], option: string, none: number): number[] {
  if (value === undefined) return names.map(() => none)
  if (typeof value === 'number') return names.map(() => fraction(value, option))
  const given = optionsObject(value, option) ?? {}
  onlyKnown(given, names, option)
  return names.map(name => {
    const part = entry(given, name)
    return part === undefined ? none : fraction(part, `${option}.${name}`)
  })
}

function fraction(value: unknown, option: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) throw refuse(option, 'a number from 0 to 1', value)
  return value
}

function floorsMustFit(tiers: readonly Fractions[], names: readonly string[]): void {
  names.forEach((name, d) => {
    const sum = tiers.reduce((all, tier) => all + (tier.floor[d] as number), 0)
    if (sum > 1 + ROUNDING) throw new ArgumentError(`the floors of ${name} add up to more than 1`, { option: 'tiers', given: sum })
  })
}

function readTenants(value: unknown, session: Session): [number, number][] {
  const given = optionsObject(value, 'tenants') ?? {}
  const entries = Object.entries(given)
  if (entries.length > TENANTS_MAX) throw refuse('tenants', `an object of at most ${TENANTS_MAX} tenants`, value)
  return entries.map(([name, terms]) => {
    const option = `tenants.${name}`
    const of = optionsObject(terms, option) ?? {}
    onlyKnown(of, ['weight'], option)
    const { weight } = of as { weight?: unknown }
    if (typeof weight !== 'number' || !(weight > 0) || !Number.isFinite(weight))
      throw refuse(`${option}.weight`, 'a finite number > 0', weight)
    const id = session.waiting.names.of(text(name, option))
    if (id === 0) throw refuse('tenants', 'named, and the arena must have room for the names (capacity.elements)', name)
    return [id, weight]
  })
}

function labelIds(value: unknown, session: Session): number[] {
  const labels = readLabels(value, 'labels')
  if (labels.length > LABELS_MAX) throw refuse('labels', `an array of at most ${LABELS_MAX} labels`, value)
  const ids = labels.map(label => {
    const id = session.waiting.names.of(label)
    if (id === 0) throw refuse('labels', 'not empty, and the arena must have room for the names (capacity.elements)', label)
    return id
  })
  return ids.sort((a, b) => a - b)
}

/** Labels a pool has, or a request demands. */
export function readLabels(value: unknown, option: string): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw refuse(option, 'an array of labels', value)
  return [...new Set(Array.from(value as unknown[], (label, i) => text(label, `${option}[${i}]`)))]
}

/**
 * As the addon has them: how many dimensions, tenants and labels, then DIMENSIONS numbers each: the capacity, and for each of four tiers the
 * floors, shares and ceilings as parts of it, Infinity: no ceiling; then id and weight of each tenant, and the id of each label.
 */
export function numbersOf({ names, capacity, tiers, tenants, labels }: PoolTerms): Float64Array {
  const numbers = [names.length, tenants.length, labels.length, ...filled(capacity)]
  for (let tier = 0; tier < TIERS; tier++) {
    const { floor, share, ceiling } = tiers[tier] ?? NO_PARTS
    numbers.push(...filled(floor), ...filled(share), ...filled(ceiling, Number.POSITIVE_INFINITY))
  }
  for (const [id, weight] of tenants) numbers.push(id, weight)
  numbers.push(...labels)
  return Float64Array.from(numbers)
}

/** What a pool that exists was made of; the tenants are not told. */
export function termsOf({ names, capacity, parts, labels }: PoolState): PoolTerms {
  const tiers = Array.from({ length: TIERS }, (_, tier) => {
    const [floor, share, ceiling] = [0, 1, 2].map(kind => {
      const from = (tier * 3 + kind) * DIMENSIONS
      return parts.slice(from, from + names.length)
    }) as [number[], number[], number[]]
    return { floor, share, ceiling }
  })
  return { names, capacity: capacity.slice(0, names.length), tiers, tenants: [], labels }
}

/** Whether a request of this tier could be granted if nothing else was held: as core::Pool::possible, for what is asked for in pieces. */
export function isPossible(state: PoolState, tier: number, amounts: readonly number[]): boolean {
  const { names, capacity, tiers } = termsOf(state)
  return names.every((_, d) => {
    const amount = amounts[d] ?? 0
    const there = capacity[d] as number
    const kept = tiers.reduce((sum, { floor }, t) => sum + (t === tier ? 0 : unitsOf(floor[d] as number, there)), 0)
    return amount === 0 || there === 0 || (amount + kept <= there && amount <= unitsOf(tiers[tier]?.ceiling[d] as number, there))
  })
}

/** The most of each dimension that a request of this tier could ever be granted: see {@link isPossible}. */
export function mostOf(state: PoolState, tier: number): number[] {
  const { names, capacity, tiers } = termsOf(state)
  return names.map((_, d) => {
    const there = capacity[d] as number
    const kept = tiers.reduce((sum, { floor }, t) => sum + (t === tier ? 0 : unitsOf(floor[d] as number, there)), 0)
    return Math.max(0, Math.min(there - kept, unitsOf(tiers[tier]?.ceiling[d] as number, there)))
  })
}

/** As the addon rounds them. */
function unitsOf(part: number, capacity: number): number {
  return part === Number.POSITIVE_INFINITY ? UNITS_MAX : Math.floor(part * capacity + ROUNDING)
}

function filled(amounts: readonly number[], none = 0): number[] {
  return Array.from({ length: DIMENSIONS }, (_, d) => amounts[d] ?? none)
}
