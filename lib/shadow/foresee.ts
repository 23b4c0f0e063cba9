import { randomsOf } from '../randoms.js'
import type { HoldTimes } from './hold-times.js'
import { Line, type Member, type Rules, type Served } from './line.js'

/** Courses of events that the quantiles are taken from: their error at p95 is below a tenth of the spread between p50 and p95. */
const COURSES = 200
/**
 * What they may cost in all, in members looked at: some ms. A long line gets fewer courses, and at least one: the longer it is, the less the sum of
 * its holds differs from course to course.
 */
const WORK_MAX = 25_000
/** The same numbers each time, so that the same state gives the same answer. */
const SEED = 0x9e3779b9
/** What one may cost before it is given up: a line of some 15,000. */
const COURSE_MAX = 100_000

/** What is known of an element and its line: what courses of events start from. */
export interface Start {
  readonly ageing: number
  /** by tier, in their order */
  readonly waiters: readonly (readonly Member[])[]
  readonly holders: readonly Member[]
  rules(): Rules
}

/** What becomes of a request. */
export interface Foreseen {
  /** of 0 to 1: not granted at once */
  readonly contention: number
  readonly p50: number | undefined
  readonly p95: number | undefined
  /** in the middle course: who is served before it */
  readonly ahead: readonly Member[]
  /** and who is served later than without it; ms, undefined: not known, or never */
  readonly later: ReadonlyMap<Member, number | undefined>
}

/**
 * The request joins the line at its arrival, and events take their course, many times over: each hold that has begun goes on for what is left of a
 * measured hold of that length, and each that begins for a measured one. A simulation by the rules of the core (a Monte Carlo of the
 * transient queue), because no closed form knows tiers, ageing, floors and several dimensions. Where a course depends on a hold of which
 * nothing is known, no time is told.
 */
export function foresee(start: Start, own: Member): Foreseen {
  const middle = course(start, own, () => 0.5)
  // Where nothing is a matter of chance, one is as good as all; and where nobody else is there, for when its own hold ends is none of it.
  const outcomes = middle.chance && !isAlone(start) ? drawn(start, own) : [outcomeIn(middle, own)]
  const waits = outcomes.map(({ wait }) => wait).sort((a, b) => a - b)
  const isKnown = outcomes.every(outcome => outcome.isKnown)
  const quantile = (share: number) => (isKnown ? waits[Math.min(waits.length - 1, Math.ceil(share * waits.length) - 1)] : undefined)
  const contention = 1 - waits.filter(wait => wait === 0).length / waits.length
  const none = contention === 0 ? 0 : undefined
  return { contention, p50: none ?? quantile(0.5), p95: none ?? quantile(0.95), ...inTheMiddle(start, own, middle) }
}

function isAlone({ holders, waiters }: Start): boolean {
  return holders.length === 0 && waiters.every(list => list.length === 0)
}

/** What becomes of the request in one course. */
interface Outcome {
  /** ms, infinite: it is not served */
  readonly wait: number
  /** it follows from no hold of which nothing is known */
  readonly isKnown: boolean
}

function drawn(start: Start, own: Member): Outcome[] {
  const outcomes: Outcome[] = []
  const draw = randomsOf(SEED)
  let [work, isKnown, isChance] = [0, true, true]
  // Where something is not known, all are as good as none.
  while (isChance && isKnown && outcomes.length < COURSES && work < WORK_MAX) {
    const line = new Line(start.rules(), start.ageing, start.waiters, start.holders, draw)
    line.run(own, false, COURSE_MAX)
    work += line.work
    const outcome = outcomeIn(line, own)
    isKnown = outcome.isKnown
    isChance = line.chance && (outcome.wait > 0 || own.arrival > 0)
    outcomes.push(outcome)
  }
  return outcomes
}

function outcomeIn(line: Line, own: Member): Outcome {
  const served = line.served.get(own)
  const wait = served === undefined ? Number.POSITIVE_INFINITY : served.at - own.arrival
  return { wait, isKnown: wait === 0 || (served !== undefined && !served.guessed) }
}

/** One course, until all are served. */
function course(start: Start, own: Member | undefined, draw: () => number): Line {
  const line = new Line(start.rules(), start.ageing, start.waiters, start.holders, draw)
  line.run(own, true, COURSE_MAX)
  return line
}

/** @param with_ the course in which every hold lasts as long as its median */
function inTheMiddle(start: Start, own: Member, with_: Line): Pick<Foreseen, 'ahead' | 'later'> {
  const without = course(start, undefined, () => 0.5)
  const at = with_.order.indexOf(own)
  const later = new Map<Member, number | undefined>()
  for (const list of start.waiters) {
    for (const member of list) {
      const [before, after] = [without.served.get(member), with_.served.get(member)]
      if (before !== undefined && (after !== undefined || !with_.cut) && isLater(before, after))
        later.set(member, difference(before, after))
    }
  }
  const ahead = at < 0 ? start.waiters.flat().filter(member => with_.served.has(member)) : with_.order.slice(0, at)
  return { ahead, later }
}

function isLater(before: Served, after: Served | undefined): boolean {
  return after === undefined || after.at > before.at
}

function difference(before: Served, after: Served | undefined): number | undefined {
  return after === undefined || before.guessed || after.guessed ? undefined : after.at - before.at
}

/** How likely others make it wait who are not there yet: the more of a hold passes until then, the more it is as it usually is. */
export function withNewcomers(contention: number, comes: number, times: HoldTimes, tier: number): number {
  const usual = times.waited(tier)
  const hold = times.of(tier, 0).left(0, 0.5)
  if (comes === 0 || usual === undefined || hold === undefined) return contention
  const forgotten = 1 - Math.exp(-comes / Math.max(hold, Number.MIN_VALUE))
  return contention + (1 - contention) * forgotten * usual
}
