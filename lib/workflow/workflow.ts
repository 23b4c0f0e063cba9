import { EventEmitter } from 'node:events'
import { recordedFields } from '../access/fields.js'
import type { AdmitParts } from '../admit.js'
import { admit } from '../admit.js'
import { callback } from '../checks.js'
import { bookerAround, callBooked } from '../enclosing.js'
import { Meter } from '../metering/meter.js'
import type { Pool } from '../pool.js'
import { readNames } from '../request-names.js'
import type { Session } from '../session.js'
import type { ShadowAdmission } from '../shadow/answer.js'
import type { HeldSpan } from '../shadow/course.js'
import { Shadow } from '../shadow/face.js'
import { scorePredictions } from '../shadow/predictions.js'
import { type Running, runningOf } from '../shadow/running.js'
import { addLearner } from './learners.js'
import { noteRun } from './notes.js'
import { type ReadRun, type ReadWorkflow, type RunOptions, type RunShadowOptions, readRun, readShadow, readWorkflow } from './options.js'
import { ProfileLearner, type WorkflowProfile } from './profile.js'
import type { Outcome, RunRecord } from './record.js'
import { Run } from './run.js'
import { UsageReader } from './usage-reader.js'
import { Work } from './work.js'

export interface WorkflowEvents {
  /** a run is over */
  run: [record: RunRecord]
}

/** Runs are told apart by the environment and this. */
let runs = 0

/**
 * A kind of work by name: its runs are admitted, measured, recorded, and learnt from. See {@link Governor.workflow}.
 */
export class Workflow extends EventEmitter<WorkflowEvents> {
  readonly name: string
  readonly #session: Session
  readonly #options: ReadWorkflow
  readonly #learner: ProfileLearner
  readonly #running: Set<Running>
  #reader: UsageReader | undefined

  /** @internal */
  constructor(session: Session, name: string, options: unknown) {
    super()
    session.mustBeOpen(name)
    this.name = name
    this.#session = session
    this.#running = runningOf(session)
    this.#options = readWorkflow(name, options, session)
    const { type, tierIndex, prices, profile, metering } = this.#options
    this.#learner = new ProfileLearner({ id: name, type, priority: session.tiers[tierIndex] ?? '', prices }, profile)
    addLearner(session, this.#learner)
    if (metering !== undefined) {
      const meter = new Meter(metering.scope, { level: metering.level })
      session.leaving.push(() => meter.close())
      this.#reader = new UsageReader(meter)
    }
  }

  /**
   * Runs the work: waits for its admission, measures what it takes, records it, and gives back what it holds. What is asked for through
   * `run`, or `{ within: run }`, is booked to it; where the governor encloses automatically, also what else is asked for in the callback.
   *
   * @returns what `fn` returns; rejected with what it throws, as {@link Governor.admit} if it was not admitted, or an ArgumentError
   */
  run<T>(fn: (run: Run) => T | PromiseLike<T>): Promise<T>
  run<T>(options: RunOptions | undefined, fn: (run: Run) => T | PromiseLike<T>): Promise<T>
  async run<T>(first: unknown, second?: unknown): Promise<T> {
    const [options, fn] = typeof first === 'function' ? [undefined, first] : [first, second]
    callback(fn, 'fn')
    const session = this.#session
    const read = readRun(options, this.#options, session)
    session.mustBeOpen(this.name)
    const parts = this.#needs(read)
    const run = this.#make(read, parts)
    const admission = parts === undefined ? undefined : await admit(session, parts, this.#terms(read, run))
    run.begin()
    let outcome: Outcome = 'ignore'
    try {
      const result = await callBooked(run, () => (fn as (run: Run) => T | PromiseLike<T>)(run))
      outcome = 'success'
      return result
    } finally {
      const record = run.end(outcome, admission)
      this.#record(record, run.heldSpans())
      scorePredictions(session, run, record)
    }
  }

  /** What is known of it: what was given, and what its runs in this environment have taken. */
  profile(): WorkflowProfile {
    return this.#learner.workflowProfile()
  }

  /**
   * What would become of the admission of a run, if it was asked for now, or in a while; takes nothing. It would hold what it needs for as long
   * as runs are expected to take.
   *
   * @throws as {@link Shadow.admit}
   */
  shadow(options: RunShadowOptions = {}): ShadowAdmission {
    const session = this.#session
    session.mustBeOpen(this.name)
    const { input, tier, tenant, in: later } = readShadow(options)
    const expected = this.profile().duration?.expected
    return new Shadow(session).admit(this.#needs({ input }) ?? {}, {
      tier: tier ?? session.tiers[this.#options.tierIndex],
      workflow: this.name,
      tenant: tenant ?? this.#options.tenant,
      ...(expected !== undefined && { hold: expected }),
      ...(later !== undefined && { in: later })
    })
  }

  #needs({ input }: Pick<ReadRun, 'input'>): AdmitParts | undefined {
    const { needs } = this.#options
    return typeof needs === 'function' ? needs(input) : needs
  }

  #make(read: ReadRun, parts: AdmitParts | undefined): Run {
    const session = this.#session
    const { type, fields, prices } = this.#options
    const around = bookerAround(session)
    const parent = read.parent ?? (around instanceof Work ? around : undefined)
    return new Run({
      session,
      id: `${session.binding.client}-${++runs}`,
      parent,
      parentId: parent?.runId,
      workflow: this.name,
      type,
      tierIndex: read.tierIndex,
      names: readNames(session.waiting.names, this.name, read.tenant, read.client, undefined, undefined),
      input: read.input,
      events: read.events,
      kept: recordedFields(read.input, fields, session.privacy),
      prices,
      reader: this.#reader,
      signal: read.signal,
      pools: poolsOf(parts),
      past: this.#learner.courses,
      running: this.#running
    })
  }

  #terms({ waitTimeout, signal, within }: ReadRun, run: Run): object {
    const own = within === undefined ? [] : Array.isArray(within) ? within : [within]
    return {
      ...(waitTimeout !== undefined && { waitTimeout }),
      ...(signal !== undefined && { signal }),
      within: [run, ...own]
    }
  }

  #record(record: RunRecord, holds: readonly HeldSpan[]): void {
    this.#learner.add(record, holds)
    noteRun(this.#session, record)
    // Not from here: a listener that throws must not turn what was done into what failed.
    if (this.listenerCount('run') !== 0) queueMicrotask(() => this.emit('run', record))
  }
}

/** The pools of what was admitted. */
function poolsOf(parts: AdmitParts | undefined): readonly Pool[] {
  const list = parts?.pool
  if (list === undefined) return []
  const pairs = (Array.isArray(list[0]) ? list : [list]) as readonly (readonly [Pool, unknown])[]
  return pairs.map(([pool]) => pool)
}
