import { callback, count } from '../checks.js'
import { dispose } from '../grant.js'
import { type After, afterReal, interval } from './after.js'

export interface SamplerOptions<T> {
  /** ms between samples */
  every?: number
  /** called with each sample, in a microtask of its own */
  onSample?: (sample: T) => void
  /** samples that are kept for those who iterate; of more the oldest are dropped and counted in `lost` */
  keep?: number
  after?: After
}

export const SAMPLER_OPTIONS = ['every', 'onSample', 'keep', 'after'] as const

const KEEP = 64
const KEEP_MAX = 2 ** 20

/** Where samples come from. */
export interface SampleSource<T> {
  /** undefined: there will be no more */
  take(): T | undefined
  close(): void
}

/** Takes a sample every so many ms, until it is closed: for a callback, for whoever iterates, or both. Keeps no process alive. */
export class Sampler<T> implements AsyncIterable<T> {
  readonly every: number
  readonly #source: SampleSource<T>
  readonly #onSample: ((sample: T) => void) | undefined
  readonly #keep: number
  readonly #after: After
  readonly #kept: T[] = []
  readonly #waiting: ((result: IteratorResult<T, undefined>) => void)[] = []
  #iterated = false
  #lost = 0
  #cancel: (() => void) | undefined

  /** @throws ArgumentError for options out of range */
  constructor(source: SampleSource<T>, { every, onSample, keep = KEEP, after = afterReal }: SamplerOptions<T>, everyDefault: number) {
    this.every = interval(every ?? everyDefault, 'every')
    if (onSample !== undefined) callback(onSample, 'onSample')
    callback(after, 'after')
    this.#keep = count(keep, 'keep', 1, KEEP_MAX)
    this.#onSample = onSample
    this.#after = after
    this.#source = source
    this.#schedule()
  }

  /** Samples that nobody iterated over in time. */
  get lost(): number {
    return this.#lost
  }

  get closed(): boolean {
    return this.#cancel === undefined
  }

  /** Takes no more samples; iterations end once they have what was kept. */
  close(): void {
    if (this.#cancel === undefined) return
    this.#cancel()
    this.#cancel = undefined
    this.#source.close()
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined })
  }

  [dispose](): void {
    this.close()
  }

  /** Samples from now on; several who iterate share them. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    this.#iterated = true
    return {
      next: () => this.#next(),
      return: async () => ({ done: true, value: undefined })
    }
  }

  #schedule(): void {
    this.#cancel = this.#after(this.every, () => {
      this.#schedule()
      const sample = this.#source.take()
      if (sample === undefined) this.close()
      else this.#deliver(sample)
    })
  }

  #deliver(sample: T): void {
    const onSample = this.#onSample
    // What it throws is not thrown from our timer.
    if (onSample !== undefined) queueMicrotask(() => onSample(sample))
    const next = this.#waiting.shift()
    if (next !== undefined) next({ done: false, value: sample })
    else if (this.#iterated) this.#store(sample)
  }

  #store(sample: T): void {
    this.#kept.push(sample)
    if (this.#kept.length <= this.#keep) return
    this.#kept.shift()
    this.#lost++
  }

  #next(): Promise<IteratorResult<T, undefined>> {
    const value = this.#kept.shift()
    if (value !== undefined) return Promise.resolve({ done: false, value })
    if (this.closed) return Promise.resolve({ done: true, value: undefined })
    return new Promise(resolve => this.#waiting.push(resolve))
  }
}
