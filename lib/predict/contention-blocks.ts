import { BINS, BinnedLogistic, binOf, logOdds } from './binned-logistic.js'
import { type Elements, RING } from './contention-elements.js'
import { F, type View } from './contention-view.js'

/** Lessons that are under way; of more, those that began last. */
const UNDER_WAY = 4_096
const LOGIT_MAX = 9
const SHORTEST_MS = 1e-3

const enum B {
  Raw,
  Hold,
  Expected,
  First,
  Count = 12
}

/** What is taken over from the view of the element, behind the own features. */
const OF_VIEW = [F.State, F.Asked, F.Count1, F.Count10, F.Element, F.Own, F.Kind, F.Phase, F.JustNow]
const PAIRS: readonly (readonly [number, number])[] = [
  [B.Raw, B.Hold],
  ...OF_VIEW.map((_, i): readonly [number, number] => [B.Raw, B.First + i]),
  ...OF_VIEW.map((_, i): readonly [number, number] => [B.Hold, B.First + i])
]
/** Half as sure as the rate of requests alone would be, before anything is learnt. */
const PRIOR = Array.from({ length: BINS }, (_, bin) => (((bin + 0.5) / BINS) * 2 - 1) * (LOGIT_MAX / 2))

/**
 * Whether somebody will wait for what a request holds: from the rate of requests and the time that it holds, as a Poisson process would have it, and what is known of the
 * element; learnt when a hold is over, from what was known when it was asked for.
 */
export class Blocks {
  private readonly model = new BinnedLogistic(B.Count, PAIRS, 1)
  /** by place of the request in the memory of its element */
  private readonly underWay = new Map<number, { requested: number; bins: Uint8Array }>()
  private readonly bins = new Uint8Array(B.Count)

  constructor(
    private readonly elements: Elements,
    private readonly view: View
  ) {
    this.model.prime(B.Raw, PRIOR)
  }

  /**
   * Of what the view looked at last.
   *
   * @param rate of requests, a ms
   * @param hold ms
   */
  score(rate: number, hold: number): number {
    this.read(rate, hold)
    return hold > 0 ? this.model.score(this.bins, 0) : 0
  }

  /** Begins a lesson, of what the view looked at last, for the request that is remembered there. */
  begin(at: number, requested: number, rate: number, hold: number): void {
    this.read(rate, hold)
    this.underWay.delete(at)
    this.underWay.set(at, { requested, bins: Uint8Array.from(this.bins) })
    if (this.underWay.size > UNDER_WAY) this.underWay.delete(this.underWay.keys().next().value as number)
  }

  /** The hold is over, of an element. */
  end(at: number, place: number, time: number): void {
    const lesson = this.underWay.get(at)
    if (lesson === undefined) return
    this.underWay.delete(at)
    // Another may have taken its place meanwhile.
    if (lesson.requested !== this.elements.requestedAt(at)) return
    this.model.learn(lesson.bins, 0, this.wasWaitedFor(at, place, time))
  }

  save(): number[][] {
    return this.model.save()
  }

  load(saved: unknown): boolean {
    return this.model.load(saved)
  }

  /** Whether somebody who came later waited while it was held. */
  private wasWaitedFor(but: number, place: number, time: number): boolean {
    const { elements } = this
    const [asked, granted] = [elements.requestedAt(but), elements.grantedAt(but)]
    for (let at = place * RING, end = at + elements.rememberedOf(place); at < end; at++) {
      if (at === but || !elements.waitedAt(at)) continue
      const came = elements.requestedAt(at)
      if (came >= asked && came <= time && !(elements.grantedAt(at) <= granted) && !(elements.endedAt(at) <= granted)) return true
    }
    return false
  }

  private read(rate: number, hold: number): void {
    const { bins, view } = this
    bins[B.Raw] = binOf(logOdds(1 - Math.exp(-rate * hold)), -LOGIT_MAX, LOGIT_MAX)
    bins[B.Hold] = binOf(Math.log2(Math.max(hold, SHORTEST_MS)), -6, 18)
    bins[B.Expected] = binOf(logOdds(1 - Math.exp(-view.rate * hold)), -LOGIT_MAX, LOGIT_MAX)
    for (let i = 0; i < OF_VIEW.length; i++) bins[B.First + i] = view.bins[OF_VIEW[i] as number] as number
  }
}
