import type { Admission } from '../admission.js'
import { callback, onlyKnown, optionsObject } from '../checks.js'
import { callBooked } from '../enclosing.js'
import { ArgumentError } from '../errors/index.js'
import type { Usage } from '../metering/counters.js'
import { type Pool, pools } from '../pool.js'
import type { RequestNames } from '../request-names.js'
import type { Session } from '../session.js'
import type { Course, HeldSpan, PresentCourse } from '../shadow/course.js'
import type { Courses } from '../shadow/courses.js'
import type { RunForecast } from '../shadow/forecast.js'
import { HoldLog } from '../shadow/hold-log.js'
import { forecastRun } from '../shadow/replica.js'
import type { Running } from '../shadow/running.js'
import { NS_PER_MS } from '../units.js'
import { Action } from './action.js'
import { costOf, type Prices } from './cost.js'
import { workName } from './options.js'
import { readCertifications } from './profile.js'
import type { ActionRecord, Outcome, RunRecord } from './record.js'
import type { UsageReader } from './usage-reader.js'
import { Work } from './work.js'

export interface ActionOptions {
  /** labels that a pool which the run was admitted to must have, as `pci` */
  certifications?: readonly string[] | undefined
}

/** What a run is, apart from how it goes. */
export interface RunSetup {
  readonly session: Session
  readonly id: string
  readonly parent: Work | undefined
  readonly parentId: string | undefined
  readonly workflow: string
  readonly type: string
  readonly tierIndex: number
  readonly names: RequestNames
  readonly input: unknown
  readonly events: readonly string[]
  /** the fields of the input that are recorded */
  readonly kept: Readonly<Record<string, unknown>>
  readonly prices: Prices | undefined
  readonly reader: UsageReader | undefined
  readonly signal: AbortSignal | undefined
  readonly pools: readonly Pool[]
  /** how others of its workflow went */
  readonly past: Courses
  /** where it is while it goes on */
  readonly running: Set<Running>
}

const NO_USAGE: Partial<Usage> = {}
const NO_LABELS: readonly string[] = []
const NO_TIME = { p05: 0, p50: 0, p95: 0 }
const NO_HOLDS: readonly HeldSpan[] = []

/** A run of a workflow: see {@link Workflow.run}. What is asked for through it, or `{ within: run }`, is booked to it. */
export class Run extends Work implements Running {
  private readonly setup: RunSetup
  private readonly actions: ActionRecord[] = []
  private readonly open: Action[] = []
  private readonly asked: number
  private began: number
  private place = -1
  private positions = 0
  private over = false
  private log: HoldLog | undefined = undefined

  /** @internal */
  constructor(setup: RunSetup) {
    super(setup.session, setup.names, setup.tierIndex, setup.parent)
    this.setup = setup
    this.asked = this.now()
    this.began = this.asked
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
    return this.setup.workflow
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
    const [options, fn] = typeof second === 'function' ? [undefined, second] : [second, third]
    callback(fn, 'fn')
    const labels = options === undefined ? NO_LABELS : readActionOptions(options)
    if (labels.length !== 0) this.mustBeCertified(labels)
    const action = new Action(this, workName(name, 'name'), this.positions++, this.now)
    this.open.push(action)
    this.log?.look(action.began)
    const { reader } = this.setup
    const place = reader === undefined ? -1 : reader.begin()
    let outcome: Outcome = 'ignore'
    try {
      const result = await callBooked(action, () => (fn as (action: Action) => T | PromiseLike<T>)(action))
      outcome = 'success'
      return result
    } finally {
      const usage = reader === undefined ? NO_USAGE : reader.end(place)
      this.closed(action)
      this.actions.push(action.end(this.began, outcome, usage, this.cost, labels))
    }
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
    return this.setup.past.all
  }

  /** @internal */
  holdLog(): HoldLog {
    this.log ??= new HoldLog()
    return this.log
  }

  /** @internal */
  lookAtHeld(): void {
    this.log?.look(this.time())
  }

  /** @internal what it held, and when */
  heldSpans(): readonly HeldSpan[] {
    return this.log?.spans(this.began) ?? NO_HOLDS
  }

  /** @internal It was admitted. */
  begin(): void {
    this.began = this.now()
    this.setup.running.add(this)
    if (this.setup.reader !== undefined) this.place = this.setup.reader.begin()
  }

  /** @internal It is over. */
  end(otherwise: Outcome, admission: Admission | undefined): RunRecord {
    const { setup, session } = this
    const usage = setup.reader === undefined ? NO_USAGE : setup.reader.end(this.place)
    const duration = this.now() - this.began
    this.over = true
    setup.running.delete(this)
    const outcome = this.chosen ?? otherwise
    // First what it was admitted with: that is among what is held, and ends as the run does.
    admission?.[outcome]()
    this.releaseHeld()
    this.actions.sort((a, b) => a.position - b.position)
    const { words } = setup.names
    return {
      id: setup.id,
      parent: setup.parentId,
      workflow: setup.workflow,
      type: setup.type,
      tier: session.tiers[this.tierIndex] ?? '',
      tenant: words.tenant,
      client: words.client,
      start: session.joined ? session.binding.wallClock(this.began * NS_PER_MS) : Date.now() - duration,
      waited: this.began - this.asked,
      duration,
      outcome,
      usage,
      cost: costOf(setup.prices, usage),
      booked: this.sums(),
      input: setup.kept,
      events: setup.events,
      actions: this.actions
    }
  }

  private readonly cost = (usage: Partial<Usage>): number | undefined => costOf(this.setup.prices, usage)

  /** ms on the arena's clock. */
  private readonly now = (): number => this.time()

  private closed(action: Action): void {
    const { open } = this
    if (open[open.length - 1] === action) open.pop()
    else open.splice(open.indexOf(action), 1)
  }

  private mustBeCertified(labels: readonly string[]): void {
    const { pools: admitted, workflow } = this.setup
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
