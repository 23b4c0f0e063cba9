/** Errors that are kept at most: enough for the rarest level asked for, and what is older says less. */
const KEPT = 128
/** The part of the errors that tells how far beyond them the next may lie. */
const TAIL_PART = 4

/** The errors beyond a threshold, as the tail of an exponential distribution needs them. */
export interface Tail {
  /** the threshold */
  readonly base: number
  /** how many lie beyond it */
  readonly count: number
  /** by how much, together */
  readonly excess: number
}

/** The last errors of one model, in their order and sorted. */
export class Residuals {
  private ring = new Float32Array(8)
  private sorted = new Float32Array(8)
  private added = 0
  /** The largest quarter. */
  upper: Tail = { base: 0, count: 0, excess: 0 }

  get length(): number {
    return Math.min(this.added, KEPT)
  }

  /** The last ones, oldest first. */
  get all(): number[] {
    const { length, added } = this
    return Array.from({ length }, (_, i) => this.ring[(added - length + i) % this.ring.length] as number)
  }

  add(error: number): void {
    if (this.added === this.ring.length && this.added < KEPT) this.grow()
    const at = this.added % this.ring.length
    let { length } = this
    if (this.added >= KEPT) {
      const gone = place(this.sorted, length, this.ring[at] as number)
      this.sorted.copyWithin(gone, gone + 1, length)
      length--
    }
    this.ring[at] = error
    const value = this.ring[at] as number
    const to = place(this.sorted, length, value)
    this.sorted.copyWithin(to + 1, to, length)
    this.sorted[to] = value
    this.added++
    this.upper = this.upperOf(this.length)
  }

  /** 0 of none. */
  get median(): number {
    const { length } = this
    return length === 0 ? 0 : ((this.sorted[(length - 1) >> 1] as number) + (this.sorted[length >> 1] as number)) / 2
  }

  /** Where the largest quarter of a sorted beginning starts, and how far it reaches. */
  private upperOf(length: number): Tail {
    const count = tailCount(length)
    const base = length === 0 ? 0 : (this.sorted[length - 1 - count] as number)
    let excess = 0
    for (let i = length - count; i < length; i++) excess += (this.sorted[i] as number) - base
    return { base, count, excess }
  }

  /**
   * What a new error exceeds with this probability if all are alike: the ceil((n + 1)(1 - p))-th of n (conformal prediction), and where there are
   * not as many, the greatest and as much more as an exponential tail of this scale has.
   */
  above(p: number, scale: number): number {
    const { length } = this
    if (length === 0) return scale * Math.log(1 / p)
    const rank = Math.ceil((length + 1) * (1 - p))
    if (rank <= length) return this.sorted[Math.max(0, rank - 1)] as number
    return (this.sorted[length - 1] as number) + scale * Math.max(0, Math.log(1 / p / (length + 1)))
  }

  /** The same at the other end: what a new error stays below with this probability. */
  below(p: number, scale: number): number {
    const { length } = this
    if (length === 0) return -scale * Math.log(1 / p)
    const rank = Math.floor((length + 1) * p)
    if (rank >= 1) return this.sorted[Math.min(length, rank) - 1] as number
    return (this.sorted[0] as number) - scale * Math.max(0, Math.log(1 / p / (length + 1)))
  }

  private grow(): void {
    const { ring, sorted } = this
    this.ring = new Float32Array(Math.min(KEPT, 2 * ring.length))
    this.sorted = new Float32Array(this.ring.length)
    this.ring.set(ring)
    this.sorted.set(sorted)
  }
}

function tailCount(length: number): number {
  return length < 2 ? 0 : Math.min(length - 1, Math.ceil(length / TAIL_PART))
}

/** Where a value stands, or would, among the first ones of a sorted array. */
function place(sorted: Float32Array, length: number, value: number): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
