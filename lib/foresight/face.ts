import { EventEmitter } from 'node:events'
import { duration, flag, onlyKnown, optionsObject, refuse, text } from '../checks.js'
import { ClosedError } from '../errors/index.js'
import type { ContentionPrediction } from '../predict/contention.js'
import type { ContentionMap } from '../predict/contention-map.js'
import type { ModelScore } from '../predict/scorekeeper.js'
import type { Trigger, TriggersListOptions } from '../predict/triggers.js'
import type { UsageInput } from '../predict/usage-input.js'
import type { UsagePrediction } from '../predict/usage-quantity.js'
import { mustRunWith } from '../running-options.js'
import type { Session } from '../session.js'
import { noTelemetry } from '../telemetry.js'
import { hearOf, type RunTold } from '../workflow/sizing.js'
import type { ForesightStatus, Question, Questions } from './answers.js'
import type { Backing } from './backing.js'
import type { CollisionProfile } from './collisions.js'
import type { Demand, DemandOptions, ModelFactory, ScopedEvent } from './demand.js'
import { LocalWatch } from './local-watch.js'
import type { ElementOf, LikelyElement, LikelyOptions, ScoreOptions } from './scores.js'
import type { DemandOf } from './subject.js'
import { ThreadWatch } from './thread-watch.js'
import type { Anomaly } from './usage-watch.js'

export interface ForesightOptions {
  /** ms between two looks at what happened; default 100 */
  period?: number | undefined
  /** whether it learns in a thread of its own; default true, but under a virtual clock, which belongs to the caller's */
  thread?: boolean | undefined
  /** whether it learns from the beginning on who collides with whom, which is a third of its work, or from the first question about that on; default true */
  contention?: boolean | undefined
}

/** With which it learns. */
type ForesightTerms = { readonly [K in keyof ForesightOptions]-?: NonNullable<ForesightOptions[K]> }

export interface ForesightEvents {
  /** what a run took is not what such runs take */
  anomaly: [anomaly: Anomaly]
}

export interface UsageQuestion {
  /** one of its actions; default: the run as a whole */
  action?: string | undefined
}

const PERIOD_MS = 100
const PERIOD_MIN_MS = 1
const WHEN_OFF: ForesightStatus = { active: false, events: 0, runs: 0, lost: 0, tracked: { elements: 0, subjects: 0, usage: 0 } }

/**
 * What will be asked for, by whom, and what it will take: learnt from what all environments of the arena do from the first question on, or from
 * {@link start}. See {@link Governor.foresight}.
 */
export class Foresight extends EventEmitter<ForesightEvents> {
  readonly #session: Session
  #backing: Backing | undefined
  /** of the one that learns */
  #terms: ForesightTerms | undefined
  /** why it stopped by itself */
  error: unknown = undefined

  /** @internal */
  constructor(session: Session) {
    super()
    this.#session = session
    session.leaving.push(() => this.stop())
  }

  /** Whether it learns. */
  get active(): boolean {
    return this.#backing !== undefined && this.error === undefined
  }

  /**
   * Begins to learn; nothing if it does already with these options, or if none are given.
   *
   * @throws ConfigError if it learns with others, which {@link stop} ends; CapacityError if the arena was made without room for telemetry; ArgumentError, ClosedError
   */
  start(options?: ForesightOptions): void {
    const session = this.#session
    session.mustBeOpen()
    const given = optionsObject(options, 'options') ?? {}
    onlyKnown(given, ['period', 'thread', 'contention'], 'foresight.start()')
    const { period = PERIOD_MS, thread, contention } = given as { [K in keyof ForesightOptions]: unknown }
    const every = duration(period, 'period')
    if (every < PERIOD_MIN_MS) throw refuse('period', `ms from ${PERIOD_MIN_MS} on`, period)
    const isApart = thread === undefined ? !session.binding.virtual : flag(thread, 'thread')
    const terms = { period: every, thread: isApart, contention: contention === undefined ? true : flag(contention, 'contention') }
    if (session.binding.capacity.telemetry === 0) throw noTelemetry()
    if (this.#backing !== undefined) {
      mustRunWith('foresight', this.#terms as ForesightTerms, given, terms)
      return
    }
    const events = {
      // Not from what learns: a listener that throws would stop it, or take its thread's messages with it.
      anomaly: (anomaly: Anomaly) => queueMicrotask(() => this.emit('anomaly', anomaly)),
      sized: (record: RunTold) => hearOf(session, record),
      failed: (error: unknown) => this.#fail(error)
    }
    this.error = undefined
    this.#terms = terms
    this.#backing = new (isApart ? ThreadWatch : LocalWatch)(session, terms, events)
  }

  /** Learns no more, and forgets what was learnt: {@link save} it before. Resolves when its thread has ended. */
  async stop(): Promise<void> {
    const backing = this.#backing
    this.#backing = undefined
    await backing?.stop()
  }

  async status(): Promise<ForesightStatus> {
    return this.active ? this.#ask('status') : WHEN_OFF
  }

  /**
   * How much will be asked for, with quantiles: by a workflow, a tenant or a tier, of a bucket, a pool or a queue. Steps are of 0.1, 1 or 60 s,
   * as the horizon has about 60 of them. What is granted later counts when it was asked for.
   *
   * @returns rejected with an ArgumentError, or a ClosedError
   */
  demand(of: DemandOf, options: DemandOptions): Promise<Demand> {
    return this.#ask('demand', of, options)
  }

  /**
   * The probability that a request for an element comes within the time, by a request of the tier or a higher one.
   *
   * @returns rejected with an ArgumentError, or a ClosedError
   */
  score(of: ElementOf, options?: ScoreOptions): Promise<number> {
    return this.#ask('score', of, options)
  }

  /**
   * The elements that are likely to be asked for, the likeliest first.
   *
   * @returns rejected with an ArgumentError, or a ClosedError
   */
  likely(options?: LikelyOptions): Promise<LikelyElement[]> {
    return this.#ask('likely', options)
  }

  /**
   * What a run of a workflow, or one of its actions, will take for this input, by resource: cpu (millicores), memory (bytes), disk, network
   * (bytes/s), storage (bytes written), duration (ms). Of the input only fields count that the workflow keeps or hashes. What nothing is known of is absent.
   *
   * @returns rejected with an ArgumentError, or a ClosedError
   */
  usage(workflow: string, input?: UsageInput, options?: UsageQuestion): Promise<Readonly<Record<string, UsagePrediction>>> {
    try {
      text(workflow, 'workflow')
      const given = optionsObject(options, 'options') ?? {}
      onlyKnown(given, ['action'], 'usage()')
      return this.#ask('usage', workflow, (given as UsageQuestion).action, input)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Which workflows raise others, the most certain first. What came is judged 70 s later.
   *
   * @returns rejected with an ArgumentError, or a ClosedError
   */
  triggers(options?: TriggersListOptions): Promise<Trigger[]> {
    return this.#ask('triggers', options)
  }

  /**
   * Whether a request for locks will wait, asked before it is made: how probable that is, for how long, behind whom, and how probable it is that
   * somebody will wait for it.
   *
   * @returns rejected with an ArgumentError, or a ClosedError
   */
  contention(profile: CollisionProfile): Promise<ContentionPrediction> {
    return this.#ask('contention', profile)
  }

  /**
   * Which workflows collide with which, on which locks, how often and at what cost, the costliest first.
   *
   * @param most pairs
   * @returns rejected with an ArgumentError, or a ClosedError
   */
  map(most?: number): Promise<ContentionMap> {
    return this.#ask('map', most)
  }

  /**
   * Takes an event into account that is known to come, or to have been: from the next forecast of demand on. One of the same id takes its place.
   *
   * @returns rejected with an ArgumentError, a CapacityError (`events`: 1,024 that are not over), or a ClosedError
   */
  expect(event: ScopedEvent): Promise<void> {
    return this.#ask('expect', event)
  }

  /**
   * Takes an event back. False: there is none of this id.
   *
   * @returns rejected with an ArgumentError, or a ClosedError
   */
  cancel(id: string): Promise<boolean> {
    return this.#ask('cancel', id)
  }

  /** How what was said of demand, of usage and of keys compares with what came, and whether a model has become worse. */
  accuracy(): Promise<ModelScore[]> {
    return this.#ask('accuracy')
  }

  /** The last 1,000 runs, and actions of runs, that took what such runs do not, oldest first. */
  anomalies(): Promise<Anomaly[]> {
    return this.#ask('anomalies')
  }

  /**
   * A model of one's own, beside those there are: it is asked, tried and weighted as they are, for each series of demand.
   *
   * @param model makes one; where foresight has a thread of its own, the URL of a module (`file:`) whose default export does
   * @returns rejected with an ArgumentError, with what the module throws, or a ClosedError
   */
  async register(model: ModelFactory | URL | string): Promise<void> {
    const url = model instanceof URL ? model.href : model
    if (!(typeof url === 'string' && URL.canParse(url)) && typeof url !== 'function')
      throw refuse('model', 'a function, or the URL of a module', model)
    if (typeof url === 'function' && this.#start() instanceof ThreadWatch)
      throw refuse('model', 'the URL of a module, for a function cannot go to another thread', model)
    return this.#ask('register', url)
  }

  /** What was learnt of usage and of how requests come, for {@link load} of a later process. Of strings of inputs there are hashes only. */
  save(): Promise<Uint8Array> {
    return this.#ask('save')
  }

  /** @returns rejected with a CorruptError if it is not what {@link save} gave */
  load(saved: Uint8Array): Promise<void> {
    return this.#ask('load', saved)
  }

  /** For the agent, which plans by what is known here. @internal */
  static ask<Q extends 'plan' | 'unplan' | 'planning' | 'leads'>(
    foresight: Foresight,
    question: Q,
    ...args: Parameters<Questions[Q]>
  ): Promise<Awaited<ReturnType<Questions[Q]>>> {
    return foresight.#ask(question, ...args)
  }

  /** ms between two looks; undefined: it does not look. @internal */
  static periodOf(foresight: Foresight): number | undefined {
    return foresight.#backing === undefined ? undefined : foresight.#terms?.period
  }

  async #ask<Q extends Question>(question: Q, ...args: Parameters<Questions[Q]>): Promise<Awaited<ReturnType<Questions[Q]>>> {
    return this.#start().ask(question, ...args)
  }

  #start(): Backing {
    if (this.error !== undefined) throw new ClosedError('this foresight has stopped', { resource: undefined }, this.error)
    this.start()
    return this.#backing as Backing
  }

  #fail(error: unknown): void {
    if (this.error !== undefined) return
    this.error = error
    const reason = error instanceof Error ? error.message : String(error)
    process.emitWarning(`Foresight has stopped: ${reason}`, { type: 'ForelockForesightWarning', code: 'FORELOCK_FORESIGHT' })
  }
}
