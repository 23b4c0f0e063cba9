import { onlyKnown, optionsObject, refuse } from '../checks.js'
import { COUNTERS, type Usage, type UsageField } from '../metering/counters.js'
import type { HeldSpan, PastRun } from '../shadow/course.js'
import { Courses } from '../shadow/courses.js'
import type { Prices } from './cost.js'
import { InputLearner, type InputProfile } from './input.js'
import type { ActionRecord, DataPattern, PastRecord, RunRecord } from './record.js'
import { Samples, type Spread } from './samples.js'

/** What work needs of one resource, or takes: given, learnt, or learnt within given bounds. */
export interface ResourceProfile extends Spread {
  /** bounds that were given; what is learnt stays within them */
  readonly least: number | undefined
  readonly most: number | undefined
}

export interface DataProfile {
  /** bytes of an action or a run together */
  readonly bytes: ResourceProfile
  /** bytes of one transfer */
  readonly transfer: ResourceProfile
  /** the commoner one of what was seen */
  readonly pattern: DataPattern
}

interface WorkProfile {
  /** ms; undefined: nothing is known */
  readonly duration: ResourceProfile | undefined
  /** by field of {@link Usage} */
  readonly requirements: Readonly<Partial<Record<UsageField, ResourceProfile>>>
  readonly certifications: readonly string[]
  readonly data: DataProfile | undefined
  readonly cost: Spread | undefined
  /** how many it is learnt from */
  readonly samples: number
}

/** What is known of an action of a workflow. */
export interface ActionProfile extends WorkProfile {
  readonly name: string
  /** the part of the runs that it is in */
  readonly share: number
  /** ms from the beginning of the run */
  readonly offset: Spread | undefined
}

/** What is known of a workflow. */
export interface WorkflowProfile extends WorkProfile {
  /** name of the workflow */
  readonly id: string
  readonly type: string
  /** name of its tier */
  readonly priority: string
  /** what things cost, where it was said */
  readonly prices: Prices | undefined
  /** by field of the input, of those that are kept */
  readonly input: Readonly<Record<string, InputProfile>>
  /** in the order in which they usually begin */
  readonly actions: readonly ActionProfile[]
}

/** A quantity that is given: what is expected, or bounds for what is learnt, or both. */
export type Given = number | { expected?: number | undefined; least?: number | undefined; most?: number | undefined }

export interface GivenProfile {
  /** ms */
  duration?: Given | undefined
  /** by field of {@link Usage} */
  requirements?: Partial<Record<UsageField, Given>> | undefined
  /** labels that a pool must have for the work to run there */
  certifications?: readonly string[] | undefined
  /** what a run sends and receives */
  data?: GivenData | undefined
}

export interface GivenData {
  /** together */
  bytes: Given
  /** bytes of one transfer; default: all at once */
  transfer?: Given | undefined
  /** default `burst` */
  pattern?: DataPattern | undefined
}

interface Bounds {
  readonly expected: number | undefined
  readonly least: number | undefined
  readonly most: number | undefined
}

/** A given profile, checked. */
export interface ReadProfile {
  readonly duration: Bounds | undefined
  readonly requirements: ReadonlyMap<UsageField, Bounds>
  readonly certifications: readonly string[]
  readonly data: { readonly bytes: Bounds; readonly transfer: Bounds; readonly pattern: DataPattern } | undefined
}

/** What a profile can be of. */
export const USAGE_FIELDS: readonly UsageField[] = COUNTERS.map(([field]) => field)

const PROFILE_KNOWN = ['duration', 'requirements', 'certifications', 'data'] as const
const NOTHING: ReadProfile = { duration: undefined, requirements: new Map(), certifications: [], data: undefined }

/** @throws ArgumentError */
export function readProfile(value: unknown): ReadProfile {
  const given = optionsObject(value, 'profile')
  if (given === undefined) return NOTHING
  onlyKnown(given, PROFILE_KNOWN, 'profile')
  const { duration, requirements, certifications, data } = given as { [K in keyof GivenProfile]: unknown }
  const read = new Map<UsageField, Bounds>()
  const named = optionsObject(requirements, 'profile.requirements')
  if (named !== undefined) {
    onlyKnown(named, USAGE_FIELDS, 'profile.requirements')
    for (const field of USAGE_FIELDS) {
      const one = (named as { [K in UsageField]?: unknown })[field]
      if (one !== undefined) read.set(field, readBounds(one, `profile.requirements.${field}`))
    }
  }
  return {
    duration: duration === undefined ? undefined : readBounds(duration, 'profile.duration'),
    requirements: read,
    certifications: readCertifications(certifications, 'profile.certifications'),
    data: readData(data)
  }
}

function readData(value: unknown): ReadProfile['data'] {
  const given = optionsObject(value, 'profile.data')
  if (given === undefined) return undefined
  onlyKnown(given, ['bytes', 'transfer', 'pattern'], 'profile.data')
  const { bytes, transfer = bytes, pattern = 'burst' } = given as { [K in keyof GivenData]: unknown }
  if (pattern !== 'burst' && pattern !== 'stream') throw refuse('profile.data.pattern', "'burst' or 'stream'", pattern)
  return { bytes: readBounds(bytes, 'profile.data.bytes'), transfer: readBounds(transfer, 'profile.data.transfer'), pattern }
}

/** @throws ArgumentError */
export function readCertifications(value: unknown, option: string): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw refuse(option, 'an array of labels', value)
  return value.map((label: unknown) => {
    if (typeof label !== 'string' || label === '') throw refuse(option, 'an array of labels', label)
    return label
  })
}

function readBounds(value: unknown, option: string): Bounds {
  if (typeof value === 'number') return { expected: amount(value, option), least: undefined, most: undefined }
  const given = optionsObject(value, option)
  if (given === undefined) throw refuse(option, 'a number, or { expected, least, most }', value)
  onlyKnown(given, ['expected', 'least', 'most'], option)
  const { expected, least, most } = given as { [K in keyof Bounds]: unknown }
  const read = {
    expected: expected === undefined ? undefined : amount(expected, `${option}.expected`),
    least: least === undefined ? undefined : amount(least, `${option}.least`),
    most: most === undefined ? undefined : amount(most, `${option}.most`)
  }
  const { least: low = 0, most: high = Number.POSITIVE_INFINITY } = read
  if (low > high) throw refuse(`${option}.least`, `at most ${high}`, least)
  if (read.expected !== undefined && (read.expected < low || read.expected > high)) {
    throw refuse(`${option}.expected`, `from ${low} to ${high}`, expected)
  }
  return read
}

function amount(value: unknown, option: string): number {
  if (typeof value !== 'number' || !(value >= 0) || value === Number.POSITIVE_INFINITY) throw refuse(option, 'a number >= 0', value)
  return value
}

/** Learns what work takes from how it went. Only what was done counts: failures and probes say nothing of it. */
class Learner {
  /** What every action has, without a look-up. */
  private wall = new Samples()
  private cpu = new Samples()
  private usage = this.usageOf()
  private duration = new Samples()
  private cost = new Samples()
  private bytes = new Samples()
  private transfer = new Samples()
  private streams = 0
  protected count = 0

  protected learn(duration: number, usage: Partial<Usage>, cost: number | undefined): void {
    this.count++
    this.duration.add(duration)
    if (usage.wall !== undefined) this.wall.add(usage.wall)
    if (usage.cpu !== undefined) this.cpu.add(usage.cpu)
    for (const field in usage) {
      if (field !== 'wall' && field !== 'cpu') this.samplesOf(field as UsageField).add(usage[field as UsageField] as number)
    }
    if (cost !== undefined) this.cost.add(cost)
  }

  protected moved({ bytes, largest, pattern }: { bytes: number; largest: number; pattern: DataPattern }): void {
    this.bytes.add(bytes)
    this.transfer.add(largest)
    this.streams += pattern === 'stream' ? 1 : -1
  }

  protected profile({ duration, requirements, certifications, data }: ReadProfile): WorkProfile {
    const fields: Partial<Record<UsageField, ResourceProfile>> = {}
    for (const field of USAGE_FIELDS) {
      const profile = within(this.usage.get(field)?.spread(), requirements.get(field))
      if (profile !== undefined) fields[field] = profile
    }
    return {
      duration: within(this.duration.spread(), duration),
      requirements: fields,
      certifications,
      data: this.dataProfile(data),
      cost: this.cost.spread(),
      samples: this.count
    }
  }

  private dataProfile(given: ReadProfile['data']): DataProfile | undefined {
    const [seen, transfer] = [this.bytes.spread(), within(this.transfer.spread(), given?.transfer)]
    const bytes = within(seen, given?.bytes)
    if (bytes === undefined || transfer === undefined) return undefined
    const usual = this.streams > 0 ? 'stream' : 'burst'
    return { bytes, transfer, pattern: seen === undefined ? (given?.pattern ?? usual) : usual }
  }

  protected clear(): void {
    this.wall = new Samples()
    this.cpu = new Samples()
    this.usage = this.usageOf()
    this.duration = new Samples()
    this.cost = new Samples()
    this.bytes = new Samples()
    this.transfer = new Samples()
    this.streams = 0
    this.count = 0
  }

  private usageOf(): Map<UsageField, Samples> {
    return new Map<UsageField, Samples>([
      ['wall', this.wall],
      ['cpu', this.cpu]
    ])
  }

  private samplesOf(field: UsageField): Samples {
    let samples = this.usage.get(field)
    if (samples === undefined) {
      samples = new Samples()
      this.usage.set(field, samples)
    }
    return samples
  }
}

class ActionLearner extends Learner {
  private readonly offset = new Samples()
  private readonly needed = new Set<string>()

  constructor(readonly name: string) {
    super()
  }

  add(action: Omit<ActionRecord, 'booked'>): void {
    this.learn(action.duration, action.usage, action.cost)
    this.offset.add(action.offset)
    if (action.data) this.moved(action.data)
    for (const label of action.certifications ?? []) this.needed.add(label)
  }

  actionProfile(runs: number): ActionProfile {
    const own = this.profile({ ...NOTHING, certifications: [...this.needed] })
    return { name: this.name, share: runs === 0 ? 0 : Math.min(1, this.count / runs), offset: this.offset.spread(), ...own }
  }
}

/** Of more runs that were taught the first are not learnt anew when a tenant is to be forgotten. */
const TAUGHT_MAX = 256

/** Learns the profile of one workflow from its runs. */
export class ProfileLearner extends Learner {
  /** how its last runs went */
  readonly courses: Courses<RunRecord>
  private readonly actions = new Map<string, ActionLearner>()
  private readonly inputs = new InputLearner()
  /** of another day or place, in the order in which they were taught */
  private taught: PastRecord[] = []

  constructor(
    private readonly about: Pick<WorkflowProfile, 'id' | 'type' | 'priority' | 'prices'>,
    private readonly given: ReadProfile
  ) {
    super()
    this.courses = new Courses(pastRunOf(given))
  }

  add(run: RunRecord, holds: readonly HeldSpan[] = []): void {
    this.courses.add(run, holds, run.start + run.duration)
    this.learnFrom(run)
  }

  /** What it knows then is from those of the last runs that were not of this tenant: a median does not tell whose values it is of. */
  forget(tenant: string): void {
    const left = this.courses.forget(tenant)
    this.taught = this.taught.filter(run => run.tenant !== tenant)
    this.clear()
    this.actions.clear()
    this.inputs.clear()
    for (const run of [...this.taught, ...left]) this.learnFrom(run)
  }

  /** Learns from a run of another day or place. How it went makes no forecasts here: what it held is not known. */
  teach(run: PastRecord): void {
    this.taught.push(run)
    if (this.taught.length > TAUGHT_MAX) this.taught.shift()
    this.learnFrom(run)
  }

  private learnFrom(run: PastRecord): void {
    if (run.outcome !== 'success') return
    this.learn(run.duration, run.usage, run.cost)
    this.inputs.add(run.input)
    for (const action of run.actions) {
      if (action.outcome !== 'success') continue
      let learner = this.actions.get(action.name)
      if (learner === undefined) {
        learner = new ActionLearner(action.name)
        this.actions.set(action.name, learner)
      }
      learner.add(action)
      if (action.data) this.moved(action.data)
    }
  }

  workflowProfile(): WorkflowProfile {
    const actions = [...this.actions.values()].map(action => action.actionProfile(this.count))
    actions.sort((a, b) => (a.offset?.expected ?? 0) - (b.offset?.expected ?? 0))
    const own = this.profile(this.given)
    const certifications = [...new Set([...own.certifications, ...actions.flatMap(action => action.certifications)])]
    return { ...this.about, ...own, input: this.inputs.profile(), certifications, actions }
  }
}

/** Whether it can be learnt from: what comes from elsewhere may be anything. */
export function isPast(record: Partial<PastRecord>): record is PastRecord {
  const { actions, input } = record
  if (!isMeasured(record) || !Array.isArray(actions) || typeof input !== 'object' || input === null) return false
  return actions.every(
    action => typeof action?.name === 'string' && Number.isFinite(action.offset) && isMeasured(action) && isMoved(action.data)
  )
}

function isMeasured({ duration, usage }: Partial<Pick<PastRecord, 'duration' | 'usage'>>): boolean {
  if (!((duration as number) >= 0) || typeof usage !== 'object' || usage === null) return false
  return Object.values(usage).every(amount => amount >= 0)
}

function isMoved(data: unknown): boolean {
  if (data === undefined || data === null) return true
  const { bytes, largest } = data as Partial<Record<'bytes' | 'largest', number>>
  return (bytes as number) >= 0 && (largest as number) >= 0
}

/** The run that a given profile speaks of. */
function pastRunOf({ duration, requirements }: ReadProfile): PastRun | undefined {
  const expected = (bounds: Bounds | undefined) => bounds?.expected ?? bounds?.most ?? bounds?.least
  const ms = expected(duration)
  if (ms === undefined) return undefined
  const usage: Partial<Usage> = {}
  for (const [field, bounds] of requirements) usage[field] = expected(bounds) as number
  return { tenant: undefined, duration: ms, usage, actions: [] }
}

/** What is learnt, within what was given; what was given, where nothing is learnt. */
function within(learnt: Spread | undefined, bounds: Bounds | undefined): ResourceProfile | undefined {
  if (bounds === undefined) return learnt === undefined ? undefined : { ...learnt, least: undefined, most: undefined }
  const { expected, least, most } = bounds
  const into = (value: number) => Math.min(most ?? value, Math.max(least ?? value, value))
  if (learnt !== undefined) {
    return { expected: into(learnt.expected), p95: into(learnt.p95), max: into(learnt.max), samples: learnt.samples, least, most }
  }
  const known = expected ?? most ?? least
  return known === undefined ? undefined : { expected: known, p95: most ?? known, max: most ?? known, samples: 0, least, most }
}
