import type { Admission } from '../admission.js'
import { callback, onlyKnown, optionsObject } from '../checks.js'
import { callBooked } from '../enclosing.js'
import { ArgumentError } from '../errors/index.js'
import type { Usage } from '../metering/counters.js'
import { type Pool, pools } from '../pool.js'
import type { RequestNames } from '../request-names.js'
import type { Session } from '../session.js'
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
}

const NO_USAGE: Partial<Usage> = {}
const NO_LABELS: readonly string[] = []

/** A run of a workflow: see {@link Workflow.run}. What is asked for through it, or `{ within: run }`, is booked to it. */
export class Run extends Work {
  private readonly setup: RunSetup
  private readonly actions: ActionRecord[] = []
  private readonly asked: number
  private began: number
  private place = -1
  private positions = 0

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
    const { reader } = this.setup
    const place = reader === undefined ? -1 : reader.begin()
    let outcome: Outcome = 'ignore'
    try {
      const result = await callBooked(action, () => (fn as (action: Action) => T | PromiseLike<T>)(action))
      outcome = 'success'
      return result
    } finally {
      const usage = reader === undefined ? NO_USAGE : reader.end(place)
      this.actions.push(action.end(this.began, outcome, usage, this.cost, labels))
    }
  }

  /** @internal It was admitted. */
  begin(): void {
    this.began = this.now()
    if (this.setup.reader !== undefined) this.place = this.setup.reader.begin()
  }

  /** @internal It is over. */
  end(otherwise: Outcome, admission: Admission | undefined): RunRecord {
    const { setup, session } = this
    const usage = setup.reader === undefined ? NO_USAGE : setup.reader.end(this.place)
    const duration = this.now() - this.began
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
  private readonly now = (): number => this.session.binding.now() / NS_PER_MS

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
