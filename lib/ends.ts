/** What ends at some time. */
export interface Ending {
  /** ns */
  readonly ends: number
  /** of two that end at once the one with the smaller number ends first */
  readonly number: number
}

/** A binary heap by end. */
export class Ends<T extends Ending> {
  private readonly heap: T[] = []

  get size(): number {
    return this.heap.length
  }

  /** When the first one ends, ns; Infinity: there is none. */
  get next(): number {
    return this.heap.length === 0 ? Number.POSITIVE_INFINITY : (this.heap[0] as T).ends
  }

  push(one: T): void {
    const { heap } = this
    let at = heap.length
    heap.push(one)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above] as T
      if (!isBefore(one, parent)) break
      heap[at] = parent
      at = above
    }
    heap[at] = one
  }

  pop(): T | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1] as T, heap[below] as T)) below++
      if (!isBefore(heap[below] as T, last)) break
      heap[at] = heap[below] as T
      at = below
    }
    heap[at] = last
    return first
  }
}

function isBefore(one: Ending, other: Ending): boolean {
  return one.ends < other.ends || (one.ends === other.ends && one.number < other.number)
}
