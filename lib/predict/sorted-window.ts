/** The last values of a series, in the order in which they came and in that of their size. */
export class SortedWindow {
  private readonly ring: Float64Array
  private readonly sorted: Float64Array
  private known = 0
  private next = 0

  /** @param most how many are kept */
  constructor(private readonly most: number) {
    this.ring = new Float64Array(most)
    this.sorted = new Float64Array(most)
  }

  get length(): number {
    return this.known
  }

  push(value: number): void {
    const { sorted, ring, most } = this
    if (this.known === most) {
      const at = this.placeOf(ring[this.next] as number)
      sorted.copyWithin(at, at + 1, this.known--)
    }
    ring[this.next] = value
    this.next = (this.next + 1) % most
    const at = this.placeOf(value)
    sorted.copyWithin(at + 1, at, this.known++)
    sorted[at] = value
  }

  /** The value so many steps before the last, 0 the last itself. */
  before(steps: number): number {
    return this.ring[(this.next - 1 - steps + 2 * this.most) % this.most] as number
  }

  /** Of those that are kept; NaN of none. */
  quantile(level: number): number {
    return this.known === 0 ? Number.NaN : (this.sorted[Math.min(this.known - 1, Math.floor(level * this.known))] as number)
  }

  /** All of them, the oldest first. */
  toArray(): Float64Array {
    return Float64Array.from({ length: this.known }, (_, i) => this.before(this.known - 1 - i))
  }

  private placeOf(value: number): number {
    let [low, high] = [0, this.known]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.sorted[middle] as number) < value) low = middle + 1
      else high = middle
    }
    return low
  }
}
