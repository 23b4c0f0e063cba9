import type { ShadowCounts, ShadowSnapshot } from '../native/binding.js'
import type { Basis } from './answer.js'

/** Fewer than this say less about an element than the rest of its kind does. */
const FEW = 8
/** Where the pairs begin: after grants, and how many of these waited. */
const PAIRS = 2

/** What is known of how long something is held. */
export interface HoldTime {
  readonly basis: Basis | undefined
  /** ms that it goes on after `age` ms of it, at the quantile `u`; undefined: nothing is known of holds as long as that */
  left(age: number, u: number): number | undefined
}

const UNKNOWN: HoldTime = { basis: undefined, left: () => undefined }

/** Durations as they were measured: those that have lasted so long already are a part of them, and the rest of these is what is left. */
class Measured implements HoldTime {
  private readonly times: number[] = []
  private readonly sums: number[] = []

  constructor(
    readonly basis: Basis,
    counts: readonly ShadowCounts[]
  ) {
    const pairs = counts.flatMap(one => pairsOf(one)).sort((a, b) => a[0] - b[0])
    let sum = 0
    for (const [time, count] of pairs) {
      sum += count
      this.times.push(time)
      this.sums.push(sum)
    }
  }

  left(age: number, u: number): number | undefined {
    const first = above(this.times, age)
    if (first === this.times.length) return undefined
    const before = first === 0 ? 0 : (this.sums[first - 1] as number)
    const all = this.sums.at(-1) as number
    const wanted = before + u * (all - before)
    const at = Math.max(first, above(this.sums, wanted))
    return (this.times[Math.min(at, this.times.length - 1)] as number) - age
  }
}

class Declared implements HoldTime {
  readonly basis = 'declared'

  constructor(
    private readonly ms: number,
    private readonly measured: HoldTime
  ) {}

  /** One that is held for longer than was said says no more. */
  left(age: number, u: number): number | undefined {
    return age <= this.ms ? this.ms - age : this.measured.left(age, u)
  }
}

/** The hold times of one look at an element, by tier. */
export class HoldTimes {
  private readonly byTier = new Map<number, HoldTime>()

  constructor(private readonly snapshot: ShadowSnapshot) {}

  /** Of a request that says `hold` (ms, 0: nothing) for itself. */
  of(tier: number, hold: number): HoldTime {
    const measured = this.measured(tier)
    return hold > 0 ? new Declared(hold, measured) : measured
  }

  /** Of those granted while somebody observed, how many had to wait; undefined: none was counted. */
  waited(tier: number): number | undefined {
    const { own, rest } = this.snapshot
    const counts = [own?.[tier], rest[tier]].find(one => one !== undefined && countOf(one) > 0)
    return counts === undefined ? undefined : Math.min(1, (counts[1] as number) / Math.max(1, counts[0] as number))
  }

  private measured(tier: number): HoldTime {
    const known = this.byTier.get(tier) ?? this.find(tier)
    this.byTier.set(tier, known)
    return known
  }

  /** The narrowest of what has enough of them; else the narrowest of what has any. */
  private find(tier: number): HoldTime {
    const { own = [], rest } = this.snapshot
    const candidates: [Basis, readonly ShadowCounts[]][] = [
      ['element', own.slice(tier, tier + 1)],
      ['element', own],
      ['kind', rest.slice(tier, tier + 1)],
      ['kind', rest]
    ]
    for (const least of [FEW, 1]) {
      for (const [basis, counts] of candidates) {
        if (counts.reduce((sum, one) => sum + countOf(one), 0) >= least) return new Measured(basis, counts)
      }
    }
    return UNKNOWN
  }
}

function pairsOf(counts: ShadowCounts): [number, number][] {
  const pairs: [number, number][] = []
  for (let at = PAIRS; at + 1 < counts.length; at += 2) pairs.push([counts[at] as number, counts[at + 1] as number])
  return pairs
}

function countOf(counts: ShadowCounts): number {
  return pairsOf(counts).reduce((sum, [, count]) => sum + count, 0)
}

/** The first index whose value is above. */
function above(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) > value) high = middle
    else low = middle + 1
  }
  return low
}
