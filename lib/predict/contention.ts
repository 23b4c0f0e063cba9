import { callback, count, objects, optionsOf, refuse, text } from '../checks.js'
import { CorruptError } from '../errors/index.js'
import { WAIT_COSTS } from '../wait-costs.js'
import { BinnedLogistic } from './binned-logistic.js'
import { Blocks } from './contention-blocks.js'
import { Elements, RING } from './contention-elements.js'
import {
  type ContentionEvent,
  type ContentionProfile,
  type ReadEvent,
  type ReadNeed,
  readEvent,
  readLength,
  readNeeds,
  readTime,
  TIERS,
  UNKNOWN
} from './contention-events.js'
import { HeldUntil } from './contention-held.js'
import { goesOn, HoldTimes, meanOf } from './contention-holds.js'
import { Collisions, type ContentionMap } from './contention-map.js'
import { OverallRequests } from './contention-overall.js'
import { countRequest, countWait, Parties, type Party } from './contention-parties.js'
import { packed, type SavedContention, unpacked } from './contention-saved.js'
import { FEATURES, GROUPS, PAIRS, PRIOR, type Question, STRUCTURE, View } from './contention-view.js'
import { seal, unseal } from './saved.js'

export interface ContentionOptions {
  /** elements that are tracked at most; of more, those asked for most; default 100,000 */
  elements?: number | undefined
  /** workflows, and tenants, that are known at most; default 4,096 */
  workflows?: number | undefined
  /** pairs of workflows on an element that the map holds at most; default 4,096 */
  pairs?: number | undefined
  /** ms in which what the map knows counts half; default an hour */
  halfLife?: number | undefined
  /** of waiting for a second, by tier, lowest first; beyond the last as the last; default 1, 2, 8, 32 */
  costs?: readonly number[] | undefined
  /** P(the element is asked for within `arrivalsWithin` ms from `now` on), as {@link Arrivals} tells it; NaN: unknown; default: as often as lately */
  arrivals?: ((element: string, now: number) => number) | undefined
  /** ms; default 500 */
  arrivalsWithin?: number | undefined
  /** of the times before a request from which it learns to be asked; default 1 */
  seed?: number | undefined
}

/** Whom a request would collide with. */
export interface Collider {
  /** `''`: unknown */
  readonly workflow: string
  readonly element: string
  /** that it waits for this one; those of all together are the probability */
  readonly probability: number
  /** holds it now, waits for it now, or did when such a request waited before */
  readonly state: 'holds' | 'waits' | 'before'
}

export interface ContentionPrediction {
  /** that the request will wait */
  readonly probability: number
  /** ms that it waits where it does, on average */
  readonly wait: number
  /** that somebody else asks for what it holds while it does, and waits */
  readonly blocks: number
  /** the likeliest first, eight at most */
  readonly with: readonly Collider[]
}

interface Answer {
  readonly chance: number
  readonly wait: number
  readonly blocks: number
  readonly with: readonly Collider[]
}

const ELEMENTS = 100_000
const ELEMENTS_MAX = 10_000_000
const WORKFLOWS = 4_096
const WORKFLOWS_MAX = 1_000_000
const PAIRS_KEPT = 4_096
const PAIRS_MAX = 1_000_000
const HALF_LIFE_MS = 3_600_000
const MS_PER_S = 1_000
const WITHIN_MS = 500
const SEED_MAX = 2 ** 32 - 1
/** ms before a request from which it learns to be asked. */
const LEAD_LEAST_MS = 0.5
const LEAD_MOST_MS = 60_000
/** Elements of a pattern that are looked at. */
const OF_PATTERN = 32
const COLLIDERS = 8
const LISTED = 100
/** Waits that say as much as those known beyond them. */
const BELIEVED = 4
/** Times before a request from which it learns to be asked. */
const BEFOREHAND = 2
/** Requests of a second from which it learns: of more, so many of them. */
const LEARNT_PER_S = 1_000
const SUREST_ARRIVAL = 0.9999
const SAVED_ELEMENTS = 10_000
const MAGIC = 'forelock contention 1\n'

/**
 * Whether a request will have to wait, asked before it is made, and for whom: learnt while requests come, are granted and end. What is known of
 * an element (who holds it for how long by now, who waits, how often it is asked for, how often such requests waited) is put into bins, and each
 * request teaches what came of such a state, at once and from a random time before it was made ({@link BinnedLogistic}). Hold times and collisions of
 * little history are backed off to those of the workflow, and of all. Memory is bounded; times are those of the events.
 */
export class Contention {
  private readonly elements: Elements
  private readonly parties: Parties
  private readonly times: HoldTimes
  private readonly collisions: Collisions
  private readonly overall = new OverallRequests()
  private readonly model = new BinnedLogistic(FEATURES, PAIRS, GROUPS)
  private readonly view: View
  private readonly blocks: Blocks
  private readonly tenants = new Map<string, { asked: number; collided: number }>()
  private readonly most: number
  private readonly costs: readonly number[]
  private readonly arrivals: ((element: string, now: number) => number) | undefined
  private readonly within: number
  private state: number
  private first = Number.NaN
  /** something was loaded, and nothing has come since */
  private isUndated = false
  private now = Number.NEGATIVE_INFINITY

  /** @throws ArgumentError */
  constructor(options?: ContentionOptions) {
    const {
      elements = ELEMENTS,
      workflows = WORKFLOWS,
      pairs = PAIRS_KEPT,
      halfLife = HALF_LIFE_MS,
      costs = WAIT_COSTS,
      arrivals,
      arrivalsWithin = WITHIN_MS,
      seed = 1
    } = optionsOf(options, ['elements', 'workflows', 'pairs', 'halfLife', 'costs', 'arrivals', 'arrivalsWithin', 'seed'], 'Contention')
    this.elements = new Elements(count(elements, 'elements', 1, ELEMENTS_MAX))
    this.most = count(workflows, 'workflows', 1, WORKFLOWS_MAX)
    this.parties = new Parties(this.most)
    this.collisions = new Collisions(count(pairs, 'pairs', 1, PAIRS_MAX), above(halfLife, 'halfLife'))
    const isCosts = Array.isArray(costs) && costs.length > 0 && costs.every(cost => Number.isFinite(cost) && cost >= 0 && cost <= 1e12)
    if (!isCosts) throw refuse('costs', 'an array of numbers from 0 to 1e12', costs)
    this.costs = [...costs]
    if (arrivals !== undefined) callback(arrivals, 'arrivals')
    this.arrivals = arrivals
    this.within = above(arrivalsWithin, 'arrivalsWithin')
    this.state = count(seed, 'seed', 0, SEED_MAX)
    this.times = new HoldTimes(this.elements, this.parties)
    this.view = new View(this.elements, this.times)
    this.model.prime(STRUCTURE, PRIOR)
    this.blocks = new Blocks(this.elements, this.view)
  }

  /** Elements that are tracked. */
  get tracked(): number {
    return this.elements.size
  }

  /**
   * Takes what happened, in the order of time; a time before the last one is taken for the last one. An event that is told twice with one `id` counts
   * once. An end of what was never granted is not an error: somebody may have begun to observe in between.
   *
   * @throws ArgumentError, and what came before is taken
   */
  record(events: Iterable<ContentionEvent>): void {
    for (const event of objects(events, 'events')) this.take(readEvent(event))
  }

  /**
   * What would come of a request. Of an element that is not known, what came of requests of its workflow, and of all. O(needs), and of a pattern
   * O(elements).
   *
   * @throws ArgumentError
   */
  probability(profile: ContentionProfile): ContentionPrediction {
    if (typeof profile !== 'object' || profile === null) throw refuse('profile', 'an object', profile)
    const { needs, tier = 0, workflow = UNKNOWN, tenant, duration } = profile
    const read = readNeeds(needs)
    count(tier, 'tier', 0, TIERS - 1)
    const party = this.parties.get(text(workflow, 'workflow'))
    const waits = tenant === undefined ? Number.NaN : this.tenantPart(text(tenant, 'tenant'))
    const hold = duration === undefined ? undefined : readLength(duration, 'duration')
    const latest = this.latest()
    const now = profile.now === undefined ? latest : Math.max(latest, readTime(profile.now, 'now'))
    const at = profile.at === undefined ? now : Math.max(now, readTime(profile.at, 'at'))
    return together(read.map(need => this.ofNeed(need, { party, tier, tenant: waits, now, at }, hold)))
  }

  /**
   * When those who hold an element now will have let go of it, from how long they have held it and how long such holds take; undefined: nobody is
   * known to hold it.
   *
   * @param now ms; default: the time of what it was told last
   * @throws ArgumentError
   */
  heldUntil(element: string, now?: number): HeldUntil | undefined {
    const place = this.elements.find(text(element, 'element'))
    const latest = this.latest()
    const time = now === undefined ? latest : Math.max(latest, readTime(now, 'now'))
    if (place < 0) return undefined
    const { elements } = this
    const holders = this.rememberedOf(place).filter(at => elements.grantedAt(at) <= time && Number.isNaN(elements.endedAt(at)))
    if (holders.length === 0) return undefined
    return new HeldUntil(
      time,
      holders.map(at => {
        const [since, isShared, party] = [elements.grantedAt(at), elements.isSharedAt(at), elements.partyAt(at)]
        const survival = this.times.survival(place, party, isShared, time)
        const workflow = this.parties.of(party)?.name ?? UNKNOWN
        return { workflow, tier: elements.tierAt(at), mode: isShared ? 'shared' : 'exclusive', since, survival }
      })
    )
  }

  /**
   * Who collides with whom, as of the latest event.
   *
   * @param most pairs that are listed; default 100
   * @throws ArgumentError
   */
  map(most = LISTED): ContentionMap {
    return this.collisions.map(this.latest(), count(most, 'most', 0, PAIRS_MAX))
  }

  /** What was learnt: of states, of workflows, of the 10,000 elements asked for most, and the map. Who holds what is not part of it. */
  save(): Uint8Array {
    return seal(
      MAGIC,
      packed({
        model: this.model.save(),
        blocks: this.blocks.save(),
        holds: this.times.all.holds.map(lags => lags?.toJSON() ?? []),
        sums: this.overall.sums,
        parties: this.parties.save(),
        elements: this.elements.save(SAVED_ELEMENTS, this.latest()),
        pairs: this.collisions.save(this.latest())
      })
    )
  }

  /**
   * Goes on from what was saved, in place of what it knows, with its own bounds.
   *
   * @throws CorruptError if it is not what `save()` gave, and nothing has changed
   */
  load(saved: Uint8Array): void {
    const bytes = unseal(MAGIC, saved)
    const read = bytes === undefined ? undefined : unpacked(bytes)
    if (read === undefined || !this.isOfThis(read)) {
      throw new CorruptError('the saved model of contention is damaged, or of another version', {})
    }
    this.model.load(read.model)
    this.blocks.load(read.blocks)
    this.times.load(read.holds)
    Object.assign(this.overall.sums, read.sums)
    this.parties.load(read.parties)
    this.elements.load(read.elements)
    this.collisions.load(read.pairs)
    this.isUndated = !Number.isFinite(this.now)
    if (!this.isUndated) this.date(this.now)
  }

  /** Whether weights are of these features: tried on models that nobody uses, so that one of two does not change alone. */
  private isOfThis({ model, blocks }: SavedContention): boolean {
    return new BinnedLogistic(FEATURES, PAIRS, GROUPS).load(model) && new Blocks(this.elements, this.view).load(blocks)
  }

  /** What was saved is of now: the clock may be another one. */
  private date(now: number): void {
    this.elements.shift(now)
    this.collisions.shift(now)
    this.isUndated = false
  }

  private latest(): number {
    return Number.isFinite(this.now) ? this.now : 0
  }

  // ---- what happens ------------------------------------------------------------------------------------------------

  private take(event: ReadEvent): void {
    const time = Math.max(event.time, this.now)
    if (Number.isNaN(this.first)) this.first = time
    if (this.isUndated) this.date(time)
    this.now = time
    const party = this.parties.claim(event.workflow)
    if (event.event === 'end' || event.event === 'reclaim') {
      this.ended(this.elements.find(event.element), party, event, time)
      return
    }
    // Each of these is of a request, so that what is tracked was asked for.
    const place = this.elements.claim(event.element)
    if (event.event === 'request') this.requested(place, party, event, time)
    else if (event.event === 'grant') this.granted(place, party, event, time)
    else this.refused(place, party, event, time)
  }

  private requested(place: number, party: Party, event: ReadEvent, time: number): void {
    if (event.id !== undefined && this.elements.isUnderWay(place, event.id)) return
    this.asked(place, party, event, time, true)
  }

  private granted(place: number, party: Party, event: ReadEvent, time: number): void {
    const { elements } = this
    const { isShared, tier, waited, id = Number.NaN } = event
    let at = elements.nearest(place, false, time - waited, party.number, tier, id)
    if (at < 0) {
      if (!Number.isNaN(id) && elements.isUnderWay(place, id)) return
      at = this.asked(place, party, event, Math.max(time - waited, this.first), waited > 0)
    }
    this.clearTheWay(place, at, isShared, time)
    elements.grant(at, time)
    if (elements.waitedAt(at)) this.waitIsOver(place, party, event, at, time)
  }

  /** Whoever stands in the way of what was granted is gone: it was not told when. */
  private clearTheWay(place: number, granted: number, isShared: boolean, time: number): void {
    const { elements } = this
    for (let at = place * RING, end = at + elements.rememberedOf(place); at < end; at++) {
      if (at === granted || !Number.isNaN(elements.endedAt(at)) || !(elements.grantedAt(at) <= time)) continue
      if (!isShared || !elements.isSharedAt(at)) elements.forget(at, time)
    }
  }

  private ended(place: number, party: Party, { tier, held, id = Number.NaN, isShared }: ReadEvent, time: number): void {
    const { elements } = this
    const at = place < 0 ? -1 : elements.nearest(place, true, time - (held ?? 0), party.number, tier, id)
    if (at >= 0) {
      elements.end(at, time)
      this.blocks.end(at, place, time)
    }
    const took = held ?? (at < 0 ? undefined : time - elements.grantedAt(at))
    if (took !== undefined) this.times.learn(place, party.number, at < 0 ? isShared : elements.isSharedAt(at), took)
  }

  private refused(place: number, party: Party, event: ReadEvent, time: number): void {
    const { elements } = this
    let at = elements.nearest(place, false, time - event.waited, party.number, event.tier, event.id ?? Number.NaN)
    if (at < 0) at = this.asked(place, party, event, Math.max(time - event.waited, this.first), true)
    this.waitIsOver(place, party, event, at, time)
    elements.end(at, time)
  }

  /** Learns what comes of such a state, and takes note of the request. */
  private asked(
    place: number,
    party: Party,
    { isShared, tier, tenant, id = Number.NaN }: ReadEvent,
    requested: number,
    waits: boolean
  ): number {
    const isLesson = this.random() * this.overall.rate < LEARNT_PER_S
    const known = tenant === undefined ? Number.NaN : this.tenantPart(tenant)
    if (isLesson) {
      for (let i = 0; i < BEFOREHAND; i++) {
        const now = requested - this.lead(place, requested)
        if (now < requested) this.learn({ place, isShared, tier, party, tenant: known, rate: Number.NaN, now, at: requested }, waits)
      }
      // The last look is at the moment itself: of that the lesson is that begins below.
      this.learn({ place, isShared, tier, party, tenant: known, rate: Number.NaN, now: requested, at: requested }, waits)
    }
    // Of holds before it: its own is not known yet.
    const hold = isLesson ? this.times.mean(place, party.number, isShared) : 0
    this.overall.add(requested, waits)
    countRequest(party, waits)
    if (tenant !== undefined) this.countTenant(tenant, waits)
    const asked = { requested, granted: Number.NaN, ended: Number.NaN, party: party.number, tier, isShared, id }
    const at = this.elements.ask(place, asked, waits)
    if (isLesson) this.blocks.begin(at, requested, this.comingRate(this.elements.nameOf(place), requested), hold)
    return at
  }

  private learn(question: Question, waits: boolean): void {
    this.view.look(question, this.overall.asOf(question.now))
    this.model.learn(this.view.bins, View.groupOf(question.at - question.now), waits)
  }

  /** A random time before a request back to which all is known: ms, 0 if there is none. */
  private lead(place: number, requested: number): number {
    const known = requested - Math.max(this.first, this.elements.since(place))
    const most = Math.min(LEAD_MOST_MS, known)
    if (!(most > LEAD_LEAST_MS)) return 0
    const drawn = LEAD_LEAST_MS * (LEAD_MOST_MS / LEAD_LEAST_MS) ** this.random()
    return drawn < most ? drawn : 0
  }

  private waitIsOver(place: number, party: Party, { blockers, element, tier }: ReadEvent, at: number, time: number): void {
    const { elements } = this
    const began = elements.requestedAt(at)
    const waited = Math.max(0, time - began)
    const cost = (waited / MS_PER_S) * (this.costs[Math.min(tier, this.costs.length - 1)] as number)
    elements.waitedFor(place, waited)
    countWait(party, waited)
    this.overall.waited(waited)
    this.collisions.count(time, waited, cost)
    const found = blockers === undefined ? this.heldMeanwhile(place, at, began, time) : new Map(blockers.map(name => [name, 1]))
    if (found.size === 0) found.set(UNKNOWN, 1)
    const sum = [...found.values()].reduce((all, one) => all + one, 0)
    for (const [blocker, part] of found) {
      const share = sum > 0 ? part / sum : 1 / found.size
      this.collisions.collide(party.name, blocker, element, time, share * waited, share * cost)
    }
  }

  /** Who held an element between two times, and for how long. */
  private heldMeanwhile(place: number, but: number, from: number, to: number): Map<string, number> {
    const { elements } = this
    const found = new Map<string, number>()
    for (let at = place * RING, last = at + elements.rememberedOf(place); at < last; at++) {
      const [granted, ended] = [elements.grantedAt(at), elements.endedAt(at)]
      if (at === but || !(granted <= to) || ended < from) continue
      const overlap = Math.max(0, Math.min(to, Number.isNaN(ended) ? to : ended) - Math.max(from, granted))
      // Who let go as it came, or came as it left, was not in its way.
      if (overlap === 0 && to > from) continue
      const name = this.parties.of(elements.partyAt(at))?.name ?? UNKNOWN
      found.set(name, (found.get(name) ?? 0) + overlap)
    }
    return found
  }

  // ---- what is asked -----------------------------------------------------------------------------------------------

  private ofNeed(need: ReadNeed, asker: Asker, hold: number | undefined): Answer {
    if (!need.isPattern) return this.ofElement(need.name, this.elements.find(need.name), need.isShared, asker, hold)
    const places = this.elements.beginningWith(need.name, OF_PATTERN)
    if (places.length === 0) return this.ofElement(need.name, -1, need.isShared, asker, hold)
    const most = this.elements.rankOf(places[0] as number)
    const weights = places.map(place => Math.max(Number.MIN_VALUE, Math.exp(this.elements.rankOf(place) - most)))
    const sum = weights.reduce((all, one) => all + one, 0)
    const answers = places.map(place => this.ofElement(this.elements.nameOf(place), place, need.isShared, asker, hold))
    // Parts that make up one, but for rounding.
    const mean = (of: (answer: Answer) => number) =>
      answers.reduce((all, answer, i) => all + ((weights[i] as number) / sum) * of(answer), 0)
    const chance = Math.min(
      1,
      mean(answer => answer.chance)
    )
    return {
      chance,
      wait: chance > 0 ? mean(answer => answer.chance * answer.wait) / chance : 0,
      blocks: Math.min(
        1,
        mean(answer => answer.blocks)
      ),
      with: answers.flatMap((answer, i) =>
        answer.with.map(one => ({ ...one, probability: (one.probability * (weights[i] as number)) / sum }))
      )
    }
  }

  private ofElement(element: string, place: number, isShared: boolean, asker: Asker, hold: number | undefined): Answer {
    const { view } = this
    const { party, now, at } = asker
    const rate = this.rateOf(element, now)
    // Each by name: a spread takes longer than the look.
    view.look({ place, isShared, rate, party, now, at, tier: asker.tier, tenant: asker.tenant }, this.overall.asOf(now))
    const chance = this.model.score(view.bins, View.groupOf(at - now))
    const known = this.meanWait(place, party)
    const live = view.structure > 0 ? view.held / view.structure : 0
    const left = live > 0 ? this.waitFor(place, now, at) : 0
    const held = hold ?? this.times.mean(place, party?.number ?? 0, isShared)
    return {
      chance,
      wait: live * left + (1 - live) * known,
      blocks: this.blocks.score(Number.isNaN(rate) ? view.rate : rate, held),
      with: this.colliders(element, chance, live, party, now)
    }
  }

  /** Requests a ms, from the chance that there is one; NaN: nobody tells. */
  private rateOf(element: string, now: number): number {
    const chance = this.arrivals?.(element, now) ?? Number.NaN
    if (!(chance >= 0)) return Number.NaN
    return -Math.log(1 - Math.min(SUREST_ARRIVAL, chance)) / this.within
  }

  /** The same, as of the last look where nobody tells. */
  private comingRate(element: string, now: number): number {
    const told = this.rateOf(element, now)
    return Number.isNaN(told) ? this.view.rate : told
  }

  /** ms until those in the way, as of the last look, are gone, from the time of the request on. */
  private waitFor(place: number, now: number, at: number): number {
    const { elements, times, view } = this
    let [free, queued] = [0, 0]
    for (const { at: which, isWaiting } of view.inTheWay) {
      const [party, isShared] = [elements.partyAt(which), elements.isSharedAt(which)]
      if (isWaiting) {
        queued += times.mean(place, party, isShared)
        continue
      }
      const survival = times.survival(place, party, isShared, now)
      const age = at - elements.grantedAt(which)
      free = Math.max(
        free,
        meanOf(ms => goesOn(survival, age, ms))
      )
    }
    return free + queued
  }

  private meanWait(place: number, party: Party | undefined): number {
    const { waited, waits } = this.overall.sums
    const all = waits > 0 ? waited / waits : 0
    const own = party === undefined ? all : (party.waited + BELIEVED * all) / (party.waits + BELIEVED)
    const known = place < 0 ? Number.NaN : this.elements.meanWait(place)
    if (Number.isNaN(known)) return own
    const seen = this.elements.collidedOf(place)
    return (seen * known + BELIEVED * own) / (seen + BELIEVED)
  }

  private colliders(element: string, chance: number, live: number, party: Party | undefined, now: number): Collider[] {
    const { elements, view } = this
    const chances = view.inTheWay.reduce((sum, one) => sum + one.chance, 0)
    const those = view.inTheWay.map(
      ({ at, chance: its, isWaiting }): Collider => ({
        workflow: this.parties.of(elements.partyAt(at))?.name ?? UNKNOWN,
        element,
        probability: chances > 0 ? (chance * live * its) / chances : 0,
        state: isWaiting ? 'waits' : 'holds'
      })
    )
    const before = this.collisions.blockersOf(party?.name ?? UNKNOWN, element, now)
    const sum = before.reduce((all, { collisions }) => all + collisions, 0)
    const others = before.map(
      ({ blocker, collisions }): Collider => ({
        workflow: blocker,
        element,
        probability: sum > 0 ? (chance * (1 - live) * collisions) / sum : 0,
        state: 'before'
      })
    )
    return [...those, ...others]
  }

  private rememberedOf(place: number): number[] {
    return Array.from({ length: this.elements.rememberedOf(place) }, (_, i) => place * RING + i)
  }

  private tenantPart(tenant: string): number {
    const known = this.tenants.get(tenant)
    const { asked, collided } = this.overall.sums
    const all = (collided + 0.05) / (asked + 1)
    return known === undefined ? all : (known.collided + BELIEVED * all) / (known.asked + BELIEVED)
  }

  /** How often requests of a tenant waited: all that is known by its name. */
  forget(tenant: string): void {
    this.tenants.delete(tenant)
  }

  private countTenant(tenant: string, waits: boolean): void {
    const known = this.tenants.get(tenant) ?? { asked: 0, collided: 0 }
    countRequest(known, waits)
    // The last of a map are those that came last.
    this.tenants.delete(tenant)
    this.tenants.set(tenant, known)
    if (this.tenants.size > this.most) this.tenants.delete(this.tenants.keys().next().value as string)
  }

  private random(): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0
    return this.state / 2 ** 32
  }
}

type Asker = Omit<Question, 'place' | 'isShared' | 'rate'>

/** Needs that are taken one after the other: it waits unless it waits for none. */
function together(answers: readonly Answer[]): ContentionPrediction {
  let [free, apart, waits, unblocked] = [1, 0, 0, 1]
  for (const { chance, wait, blocks } of answers) {
    free *= 1 - chance
    apart += chance
    waits += chance * wait
    unblocked *= 1 - blocks
  }
  const probability = 1 - free
  const all = merged(answers.flatMap(answer => answer.with))
  // Each probability is one of its need alone; together they are no more than that of any.
  const scale = apart > 0 ? probability / apart : 0
  return {
    probability,
    wait: probability > 0 ? waits / probability : 0,
    blocks: 1 - unblocked,
    with: all.slice(0, COLLIDERS).map(one => ({ ...one, probability: one.probability * scale }))
  }
}

/** One of each workflow, element and state, the likeliest first. */
function merged(all: readonly Collider[]): Collider[] {
  const found: Collider[] = []
  for (const one of all) {
    const at = found.findIndex(other => other.workflow === one.workflow && other.element === one.element && other.state === one.state)
    if (at < 0) found.push(one)
    else found[at] = { ...one, probability: one.probability + (found[at] as Collider).probability }
  }
  return found.sort((a, b) => b.probability - a.probability)
}

function above(ms: unknown, option: string): number {
  const length = readLength(ms, option)
  if (!(length > 0)) throw refuse(option, 'a number of milliseconds above 0', ms)
  return length
}
