import { CorruptError } from '../errors/index.js'
import type { PoolUsage } from '../pool.js'
import { Contention, type ContentionPrediction } from '../predict/contention.js'
import type { ContentionMap } from '../predict/contention-map.js'
import { sealValue, unsealValue } from '../predict/saved.js'
import { type ModelScore, Scorekeeper } from '../predict/scorekeeper.js'
import type { Trigger, TriggersListOptions } from '../predict/triggers.js'
import type { UsageRequest } from '../predict/usage.js'
import type { UsagePrediction } from '../predict/usage-quantity.js'
import type { ActionsNote } from '../workflow/notes.js'
import type { RunRecord } from '../workflow/record.js'
import type { Activity, Asked, AskedFields } from './activity.js'
import { AskedFrom } from './asked.js'
import { type CollisionProfile, collisionEvent, readProfile } from './collisions.js'
import { type Demand, DemandBook, type DemandOptions, type ModelFactory, type ScopedEvent } from './demand.js'
import { Occurrences } from './occurrences.js'
import { type ElementOf, type LikelyElement, type LikelyOptions, type ScoreOptions, Scores } from './scores.js'
import type { DemandOf } from './subject.js'
import { type Anomaly, UsageWatch } from './usage-watch.js'

const ANOMALIES_MAX = 1_000
/** What a saved one begins with. */
const MAGIC = 'forelock foresight 1\n'

interface Saved {
  usage: string
  contention: string
  accuracy: string
  scores: [within: number, model: string][]
}

/** Who is told of the same, to act on it. */
export interface Follower {
  /** @param asked requests, in the order of their times */
  happened(asked: readonly Asked[], activities: readonly Activity[]): void
  usage(pool: string, usage: PoolUsage): void
}

/** What is known of the future of an arena: everything that learns, fed with what happened. Of the caller's clock, ms since the Unix epoch. */
export class Outlook {
  readonly #asked = new AskedFrom()
  /** what was told of last, to be written again */
  readonly #used: AskedFields[] = []
  readonly #demand: DemandBook
  readonly #scores: Scores
  readonly #usage: UsageWatch
  readonly #occurrences = new Occurrences()
  readonly #contention = new Contention()
  readonly #keeper = new Scorekeeper()
  readonly #tiers: readonly string[]
  #anomalies: Anomaly[] = []
  /** undefined: nobody */
  follower: Follower | undefined
  /** whether it learns who collides with whom, which is a third of the work; the first question about it begins that */
  contends = true

  /**
   * @param tiers names, lowest first
   * @param since from when on it is told of everything
   * @param onAnomaly is told of each at once
   */
  constructor(tiers: readonly string[], since: number, onAnomaly: (anomaly: Anomaly) => void = () => {}) {
    this.#tiers = tiers
    const leadersOf = (workflow: string) => this.#occurrences.leadersOf(workflow)
    this.#demand = new DemandBook(tiers, since, this.#keeper, leadersOf)
    this.#scores = new Scores(tiers, this.#keeper)
    this.#usage = new UsageWatch(anomaly => {
      this.#anomalies.push(anomaly)
      if (this.#anomalies.length > ANOMALIES_MAX) this.#anomalies.shift()
      onAnomaly(anomaly)
    }, this.#keeper)
  }

  get tracked(): { elements: number; subjects: number; usage: number } {
    return { elements: this.#scores.tracked, subjects: this.#demand.size, usage: this.#usage.model.size }
  }

  /** What happened, of all environments, in any order. */
  happened(activities: readonly Activity[]): void {
    const asked: Asked[] = []
    for (const activity of activities) {
      const time = this.#asked.of(activity)
      if (Number.isNaN(time)) continue
      const one = this.#used[asked.length] ?? { time: 0.5, activity }
      this.#used[asked.length] = one
      one.time = time
      one.activity = activity
      asked.push(one)
    }
    asked.sort((a, b) => a.time - b.time)
    for (const { time, activity } of asked) this.#demand.asked(time, activity)
    this.#scores.asked(asked)
    this.follower?.happened(asked, activities)
    if (!this.contends) return
    const collisions = activities.flatMap(activity => collisionEvent(activity) ?? [])
    this.#contention.record(collisions.sort((a, b) => a.time - b.time))
  }

  /** A run is over, or some of its actions are. */
  ended(told: RunRecord | ActionsNote): void {
    this.#usage.ended(told)
    if (!('id' in told) || typeof told.workflow !== 'string' || !Number.isFinite(told.start)) return
    this.#occurrences.began({ stream: told.workflow, time: told.start, run: String(told.parent ?? told.id) })
  }

  /** What a pool has handed out now. */
  used(now: number, name: string, usage: PoolUsage): void {
    this.follower?.usage(name, usage)
    const { used, tiers } = usage
    for (const [dimension, amount] of Object.entries(used)) {
      this.#demand.used(now, name, dimension, undefined, amount)
      for (const [index, tier] of Object.values(tiers).entries()) this.#demand.used(now, name, dimension, index, tier.used[dimension] ?? 0)
    }
  }

  /** @throws ArgumentError */
  demand(of: DemandOf, options: DemandOptions, now: number): Promise<Demand> {
    return this.#demand.forecast(of, options, now)
  }

  /** @throws ArgumentError */
  score(of: ElementOf, options: ScoreOptions | undefined, now: number): number {
    return this.#scores.score(of, options, now)
  }

  /** @throws ArgumentError */
  likely(options: LikelyOptions | undefined, now: number): LikelyElement[] {
    return this.#scores.likely(options, now)
  }

  /** @throws ArgumentError */
  usage(request: UsageRequest): Readonly<Record<string, UsagePrediction>> {
    return this.#usage.predict(request)
  }

  /** @throws ArgumentError */
  triggers(options: TriggersListOptions | undefined, now: number): Trigger[] {
    this.#occurrences.advance(now)
    return this.#occurrences.triggers.triggers(options)
  }

  /** @throws ArgumentError */
  contention(profile: CollisionProfile, now: number): ContentionPrediction {
    this.contends = true
    return this.#contention.probability(readProfile(profile, this.#tiers, now))
  }

  /** @throws ArgumentError */
  map(most?: number): ContentionMap {
    this.contends = true
    return this.#contention.map(most)
  }

  /** @throws ArgumentError, CapacityError */
  expect(event: ScopedEvent): void {
    this.#demand.expect(event)
  }

  cancel(id: string): boolean {
    return this.#demand.cancel(id)
  }

  /** How what was said compares with what came. */
  accuracy(): ModelScore[] {
    return this.#keeper.scores()
  }

  /** The latest, oldest first. */
  anomalies(): Anomaly[] {
    return [...this.#anomalies]
  }

  register(factory: ModelFactory): void {
    this.#demand.register(factory)
  }

  /** What was learnt of usage and of how requests come; not what is counted. */
  save(): Uint8Array {
    const saved: Saved = {
      usage: base64(this.#usage.model.save()),
      contention: base64(this.#contention.save()),
      accuracy: base64(this.#keeper.save()),
      scores: this.#scores.save().map(([within, model]) => [within, base64(model)])
    }
    return sealValue(MAGIC, saved)
  }

  /** @throws CorruptError if it is not what `save()` gave */
  load(bytes: Uint8Array): void {
    const saved = unsealValue(MAGIC, bytes) as Saved | undefined
    if (saved === undefined) throw new CorruptError('the saved foresight is damaged, or of another version', {})
    const { usage, scores, contention, accuracy } = saved
    this.#usage.model.load(bytesOf(usage))
    this.#contention.load(bytesOf(contention))
    this.#keeper.load(bytesOf(accuracy))
    this.#scores.load(scores.map(([within, one]) => [within, bytesOf(one)]))
  }
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'))
