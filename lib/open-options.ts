import { Privacy, type PrivacyOptions } from './access/privacy.js'
import type { AgentOptions } from './agent/agent.js'
import { count, flag, noSymbols, onlyKnown, optionsObject, refuse, text } from './checks.js'
import { ENCLOSES_BY_DEFAULT } from './enclosing.js'
import { ArgumentError, NameError } from './errors/index.js'
import { Events, type EventsOptions } from './events/events.js'
import type { OpenOptions as NativeOptions } from './native/binding.js'
import { quote } from './native/codes.js'

/** How much an arena can hold. Chosen by the first opener; running out of one is a `CapacityError` that names it. */
export interface Capacity {
  /** locks in use at once */
  elements?: number | undefined
  /** requests that wait, and shared grants, at once */
  waiters?: number | undefined
  /** JavaScript environments (main threads and workers) at once, 3 to 4,095 */
  participants?: number | undefined
  /** blocks of text for names too long to be kept in the lock itself */
  names?: number | undefined
  /** bytes for buckets, keyed buckets, pools and queues together, up to 16 GiB; addresses only until they are used; default 128 MiB */
  memory?: number | undefined
  /** records of 64 bytes that the telemetry of one environment holds until they are drained: a power of two, or 0; default 4,096 */
  telemetry?: number | undefined
}

export interface OpenOptions {
  /** name of an arena shared by all processes of the host that open it; absent: the private one of this process */
  name?: string | undefined
  /** directory of named arenas, on a tmpfs; default `/dev/shm` */
  dir?: string | undefined
  /** joins the private arena with this `gov.handle`, from a worker thread */
  handle?: string | undefined
  /** a new private arena, instead of the one that all of the process shares by default */
  fresh?: boolean | undefined
  /** `virtual`: a new private arena (or the one of the handle) whose time stands still until `gov.advance(ms)`; default `monotonic` */
  clock?: 'monotonic' | 'virtual' | undefined
  /** overwrites stored options that differ, where they are tunable: `tiers`, `ageing`, `claimWithin`, `maxReserve` */
  update?: boolean | undefined
  capacity?: Capacity | undefined
  /** 1 to 4 names, lowest first; default `background`, `standard`, `interactive`, `critical` */
  tiers?: readonly string[] | undefined
  /** whole ms by which a request must have come earlier to go before one of the next higher tier; 0: never */
  ageing?: number | undefined
  /** whole ms within which a granted lock must be taken by its environment, or it is offered to the next; 0: no limit */
  claimWithin?: number | undefined
  /**
   * what all plans together may keep from lower tiers, 0 to 1: of a bucket, the tokens of 10 s; of a pool, each dimension; of a lock, the time in
   * any 10 s in which it is free and kept from somebody; default 0.25
   */
  maxReserve?: number | undefined
  /** whether waits in callbacks of `with` belong to its grant; default: from Node 24 on */
  autoEnclose?: boolean | undefined
  /** reports grants that were garbage-collected while held, by a `leak` event or a process warning; costs some 100 ns a grant */
  reportLeaks?: boolean | undefined
  /** runs every lock, bucket, keyed bucket, pool and semaphore of this governor dry: what they would refuse or make wait is granted, and counted */
  shadow?: boolean | undefined
  /** what of inputs and names is recorded in the clear, as a hash, or not */
  privacy?: PrivacyOptions | undefined
  /** what messages of `gov.events` are signed with, and how many and how old they may be */
  events?: Omit<EventsOptions, 'now'> | undefined
  /** whether the arena has an agent here, that makes room before it is asked for: {@link Governor.agent}; or how it is to */
  predict?: boolean | AgentOptions | undefined
}

/** The options in the terms of the addon, and those that concern this side only. */
export interface ReadOptions {
  readonly native: Omit<NativeOptions, 'onWake'>
  readonly autoEnclose: boolean
  readonly reportLeaks: boolean
  readonly shadow: boolean
  readonly privacy: Privacy
  readonly events: Events | undefined
  readonly predict: AgentOptions | undefined
  /** what these go by: the machine's clock, until the arena's is known */
  readonly time: { now(): number }
}

const KNOWN = [
  'name',
  'dir',
  'handle',
  'fresh',
  'clock',
  'update',
  'capacity',
  'tiers',
  'ageing',
  'claimWithin',
  'maxReserve',
  'autoEnclose',
  'reportLeaks',
  'shadow',
  'privacy',
  'events',
  'predict'
] as const

const KNOWN_CAPACITIES = ['elements', 'waiters', 'participants', 'names', 'memory', 'telemetry'] as const

// What the words of the arena have room for; the addon has the last say on what memory allows.
const CAPACITY_MAX = { elements: 2 ** 26, waiters: 2 ** 24 - 130, participants: 4095, names: 2 ** 24, memory: 2 ** 34, telemetry: 2 ** 20 }
const PAGE = 4096
const PARTICIPANTS_MIN = 3
const AGEING_MAX_MS = 2 ** 32 - 1
const CLAIM_WITHIN_MAX_MS = 2 ** 31 - 1
const TIERS_MAX = 4
const TIER_NAME_MAX = 31

/** @throws ArgumentError, NameError */
export function readOpenOptions(given: unknown): ReadOptions {
  const options = optionsObject(given, 'options') ?? {}
  onlyKnown(options, KNOWN, 'open()')
  noSymbols(options, KNOWN, 'open()')
  const {
    name,
    dir,
    handle,
    fresh,
    clock,
    update,
    capacity,
    tiers,
    ageing,
    claimWithin,
    maxReserve,
    autoEnclose,
    reportLeaks,
    shadow,
    privacy,
    events,
    predict
  } = options as {
    [K in keyof OpenOptions]: unknown
  }
  const virtual = read(clock, isVirtual)
  const native = defined({
    name: read(name, arenaName),
    dir: read(dir, value => path(value, 'dir')),
    handle: read(handle, value => text(value, 'handle')),
    fresh: read(fresh, value => flag(value, 'fresh')) ?? (virtual === true && handle === undefined),
    virtual,
    update: read(update, value => flag(value, 'update')),
    ...readCapacity(capacity),
    tiers: read(tiers, tierNames),
    ageingMs: read(ageing, value => count(value, 'ageing', 0, AGEING_MAX_MS)),
    claimWithinMs: read(claimWithin, value => count(value, 'claimWithin', 0, CLAIM_WITHIN_MAX_MS)),
    maxReservePpm: read(maxReserve, partsPerMillion)
  })
  mustAgree(native)
  const time = { now: Date.now }
  return {
    native,
    autoEnclose: read(autoEnclose, value => flag(value, 'autoEnclose')) ?? ENCLOSES_BY_DEFAULT,
    reportLeaks: read(reportLeaks, value => flag(value, 'reportLeaks')) ?? false,
    shadow: read(shadow, value => flag(value, 'shadow')) ?? false,
    predict: read(predict, readPredict),
    privacy: new Privacy(privacy),
    events: readEvents(events, time),
    time
  }
}

function readEvents(events: unknown, time: ReadOptions['time']): Events | undefined {
  const given = optionsObject(events, 'events')
  if (given === undefined) return undefined
  onlyKnown(given, ['secrets', 'tolerance', 'bytes', 'ids'], 'events of open()')
  return new Events({ ...(given as EventsOptions), now: () => time.now() })
}

/** The name of an arena becomes the name of a file. */
export function arenaName(value: unknown): string {
  const name = text(value, 'name')
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/.test(name)) {
    throw new NameError(
      `the arena name ${quote(name)} cannot be used: it must be 1 to 200 letters, digits, dots, dashes or underscores, and not start with a dot or dash`,
      { resource: name.slice(0, 100) }
    )
  }
  return name
}

/** A path without NUL, which would end it early in the kernel. */
export function path(value: unknown, option: string): string {
  const given = text(value, option)
  if (given === '' || given.includes('\0')) throw refuse(option, 'a path', value)
  return given
}

function isVirtual(clock: unknown): boolean {
  if (clock === 'monotonic') return false
  if (clock === 'virtual') return true
  throw refuse('clock', "'monotonic' or 'virtual'", clock)
}

function readCapacity(value: unknown): Pick<NativeOptions, 'elements' | 'waiters' | 'participants' | 'names' | 'heapPages' | 'telemetry'> {
  const capacity = optionsObject(value, 'capacity') ?? {}
  onlyKnown(capacity, KNOWN_CAPACITIES, 'capacity')
  const { elements, waiters, participants, names, memory, telemetry } = capacity as Capacity
  return defined({
    elements: read(elements, value => count(value, 'capacity.elements', 1, CAPACITY_MAX.elements)),
    waiters: read(waiters, value => count(value, 'capacity.waiters', 1, CAPACITY_MAX.waiters)),
    participants: read(participants, value => count(value, 'capacity.participants', PARTICIPANTS_MIN, CAPACITY_MAX.participants)),
    names: read(names, value => count(value, 'capacity.names', 1, CAPACITY_MAX.names)),
    heapPages: read(memory, value => Math.ceil(count(value, 'capacity.memory', 0, CAPACITY_MAX.memory) / PAGE)),
    telemetry: read(telemetry, powerOfTwo)
  })
}

/** What is in it is checked by the agent, which knows the names of the tiers. */
function readPredict(value: unknown): AgentOptions | undefined {
  if (typeof value === 'boolean') return value ? {} : undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('predict', 'true, false or an object', value)
  return value as AgentOptions
}

function partsPerMillion(value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) throw refuse('maxReserve', 'a number from 0 to 1', value)
  return Math.round(value * 1e6)
}

function powerOfTwo(value: unknown): number {
  const records = count(value, 'capacity.telemetry', 0, CAPACITY_MAX.telemetry)
  if ((records & (records - 1)) !== 0) throw refuse('capacity.telemetry', 'a power of two, or 0', value)
  return records
}

function tierNames(value: unknown): string[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > TIERS_MAX)
    throw refuse('tiers', `an array of 1 to ${TIERS_MAX} names`, value)
  const names = Array.from(value, (tier: unknown, i) => {
    const name = text(tier, `tiers[${i}]`)
    const bytes = Buffer.byteLength(name)
    if (bytes < 1 || bytes > TIER_NAME_MAX || name.includes('\0'))
      throw refuse(`tiers[${i}]`, `a name of 1 to ${TIER_NAME_MAX} bytes`, tier)
    return name
  })
  if (new Set(names).size < names.length) throw refuse('tiers', 'distinct names', names.join(', '))
  return names
}

function mustAgree(native: Omit<NativeOptions, 'onWake'>): void {
  if (native.name !== undefined && native.handle !== undefined) throw exclusive('name', 'handle')
  if (native.name !== undefined && native.virtual) throw exclusive('name', "clock: 'virtual'")
  if (native.name !== undefined && native.fresh) throw exclusive('name', 'fresh')
  if (native.virtual && native.handle === undefined && !native.fresh) throw exclusive("clock: 'virtual'", 'fresh: false')
  if (native.handle !== undefined && native.fresh) throw exclusive('handle', 'fresh')
  if (native.dir !== undefined && native.name === undefined) {
    throw new ArgumentError('dir is of named arenas only', { option: 'dir', given: native.dir })
  }
}

function exclusive(one: string, other: string): ArgumentError {
  return new ArgumentError(`${one} and ${other} exclude each other`, { option: one, given: undefined })
}

function read<T>(value: unknown, reader: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : reader(value)
}

/** Without the properties that are undefined. */
function defined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never
}
