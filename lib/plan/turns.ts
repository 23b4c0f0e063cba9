/** So many of those who ask get their turn in a period; of the others, those who asked first are the first in the next one. */
export class Turns {
  readonly #most: number
  /** who was put off, in the order in which they first were: the period in which they asked last */
  readonly #waiting = new Map<string, number>()
  /** whose turn it is, and who has not taken it yet */
  readonly #next = new Set<string>()
  #left: number
  #period = 0

  /** @param most in a period */
  constructor(most: number) {
    this.#most = most
    this.#left = most
  }

  /** A period begins. */
  begin(): void {
    this.#left = this.#most
    this.#period++
    // Mostly nobody asks.
    if (this.#waiting.size + this.#next.size > 0) this.#choose()
  }

  #choose(): void {
    this.#next.clear()
    for (const [key, period] of this.#waiting) {
      // Who asks no more is not waited for.
      if (period < this.#period - 1) this.#waiting.delete(key)
      else if (this.#next.size < this.#most) this.#next.add(key)
    }
  }

  /** Whether it is its turn. Who is put off has to ask again in the next period. */
  isFor(key: string): boolean {
    if (this.#next.has(key) || this.#left > this.#next.size) return true
    this.#waiting.set(key, this.#period)
    return false
  }

  took(key: string): void {
    this.#left--
    this.#next.delete(key)
    this.#waiting.delete(key)
  }
}
