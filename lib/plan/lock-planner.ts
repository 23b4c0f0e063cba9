import { NumberRows } from '../number-rows.js'
import { Numbered } from '../numbered.js'
import type { HoldPlan } from '../plans.js'
import { randomsOf } from '../randoms.js'
import { Users } from './users.js'

/** Who says which locks will be asked for: the scores of foresight, or those of a replay. */
export interface KeyScores {
  /** Locks that a tier, or one above it, is likely to ask for. @param least probability @param most how many @param now ms */
  likely(now: number, tier: number, least: number, most: number): Iterable<LikelyLock>
}

export interface LikelyLock {
  readonly name: string
  /** probability */
  readonly score: number
  /** the workflow that is foretold to ask for it; undefined: anybody */
  readonly workflow?: string | undefined
  /** ms from now before which it does not; default 0 */
  readonly from?: number | undefined
}

export interface LockPlannerOptions {
  /** names, lowest first */
  readonly tiers: readonly string[]
  /** what waiting costs a request and second, by tier */
  readonly waitCosts: readonly number[]
  /** what a lock that is free and kept costs a second */
  readonly idleCost: number
  /** ms for which a score is meant */
  readonly within: number
  /** part of the locks for which nothing is planned, 0 to 1 */
  readonly control: number
  readonly seed: number
  /** whether {@link LockPlanner.collisions} is asked for; default true */
  readonly collisions?: boolean | undefined
}

/** That a tier will wait for those below it who have a lock. */
export interface LockCollision {
  readonly lock: string
  /** index */
  readonly tier: number
  readonly probability: number
  /** ms from now: until when it is asked for, and until that one is done */
  readonly within: number
  readonly gap: number
  /** ms that those below have it, mean */
  readonly held: number
  /** whether it is kept for the tier now */
  readonly isKept: boolean
  /** {@link Users.rates} */
  readonly users: Readonly<Record<string, number>>
}

/** A plan of ours that is in force. */
interface Hold {
  readonly tier: number
  readonly score: number
  readonly until: number
  readonly workflow: string | undefined
}

/** What came of plans for locks. */
export interface LockPlans {
  /** plans that were written, and those of them that were used and that were not */
  readonly written: number
  readonly used: number
  readonly reclaimed: number
}

/** Who is asked before holds are written. */
export interface HoldGate {
  /** Whether there may be one more. */
  admits(): boolean
  /** Whether it is to be this one. */
  allows(plan: HoldPlan): boolean
  /** It is written. */
  begun(): void
}

const OPEN: HoldGate = { admits: () => true, allows: () => true, begun: () => {} }
const LOCKS_MOST = 100_000
const PLANS_MOST = 256
const SPANS = 4
/** Of a tier. */
const SPAN_NUMBERS = 2 * SPANS
/**
 * The numbers of a lock: ms, when its counts were decayed, and until which a plan of ours keeps it; the decayed count of the requests of each tier but the highest, beside each other, for that is
 * all that a request looks at. Then of each tier: ms that it holds the lock, mean, and of
 * how many; ms that requests of it and of those above wait for lower ones that hold it, mean of those that no plan was for, and of how many; and the part of these that did wait for
 * them. Then the last holds of each tier but the highest, in turn: from, until.
 */
const [COUNTED, KEPT, COUNTS_FROM] = [0, 1, 2]
const [HELD, HOLDS, BLOCKED, ARRIVALS, PART] = [0, 1, 2, 3, 4]
const TIER_NUMBERS = 5
/** ms after which a request counts a third as much. */
const FADE_MS = 60_000
/** Requests that a mean is of. */
const AVERAGED = 50
/** What is known of all locks counts as so many requests for each. */
const PRIOR = 5
/** At least as likely as this: of three plans one is used. */
const SCORE_LEAST = 1 / 3
/** A collision is told of when it is as likely as not, and is over when it is half as likely; so many at a time at the most. */
const COLLIDES = 0.5
const TOLD_MOST = 16
/** Plans from which how often the likely comes is learnt. */
const PLANS_KNOWN = 20

/**
 * Which locks to hold for the requests that are about to come. A hold pays where
 * the chance that its request comes, times what that waits otherwise for those of lower tiers who hold the lock, by what waiting costs it, is more than what
 * those of lower tiers lose who come meanwhile, as often as they do: each half of the time. The wait is measured on requests that no hold was for; where upper
 * tiers wait for their like alone, which no hold can change, none is written.
 */
export class LockPlanner {
  readonly #options: LockPlannerOptions
  readonly #scores: KeyScores
  /** index of the highest tier, for which others wait and which waits for none */
  readonly #top: number
  /** whether collisions are told of */
  readonly #tells: boolean
  readonly #locks = new Numbered<'lock'>()
  /** what is known of each, by its number */
  readonly #rows: NumberRows
  readonly #row: number
  /** in a row, where the tiers are, and the holds */
  readonly #tiersFrom: number
  readonly #spansFrom: number
  /** of all locks, by tier as of each */
  readonly #all: Float64Array
  /** plans, by number of the lock */
  readonly #inForce = new Map<number, Hold>()
  /** of the locks that workflows ask for, by number; from the moment on at which a request first waited for a lower tier, before which no collision is likely */
  readonly #users = new Users()
  #hasBlocked = false
  /** what is likely at this moment, ms, by tier */
  #likelyNow: { now: number; readonly tiers: Map<number, readonly LikelyLock[]> } = { now: Number.NaN, tiers: new Map() }
  /** locks of which a collision was told that is not over */
  #told = new Set<string>()
  #written = 0
  #used = 0
  #reclaimed = 0
  #expected = 0
  #saved = 0

  constructor(options: LockPlannerOptions, scores: KeyScores) {
    this.#options = options
    this.#scores = scores
    this.#top = options.tiers.length - 1
    this.#tells = options.collisions ?? true
    this.#all = new Float64Array(TIER_NUMBERS * options.tiers.length)
    this.#tiersFrom = COUNTS_FROM + this.#top
    this.#spansFrom = this.#tiersFrom + this.#all.length
    this.#row = this.#spansFrom + SPAN_NUMBERS * this.#top
    this.#rows = new NumberRows(this.#row)
  }

  /** A request came. @param time ms @param hint what stands for the lock, as a Numbered takes it */
  came(lock: string, tier: number, time: number, workflow?: string, hint?: number): void {
    const isHeld = this.#inForce.size > 0
    const user = this.#tells && this.#hasBlocked ? workflow : undefined
    if (tier === this.#top && user === undefined && !isHeld) return
    const number = this.#lock(lock, hint)
    if (tier < this.#top) this.#count(number, tier, time)
    if (user !== undefined) this.#users.came(number, user, 1, time)
    if (isHeld) this.#use(number, tier, time, workflow)
  }

  /** A plan may be for this request. */
  #use(number: number, tier: number, time: number, workflow: string | undefined): void {
    const hold = this.#inForce.get(number)
    if (hold === undefined || hold.until < time || tier < hold.tier) return
    if (hold.workflow !== undefined && hold.workflow !== workflow) return
    this.#end(number, hold)
    this.#used++
    this.#saved += (this.#blockedAt(number, hold.tier) / 1000) * (this.#options.waitCosts[tier] ?? 0)
  }

  /** A request is over. @param time ms, when it came @param waited ms @param held ms @param hint as of {@link came} */
  ended(lock: string, tier: number, time: number, waited: number, held: number, hint?: number): void {
    const at = this.#lock(lock, hint) * this.#row
    const granted = time + waited
    // Under a plan of ours it would have been another wait.
    if ((this.#rows.numbers[at + KEPT] as number) < time) this.#waited(at, tier, time, granted)
    this.#hold(at, tier, granted, held)
  }

  /** For each tier that could have had a hold for it: how long it waited for those below. */
  #waited(at: number, tier: number, time: number, granted: number): void {
    const { numbers } = this.#rows
    for (let held = 1; held <= tier; held++) {
      const blocked = granted > time ? blockedBy(numbers, at + this.#spansFrom, held, time, granted) : 0
      this.#hasBlocked ||= blocked > 0
      learnBlocked(numbers, at + this.#tiersFrom + TIER_NUMBERS * held, blocked, AVERAGED)
      learnBlocked(this.#all, TIER_NUMBERS * held, blocked, AVERAGED * AVERAGED)
    }
  }

  /** Once a period. @param now ms @param gate is asked of each that is about to be written */
  plan(now: number, gate: HoldGate = OPEN): HoldPlan[] {
    for (const [number, hold] of this.#inForce) {
      if (hold.until >= now) continue
      this.#end(number, hold)
      this.#reclaimed++
    }
    const plans: HoldPlan[] = []
    // Where nobody waits for who could be kept waiting there is nothing to plan.
    const { tiers, within } = this.#options
    for (let tier = this.#top; tier > 0; tier--) {
      if (!((this.#all[TIER_NUMBERS * tier + BLOCKED] as number) > 0)) continue
      for (const { name, score, workflow, from = 0 } of this.#likely(now, tier)) {
        if (this.#inForce.size >= PLANS_MOST) return plans
        const number = this.#locks.find('lock', name)
        if (number < 0 || this.#inForce.has(number) || this.#isControl(name)) continue
        const likely = score * this.trust
        if (!(likely >= SCORE_LEAST && this.#worth(number, likely, tier, now) > 0)) continue
        const held = heldBelow(this.#rows.numbers, number * this.#row + this.#tiersFrom, tier)
        const plan: HoldPlan = {
          kind: 'hold',
          lock: name,
          tier: tiers[tier] as string,
          until: within,
          ...(workflow !== undefined && { workflow }),
          ...(from > 0 && { from: Math.min(from, within) }),
          ...(held !== undefined && { hold: held })
        }
        if (!gate.admits()) return plans
        // Asked last: what may begin does.
        if (!gate.allows(plan)) continue
        gate.begun()
        this.#inForce.set(number, { tier, score, until: now + within, workflow })
        this.#rows.numbers[number * this.#row + KEPT] = now + within
        this.#written++
        plans.push(plan)
      }
    }
    return plans
  }

  /**
   * Collisions that have become likely since the last time, those of the highest tier of each lock: that its request comes, as likely as it is said to, and then waits for those
   * below who have it, as often as such requests did when no hold was for them. @param now ms
   */
  collisions(now: number): LockCollision[] {
    const found = new Map<string, LockCollision>()
    const stillLikely = new Set<string>()
    for (let tier = this.#top; tier > 0; tier--) {
      if (!((this.#all[TIER_NUMBERS * tier + BLOCKED] as number) > 0)) continue
      for (const { name, score } of this.#likely(now, tier)) {
        const number = this.#locks.find('lock', name)
        if (number < 0 || !this.#users.has(number) || found.has(name)) continue
        const probability = score * this.trust * this.#blockedPart(number, tier)
        if (probability >= COLLIDES / 2) stillLikely.add(name)
        if (probability >= COLLIDES) found.set(name, this.#collision(number, name, tier, probability, now))
      }
    }
    const fresh = [...found.values()].filter(({ lock }) => !this.#told.has(lock)).sort((a, b) => b.probability - a.probability)
    const told = fresh.slice(0, TOLD_MOST)
    this.#told = new Set([...this.#told].filter(lock => stillLikely.has(lock)))
    for (const { lock } of told) this.#told.add(lock)
    return told
  }

  #collision(number: number, lock: string, tier: number, probability: number, now: number): LockCollision {
    const { within } = this.#options
    const { numbers } = this.#rows
    const at = number * this.#row + this.#tiersFrom
    const own = (numbers[at + TIER_NUMBERS * tier + HELD] as number) || 0
    const hold = this.#inForce.get(number)
    return {
      lock,
      tier,
      probability,
      within,
      gap: within + own,
      held: heldBelow(numbers, at, tier) ?? within,
      isKept: hold !== undefined && hold.until > now && hold.tier >= tier,
      users: this.#users.rates(number, now)
    }
  }

  /** Of the locks that a tier is likely to ask for, asked about once for each moment. */
  #likely(now: number, tier: number): readonly LikelyLock[] {
    if (this.#likelyNow.now !== now) this.#likelyNow = { now, tiers: new Map() }
    const { tiers } = this.#likelyNow
    const likely = tiers.get(tier) ?? [...this.#scores.likely(now, tier, SCORE_LEAST, PLANS_MOST)]
    tiers.set(tier, likely)
    return likely
  }

  /** How often what is called likely comes, by how often it is said to: 1 is right. */
  get trust(): number {
    return Math.min(1, (this.#used + PLANS_KNOWN) / (this.#expected + PLANS_KNOWN))
  }

  /** What a hold saves, on average, in request milliseconds by their costs. */
  #worth(number: number, likely: number, tier: number, now: number): number {
    const { waitCosts, idleCost, within } = this.#options
    const { numbers } = this.#rows
    const at = number * this.#row
    const fade = fadeOf(numbers[at + COUNTED] as number, now) / FADE_MS
    let lost = 0
    for (let lower = 0; lower < tier; lower++) {
      lost += (numbers[at + COUNTS_FROM + lower] as number) * fade * within * (within / 2) * ((waitCosts[lower] ?? 0) + idleCost)
    }
    return likely * this.#blockedAt(number, tier) * (waitCosts[tier] ?? 0) - lost
  }

  #count(number: number, tier: number, time: number): void {
    const { numbers } = this.#rows
    const at = number * this.#row
    const fade = fadeOf(numbers[at + COUNTED] as number, time)
    const counts = at + COUNTS_FROM
    for (let count = counts; count < counts + this.#top; count++) numbers[count] = (numbers[count] as number) * fade
    numbers[counts + tier] = (numbers[counts + tier] as number) + 1
    numbers[at + COUNTED] = time
  }

  #hold(at: number, tier: number, from: number, held: number): void {
    const { numbers } = this.#rows
    const own = at + this.#tiersFrom + TIER_NUMBERS * tier
    average(numbers, own + HELD, held, AVERAGED)
    // Nobody waits for a hold of the highest tier as for one below his own.
    if (tier === this.#top) return
    const span = at + this.#spansFrom + SPAN_NUMBERS * tier + 2 * ((numbers[own + HOLDS] as number) % SPANS)
    numbers[span] = from
    numbers[span + 1] = from + held
  }

  /** What those that were used saved, as far as that is known of those for whom there was none: request seconds by their costs. */
  get saved(): number {
    return this.#saved
  }

  #blockedAt(number: number, tier: number): number {
    const { numbers } = this.#rows
    const own = number * this.#row + this.#tiersFrom + TIER_NUMBERS * tier
    const all = this.#all[TIER_NUMBERS * tier + BLOCKED] as number
    const [blocked, arrivals] = [numbers[own + BLOCKED] as number, numbers[own + ARRIVALS] as number]
    return (blocked * arrivals + all * PRIOR) / (arrivals + PRIOR)
  }

  /** Of the requests of a tier, how many wait for those below it who have the lock. */
  #blockedPart(number: number, tier: number): number {
    const { numbers } = this.#rows
    const own = number * this.#row + this.#tiersFrom + TIER_NUMBERS * tier
    const [part, arrivals] = [numbers[own + PART] as number, numbers[own + ARRIVALS] as number]
    return (part * arrivals + (this.#all[TIER_NUMBERS * tier + PART] as number) * PRIOR) / (arrivals + PRIOR)
  }

  status(): LockPlans {
    return { written: this.#written, used: this.#used, reclaimed: this.#reclaimed }
  }

  /** Which locks are left alone does not change. */
  #isControl(lock: string): boolean {
    let hash = this.#options.seed ^ 0x811c9dc5
    for (let i = 0; i < lock.length; i++) hash = Math.imul(hash ^ lock.charCodeAt(i), 0x01000193)
    // Names that differ in their last letter have hashes beside each other.
    return randomsOf(hash)() < this.#options.control
  }

  /** A plan is over, used or not. */
  #end(number: number, { score }: Hold): void {
    this.#inForce.delete(number)
    this.#expected += score
  }

  /** The number of a lock, which is met now if it has none. */
  #lock(name: string, hint: number | undefined): number {
    const found = this.#locks.find('lock', name, hint)
    if (found >= 0) return found
    // Of a plan that is in force for one that is forgotten it is no longer learnt what came of it.
    if (this.#locks.size >= LOCKS_MOST) this.#locks.forgetHalf(number => this.#forgot(number))
    const number = this.#locks.add('lock', name, hint)
    const at = this.#rows.clear(number)
    this.#rows.numbers[at + KEPT] = Number.NEGATIVE_INFINITY
    return number
  }

  #forgot(number: number): void {
    this.#inForce.delete(number)
    this.#users.forget(number)
  }
}

/** ms of a wait that the longest of these holds of lower tiers made. */
function blockedBy(numbers: Float64Array, spans: number, tier: number, from: number, until: number): number {
  let most = 0
  for (let at = spans; at < spans + SPAN_NUMBERS * tier; at += 2) {
    most = Math.max(most, Math.min(until, numbers[at + 1] as number) - Math.max(from, numbers[at] as number))
  }
  return most
}

/** ms that tiers below one hold a lock, mean; undefined: they have not. */
function heldBelow(numbers: Float64Array, tiers: number, tier: number): number | undefined {
  let [sum, holds] = [0, 0]
  for (let at = tiers; at < tiers + TIER_NUMBERS * tier; at += TIER_NUMBERS) {
    sum += (numbers[at + HELD] as number) * (numbers[at + HOLDS] as number)
    holds += numbers[at + HOLDS] as number
  }
  return holds === 0 ? undefined : sum / holds
}

/** ms that a request waited for those below who had the lock. @param most that count */
function learnBlocked(numbers: Float64Array, at: number, blocked: number, most: number): void {
  average(numbers, at + BLOCKED, blocked, most)
  const part = numbers[at + PART] as number
  numbers[at + PART] = part + ((blocked > 0 ? 1 : 0) - part) / Math.min(numbers[at + ARRIVALS] as number, most)
}

/** A mean, and behind it of how many. @param most that count */
function average(numbers: Float64Array, at: number, value: number, most: number): void {
  const count = (numbers[at + 1] as number) + 1
  const mean = numbers[at] as number
  numbers[at] = mean + (value - mean) / Math.min(count, most)
  numbers[at + 1] = count
}

/** What a request of then counts now. */
function fadeOf(then: number, now: number): number {
  return Math.exp(Math.min(0, then - now) / FADE_MS)
}
