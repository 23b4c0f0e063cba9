import { NumberRows } from '../number-rows.js'
import { Numbered } from '../numbered.js'
import { randomsOf } from '../randoms.js'
import { TwoGroups, type Worth } from './two-groups.js'

/** What can be warmed up. */
export type WarmKind = 'lock' | 'bucket' | 'pool' | 'queue' | 'workflow'

/** What is likely to be asked for, or to begin. */
export interface Likely {
  readonly kind: WarmKind
  readonly name: string
  /** probability */
  readonly score: number
  /** the workflow that is foretold to ask for it; undefined: anybody */
  readonly workflow?: string | undefined
  /** ms from now until which; default: the time for which scores are meant */
  readonly until?: number | undefined
}

/** That something is to be warmed up. */
export interface WarmUp {
  readonly kind: WarmKind
  readonly name: string
  readonly probability: number
  readonly workflow: string | undefined
  /** ms from now until which its request is expected */
  readonly until: number
}

export interface WarmTerms {
  /** probability from which on something is warmed up; undefined: from where it pays */
  readonly threshold: number | undefined
  /** warm-ups in force at once, at most */
  readonly most: number
  /** ms for which a score is meant */
  readonly within: number
  /** ms without a request after which something counts as cold */
  readonly cold: number
  /** what a request costs that finds it cold, and a warm-up for nobody, in one unit; undefined: by waiting and idling */
  readonly costs: { readonly miss: number; readonly waste: number } | undefined
}

export interface WarmPlannerOptions {
  /** what waiting costs a request and second, by tier, lowest first */
  readonly waitCosts: readonly number[]
  readonly idleCost: number
  readonly warm: WarmTerms
  /** part of the warm-ups that are not made, so that there is something to compare with, 0 to 1; default 0 */
  readonly control?: number | undefined
  /** of that choice */
  readonly seed?: number | undefined
}

/** What came of warm-ups. */
export interface WarmUse {
  /** warm-ups, and those of them whose request came in time, and whose did not */
  readonly written: number
  readonly used: number
  readonly reclaimed: number
  /** used, by those that are over; 0 while none is */
  readonly precision: number
}

export interface WarmPlans extends WarmUse {
  /** how often the likely comes, by how often it is said to: 1 is right */
  readonly trust: number
  /** ms by which a request is over sooner, from being asked for until what it held is given back, that finds warm what else would be cold; of locks and pools */
  readonly worth: Worth
  /** of `written` and the others, those of workflows that were told to be ready */
  readonly workflows: WarmUse
}

interface Watched {
  readonly score: number
  readonly from: number
  readonly until: number
  readonly isWarm: boolean
  /** it would have been warmed up, and was left alone */
  readonly isControl: boolean
}

/** A request that came for what had been warmed up, or left alone. */
interface Measured {
  /** ms, when it came */
  readonly time: number
  /** ms, since when it was expected */
  readonly from: number
  readonly isControl: boolean
}

/** The numbers of a thing: ms, of its latest request; what waiting costs those who ask for it, mean; how many there were. */
const [LAST, COST, REQUESTS] = [0, 1, 2]
const NUMBERS = 3
const KNOWN_MOST = 100_000
const WATCHED_MOST = 1_024
/** Requests that a mean is of. */
const AVERAGED = 50
/** Likely requests from which is learnt how often they come, and those of which one counts a third by then. */
const TRUST_KNOWN = 20
const TRUST_OF = 200
/** Requests that are not over yet; of more, the first are not compared. Times of one that are read from different records agree within this, ms. */
const MEASURED_MOST = 1_024
const SAME_MS = 0.5
/** Looks within the time for which a score is meant. */
const LOOKS = 5

/**
 * What to warm up for the requests that are about to come, each by the newsvendor's rule: where a request costs *u* that finds a thing cold, and a warm-up
 * for nobody *o*, it pays from the probability *o / (u + o)* on. Unless costs are given, *u* is what waiting costs those who usually ask for it, and *o* what
 * idling costs: both take as long as the warm-up, so that its length falls out. What is called likely is counted whether it was warmed up or not, so that
 * how far scores are to be believed is learnt where nothing is warmed up, too. A part of what would be warmed up is left alone at random: if requests are over later for being warmed up, nothing is for a while. What was asked for a moment ago is warm, and is left alone.
 */
export class WarmPlanner {
  readonly #options: WarmPlannerOptions
  readonly #rows = new NumberRows(NUMBERS)
  readonly #known = new Numbered<WarmKind>()
  /** those whose request is expected, by their numbers */
  readonly #watched = new Map<number, Watched>()
  readonly #all = new Use()
  readonly #workflows = new Use()
  /** by number */
  readonly #measured = new Map<number, Measured>()
  readonly #groups = new TwoGroups()
  readonly #random: () => number
  #now = Number.NEGATIVE_INFINITY
  #inForce = 0
  #expected = 0
  #came = 0
  #looked = Number.NEGATIVE_INFINITY

  constructor(options: WarmPlannerOptions) {
    this.#options = options
    this.#random = randomsOf(options.seed ?? 1)
  }

  /** Somebody asked for it; of a workflow: it is at work. @param time ms @param hint what stands for it, as a Numbered takes it */
  came(kind: WarmKind, name: string, tier: number, time: number, hint?: number): void {
    const number = this.#meet(kind, name, hint)
    const at = number * NUMBERS
    const { numbers } = this.#rows
    const requests = (numbers[at + REQUESTS] as number) + 1
    const cost = numbers[at + COST] as number
    numbers[at + REQUESTS] = requests
    numbers[at + COST] = cost + ((this.#options.waitCosts[tier] ?? 0) - cost) / Math.min(requests, AVERAGED)
    numbers[at + LAST] = Math.max(numbers[at + LAST] as number, time)
    const watched = this.#watched.size === 0 ? undefined : this.#watched.get(number)
    if (watched === undefined || time < watched.from || time > watched.until) return
    this.#settle(number, watched, true)
    if (isMeasured(kind) && (watched.isWarm || watched.isControl)) this.#measure(number, time, watched)
  }

  /** A request is over. @param time ms, when it came @param waited ms @param held ms @param hint as of {@link came} */
  ended(kind: WarmKind, name: string, time: number, waited: number, held: number, hint?: number): void {
    if (this.#measured.size === 0) return
    const number = this.#known.find(kind, name, hint)
    const measured = this.#measured.get(number)
    if (measured === undefined || Math.abs(measured.time - time) > SAME_MS) return
    this.#measured.delete(number)
    this.#groups.add(measured.isControl, waited + held, time + waited + held, measured.from)
  }

  #measure(number: number, time: number, { from, isControl }: Watched): void {
    this.#measured.delete(number)
    this.#measured.set(number, { time, from, isControl })
    if (this.#measured.size > MEASURED_MOST) this.#measured.delete(this.#measured.keys().next().value as number)
  }

  /** Whether it is time to ask what is likely: some times within the time for which scores are meant. @param now ms */
  isDue(now: number): boolean {
    if (now - this.#looked < this.#options.warm.within / LOOKS) return false
    this.#looked = now
    return true
  }

  /** From where on at the least a score can be worth a warm-up. */
  get least(): number {
    const { waitCosts, warm } = this.#options
    return warm.threshold ?? this.#breakEven(Math.max(...waitCosts))
  }

  /** @param now ms @param likely in any order */
  plan(now: number, likely: Iterable<Likely>): WarmUp[] {
    for (const [number, watched] of this.#watched) if (watched.until < now) this.#settle(number, watched, false)
    this.#now = now
    const { most } = this.#options.warm
    const isOn = this.#groups.isOn(now)
    const warmUps: WarmUp[] = []
    for (const { one, score, gain } of this.#candidates(now, likely)) {
      const isWorthIt = gain > 0 && (isOn || !isMeasured(one.kind))
      // For which there is no room may have some at the next look.
      if (this.#watched.size >= WATCHED_MOST || (isWorthIt && this.#inForce >= most)) continue
      const until = one.until ?? this.#options.warm.within
      const isControl = isWorthIt && isMeasured(one.kind) && this.#random() < (this.#options.control ?? 0)
      const isWarm = isWorthIt && !isControl
      this.#watched.set(this.#meet(one.kind, one.name), { score, from: now, until: now + until, isWarm, isControl })
      if (!isWarm) continue
      this.#inForce++
      this.#usesOf(one.kind, use => use.written++)
      warmUps.push({ kind: one.kind, name: one.name, probability: score, workflow: one.workflow, until })
    }
    return warmUps
  }

  /** How often what is called likely comes, by how often it is said to, of the last few hundred; 1 is right. */
  get trust(): number {
    return Math.min(1, (this.#came + TRUST_KNOWN) / (this.#expected + TRUST_KNOWN))
  }

  status(): WarmPlans {
    return { ...this.#all.status(), trust: this.trust, worth: this.#groups.worth(this.#now), workflows: this.#workflows.status() }
  }

  /** Those that are cold and would be worth it if scores were right, what brings most first. */
  #candidates(now: number, likely: Iterable<Likely>) {
    const { threshold, cold } = this.#options.warm
    const trust = threshold === undefined ? this.trust : 1
    const found: { one: Likely; score: number; gain: number }[] = []
    for (const one of merged(likely)) {
      const number = this.#known.find(one.kind, one.name)
      if (number >= 0 && (this.#watched.has(number) || now - this.#lastOf(number) < cold)) continue
      const { score } = one
      const cost = this.#costOf(number)
      if (!(this.#gain(score, cost) > 0)) continue
      found.push({ one, score, gain: this.#gain(score * trust, cost) })
    }
    return found.sort((a, b) => b.gain - a.gain)
  }

  /** What a warm-up brings, by the costs of a unit of its time; with a threshold only its sign is. */
  #gain(score: number, cost: number): number {
    const { threshold, costs } = this.#options.warm
    if (threshold !== undefined) return score >= threshold ? Math.max(score, Number.MIN_VALUE) : -1
    const { miss, waste } = costs ?? { miss: cost, waste: this.#options.idleCost }
    return score * miss - (1 - score) * waste
  }

  #breakEven(cost: number): number {
    const { miss, waste } = this.#options.warm.costs ?? { miss: cost, waste: this.#options.idleCost }
    return miss + waste > 0 ? waste / (miss + waste) : 1
  }

  #settle(number: number, { score, isWarm }: Watched, hasCome: boolean): void {
    this.#watched.delete(number)
    const left = 1 - 1 / TRUST_OF
    this.#expected = this.#expected * left + score
    this.#came = this.#came * left + (hasCome ? 1 : 0)
    if (!isWarm) return
    this.#inForce--
    this.#usesOf(this.#known.kindOf(number), use => (hasCome ? use.used++ : use.reclaimed++))
  }

  #usesOf(kind: WarmKind, count: (use: Use) => void): void {
    count(this.#all)
    if (kind === 'workflow') count(this.#workflows)
  }

  /** The number of a thing, which is met now if it has none. */
  #meet(kind: WarmKind, name: string, hint?: number): number {
    const found = this.#known.find(kind, name, hint)
    if (found >= 0) return found
    if (this.#known.size >= KNOWN_MOST) this.#known.forgetHalf(number => this.#forget(number))
    const number = this.#known.add(kind, name, hint)
    const at = this.#rows.clear(number)
    this.#rows.numbers[at + LAST] = Number.NEGATIVE_INFINITY
    return number
  }

  /** Nobody will tell whether its request comes. */
  #forget(number: number): void {
    const watched = this.#watched.get(number)
    if (watched !== undefined) this.#settle(number, watched, false)
    this.#measured.delete(number)
  }

  #lastOf(number: number): number {
    return this.#rows.numbers[number * NUMBERS + LAST] as number
  }

  /** @param number -1: nobody asked for it yet */
  #costOf(number: number): number {
    const { numbers } = this.#rows
    const at = number * NUMBERS
    if (number < 0 || numbers[at + REQUESTS] === 0) return this.#options.waitCosts[0] ?? 0
    return numbers[at + COST] as number
  }
}

/** Of which it is known for how long each request goes on. */
function isMeasured(kind: WarmKind): boolean {
  return kind === 'lock' || kind === 'pool'
}

class Use {
  written = 0
  used = 0
  reclaimed = 0

  status(): WarmUse {
    const { written, used, reclaimed } = this
    return { written, used, reclaimed, precision: used === 0 ? 0 : used / (used + reclaimed) }
  }
}

/** Of several reasons for one thing, each may do: a noisy or (Pearl, Probabilistic Reasoning in Intelligent Systems, 1988). */
function merged(likely: Iterable<Likely>): Iterable<Likely> {
  const all = new Map<string, Likely>()
  for (const one of likely) {
    if (!(one.score > 0 && one.score <= 1)) continue
    const key = keyOf(one.kind, one.name)
    const known = all.get(key)
    all.set(key, known === undefined ? one : either(known, one))
  }
  return all.values()
}

function either(one: Likely, other: Likely): Likely {
  const until = one.until === undefined || other.until === undefined ? (one.until ?? other.until) : Math.max(one.until, other.until)
  return { ...one, score: 1 - (1 - one.score) * (1 - other.score), workflow: one.workflow ?? other.workflow, until }
}

function keyOf(kind: WarmKind, name: string): string {
  return `${kind}:${name}`
}
