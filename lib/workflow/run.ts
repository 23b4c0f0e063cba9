import type { Admission } from '../admission.js'
import type { GrowOptions } from '../allocation.js'
import { callback, onlyKnown, optionsObject } from '../checks.js'
import { ArgumentError, type UnderAllocatedError } from '../errors/index.js'
import { type Pool, pools } from '../pool.js'
import type { AmountsByName } from '../pool-terms.js'
import type { RequestNames } from '../request-names.js'
import type { Session } from '../session.js'
import type { Announcer } from '../shadow/announcer.js'
import type { Course, HeldSpan, PresentCourse } from '../shadow/course.js'
import type { Courses } from '../shadow/courses.js'
import type { RunForecast } from '../shadow/forecast.js'
import { HoldLog } from '../shadow/hold-log.js'
import { forecastRun } from '../shadow/replica.js'
import type { Running } from '../shadow/running.js'
import { NS_PER_MS } from '../units.js'
import { Action } from './action.js'
import type { Allotment } from './allotment.js'
import { amountsOf } from './amounts.js'
import { costOf, type Prices } from './cost.js'
import { CurveTally } from './curve.js'
import type { Forgetting } from './forgetting.js'
import type { Metering } from './metering.js'
import { workName } from './options.js'
import { readCertifications } from './profile.js'
import type { ActionRecord, Outcome, RunRecord } from './record.js'
import type { Remedies } from './remedies.js'
import type { Sampled } from './sample-clock.js'
import { Work } from './work.js'

export interface ActionOptions {
  /** labels that a pool which the run was admitted to must have, as `pci` */
  certifications?: readonly string[] | undefined
}

/** What the runs of a workflow have in common. */
export interface RunKind {
  readonly session: Session
  readonly workflow: string
  readonly type: string
  readonly prices: Prices | undefined
  readonly metering: Metering | undefined
  /** how its last runs went */
  readonly past: Courses
  /** whom of them others have said to forget */
  readonly forgetting: Forgetting
  /** where they are while they go on */
  readonly running: Set<Running>
  /** who tells others of them meanwhile */
  readonly announcer: Announcer
  /** who knows when they are in the way */
  readonly remedies: Remedies
}

/** What one of them is, apart from how it goes. */
export interface RunSetup {
  readonly id: string
  readonly parent: Work | undefined
  readonly tierIndex: number
  readonly names: RequestNames
  readonly input: unknown
  readonly events: readonly string[]
  /** the fields of the input that are recorded */
  readonly kept: Readonly<Record<string, unknown>>
  readonly signal: AbortSignal | undefined
  readonly pools: readonly Pool[]
  /** it goes on within another run, or with grants of its caller */
  readonly isPart: boolean
  /** where its workflow learns what it needs */
  readonly allotment: Allotment | undefined
}

const NO_LABELS: readonly string[] = []
const NO_TIME = { p05: 0, p50: 0, p95: 0 }
const NO_HOLDS: readonly HeldSpan[] = []

/** A run of a workflow: see {@link Workflow.run}. What is asked for through it, or `{ within: run }`, is booked to it. */
export class Run extends Work implements Running {
  private readonly kind: RunKind
  private readonly setup: RunSetup
  private readonly actions: ActionRecord[] = []
  private readonly open: Action[] = []
  /** ms; undefined: it was admitted when it was asked for, because it needs nothing */
  private asked: number | undefined = undefined
  private positions = 0
  private over = false
  private paused = false
  private admission: Admission | undefined = undefined
  private log: HoldLog | undefined = undefined
  private sampled: (Sampled & { readonly curve: CurveTally }) | undefined = undefined

  /** @internal */
  constructor(kind: RunKind, setup: RunSetup) {
    super(kind.session, setup.names, setup.tierIndex, setup.parent, kind.metering)
    this.kind = kind
    this.setup = setup
  }

  /** Different from that of all other runs. */
  get id(): string {
    return this.setup.id
  }

  /** @internal */
  get runId(): string {
    return this.setup.id
  }

  /** The name of the workflow. */
  get workflow(): string {
    return this.kind.workflow
  }

  get tenant(): string | undefined {
    return this.setup.names.words.tenant
  }

  /** The name of its tier. */
  get tier(): string {
    return this.session.tiers[this.tierIndex] ?? ''
  }

  get input(): unknown {
    return this.setup.input
  }

  /** The signal that the run was given. */
  get signal(): AbortSignal | undefined {
    return this.setup.signal
  }

  /**
   * Does a part of the work, and records what it took. Actions may overlap; then what is measured of the thread or the process is each one's
   * own and the others'.
   *
   * @returns what `fn` returns; rejected with what it throws, or an ExceedsError if no pool of the run has a label that it needs, or an
   *   ArgumentError
   */
  action<T>(name: string, fn: (action: Action) => T | PromiseLike<T>): Promise<T>
  action<T>(name: string, options: ActionOptions | undefined, fn: (action: Action) => T | PromiseLike<T>): Promise<T>
  async action<T>(name: string, second: unknown, third?: unknown): Promise<T> {
    const isPlain = typeof second === 'function'
    const fn = isPlain ? second : third
    callback(fn, 'fn')
    this.mustGoOn()
    const labels = isPlain || second === undefined ? NO_LABELS : readActionOptions(second)
    if (labels.length !== 0) this.mustBeCertified(labels)
    const { metering, prices } = this.kind
    const action = new Action(this, workName(name, 'name'), this.positions++, labels, metering?.perAction ? metering : undefined)
    this.open.push(action)
    this.kind.announcer.changed(this)
    this.log?.look(this.now())
    let outcome: Outcome = 'ignore'
    try {
      const result = await action.start(fn as (action: Action) => T | PromiseLike<T>)
      outcome = 'success'
      return result
    } finally {
      const record = action.end(this.began, outcome, prices)
      this.closed(action)
      this.add(record)
      this.kind.announcer.changed(this)
    }
  }

  /** What it holds of the pool whose need its workflow learns, by dimension; it may become more or less while the run goes on. @throws ArgumentError */
  get granted(): AmountsByName {
    return this.allotted().granted
  }

  /**
   * Says what it uses, by dimension of the pool: the most so far counts, before what was measured. Its grant is made larger where it is less and there is room.
   *
   * @returns whether it has that much
   * @throws ArgumentError
   */
  uses(amounts: AmountsByName): boolean {
    return this.allotted().uses(amounts, this.now())
  }

  /**
   * Waits until it has that much.
   *
   * @returns rejected with an ArgumentError, or as {@link Allocation.resize}
   */
  async need(amounts: AmountsByName, options?: GrowOptions): Promise<void> {
    return this.allotted().needs(amounts, options, () => this.now())
  }

  /**
   * For the work to throw when it cannot go on with what it was granted: the run ends, and is done again with twice as much, or as much as it says.
   *
   * @param amounts what it needs at least, as far as it knows, by dimension
   * @throws ArgumentError
   */
  exceeded(amounts?: AmountsByName): UnderAllocatedError {
    return this.allotted().exceeded(amounts)
  }

  /**
   * A place at which it can pause, because nothing half done needs what it was admitted with. Where a tier above it is about to ask for that, and its workflow may
   * {@link RemedyOptions.apply | split} runs, its units go back to the pool until there is room again, and it waits for that; once in a run, never while it or one of its actions holds locks, which it
   * would keep from others, and never in a run that is part of something else.
   *
   * @returns whether it paused; rejected with the reason of its signal, which leaves it without the units, or as {@link Allocation.resize}
   */
  async pause(): Promise<boolean> {
    const pausing = this.kind.remedies.pause(this.tierIndex, this.canPause() ? (this.admission?.allocations ?? []) : [], this.signal)
    if (pausing === undefined) return false
    this.paused = true
    const { allotment } = this.setup
    allotment?.pause(this.now())
    try {
      await pausing
    } finally {
      allotment?.goOn(this.now())
    }
    return true
  }

  /** Neither it nor what it is part of, or consists of, holds a lock. */
  private canPause(): boolean {
    return !this.paused && !this.setup.isPart && [this, ...this.open].every(work => work.heldGrants().length === 0)
  }

  /**
   * What it may do, hold and use over the coming seconds, in 20 equal steps, by how earlier runs of its workflow in this environment went on from
   * where it is: see {@link RunForecast}. Of a run that is over there are no points.
   *
   * @throws ArgumentError
   */
  forecast(seconds: number): RunForecast {
    const forecast = forecastRun(this.session, this, seconds)
    return this.over ? { ...forecast, remaining: NO_TIME, points: [] } : forecast
  }

  /** @internal */
  present(): PresentCourse {
    const { began } = this
    const open = this.open.map(({ name, position, began: at }) => ({ name, position, offset: at - began, duration: undefined }))
    const elapsed = this.now() - began
    this.log?.look(began + elapsed)
    return { elapsed, actions: [...this.actions, ...open], holds: this.heldSpans().filter(({ until }) => until === undefined) }
  }

  /** @internal */
  courses(): readonly Course[] {
    this.kind.forgetting.look()
    return this.kind.past.all
  }

  /** @internal */
  holdLog(): HoldLog {
    this.log ??= new HoldLog()
    return this.log
  }

  /** @internal */
  lookAtHeld(): void {
    this.log?.look(this.now())
  }

  /** @internal what it held, and when */
  heldSpans(): readonly HeldSpan[] {
    return this.log?.spans(this.began) ?? NO_HOLDS
  }

  /** @internal It is asked for, and may wait. */
  ask(): void {
    this.asked = this.now()
  }

  /** @internal It was admitted. */
  start<T>(fn: (run: Run) => T, admission: Admission | undefined): T {
    this.beginMeasuring()
    this.admission = admission
    if (admission?.allocation !== undefined) this.setup.allotment?.begin(admission.allocation, this.began)
    this.kind.running.add(this)
    this.kind.announcer.began(this)
    const { metering } = this.kind
    if (metering !== undefined && metering.every > 0) this.beginSampling(metering)
    return this.callWith(fn)
  }

  /** @internal It is over. */
  end(otherwise: Outcome, admission: Admission | undefined): RunRecord {
    const { kind, setup, session } = this
    const usage = this.endMeasuring()
    const duration = this.passed(usage)
    this.over = true
    kind.running.delete(this)
    const outcome = this.chosen ?? otherwise
    const sized = setup.allotment?.end(amountsOf({ duration, usage }), this.now(), duration, outcome === 'success')
    // First what it was admitted with: that is among what is held, and ends as the run does.
    admission?.[outcome]()
    this.releaseHeld()
    kind.announcer.ended(this)
    const { words } = setup.names
    const record: RunRecord = {
      id: setup.id,
      parent: setup.parent?.runId,
      workflow: kind.workflow,
      type: kind.type,
      tier: session.tiers[this.tierIndex] ?? '',
      tenant: words.tenant,
      client: words.client,
      start: session.joined ? session.binding.wallClock(this.began * NS_PER_MS) : Date.now() - duration,
      waited: this.asked === undefined ? 0 : this.began - this.asked,
      duration,
      outcome,
      usage,
      cost: costOf(kind.prices, usage),
      booked: this.sums(),
      input: setup.kept,
      events: setup.events,
      actions: this.actions
    }
    const { sampled } = this
    if (sampled === undefined) return sized === undefined ? record : { ...record, sized }
    kind.metering?.samples.remove(sampled)
    return { ...record, ...(sized !== undefined && { sized }), curve: sampled.curve.curve(duration, usage) }
  }

  private beginSampling({ every, samples }: Metering): void {
    const curve = new CurveTally()
    this.sampled = { every, curve, sample: () => this.sample(curve) }
    samples.add(this.sampled)
  }

  private sample(curve: CurveTally): void {
    const now = this.now()
    const usage = this.usageSofar()
    curve.add(now - this.began, usage)
    this.setup.allotment?.saw(amountsOf({ duration: now - this.began, usage }), now)
  }

  private allotted(): Allotment {
    const { allotment } = this.setup
    if (allotment !== undefined) return allotment
    throw new ArgumentError(`the workflow ${JSON.stringify(this.kind.workflow)} does not learn what its runs need (needs: 'learn')`, {
      option: 'needs',
      given: undefined
    })
  }

  private closed(action: Action): void {
    const { open } = this
    if (open[open.length - 1] === action) open.pop()
    else open.splice(open.indexOf(action), 1)
  }

  /** In the order of their beginnings, in which they mostly end. */
  private add(action: ActionRecord): void {
    const { actions } = this
    let at = actions.length
    while (at > 0 && (actions[at - 1] as ActionRecord).position > action.position) at--
    if (at === actions.length) actions.push(action)
    else actions.splice(at, 0, action)
  }

  private mustBeCertified(labels: readonly string[]): void {
    const { pools: admitted } = this.setup
    const { workflow } = this.kind
    if (admitted.length === 0) {
      throw new ArgumentError(`certifications: a run of ${JSON.stringify(workflow)} was admitted to no pool that could have them`, {
        option: 'certifications',
        given: labels
      })
    }
    const certified = admitted.find(pool => pools.hasLabels(pool, labels))
    if (certified === undefined) pools.mustHave(admitted[0] as Pool, labels)
  }
}

function readActionOptions(options: unknown): readonly string[] {
  const given = optionsObject(options, 'options')
  if (given === undefined) return NO_LABELS
  onlyKnown(given, ['certifications'], 'action()')
  return readCertifications((given as ActionOptions).certifications, 'certifications')
}
