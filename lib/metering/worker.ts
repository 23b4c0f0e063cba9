import type { Worker } from 'node:worker_threads'
import { onlyKnown, optionsObject, refuse } from '../checks.js'
import { NotFoundError } from '../errors/index.js'
import { dispose } from '../grant.js'
import { Counter } from '../native/meter.js'
import type { Usage } from './counters.js'
import { Meter, type MeterMethods, type MeterOptions } from './meter.js'
import { usageBetween } from './usage.js'

/**
 * What a worker thread used: of one that was just started, from its start on; of one that has used forelock before, from now on. A thread is
 * known once it uses forelock itself, by `open()` or a `Meter`; of one that never does only the time is known. While it runs, there is its CPU
 * time; after its end, all that the kernel says of a thread. What V8 takes to tear the thread down comes after its last account.
 */
export class WorkerMeter {
  /** Resolves at its end with all that it used. Never rejects. */
  readonly ended: Promise<Usage>
  readonly #meter: Meter
  readonly #buffer: Float64Array
  readonly #worker: Worker
  #methods: MeterMethods
  #resolve: (usage: Usage) => void = () => {}
  readonly #atExit = () => this.close()

  /**
   * @throws ArgumentError if it is no worker; NotFoundError if it has ended
   */
  constructor(worker: Worker, options: MeterOptions = {}) {
    onlyKnown(optionsObject(options, 'options') ?? {}, ['level'], 'WorkerMeter')
    const thread = (worker as Worker | null | undefined)?.threadId
    if (typeof thread !== 'number' || typeof worker.once !== 'function') throw refuse('worker', 'a Worker of node:worker_threads', worker)
    if (thread < 1) throw new NotFoundError('the worker has ended', { resource: String(thread) })
    this.#meter = new Meter({ thread }, options)
    const { length } = this.#meter
    this.#buffer = new Float64Array(2 * length)
    this.#meter.read(this.#buffer, 0)
    // Of one that is not known yet nothing was used: it is just starting.
    if (Number.isNaN(this.#buffer[Counter.Cpu])) this.#buffer.fill(0, Counter.Cpu)
    this.#buffer.copyWithin(length, 0, length)
    this.#methods = this.#meter.methods
    this.#worker = worker
    this.ended = new Promise(resolve => {
      this.#resolve = resolve
    })
    worker.once('exit', this.#atExit)
  }

  /** What it used so far, or in all. */
  usage(): Usage {
    const { length } = this.#meter
    if (!this.#meter.closed) this.#meter.read(this.#buffer, length)
    return usageBetween(this.#meter, this.#buffer, 0, length)
  }

  /** How each value of {@link usage} was measured. */
  get methods(): MeterMethods {
    return this.#methods
  }

  /** Reads no more: `ended` resolves with what is known. */
  close(): void {
    if (this.#meter.closed) return
    this.#worker.off('exit', this.#atExit)
    const usage = this.usage()
    this.#methods = this.#meter.methods
    this.#meter.close()
    this.#resolve(usage)
  }

  [dispose](): void {
    this.close()
  }
}
