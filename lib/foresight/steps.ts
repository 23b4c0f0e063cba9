/** Values at equal steps, of which the last ones are kept. What nothing was told of is 0. */
export class Steps {
  /** by step modulo its length */
  #ring: Float64Array
  /** number of the first step, since 1970, and of the last one that anything was told of */
  #first: number
  #last: number

  /**
   * @param step ms
   * @param kept how many at most
   * @param since ms since the Unix epoch from which on everything is told
   * @param take what becomes of several values in a step
   */
  constructor(
    readonly step: number,
    readonly kept: number,
    since: number,
    readonly take: 'sum' | 'max'
  ) {
    this.#ring = new Float64Array(Math.min(kept, FIRST_LENGTH))
    this.#first = Math.floor(since / step)
    this.#last = this.#first - 1
  }

  /** What is before the first step that is kept is left out. */
  add(time: number, value: number): void {
    const at = Math.floor(time / this.step)
    this.#goTo(at)
    if (at < this.#first) return
    const place = at % this.#ring.length
    const before = this.#ring[place] as number
    this.#ring[place] = this.take === 'sum' ? before + value : Math.max(before, value)
  }

  /** The steps that are over at a time, oldest first. */
  until(now: number): { first: number; values: Float64Array } {
    const end = Math.floor(now / this.step)
    this.#goTo(end - 1)
    const first = Math.min(this.#first, end)
    const values = new Float64Array(Math.max(0, end - first))
    for (let i = 0; i < values.length; i++) values[i] = this.#ring[(first + i) % this.#ring.length] as number
    return { first, values }
  }

  /** What came in a step, by its number; undefined: it is not over, or not kept any more. */
  at(step: number, now: number): number | undefined {
    const end = Math.floor(now / this.step)
    this.#goTo(end - 1)
    return step >= this.#first && step < end ? this.#ring[step % this.#ring.length] : undefined
  }

  #goTo(step: number): void {
    if (step <= this.#last) return
    this.#makeRoom(step - this.#first + 1)
    const from = Math.max(this.#last + 1, step - this.#ring.length + 1)
    for (let at = from; at <= step; at++) this.#ring[at % this.#ring.length] = 0
    this.#last = step
    this.#first = Math.max(this.#first, step - this.#ring.length + 1)
  }

  #makeRoom(length: number): void {
    const old = this.#ring
    if (length <= old.length || old.length === this.kept) return
    const ring = new Float64Array(Math.min(this.kept, Math.max(length, 2 * old.length)))
    for (let at = Math.max(this.#first, this.#last - old.length + 1); at <= this.#last; at++) {
      ring[at % ring.length] = old[at % old.length] as number
    }
    this.#ring = ring
  }
}

const FIRST_LENGTH = 64
