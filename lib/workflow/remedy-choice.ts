import type { ContentionNotice } from '../notices.js'
import type { RemedyKind } from './remedy-options.js'

/** A tier that runs may be moved to, and the part of the pool that it could still have, 0 to 1. */
export interface RoomOfTier {
  /** index */
  readonly tier: number
  readonly room: number
}

/** What is known of a workflow that is in the way of a tier above it. */
export interface Situation {
  readonly notice: ContentionNotice
  /** indices of its tier, and of that which will collide */
  readonly own: number
  readonly upper: number
  /** the part of it that a run holds, or takes of the tokens of a bucket, 0 to 1; undefined: not known */
  readonly need: number | undefined
  /** runs that begin in a second */
  readonly rate: number
  /** ms for which a run goes on; undefined: not known */
  readonly duration: number | undefined
  /** runs that go on, and come by places at which they can pause */
  readonly running: number
  /** tiers below its own that its runs may be moved to */
  readonly lower: readonly RoomOfTier[]
  /** ms by which a run is put off at most */
  readonly most: number
}

/** What could be done. */
export interface Proposal {
  readonly kind: RemedyKind
  /** ms from now until when */
  readonly delay: number
  /** of `pace`: ms between two that begin */
  readonly every?: number
  /** of `move`: index of the tier */
  readonly to?: number
  /** what it is expected to cost: waits of the workflow's own runs, and of the tier, in request seconds by what they cost */
  readonly cost: number
}

const MS_PER_S = 1_000
/** Who has to wait for a run that goes on comes, on average, in the middle of it. */
const LEFT = 0.5

/**
 * What could be done about a collision and costs less than doing nothing, the cheapest first. It is as rough as what is known: runs begin evenly, each takes as much as it needs
 * for as long as the median of those before it, and a unit that it holds keeps one who asks for it waiting for half of that, or of how long such a lock is held. Tokens that it takes
 * make those who are foretold wait for half of the time in which as many come. What is kept for the tier nobody below takes. Of runs that were not seen lately one is taken to come.
 */
export function proposals(situation: Situation): Proposal[] {
  const nothing = costOf(situation, { running: situation.running, units: unitsBegun(situation) })
  return [reschedule(situation), ...pace(situation), ...split(situation), ...move(situation)]
    .filter(({ cost }) => cost < nothing)
    .sort((a, b) => a.cost - b.cost)
}

const delayOf = ({ notice: { gap }, most }: Situation) => Math.min(gap, most)

/** Runs that are expected to begin until the gap. */
const begun = (situation: Situation) => Math.max(1, (situation.rate * delayOf(situation)) / MS_PER_S)

/** Units of the pool that a run takes; where that is not known, as much as is usual. */
function unitsOf({ need, notice: { capacity, usual } }: Situation): number {
  return need === undefined ? usual : need * capacity
}

/** Units that runs would take until then: no more than there are by the gap. */
function unitsBegun(situation: Situation): number {
  const { expected, usual } = situation.notice
  return Math.min(begun(situation) * unitsOf(situation), expected + usual)
}

/**
 * @param left what is still in the way of the tier: runs that go on, and units that are taken until the gap
 * @returns what their waiting costs the tier, in request seconds
 */
function costOf(situation: Situation, left: { running: number; units: number }): number {
  const { notice, upper, duration } = situation
  const { probability, usual, within, costs, capacity, kept, held } = notice
  const units = Math.min(capacity, Math.min(left.units, capacity - kept) + left.running * unitsOf(situation))
  const seconds = (LEFT * (held ?? duration ?? within)) / MS_PER_S
  return usual > 0 ? ((probability * (costs[upper] ?? 0) * units) / usual) * seconds : 0
}

/** What it costs that so many runs wait, each for so many ms. */
function ownCost({ notice: { costs }, own }: Situation, runs: number, ms: number): number {
  return ((costs[own] ?? 0) * runs * ms) / MS_PER_S
}

function reschedule(situation: Situation): Proposal {
  const delay = delayOf(situation)
  const cost = ownCost(situation, begun(situation), delay / 2) + costOf(situation, { running: situation.running, units: 0 })
  return { kind: 'reschedule', delay, cost }
}

/** ms between two runs that leave what is foretold to the tier; undefined: there are none, or it is not known. */
function everyOf({ notice, need, duration }: Situation): number | undefined {
  const { kind, free, expected, capacity, within, refill = 0 } = notice
  if (need === undefined || need === 0 || kind === 'lock') return undefined
  const units = need * capacity
  if (kind === 'bucket') {
    const spare = refill - (expected / within) * MS_PER_S
    return spare > 0 ? (MS_PER_S * units) / spare : undefined
  }
  // As many at a time as fit into what is left, by Little's law.
  const left = free - expected
  return duration === undefined || !(left >= units) ? undefined : duration / Math.floor(left / units)
}

/** So slowly that what is foretold is left. */
function pace(situation: Situation): Proposal[] {
  const { running } = situation
  const every = everyOf(situation)
  if (every === undefined) return []
  const delay = delayOf(situation)
  const paced = every > 0 ? delay / every : Number.POSITIVE_INFINITY
  const late = Math.max(0, begun(situation) - Math.max(1, paced))
  return [{ kind: 'pace', delay, every, cost: ownCost(situation, late, delay / 2) + costOf(situation, { running, units: 0 }) }]
}

/** Those that go on stop until then; and so do those that begin, at once. */
function split(situation: Situation): Proposal[] {
  const { running } = situation
  if (running === 0) return []
  const delay = delayOf(situation)
  return [{ kind: 'split', delay, cost: ownCost(situation, running, delay) + ownCost(situation, begun(situation), delay / 2) }]
}

/** They wait only if the collision comes, and take no more than the tier may have. */
function move(situation: Situation): Proposal[] {
  const { lower, notice, running } = situation
  const delay = delayOf(situation)
  const waits = notice.probability * ownCost(situation, begun(situation), delay / 2)
  return lower.map(({ tier, room }) => {
    const units = Math.min(unitsBegun(situation), room * notice.capacity)
    return { kind: 'move', delay, to: tier, cost: waits + costOf(situation, { running, units }) }
  })
}
