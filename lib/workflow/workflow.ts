import { EventEmitter } from 'node:events'
import { recordedFields } from '../access/fields.js'
import type { Admission } from '../admission.js'
import { type AdmitParts, admit } from '../admit.js'
import { callback, optionsObject, refuse } from '../checks.js'
import { bookerAround, isEnclosed } from '../enclosing.js'
import type { MeterMethods } from '../metering/meter.js'
import { type NoticeListener, noticeBoardOf } from '../notice-board.js'
import type { ContentionNotice, Notice, NoticeEvent, PlanNotice, WarmNotice } from '../notices.js'
import type { Pool } from '../pool.js'
import type { AmountsByName } from '../pool-terms.js'
import { type RequestNames, readNames } from '../request-names.js'
import type { Session } from '../session.js'
import { announcerOf } from '../shadow/announcer.js'
import type { ShadowAdmission } from '../shadow/answer.js'
import type { HeldSpan } from '../shadow/course.js'
import { Shadow } from '../shadow/face.js'
import { scorePredictions } from '../shadow/predictions.js'
import { runningOf } from '../shadow/running.js'
import { Allotment } from './allotment.js'
import { type Forgetting, forgettingOf } from './forgetting.js'
import { addLearner } from './learners.js'
import { methodsOf, openMetering } from './metering.js'
import { noteRun } from './notes.js'
import { type ReadRun, type ReadWorkflow, type RunOptions, type RunShadowOptions, readRun, readShadow, readWorkflow } from './options.js'
import { isPast, ProfileLearner, type WorkflowProfile } from './profile.js'
import { Readiness, type ReadinessStatus } from './readiness.js'
import type { Outcome, PastRecord, RunRecord } from './record.js'
import { Remedies, type Remedy, type RemedyRecord, type RemedyStatus } from './remedies.js'
import { noteRemedy } from './remedy-note.js'
import { KnownWorkflow, poolParts } from './remedy-subject.js'
import { Run, type RunKind } from './run.js'
import { Sizing, type SizingStatus, usageInputOf } from './sizing.js'
import { Doorkeeper } from './when-full.js'
import { Work } from './work.js'

export interface WorkflowEvents {
  /** a run is over */
  run: [record: RunRecord]
  /** its tier, or one above it, is likely to ask for more than there is: of a pool, or of a lock or a bucket that it has used lately, too */
  contention: [notice: ContentionNotice]
  /** something is kept for its tier, or from it: for a tier above, or another workflow or tenant */
  plan: [notice: PlanNotice]
  /** what it could do, or does, so as not to be in the way */
  remedy: [remedy: Remedy]
  /** what came of one that was done, or left alone to compare with */
  remedied: [record: RemedyRecord]
}

/** What ends the hearing of those that nobody has any more. */
const dropped = new FinalizationRegistry<() => void>(stop => stop())
/** Of each governor, those that somebody listens to. */
const listenedTo = new WeakMap<Session, Set<Workflow>>()
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
  readonly #forgetting: Forgetting
  readonly #kind: RunKind
  readonly #sizing: Sizing | undefined
  /** undefined: runs wait */
  readonly #door: Doorkeeper | undefined
  /** of runs that say nothing of themselves */
  readonly #plain: ReadRun
  readonly #plainNames: RequestNames
  readonly #client: string
  readonly #remedies: Remedies
  /** undefined: nobody makes it ready */
  readonly #readiness: Readiness | undefined
  /** what the last run was admitted with */
  #lastParts: AdmitParts | undefined
  /** what ends its hearing, by kind of notices */
  readonly #hears = new Map<NoticeEvent, () => void>()

  /** @internal */
  constructor(session: Session, name: string, options: unknown) {
    super()
    session.mustBeOpen(name)
    this.name = name
    this.#session = session
    this.#options = readWorkflow(name, options, session)
    const { type, tierIndex, prices, profile, metering, learning, whenFull, onScale } = this.#options
    this.#learner = new ProfileLearner({ id: name, type, priority: session.tiers[tierIndex] ?? '', prices }, profile)
    addLearner(session, this.#learner)
    this.#forgetting = forgettingOf(session)
    const subject = new KnownWorkflow(session, name, tierIndex, this.#learner, () => this.#lastParts ?? this.#parts())
    this.#remedies = new Remedies(session, subject, this.#options.remedies)
    this.#kind = {
      session,
      workflow: name,
      type,
      prices,
      metering: metering === undefined ? undefined : openMetering(session, metering),
      past: this.#learner.courses,
      forgetting: this.#forgetting,
      running: runningOf(session),
      announcer: announcerOf(session),
      remedies: this.#remedies
    }
    this.#sizing = learning === undefined ? undefined : new Sizing(session, name, tierIndex, learning)
    this.#door = whenFull === 'queue' ? undefined : new Doorkeeper(session, whenFull, onScale)
    this.#plain = readRun(undefined, this.#options, session)
    this.#plainNames = this.#namesOf(this.#plain)
    this.#client = session.binding.client
    const { onWarm } = this.#options
    this.#readiness = onWarm === undefined ? undefined : new Readiness(session, onWarm)
    this.#listen(undefined)
    // Told of any event's listeners, those of which the type above knows nothing among them.
    this.#hearOfListeners()
  }

  /** As of any emitter; what it needs itself so as to know of listeners to come stays. */
  override removeAllListeners(event?: Parameters<EventEmitter<WorkflowEvents>['removeAllListeners']>[0]): this {
    super.removeAllListeners(event)
    // Events that nobody has but the emitter itself.
    const asked = event as unknown
    if (asked === undefined || asked === 'newListener' || asked === 'removeListener') this.#hearOfListeners()
    this.#listen(undefined)
    return this
  }

  #hearOfListeners(): void {
    const emitter = this as unknown as EventEmitter
    if (emitter.listenerCount('newListener') === 0) emitter.on('newListener', (event: unknown) => this.#listen(event))
    if (emitter.listenerCount('removeListener') === 0) emitter.on('removeListener', () => this.#listen(undefined))
  }

  /**
   * Runs the work: waits for its admission, measures what it takes, records it, and gives back what it holds. What is asked for through
   * `run`, or `{ within: run }`, is booked to it; where the governor encloses automatically, also what else is asked for in the callback.
   *
   * @returns what `fn` returns; rejected with what it throws, as {@link Governor.admit} if it was not admitted, or an ArgumentError
   */
  run<T>(fn: (run: Run) => T | PromiseLike<T>): Promise<T>
  run<T>(options: RunOptions | undefined, fn: (run: Run) => T | PromiseLike<T>): Promise<T>
  run<T>(first: unknown, second?: unknown): Promise<T> {
    // Not async itself: that would be a promise more for each run.
    try {
      const isPlain = typeof first === 'function'
      const fn = isPlain ? first : second
      callback(fn, 'fn')
      const session = this.#session
      const read = isPlain || first === undefined ? this.#plain : readRun(first, this.#options, session)
      session.mustBeOpen(this.name)
      this.#readiness?.began()
      const work = fn as (run: Run) => T | PromiseLike<T>
      this.#remedies.arrivals++
      return this.#remedies.concerns ? this.#beginLater(work, read) : this.#begin(work, read)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async #beginLater<T>(work: (run: Run) => T | PromiseLike<T>, read: ReadRun): Promise<T> {
    // What it is part of has begun, and waits for it with all that it holds.
    if (this.#isPart(read)) return this.#begin(work, read)
    const begun = await this.#remedies.begin(read)
    try {
      this.#session.mustBeOpen(this.name)
      return await this.#begin(work, { ...read, ...begun })
    } finally {
      // Of one that was not admitted nobody else says that it waits no more.
      if (begun.seen !== undefined) this.#remedies.admitted(begun.seen)
    }
  }

  /** Whether it goes on within another run, or with grants of its caller. */
  #isPart({ within }: ReadRun): boolean {
    return within !== undefined || (this.#session.encloses && isEnclosed())
  }

  #begin<T>(work: (run: Run) => T | PromiseLike<T>, read: ReadRun): Promise<T> {
    const sizing = this.#sizing
    return sizing === undefined ? this.#try(work, read, this.#needs(read), undefined) : this.#learn(work, read, sizing)
  }

  /** Tries it with what such runs take, and again with more, where it says that it was that. */
  async #learn<T>(work: (run: Run) => T | PromiseLike<T>, read: ReadRun, sizing: Sizing): Promise<T> {
    this.#forgetting.look()
    const input = usageInputOf(read.input)
    let amounts: readonly number[] = sizing.size(input)
    for (let tries = 1; ; tries++) {
      const allotment = new Allotment(sizing, input, read.tenant, amounts, tries)
      try {
        return await this.#try(work, read, sizing.parts(amounts), allotment)
      } catch (error) {
        const more = allotment.retry(error)
        if (more === undefined) throw error
        amounts = more
      }
    }
  }

  async #try<T>(
    work: (run: Run) => T | PromiseLike<T>,
    read: ReadRun,
    parts: AdmitParts | undefined,
    allotment: Allotment | undefined
  ): Promise<T> {
    const session = this.#session
    const run = this.#make(read, parts, allotment)
    // What needs nothing is admitted by beginning.
    if (parts === undefined && read.seen !== undefined) this.#remedies.admitted(read.seen)
    const admission = parts === undefined ? undefined : await this.#admit(parts, read, run, allotment)
    this.#lastParts = parts
    let outcome: Outcome = 'ignore'
    try {
      const result = await run.start(work, admission)
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
    this.#forgetting.look()
    return this.#learner.workflowProfile()
  }

  /**
   * How each value of the usage of its runs and actions is measured here, a sentence for each that this machine gives; none: nothing is. What a child process or a
   * worker thread used is in it as a {@link ChildMeter} or a {@link WorkerMeter} says.
   *
   * @throws ClosedError
   */
  get methods(): MeterMethods {
    const { metering } = this.#kind
    return metering === undefined ? {} : methodsOf(metering)
  }

  /**
   * Learns its profile, and what runs need where it learns that, from records of runs that were, as {@link WorkflowEvents.run} told of them or
   * {@link History.runs} knows them, of another day or place: runs that are done here teach by themselves. Of those that have not succeeded nothing is learnt.
   *
   * @throws ArgumentError
   */
  teach(records: Iterable<PastRecord>): void {
    if (typeof (records as Partial<Iterable<RunRecord>> | undefined | null)?.[Symbol.iterator] !== 'function') {
      throw refuse('records', 'records of runs', records)
    }
    for (const record of records) {
      if (optionsObject(record, 'record') === undefined) throw refuse('record', 'the record of a run', record)
      if (record.outcome !== 'success') continue
      if (typeof record.tenant === 'string') this.#forgetting.learnt(record.tenant)
      this.#sizing?.hear(record)
      if (isPast(record)) this.#learner.teach(record)
    }
  }

  /** How its runs were sized by what was learnt, in this environment; undefined: it does not learn that. */
  sizing(): SizingStatus | undefined {
    return this.#sizing?.status()
  }

  /** What it could have done, and did, so as not to be in the way of tiers above it. */
  remedies(): RemedyStatus {
    return this.#remedies.status()
  }

  /** What came of the calls of `onWarm` in this environment; undefined: there is none. */
  readiness(): ReadinessStatus | undefined {
    return this.#readiness?.status()
  }

  /** What a run of this input would be granted now, by dimension; undefined: it does not learn that. */
  size(input?: unknown): AmountsByName | undefined {
    this.#forgetting.look()
    return this.#sizing?.byName(this.#sizing.size(usageInputOf(input)))
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

  /** Hears what somebody listens to, or it acts on. @param coming an event that is about to be listened to */
  #listen(coming: unknown): void {
    const heard = (...events: (keyof WorkflowEvents)[]) => events.some(event => event === coming || this.listenerCount(event) > 0)
    const { applies } = this.#remedies
    this.#keep(heard('contention', 'plan', 'remedy', 'remedied'))
    this.#hear('contention', applies || heard('contention', 'remedy'))
    this.#hear('outcome', applies)
    this.#hear('plan', heard('plan'))
    this.#hear('warm', this.#readiness !== undefined || heard('plan'))
  }

  #hear(event: NoticeEvent, isHeard: boolean): void {
    const stop = this.#hears.get(event)
    if ((stop !== undefined) === isHeard) return
    if (stop === undefined) {
      const stops = noticeBoardOf(this.#session).on(event, Workflow.#hearer(new WeakRef(this)))
      this.#hears.set(event, stops)
      dropped.register(this, stops, stops)
    } else {
      dropped.unregister(stop)
      stop()
      this.#hears.delete(event)
    }
  }

  /** Does not hold the workflow: one that the user has let go of has no runs that could give way, or be made ready for. */
  static #hearer(workflow: WeakRef<Workflow>): NoticeListener {
    return (notice, at) => {
      const heard = workflow.deref()
      if (heard !== undefined) heard.#heard(notice, at)
    }
  }

  /** As long as somebody listens it stays, as whatever can emit does. */
  #keep(isListenedTo: boolean): void {
    const kept = listenedTo.get(this.#session) ?? new Set()
    listenedTo.set(this.#session, kept)
    if (isListenedTo) kept.add(this)
    else kept.delete(this)
  }

  /** Not from the timer that looks: a listener that throws must keep neither others nor later notices from being heard. */
  #tell<E extends keyof WorkflowEvents>(event: E, told: WorkflowEvents[E][0]): void {
    queueMicrotask(() => (this as unknown as EventEmitter).emit(event, told))
  }

  #warm(notice: WarmNotice): void {
    const { kind, what, who, until } = notice
    if (kind === 'workflow' && what === this.name) this.#readiness?.hear(notice)
    if (who === this.name) this.#tell('plan', { event: 'plan', kind: 'warm', what, tier: undefined, who, amount: undefined, until })
  }

  #heard(notice: Notice, at: number): void {
    if (notice.event === 'warm') {
      this.#warm(notice)
      return
    }
    const tier = notice.tier === undefined ? -1 : this.#session.tiers.indexOf(notice.tier)
    const own = this.#options.tierIndex
    if (notice.event === 'plan') {
      // What is for a workflow or a tenant concerns that one; what is for a tier, all up to it.
      if (notice.who === undefined ? tier >= own : notice.who === this.name || notice.who === this.#options.tenant)
        this.#tell('plan', notice)
      return
    }
    if (notice.event === 'outcome') {
      const record = this.#remedies.outcome(notice)
      if (record === undefined) return
      noteRemedy(this.#session, record)
      this.#tell('remedied', record)
      return
    }
    if (tier < own || (notice.users !== undefined && !Object.hasOwn(notice.users, this.name))) return
    this.#tell('contention', notice)
    const remedy = this.#remedies.against(notice, at)
    if (remedy !== undefined) this.#tell('remedy', remedy)
  }

  /** What a run would be admitted with of whose input nothing is known; undefined also where that depends on it. */
  #parts(): AdmitParts | undefined {
    return typeof this.#options.needs === 'function' ? undefined : this.#needs({ input: undefined })
  }

  #needs({ input }: Pick<ReadRun, 'input'>): AdmitParts | undefined {
    const { needs } = this.#options
    if (this.#sizing !== undefined) return this.#sizing.parts(this.#sizing.size(usageInputOf(input)))
    return typeof needs === 'function' ? needs(input) : needs
  }

  #make(read: ReadRun, parts: AdmitParts | undefined, allotment: Allotment | undefined): Run {
    const around = read.parent === undefined ? bookerAround(this.#session) : undefined
    return new Run(this.#kind, {
      id: `${this.#client}-${++runs}`,
      parent: read.parent ?? (around instanceof Work ? around : undefined),
      tierIndex: read.tierIndex,
      names: read === this.#plain ? this.#plainNames : this.#namesOf(read),
      input: read.input,
      events: read.events,
      kept: recordedFields(read.input, this.#options.fields, this.#session.privacy),
      signal: read.signal,
      pools: poolsOf(parts),
      isPart: this.#isPart(read),
      allotment
    })
  }

  #namesOf({ tenant, client }: ReadRun): RequestNames {
    return readNames(this.#session.waiting.names, this.name, tenant, client, undefined, undefined)
  }

  #admit(parts: AdmitParts, read: ReadRun, run: Run, allotment: Allotment | undefined): Promise<Admission> {
    run.ask()
    const [door, terms] = [this.#door, this.#terms(read, run)]
    const admitted =
      door === undefined
        ? admit(this.#session, parts, terms)
        : door.admit(parts, terms, { workflow: this.name, tier: run.tier, amounts: allotment?.granted })
    const { seen } = read
    return seen === undefined ? admitted : admitted.finally(() => this.#remedies.admitted(seen))
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
    if (record.tenant !== undefined) this.#forgetting.learnt(record.tenant)
    this.#learner.add(record, holds)
    noteRun(this.#session, record)
    // Not from here: a listener that throws must not turn what was done into what failed.
    if (this.listenerCount('run') !== 0) queueMicrotask(() => this.emit('run', record))
  }
}

/** The pools of what was admitted. */
function poolsOf(parts: AdmitParts | undefined): readonly Pool[] {
  return parts === undefined ? [] : poolParts(parts).map(([pool]) => pool)
}
