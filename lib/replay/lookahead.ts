import { ArgumentError } from '../errors/index.js'
import type { TraceRequest } from './trace.js'

/** The requests of a trace in their order, and a look at those that are near. Holds no more than that look and a batch. */
export class Lookahead {
  private readonly batches: AsyncIterator<readonly TraceRequest[]>
  /** those to come from `at` on */
  private queue: TraceRequest[] = []
  private at = 0
  private last = 0
  private over = false

  constructor(batches: AsyncIterable<readonly TraceRequest[]>) {
    this.batches = batches[Symbol.asyncIterator]()
  }

  /** The next one; undefined: {@link fill} has to be called, or there is none. */
  get next(): TraceRequest | undefined {
    return this.queue[this.at]
  }

  /** Whether all that comes up to that time is here. */
  reaches(time: number): boolean {
    if (this.over) return true
    const last = this.queue.at(-1)
    return this.at < this.queue.length && last !== undefined && last.time > time
  }

  take(): void {
    this.at++
  }

  /** Reads on until it {@link reaches} that time. */
  async fill(time: number): Promise<void> {
    while (!this.reaches(time)) {
      const { value, done } = await this.batches.next()
      if (done === true) {
        this.over = true
        return
      }
      if (this.at > 0) this.queue = this.queue.slice(this.at)
      this.at = 0
      for (const request of value) this.add(request)
    }
  }

  /** Those that come up to that time, as far as they are here. */
  *until(time: number): Generator<TraceRequest> {
    for (let i = this.at; i < this.queue.length; i++) {
      const request = this.queue[i] as TraceRequest
      if (request.time > time) return
      yield request
    }
  }

  /** For one who stops before the end: lets go of files. */
  async close(): Promise<void> {
    if (!this.over) await this.batches.return?.()
  }

  private add(request: TraceRequest): void {
    if (!(request.time >= this.last)) {
      throw new ArgumentError(`the trace is not in the order of time: ${request.time} ms after ${this.last} ms`, {
        option: 'time',
        given: request.time
      })
    }
    this.last = request.time
    this.queue.push(request)
  }
}
