/** What ends at some time. */
export interface Ending {
  /** ns */
  readonly ends: number
  /** of two that end at once the one with the smaller number ends first */
  readonly number: number
}

const LEAST = 64

/** A binary heap by end. What it is ordered by lies beside each other, so that to compare is no look at objects, of whatever shape they are. */
export class Ends<T extends Ending> {
  private readonly heap: T[] = []
  private ends = new Float64Array(LEAST)
  private numbers = new Float64Array(LEAST)

  get size(): number {
    return this.heap.length
  }

  /** When the first one ends, ns; Infinity: there is none. */
  get next(): number {
    return this.heap.length === 0 ? Number.POSITIVE_INFINITY : (this.ends[0] as number)
  }

  push(one: T): void {
    const { heap } = this
    const { ends, number } = one
    let at = heap.length
    heap.push(one)
    if (at === this.ends.length) this.grow()
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!this.isAfter(above, ends, number)) break
      this.move(above, at)
      at = above
    }
    this.put(at, one, ends, number)
  }

  pop(): T | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    const left = heap.length
    if (last === undefined || left === 0) return first
    const [ends, number] = [this.ends[left] as number, this.numbers[left] as number]
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= left) break
      if (below + 1 < left && this.isAfter(below, this.ends[below + 1] as number, this.numbers[below + 1] as number)) below++
      if (this.isAfter(below, ends, number)) break
      this.move(below, at)
      at = below
    }
    this.put(at, last, ends, number)
    return first
  }

  /** Whether what is there ends after something else. */
  private isAfter(at: number, ends: number, number: number): boolean {
    const own = this.ends[at] as number
    return own > ends || (own === ends && (this.numbers[at] as number) > number)
  }

  private move(from: number, to: number): void {
    this.put(to, this.heap[from] as T, this.ends[from] as number, this.numbers[from] as number)
  }

  private put(at: number, one: T, ends: number, number: number): void {
    this.heap[at] = one
    this.ends[at] = ends
    this.numbers[at] = number
  }

  private grow(): void {
    const more = (of: Float64Array) => {
      const made = new Float64Array(2 * of.length)
      made.set(of)
      return made
    }
    this.ends = more(this.ends)
    this.numbers = more(this.numbers)
  }
}
