import { BINS, binOf, logOdds, someBin } from './binned-logistic.js'
import { type Elements, KEPT, RING, SPANS_MS } from './contention-elements.js'
import { goesOn, type HoldTimes } from './contention-holds.js'
import type { Party } from './contention-parties.js'

/** What is asked about one element. */
export interface Question {
  /** of the element; -1: it is not known */
  readonly place: number
  readonly isShared: boolean
  readonly party: Party | undefined
  readonly tier: number
  /** decayed part of the requests of the tenant that waited; NaN: unknown */
  readonly tenant: number
  /** ms of what may be known, and when the request is made */
  readonly now: number
  readonly at: number
  /** requests a ms for the element from now on; NaN: as they came lately */
  readonly rate: number
}

/** What is known of all requests together. */
export interface Overall {
  collided: number
  asked: number
  /** decayed parts that waited: of some hundred, of the last few */
  lately: number
  justNow: number
  /** decayed counts over 1 s and 10 s, as of a time */
  readonly load: [number, number]
  loadAt: number
}

/** What is known of the requests for an element before. */
interface History {
  /** parts that waited: of the workflow, of the element, of the workflow's on it, and how many these are */
  workflow: number
  element: number
  ownPart: number
  own: number
  /** decayed over {@link SPANS_MS}; requests a ms */
  readonly counts: Float64Array
  rate: number
  /** ms: the latest request, release, and request of the workflow */
  asked: number
  released: number
  ownAsked: number
  /** ms between requests */
  gap: number
  isSameParty: boolean
  isLastShared: boolean
}

/** Who stands in the way. */
export interface InTheWay {
  readonly at: number
  /** P(still, when the request is made) */
  readonly chance: number
  readonly isWaiting: boolean
}

export const enum F {
  Structure,
  State,
  Backlog,
  Asked,
  Released,
  Count1,
  Count10,
  Count60,
  Element,
  Own,
  Kind,
  Lead,
  Lately,
  Workflow,
  Phase,
  Load,
  Tenant,
  OwnAge,
  JustNow,
  Aged,
  Count
}

const STRUCTURE_MAX = 9

export const FEATURES: number = F.Count
/** Features whose bins are taken together, too. */
export const PAIRS: readonly (readonly [number, number])[] = [
  [F.Structure, F.Lead],
  [F.State, F.Lead],
  [F.Asked, F.Lead],
  [F.Count1, F.Lead],
  [F.Element, F.Lead],
  [F.Backlog, F.Lead],
  [F.Phase, F.Lead],
  [F.Lately, F.Lead],
  [F.JustNow, F.Lead],
  [F.Element, F.Asked],
  [F.Own, F.Asked],
  [F.Lately, F.Element],
  [F.Structure, F.State],
  [F.Workflow, F.Element],
  [F.Kind, F.State],
  [F.Count1, F.Phase],
  [F.OwnAge, F.Lead],
  [F.Aged, F.State]
]
/** Logits of {@link STRUCTURE}, before anything is learnt: half as sure as it is. */
export const PRIOR: readonly number[] = Array.from({ length: BINS }, (_, bin) => (((bin + 0.5) / BINS) * 2 - 1) * (STRUCTURE_MAX / 2))
export const STRUCTURE: number = F.Structure
/** Groups of recalibration. */
export const GROUPS = 8

const GROUP_ENDS_MS = [0, 2, 10, 40, 160, 1_000, 8_000]
const SHORTEST_MS = 1e-3
/** How many requests of its own say as much as those beyond it. */
const BELIEVED = 4
const MOST = 3
const SPANS = SPANS_MS.length
/** Spans back beyond which a count says nothing. */
const FURTHEST = 20

/** The state of an element as somebody may know it at one time, who asks for another: put into bins, for {@link BinnedLogistic}. */
export class View {
  readonly bins = new Uint8Array(FEATURES)
  /** P(it waits), from who holds it, who waits and how often it is asked for alone */
  structure = 0
  /** the same, without those who are still to come */
  held = 0
  /** requests a ms for the element, as they came lately */
  rate = 0
  private readonly way: InTheWay[] = []
  private readonly found: History = {
    workflow: 0,
    element: 0,
    own: 0,
    ownPart: 0,
    counts: new Float64Array(SPANS),
    rate: 0,
    asked: 0,
    released: 0,
    ownAsked: 0,
    gap: 0,
    isSameParty: false,
    isLastShared: false
  }
  /** P(a hold lasts for so long as one of those has that hold it now); what is very unlikely may be over, and was not told */
  private aged = 1
  private holders = 0
  private waiters = 0
  private compatible = 0
  private backlog = 0

  constructor(
    private readonly elements: Elements,
    private readonly times: HoldTimes
  ) {}

  /** Who stands in the way, as of the last look. */
  get inTheWay(): readonly InTheWay[] {
    return this.way
  }

  static groupOf(lead: number): number {
    const group = GROUP_ENDS_MS.findIndex(end => lead <= end)
    return group < 0 ? GROUPS - 1 : group
  }

  look(question: Question, overall: Overall): void {
    const { place, now, at, party, isShared, tier } = question
    const lead = Math.max(0, at - now)
    const history = this.history(question, overall)
    this.live(question, lead)
    const { bins } = this
    this.rate = history.rate
    const arrivals = Number.isNaN(question.rate) ? history.rate : question.rate
    const hold = this.times.mean(place, party?.number ?? 0, isShared)
    const comes = 1 - Math.exp(-arrivals * Math.min(lead, hold))
    this.structure = 1 - (1 - this.held) * (1 - comes)
    bins[F.Structure] = binOf(logOdds(this.structure), -STRUCTURE_MAX, STRUCTURE_MAX)
    bins[F.Aged] = this.holders > 0 ? someBin(logOdds(this.aged), -8, 8) : 0
    bins[F.State] = few(this.holders) * 8 + few(this.waiters) * 2 + few(Math.min(1, this.compatible))
    bins[F.Backlog] = this.backlog > 0 ? someBin(log2(this.backlog) - log2(lead), -10, 10) : 0
    bins[F.Asked] = someBin(log2(at - history.asked), -8, 20)
    bins[F.Released] = someBin(log2(at - history.released), -8, 20)
    bins[F.Count1] = binOf(log2(history.counts[0] as number), -8, 8)
    bins[F.Count10] = binOf(log2(history.counts[1] as number), -8, 10)
    bins[F.Count60] = binOf(log2(history.counts[2] as number), -8, 12)
    bins[F.Element] = binOf(logOdds(history.element), -8, 4)
    bins[F.Own] = 8 * few(Math.ceil(history.own / 2)) + Math.min(7, binOf(logOdds(history.ownPart), -6, 4) >> 2)
    bins[F.Kind] = (isShared ? 16 : 0) + 4 * few(tier) + (history.isSameParty ? 2 : 0) + (history.isLastShared ? 1 : 0)
    bins[F.Lead] = lead === 0 ? 0 : someBin(log2(lead), -6, 18)
    bins[F.Lately] = binOf(logOdds(overall.lately), -8, 4)
    bins[F.Workflow] = binOf(logOdds(history.workflow), -8, 4)
    bins[F.Phase] = history.gap > 0 ? someBin(log2(at - history.asked) - log2(history.gap), -8, 8) : 0
    const load = Math.exp((overall.loadAt - now) / (SPANS_MS[0] as number)) * overall.load[0] + 0.1
    const longer = (Math.exp((overall.loadAt - now) / (SPANS_MS[1] as number)) * overall.load[1]) / 10 + 0.1
    bins[F.Load] = binOf(log2(load / longer), -4, 4)
    bins[F.Tenant] = Number.isNaN(question.tenant) ? 0 : someBin(logOdds(question.tenant), -8, 4)
    bins[F.OwnAge] = history.ownAsked > Number.NEGATIVE_INFINITY ? someBin(log2(at - history.ownAsked), -8, 20) : 0
    bins[F.JustNow] = binOf(overall.justNow, 0, 1)
  }

  /** Who holds it, and who waits, as far as it is known. */
  private live({ place, isShared, tier, now }: Question, lead: number): void {
    const { elements, times } = this
    this.way.length = 0
    this.aged = 1
    this.holders = this.waiters = this.compatible = this.backlog = this.held = 0
    if (place < 0) return
    let [free, queued] = [1, 0]
    for (let at = place * RING, end = at + elements.rememberedOf(place); at < end; at++) {
      if (elements.requestedAt(at) > now || elements.endedAt(at) <= now) continue
      const its = elements.isSharedAt(at)
      const isHeld = elements.grantedAt(at) <= now
      if (isHeld && its && isShared) this.compatible++
      // A reader waits behind another only where a writer does, who is in the way himself.
      if ((its && isShared) || (!isHeld && elements.tierAt(at) < tier)) continue
      const party = elements.partyAt(at)
      const age = isHeld ? now - elements.grantedAt(at) : 0
      const survival = times.survival(place, party, its, now)
      const chance = goesOn(survival, age, lead)
      this.backlog += times.mean(place, party, its)
      this.way.push({ at, chance, isWaiting: !isHeld })
      if (isHeld) {
        this.holders++
        this.aged = Math.min(this.aged, survival(age))
        free *= 1 - chance
      } else {
        this.waiters++
        queued++
      }
    }
    const queue = queued > 0 ? Math.exp(-lead / Math.max(this.backlog, SHORTEST_MS)) : 0
    this.held = 1 - free * (1 - queue)
  }

  private history({ place, party, now, isShared }: Question, overall: Overall): History {
    const { elements, found } = this
    const all = (overall.collided + 0.05) / (overall.asked + 1)
    const workflow = party === undefined ? all : (party.collided + BELIEVED * all) / (party.asked + BELIEVED)
    found.workflow = found.element = found.ownPart = workflow
    found.own = found.rate = found.gap = 0
    found.counts.fill(0)
    found.asked = found.released = found.ownAsked = Number.NEGATIVE_INFINITY
    found.isSameParty = found.isLastShared = false
    if (place < 0) return found
    // Later ones are taken back: counts as they were.
    const base = Math.max(now, elements.countedAt(place))
    const number = party?.number ?? 0
    let [ownCollided, oldest, known, later, laterCollided] = [0, Number.POSITIVE_INFINITY, 0, 0, 0]
    for (let at = place * RING, end = at + elements.rememberedOf(place); at < end; at++) {
      const requested = elements.requestedAt(at)
      if (requested > now) {
        later++
        if (elements.waitedAt(at)) laterCollided++
        for (let i = 0; i < SPANS; i++) {
          found.counts[i] = (found.counts[i] as number) - Math.exp((requested - base) / (SPANS_MS[i] as number))
        }
        continue
      }
      known++
      oldest = Math.min(oldest, requested)
      const isOwn = elements.partyAt(at) === number
      if (requested >= found.asked) {
        found.asked = requested
        found.isSameParty = isOwn
        found.isLastShared = elements.isSharedAt(at)
      }
      if (elements.endedAt(at) <= now) found.released = Math.max(found.released, elements.endedAt(at))
      if (!isOwn || elements.isSharedAt(at) !== isShared) continue
      found.own++
      found.ownAsked = Math.max(found.ownAsked, requested)
      if (elements.waitedAt(at)) ownCollided++
    }
    for (let i = 0; i < SPANS; i++) {
      const span = SPANS_MS[i] as number
      const then = Math.max(0, elements.countOf(place, i, base) + (found.counts[i] as number))
      found.counts[i] = then * Math.exp(Math.min(FURTHEST, (base - now) / span))
      found.rate += (found.counts[i] as number) / span / SPANS
    }
    if (known > 1) found.gap = (found.asked - oldest) / (known - 1)
    // Of later ones that waited it is not looked up which: half of them came before the other half.
    const decayed = KEPT ** later
    const asked = Math.max(0, (elements.askedOf(place) - (1 - decayed) / (1 - KEPT)) / decayed)
    const collided = Math.min(asked, Math.max(0, (elements.collidedOf(place) - laterCollided * Math.sqrt(decayed)) / decayed))
    found.element = (collided + BELIEVED * workflow) / (asked + BELIEVED)
    found.ownPart = (ownCollided + BELIEVED * found.element) / (found.own + BELIEVED)
    return found
  }
}

function few(value: number): number {
  return Math.min(MOST, value)
}

function log2(value: number): number {
  return Math.log2(Math.max(value, SHORTEST_MS))
}
