import { CorruptError } from '../errors/index.js'
import { readSequels, type SavedSequels } from '../plan/saved-sequels.js'
import type { PoolUsage } from '../pool.js'
import { Contention, type ContentionPrediction } from '../predict/contention.js'
import type { ContentionMap } from '../predict/contention-map.js'
import { isObject, sealValue, unsealValue } from '../predict/saved.js'
import { type ModelScore, Scorekeeper } from '../predict/scorekeeper.js'
import type { Trigger, TriggersListOptions } from '../predict/triggers.js'
import { UsageModel, type UsageRequest } from '../predict/usage.js'
import type { UsagePrediction } from '../predict/usage-quantity.js'
import type { ActionsNote } from '../workflow/notes.js'
import type { RunRecord } from '../workflow/record.js'
import type { Activity, Asked, AskedFields } from './activity.js'
import { AskedFrom } from './asked.js'
import { type CollisionProfile, collisionEvent, readProfile } from './collisions.js'
import { type Demand, DemandBook, type DemandOptions, type ModelFactory, type ScopedEvent } from './demand.js'
import type { DemandOutcome } from './demand-checks.js'
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
  /** what whoever follows has learnt; absent: nobody did */
  sequels?: string
}

/** Who is told of the same, to act on it. */
export interface Follower {
  /** @param asked requests, in the order of their times */
  happened(asked: readonly Asked[], activities: readonly Activity[]): void
  usage(pool: string, usage: PoolUsage): void
  forget(tenant: string): void
  /** What it has learnt of which workflow raises which; undefined: nothing. */
  save(): Uint8Array | undefined
  /** Goes on from that. */
  load(saved: SavedSequels): void
}

/** Who is told of what it sees. */
export interface OutlookEvents {
  /** of each at once */
  anomaly?(anomaly: Anomaly): void
  /** something of a tenant is about to be learnt */
  tenant?(tenant: string): void
}

/** What is known of the future of an arena: everything that learns, fed with what happened. Of the caller's clock, ms since the Unix epoch. */
export class Outlook {
  readonly #asked = new AskedFrom()
  /** what was told of last, to be written again */
  readonly #used: AskedFields[] = []
  /** those of them that are told of now, in the order of time */
  readonly #told: AskedFields[] = []
  readonly #demand: DemandBook
  readonly #scores: Scores
  readonly #usage: UsageWatch
  readonly #occurrences = new Occurrences()
  readonly #contention = new Contention()
  readonly #keeper = new Scorekeeper()
  readonly #tiers: readonly string[]
  readonly #events: OutlookEvents
  #anomalies: Anomaly[] = []
  #follower: Follower | undefined
  /** of the last one who followed, or of what was loaded: for the next */
  #sequels: Uint8Array | undefined
  /** whether it learns who collides with whom, which is a third of the work; the first question about it begins that */
  contends = true

  /**
   * @param tiers names, lowest first
   * @param since from when on it is told of everything
   */
  constructor(tiers: readonly string[], since: number, events: OutlookEvents = {}) {
    this.#tiers = tiers
    this.#events = events
    const leadersOf = (workflow: string) => this.#occurrences.leadersOf(workflow)
    this.#demand = new DemandBook(tiers, since, this.#keeper, leadersOf)
    this.#scores = new Scores(tiers, this.#keeper)
    this.#usage = new UsageWatch(anomaly => {
      this.#anomalies.push(anomaly)
      if (this.#anomalies.length > ANOMALIES_MAX) this.#anomalies.shift()
      events.anomaly?.(anomaly)
    }, this.#keeper)
  }

  /** undefined: nobody */
  get follower(): Follower | undefined {
    return this.#follower
  }

  /** Who follows goes on from what the one before has learnt. */
  set follower(follower: Follower | undefined) {
    this.#sequels = this.#follower?.save() ?? this.#sequels
    this.#follower = follower
    const saved = this.#sequels === undefined ? undefined : readSequels(this.#sequels, this.#tiers.length)
    if (saved !== undefined) follower?.load(saved)
  }

  get tracked(): { elements: number; subjects: number; usage: number } {
    return { elements: this.#scores.tracked, subjects: this.#demand.size, usage: this.#usage.model.size }
  }

  /** What happened, of all environments, in any order. */
  happened(activities: readonly Activity[]): void {
    const asked = this.#told
    let count = 0
    let [last, isInOrder] = [Number.NEGATIVE_INFINITY, true]
    for (const activity of activities) {
      if (activity.tenant !== undefined) this.#events.tenant?.(activity.tenant)
      const time = this.#asked.of(activity)
      if (Number.isNaN(time)) continue
      const one = this.#used[count] ?? { time: 0.5, activity }
      this.#used[count] = one
      one.time = time
      one.activity = activity
      asked[count++] = one
      isInOrder &&= time >= last
      last = time
    }
    asked.length = count
    if (!isInOrder) asked.sort((a, b) => a.time - b.time)
    for (const { time, activity } of asked) this.#demand.asked(time, activity)
    this.#scores.asked(asked)
    this.#follower?.happened(asked, activities)
    if (!this.contends) return
    const collisions = activities.flatMap(activity => collisionEvent(activity) ?? [])
    this.#contention.record(collisions.sort((a, b) => a.time - b.time))
  }

  /** A run is over, or some of its actions are. */
  ended(told: RunRecord | ActionsNote): void {
    if (typeof told.tenant === 'string') this.#events.tenant?.(told.tenant)
    this.#usage.ended(told)
    if (!('id' in told) || typeof told.workflow !== 'string' || !Number.isFinite(told.start)) return
    this.#occurrences.began({ stream: told.workflow, time: told.start, run: String(told.parent ?? told.id) })
  }

  /** What was learnt of a tenant, by its name or from its runs. Of what all ask for together its part cannot be told, and stays. */
  forget(tenant: string): void {
    this.#demand.forget(tenant)
    this.#usage.forget(tenant)
    this.#contention.forget(tenant)
    this.#follower?.forget(tenant)
  }

  /** What a pool has handed out now. */
  used(now: number, name: string, usage: PoolUsage): void {
    this.#follower?.usage(name, usage)
    const { used, tiers } = usage
    for (const dimension in used) {
      this.#demand.used(now, name, dimension, undefined, used[dimension] as number)
      for (let tier = 0; tier < this.#tiers.length; tier++) {
        this.#demand.used(now, name, dimension, tier, tiers[this.#tiers[tier] as string]?.used[dimension] ?? 0)
      }
    }
  }

  /** @throws ArgumentError */
  demand(of: DemandOf, options: DemandOptions, now: number): Promise<Demand> {
    return this.#demand.forecast(of, options, now)
  }

  /** What has become of some forecasts of demand, of which the truth is known by now. */
  settle(now: number): DemandOutcome[] {
    return this.#demand.settle(now)
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

  /** What was learnt of usage, of how requests come, and by an agent of which workflow raises which; not what is counted. */
  save(): Uint8Array {
    const sequels = this.#follower?.save() ?? this.#sequels
    const saved: Saved = {
      ...(sequels !== undefined && { sequels: base64(sequels) }),
      usage: base64(this.#usage.model.save()),
      contention: base64(this.#contention.save()),
      accuracy: base64(this.#keeper.save()),
      scores: this.#scores.save().map(([within, model]) => [within, base64(model)])
    }
    return sealValue(MAGIC, saved)
  }

  /** @throws CorruptError if it is not what `save()` gave, and nothing has changed */
  load(bytes: Uint8Array): void {
    const saved = readSaved(unsealValue(MAGIC, bytes))
    if (saved === undefined) throw new CorruptError('the saved foresight is damaged, or of another version', {})
    const { usage, contention, accuracy, scores, sequels } = saved
    const learnt = sequels === undefined ? undefined : readSequels(sequels, this.#tiers.length)
    if (sequels !== undefined && learnt === undefined)
      throw new CorruptError('the saved sequels are damaged, or of another version or tiers', {})
    // First into others: one part that is damaged keeps all of them as they are.
    new UsageModel().load(usage)
    new Contention().load(contention)
    new Scorekeeper().load(accuracy)
    this.#scores.load(scores)
    this.#usage.model.load(usage)
    this.#contention.load(contention)
    this.#keeper.load(accuracy)
    if (sequels === undefined || learnt === undefined) return
    this.#sequels = sequels
    this.#follower?.load(learnt)
  }
}

interface Read {
  readonly usage: Uint8Array
  readonly contention: Uint8Array
  readonly accuracy: Uint8Array
  readonly scores: readonly [within: number, model: Uint8Array][]
  readonly sequels: Uint8Array | undefined
}

/** Undefined: it is of another shape. */
function readSaved(saved: unknown): Read | undefined {
  if (!isObject(saved)) return undefined
  const { usage, contention, accuracy, scores, sequels } = saved
  if (typeof usage !== 'string' || typeof contention !== 'string' || typeof accuracy !== 'string' || !Array.isArray(scores))
    return undefined
  if (sequels !== undefined && typeof sequels !== 'string') return undefined
  if (!scores.every(one => Array.isArray(one) && typeof one[0] === 'number' && typeof one[1] === 'string')) return undefined
  return {
    usage: bytesOf(usage),
    contention: bytesOf(contention),
    accuracy: bytesOf(accuracy),
    scores: (scores as Saved['scores']).map(([within, model]) => [within, bytesOf(model)]),
    sequels: sequels === undefined ? undefined : bytesOf(sequels)
  }
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'))
