import { ClosedError } from '../errors/index.js'
import { tellNotices } from '../notice-board.js'
import type { Session } from '../session.js'
import { after } from '../timer.js'
import { type Forgetting, forgettingOf } from '../workflow/forgetting.js'
import { addLearner } from '../workflow/learners.js'
import { answersOf, type Question, type Questions } from './answers.js'
import type { Backing, WatchEvents, WatchTerms } from './backing.js'
import { noteDemand } from './demand-note.js'
import { LaneWatch } from './lane-watch.js'
import { Outlook, type OutlookEvents } from './outlook.js'
import { Stewards } from './stewards.js'

/** Questions of which the answer is the same whatever has happened since the last look: to read that for them would make two small batches of one. */
const UNREAD: ReadonlySet<Question> = new Set<Question>(['leads'])

/** Foresight in the thread of the caller: looks at times of the arena's clock, and before each answer. */
export class LocalWatch implements Backing {
  readonly #session: Session
  readonly #watch: LaneWatch
  readonly #answers: Questions
  readonly #stewards: Stewards
  readonly #terms: WatchTerms
  readonly #events: WatchEvents
  readonly #forgetting: Forgetting
  #cancel: () => void = () => {}
  #isOver = false

  /** @throws CapacityError, ClosedError */
  constructor(session: Session, terms: WatchTerms, events: WatchEvents) {
    this.#session = session
    this.#terms = terms
    this.#events = events
    this.#forgetting = forgettingOf(session)
    addLearner(session, this)
    const told: OutlookEvents = { anomaly: anomaly => events.anomaly(anomaly), tenant: tenant => this.#forgetting.learnt(tenant) }
    const makeOutlook = (since: number) => new Outlook(session.tiers, since, told)
    this.#watch = new LaneWatch(session, makeOutlook, record => events.sized(record))
    this.#watch.outlook.contends = terms.contention ?? true
    this.#stewards = new Stewards(session, this.#watch, {
      failed: error => this.#fail(error),
      noticed: notices => tellNotices(session, notices)
    })
    this.#answers = answersOf(this.#watch, this.#stewards)
    this.#next()
  }

  async ask<Q extends Question>(question: Q, ...args: Parameters<Questions[Q]>): Promise<Awaited<ReturnType<Questions[Q]>>> {
    if (this.#isOver || !this.#session.joined) throw new ClosedError('this foresight has stopped', { resource: undefined })
    if (!UNREAD.has(question)) this.#watch.readAll()
    this.#forgetting.look()
    const answer = this.#answers[question] as (...args: Parameters<Questions[Q]>) => ReturnType<Questions[Q]>
    return await answer(...args)
  }

  /** What was told of the tenant before and not read yet is learnt first, so as to go with the rest. */
  forget(tenant: string): void {
    if (this.#isOver) return
    try {
      this.#watch.readAll()
      this.#watch.outlook.forget(tenant)
    } catch (error) {
      this.#fail(error)
    }
  }

  async stop(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancel()
    this.#watch.stop()
    await this.#stewards.end()
  }

  #next(): void {
    this.#cancel = after(this.#session, this.#terms.period, () => this.#look(), false)
  }

  #look(): void {
    if (this.#isOver || !this.#session.joined) return
    try {
      this.#watch.readAll()
      for (const outcome of this.#watch.outlook.settle(this.#watch.now())) noteDemand(this.#session, outcome)
      if (this.#session.open) this.#stewards.current?.look()
      this.#next()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#isOver) return
    void this.stop()
    this.#events.failed(error)
  }
}
