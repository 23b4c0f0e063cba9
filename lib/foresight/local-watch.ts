import { ClosedError } from '../errors/index.js'
import { tellNotices } from '../notice-board.js'
import type { Session } from '../session.js'
import { after } from '../timer.js'
import { answersOf, type Question, type Questions } from './answers.js'
import type { Backing, WatchEvents, WatchTerms } from './backing.js'
import { noteDemand } from './demand-note.js'
import { LaneWatch } from './lane-watch.js'
import { Outlook } from './outlook.js'
import { Stewards } from './stewards.js'

/** Foresight in the thread of the caller: looks at times of the arena's clock, and before each answer. */
export class LocalWatch implements Backing {
  readonly #session: Session
  readonly #watch: LaneWatch
  readonly #answers: Questions
  readonly #stewards: Stewards
  readonly #terms: WatchTerms
  readonly #events: WatchEvents
  #cancel: () => void = () => {}
  #isOver = false

  /** @throws CapacityError, ClosedError */
  constructor(session: Session, terms: WatchTerms, events: WatchEvents) {
    this.#session = session
    this.#terms = terms
    this.#events = events
    const makeOutlook = (since: number) => new Outlook(session.tiers, since, anomaly => events.anomaly(anomaly))
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
    this.#watch.readAll()
    const answer = this.#answers[question] as (...args: Parameters<Questions[Q]>) => ReturnType<Questions[Q]>
    return await answer(...args)
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
