import { count, onlyKnown, optionsObject, refuse, text } from './checks.js'
import { MemoryError } from './errors/index.js'
import type { NativeElementStats, NativeQuantiles, NativeStats, NativeTierStats } from './native/binding.js'
import { fromNative } from './native/codes.js'
import type { Session } from './session.js'
import { nameOfPlace } from './shadow/places.js'
import { KINDS, type Kind } from './telemetry/record.js'
import { NS_PER_MS } from './units.js'

export interface StatsOptions {
  /** names of elements; default: the busiest */
  names?: readonly string[] | undefined
  /** how many of the busiest, up to 4,096; default 100 */
  top?: number | undefined
}

/** Of durations in ms: within 6.25 % between 256 ns and 275 s, `max` exactly. */
export interface Quantiles {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

export interface TierStats {
  readonly grants: number
  /** refused at once, or for want of a sound arena */
  readonly refusals: number
  readonly timeouts: number
  readonly aborts: number
  readonly deadlocks: number
  /** requests that wait now */
  readonly waiting: number
  /** grants held at once, on average since somebody observes: of an exclusive lock, the share of time in which it was held */
  readonly utilisation: number
  /** from request to grant; 0 for those granted at once */
  readonly wait: Quantiles
  /** from grant to end, of grants that ended while somebody observed */
  readonly hold: Quantiles
}

/** By name of the tier; tiers in which nothing happened are left out. */
export interface ElementStats {
  readonly name: string
  readonly kind: Kind
  readonly tiers: Readonly<Record<string, TierStats>>
  /** there, and true: of a rule that runs dry; its refusals are what it would have refused or made wait, in all processes */
  readonly shadow?: true
}

export interface KindStats {
  readonly kind: Kind
  readonly tiers: Readonly<Record<string, TierStats>>
}

export interface Stats {
  /** busiest first */
  readonly elements: readonly ElementStats[]
  /** all elements without statistics of their own, together; here nobody is counted as waiting */
  readonly rest: readonly KindStats[]
}

const TOP_MAX = 4096
const TOP_DEFAULT = 100
/** Kinds that a name is looked for in: all but names. */
const KINDS_OF_ELEMENTS = [0, 1, 2, 3, 4, 6]

/** @throws ArgumentError, ClosedError, MemoryError, CorruptError */
export function readStats(session: Session, options: unknown): Stats {
  const given = optionsObject(options, 'options') ?? {}
  onlyKnown(given, ['names', 'top'], 'stats()')
  const { names, top } = given as { [K in keyof StatsOptions]: unknown }
  const wanted = names === undefined ? undefined : readNames(names)
  const most = top === undefined ? TOP_DEFAULT : count(top, 'top', 0, TOP_MAX)
  session.mustBeJoined()
  session.cohorts.show()
  const { elements, rest } = wanted === undefined ? read(session, most) : readByName(session, wanted)
  return {
    elements: elements.map(element => named(element, session.tiers)),
    rest: rest.map(kind => inWords(kind, session.tiers))
  }
}

function named(element: NativeElementStats, tiers: readonly string[]): ElementStats {
  const { name, shadow } = nameOfPlace(element.name)
  return { name, ...inWords(element, tiers), ...(shadow && { shadow }) }
}

function readNames(value: unknown): string[] {
  if (!Array.isArray(value)) throw refuse('names', 'an array of strings', value)
  return Array.from(value, (name: unknown, i) => text(name, `names[${i}]`))
}

function readByName(session: Session, names: readonly string[]): NativeStats {
  const elements = names.flatMap(name => KINDS_OF_ELEMENTS.flatMap(kind => read(session, 1, name, kind).elements))
  return { elements, rest: read(session, 0).rest }
}

function read(session: Session, top: number, name?: string, kind?: number): NativeStats {
  let stats: NativeStats | undefined
  try {
    stats = name === undefined ? session.binding.stats(top) : session.binding.stats(top, name, kind)
  } catch (error) {
    throw fromNative(error, name ?? '')
  }
  if (stats === undefined) throw new MemoryError('there is no memory left behind the arena for statistics; nothing was lost', {})
  return stats
}

function inWords(element: NativeElementStats, tiers: readonly string[]): KindStats {
  const byTier = element.tiers.map(stats => [tiers[stats.tier] ?? `tier ${stats.tier}`, tierStats(stats)])
  return { kind: KINDS[element.kind] ?? 'unknown', tiers: Object.fromEntries(byTier) }
}

function tierStats(stats: NativeTierStats): TierStats {
  const { grants, refusals, timeouts, aborts, deadlocks, waiting, inUse, wait, hold } = stats
  return { grants, refusals, timeouts, aborts, deadlocks, waiting, utilisation: inUse, wait: inMs(wait), hold: inMs(hold) }
}

function inMs({ count, p50, p90, p99, max }: NativeQuantiles): Quantiles {
  return { count, p50: p50 / NS_PER_MS, p90: p90 / NS_PER_MS, p99: p99 / NS_PER_MS, max: max / NS_PER_MS }
}
