/** Taken out of the front so often, it is looked whether to let go of what is gone. */
const TRIM = 1024

/** First come, first served. */
export class Line<T> {
  #requests: T[] = []
  #from = 0

  get length(): number {
    return this.#requests.length - this.#from
  }

  get first(): T | undefined {
    return this.#requests[this.#from]
  }

  push(request: T): void {
    this.#requests.push(request)
  }

  /** Of one that is not empty. */
  shift(): T {
    const first = this.#requests[this.#from++] as T
    // What is gone is let go of, half of all at a time.
    if (this.#from > TRIM && 2 * this.#from > this.#requests.length) {
      this.#requests = this.#requests.slice(this.#from)
      this.#from = 0
    }
    return first
  }
}
