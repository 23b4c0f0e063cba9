import { type Elements, RING } from './contention-elements.js'
import { holdsOf, type Parties } from './contention-parties.js'
import { Lags } from './lags.js'

/** How many of its own holds say as much as all that is known beyond them. */
const BELIEVED = 4
/** ms of a hold, where nothing is known. */
const TYPICAL_MS = 100
const SHORTEST_MS = 0.01
const LONGEST_MS = 1e12
const BISECTIONS = 50
/** Between two points of an integral. */
const STEP = Math.SQRT2
const RAREST = 1 / 32

/** Longer than so much, of the holds that are counted; a part of them. */
export type Survival = (ms: number) => number

/**
 * How long elements are held: the part of the holds that is longer than a time, from those of the workflow on the element, backed off to those of all
 * on it, of the workflow anywhere, and of all anywhere. Each says as much as it has seen, against {@link BELIEVED} of the next.
 */
export class HoldTimes {
  readonly all: { holds: [Lags | undefined, Lags | undefined] } = { holds: [undefined, undefined] }

  constructor(
    private readonly elements: Elements,
    private readonly parties: Parties
  ) {}

  /** A place of -1: of an element that is not tracked. */
  learn(place: number, party: number, isShared: boolean, ms: number): void {
    holdsOf(this.all, isShared).add(ms)
    const who = this.parties.of(party)
    if (who !== undefined) holdsOf(who, isShared).add(ms)
    if (place >= 0) this.elements.held(place, ms)
  }

  load([exclusive, shared]: readonly number[][]): void {
    this.all.holds[0] = (exclusive?.length ?? 0) > 0 ? new Lags(exclusive) : undefined
    this.all.holds[1] = (shared?.length ?? 0) > 0 ? new Lags(shared) : undefined
  }

  /** Of a place of -1: of any element. `before` ms: holds that ended later are not known. Good until something is learnt. */
  survival(place: number, party: number, isShared: boolean, before: number): Survival {
    const mode = isShared ? 1 : 0
    const [all, own] = [this.all.holds[mode], this.parties.of(party)?.holds[mode]]
    const of: number[] = []
    const ofOwn: number[] = []
    if (place >= 0) this.collect(place, party, isShared, before, of, ofOwn)
    return ms => {
      const anywhere = refined(refined(TYPICAL_MS / (TYPICAL_MS + ms), all, ms), own, ms)
      const here = (longerThan(of, ms) + BELIEVED * anywhere) / (of.length + BELIEVED)
      return (longerThan(ofOwn, ms) + BELIEVED * here) / (ofOwn.length + BELIEVED)
    }
  }

  /** ms that a hold takes on average; of an element of which nothing is known, half of the holds take longer. */
  mean(place: number, party: number, isShared: boolean): number {
    const known = place < 0 ? Number.NaN : this.elements.meanHold(place)
    if (!Number.isNaN(known)) return known
    const holds = this.parties.of(party)?.holds[isShared ? 1 : 0] ?? this.all.holds[isShared ? 1 : 0]
    return holds?.quantiles()?.median ?? TYPICAL_MS
  }

  private collect(place: number, party: number, isShared: boolean, before: number, of: number[], ofOwn: number[]): void {
    const { elements } = this
    for (let at = place * RING, end = at + elements.rememberedOf(place); at < end; at++) {
      const took = elements.heldAt(at)
      if (Number.isNaN(took) || elements.endedAt(at) > before || elements.isSharedAt(at) !== isShared) continue
      of.push(took)
      if (elements.partyAt(at) === party) ofOwn.push(took)
    }
  }
}

function longerThan(holds: readonly number[], ms: number): number {
  let longer = 0
  for (let i = 0; i < holds.length; i++) if ((holds[i] as number) > ms) longer++
  return longer
}

function refined(part: number, lags: Lags | undefined, ms: number): number {
  return lags === undefined ? part : (lags.above(ms) + BELIEVED * part) / (lags.count + BELIEVED)
}

/** P(a hold that has lasted `age` ms goes on for more than `ms`). */
export function goesOn(survival: Survival, age: number, ms: number): number {
  if (ms <= 0) return 1
  return Math.min(1, survival(age + ms) / survival(age))
}

/** ms after which a part `level` of such holds is over, or all of several are. */
export function overAfter(goesOnFor: Survival, level: number): number {
  let [low, high] = [Math.log2(SHORTEST_MS), Math.log2(LONGEST_MS)]
  if (goesOnFor(SHORTEST_MS) <= 1 - level) return 0
  for (let step = 0; step < BISECTIONS && high - low > 1e-3; step++) {
    const middle = (low + high) / 2
    if (goesOnFor(2 ** middle) > 1 - level) low = middle
    else high = middle
  }
  return 2 ** ((low + high) / 2)
}

/** ms on average, where none goes on for longer than all but one of thirty-two do: a mean of holds that may take for ever is for ever. */
export function meanOf(goesOnFor: Survival): number {
  let [mean, from, before] = [0, 0, 1]
  for (let ms = SHORTEST_MS; ms < LONGEST_MS; ms *= STEP) {
    const part = goesOnFor(ms)
    mean += ((ms - from) * (before + part)) / 2
    if (part < RAREST) break
    from = ms
    before = part
  }
  return mean
}
