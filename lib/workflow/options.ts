import { type FieldRules, fieldRules } from '../access/fields.js'
import type { AdmitParts } from '../admit.js'
import type { Bucket } from '../bucket.js'
import { abortSignal, callback, duration, onlyKnown, optionsObject, refuse, tierIndex } from '../checks.js'
import { interval } from '../metering/after.js'
import type { Pool } from '../pool.js'
import { readName } from '../request-names.js'
import type { Session } from '../session.js'
import type { Within } from '../terms.js'
import { readWithin } from '../terms.js'
import type { OnWarm } from '../warm-calls.js'
import { type Prices, readPrices } from './cost.js'
import { type LearningOptions, type OnScale, type ReadLearning, readLearning, readWhenFull, type WhenFull } from './learning.js'
import type { ReadMetering, RunScope } from './metering.js'
import { type GivenProfile, type ReadProfile, readProfile } from './profile.js'
import type { OwnRun } from './remedy-effects.js'
import { type ReadRemedies, type RemedyMode, type RemedyOptions, readRemedies } from './remedy-options.js'
import { Work } from './work.js'

/** What a run is admitted with. */
export type Needs = AdmitParts | ((input: unknown) => AdmitParts)

export interface MeteringOptions {
  /**
   * whose use counts as that of a run: the calling thread's (default), the process's, that of another process or a cgroup; or, with `async`,
   * what the thread does in the run's own asynchronous context, and not what it does for others meanwhile
   */
  scope?: RunScope | undefined
  /** `time`: wall and CPU time (default); `all`: every counter there is */
  level?: 'time' | 'all' | undefined
  /** what is measured by itself: each action and the run (default), or the run alone */
  per?: 'run' | 'action' | undefined
  /** ms between the samples of a run, whose record then has a {@link UsageCurve}; default none */
  every?: number | undefined
}

export interface WorkflowOptions {
  /** what it is like other workflows in; default: its name */
  type?: string | undefined
  /** name of the tier of its runs; default `standard` */
  tier?: string | undefined
  tenant?: string | undefined
  client?: string | undefined
  /**
   * what each run is admitted with, held while it runs; `learn`: so much of `pool` as such runs are expected to take, by their input, and tokens of the
   * `buckets`
   */
  needs?: Needs | 'learn' | undefined
  /** with `learn`: the pool, and buckets of which each run takes a token, or so many */
  pool?: Pool | undefined
  buckets?: readonly (Bucket | readonly [bucket: Bucket, n: number])[] | undefined
  /** with `learn`: what is known beforehand */
  learning?: LearningOptions | undefined
  /** what a run does that is not admitted at once: waits (default), calls `onScale` and waits, or is rejected with a FullError */
  whenFull?: WhenFull | undefined
  onScale?: OnScale | undefined
  /** what is measured; false: nothing */
  metering?: MeteringOptions | false | undefined
  /** what is known of it beforehand: what it is expected to take, or bounds for what is learnt */
  profile?: GivenProfile | undefined
  prices?: Prices | undefined
  /** the fields of the input that may be recorded as they are; default none */
  keep?: readonly string[] | undefined
  /**
   * what it does when an agent foretells that a tier above it will ask for more than is free: it says what it could do, by its `remedy` events (`'advise'`, the default), or
   * does it: `'apply'` puts runs off, paces them, and has those pause that can; options say what exactly
   */
  remedies?: RemedyMode | RemedyOptions | undefined
  /**
   * called when an agent foretells that it is about to begin, because of what has begun that usually raises it: in each environment that has one, so that a worker
   * can be there before its first run
   */
  onWarm?: OnWarm | undefined
  /** the fields of the input that are recorded as a keyed hash: the same value has the same hash until the next rotation; default none */
  hash?: readonly string[] | undefined
}

export interface RunOptions {
  /** what it is about; fields that are kept are recorded */
  input?: unknown
  tier?: string | undefined
  /** whose work it is; default that of the workflow, else of the run that it is part of; so is `client` */
  tenant?: string | undefined
  client?: string | undefined
  /** ids of the events that it is about */
  events?: readonly string[] | undefined
  /** ms to wait for its admission at most */
  waitTimeout?: number | undefined
  /** ends the wait for its admission; `run.signal` */
  signal?: AbortSignal | undefined
  /** the run that it is part of, and grants that it belongs to */
  within?: Within | undefined
}

/** Of a run that is only thought of. */
export interface RunShadowOptions {
  input?: unknown
  tier?: string | undefined
  tenant?: string | undefined
  /** ms from now until it would be asked for; default 0 */
  in?: number | undefined
}

/** @throws ArgumentError */
export function readShadow(options: unknown): RunShadowOptions {
  const given = optionsObject(options, 'options') ?? {}
  onlyKnown(given, ['input', 'tier', 'tenant', 'in'], 'shadow()')
  return given
}

/** Options of a workflow, checked. */
export interface ReadWorkflow {
  readonly type: string
  readonly tierIndex: number
  readonly tenant: string | undefined
  readonly client: string | undefined
  /** undefined also where it is learnt */
  readonly needs: Needs | undefined
  readonly learning: ReadLearning | undefined
  readonly whenFull: WhenFull
  readonly onScale: OnScale | undefined
  readonly remedies: ReadRemedies
  readonly onWarm: OnWarm | undefined
  readonly metering: ReadMetering | undefined
  readonly profile: ReadProfile
  readonly prices: Prices | undefined
  readonly fields: FieldRules
}

/** Options of a run, checked. */
export interface ReadRun {
  readonly input: unknown
  readonly tierIndex: number
  readonly tenant: string | undefined
  readonly client: string | undefined
  readonly events: readonly string[]
  readonly waitTimeout: number | undefined
  readonly signal: AbortSignal | undefined
  readonly within: Within | undefined
  readonly parent: Work | undefined
  /** who wants to know when it is admitted; undefined: nobody */
  readonly seen: OwnRun | undefined
}

const WORKFLOW_KNOWN = [
  'type',
  'tier',
  'tenant',
  'client',
  'needs',
  'pool',
  'buckets',
  'learning',
  'whenFull',
  'onScale',
  'remedies',
  'onWarm',
  'metering',
  'profile',
  'prices',
  'keep',
  'hash'
] as const
const RUN_KNOWN = ['input', 'tier', 'tenant', 'client', 'events', 'waitTimeout', 'signal', 'within'] as const

/** Names of workflows and actions are told in notes, which are short. */
export const NAME_MAX_UNITS = 256

/** @throws ArgumentError */
export function workName(value: unknown, option: string): string {
  if (typeof value !== 'string' || value === '' || value.length > NAME_MAX_UNITS) {
    throw refuse(option, `a string of 1 to ${NAME_MAX_UNITS} UTF-16 code units`, value)
  }
  return value
}

/** @throws ArgumentError */
export function readWorkflow(name: string, options: unknown, session: Session): ReadWorkflow {
  const given = optionsObject(options, 'options') ?? {}
  onlyKnown(given, WORKFLOW_KNOWN, 'workflow()')
  const { type, tier, tenant, client, needs, metering, profile, prices, keep, hash } = given as { [K in keyof WorkflowOptions]: unknown }
  const { pool, buckets, learning, whenFull, onScale, remedies, onWarm } = given as { [K in keyof WorkflowOptions]: unknown }
  const index = tier === undefined ? session.plainAsk.tier : tierIndex(tier, session.tiers, 'tier')
  if (onWarm !== undefined) callback(onWarm, 'onWarm')
  if (needs !== 'learn') onlyToLearn({ pool, buckets, learning })
  return {
    type: type === undefined ? name : workName(type, 'type'),
    tierIndex: index,
    tenant: readName(tenant, 'tenant'),
    client: readName(client, 'client'),
    needs: needs === undefined || needs === 'learn' ? undefined : readNeeds(needs),
    learning: needs === 'learn' ? readLearning(learning, pool, buckets, index, session) : undefined,
    ...readWhenFull(whenFull, onScale),
    remedies: readRemedies(remedies, session),
    onWarm: onWarm as OnWarm | undefined,
    metering: readMetering(metering),
    profile: readProfile(profile),
    prices: readPrices(prices),
    fields: fieldRules(readStrings(keep, 'keep'), readStrings(hash, 'hash'))
  }
}

const NO_EVENTS: readonly string[] = []

/** @throws ArgumentError */
export function readRun(options: unknown, workflow: ReadWorkflow, session: Session): ReadRun {
  const given = optionsObject(options, 'options') ?? {}
  onlyKnown(given, RUN_KNOWN, 'run()')
  const { input, tier, tenant, client, events, waitTimeout, signal, within } = given as { [K in keyof RunOptions]: unknown }
  const booker = within === undefined ? undefined : readWithin(within, session).booker
  // Part of somebody's work is somebody's work: else it would not be forgotten with its tenant.
  const around = booker?.requestNames.words
  return {
    input,
    tierIndex: tier === undefined ? workflow.tierIndex : tierIndex(tier, session.tiers, 'tier'),
    tenant: readName(tenant, 'tenant') ?? workflow.tenant ?? around?.tenant,
    client: readName(client, 'client') ?? workflow.client ?? around?.client,
    events: events === undefined ? NO_EVENTS : readStrings(events, 'events'),
    waitTimeout: waitTimeout === undefined ? undefined : duration(waitTimeout, 'waitTimeout'),
    signal: signal === undefined ? undefined : abortSignal(signal, 'signal'),
    within: within as Within | undefined,
    parent: booker instanceof Work ? booker : undefined,
    seen: undefined
  }
}

function onlyToLearn(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) if (value !== undefined) throw refuse(name, "absent, unless needs is 'learn'", value)
}

function readNeeds(needs: unknown): Needs {
  if (typeof needs === 'function') {
    callback(needs, 'needs')
    return needs as Needs
  }
  if (optionsObject(needs, 'needs') === undefined) throw refuse('needs', "an object, a function, or 'learn'", needs)
  return needs as AdmitParts
}

function readMetering(value: unknown): ReadMetering | undefined {
  if (value === false) return undefined
  const given = optionsObject(value, 'metering') ?? {}
  onlyKnown(given, ['scope', 'level', 'per', 'every'], 'metering')
  const { scope = 'thread', level = 'time', per = 'action', every } = given as { [K in keyof MeteringOptions]: unknown }
  if (level !== 'time' && level !== 'all') throw refuse('metering.level', "'time' or 'all'", level)
  if (per !== 'run' && per !== 'action') throw refuse('metering.per', "'run' or 'action'", per)
  // Of an asynchronous context there is no account but that of its CPU time.
  if (scope === 'async' && level === 'all') throw refuse('metering.level', "'time' with the scope 'async'", level)
  return { scope: scope as RunScope, level, per, every: every === undefined ? 0 : interval(every, 'metering.every') }
}

function readStrings(value: unknown, option: string): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw refuse(option, 'an array of strings', value)
  return value.map((one: unknown) => {
    if (typeof one !== 'string') throw refuse(option, 'an array of strings', one)
    return one
  })
}
