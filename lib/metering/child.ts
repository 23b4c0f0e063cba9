import type { ChildProcess } from 'node:child_process'
import { callback, onlyKnown, optionsObject, refuse } from '../checks.js'
import { dispose } from '../grant.js'
import { Counter } from '../native/meter.js'
import { type After, afterReal, interval } from './after.js'
import type { Usage } from './counters.js'
import { Meter, type MeterMethods, type MeterOptions } from './meter.js'
import { usageBetween } from './usage.js'

export interface ChildMeterOptions extends MeterOptions {
  /** ms between readings while it lives: what is known if the kernel's last account cannot be had */
  every?: number
  after?: After
}

const EVERY_MS = 50

/**
 * What a child process used, from its start to its end. While it lives it is read by its pid. Node asks for the exit code of a child without the
 * account that the kernel has for whoever does (wait4), and with that the account is gone; so it is looked at just before, without taking
 * it (`waitid` with `WNOWAIT`). Where that cannot be, the last reading before the end is what is known, at most `every` ms old. `methods` says
 * which it was.
 */
export class ChildMeter {
  /** Resolves at its end with all that it used. With the kernel's account, its own children that it waited for are among it. Never rejects. */
  readonly ended: Promise<Usage>
  readonly #meter: Meter
  readonly #every: number
  readonly #after: After
  #cancel: () => void = () => {}
  readonly #buffer: Float64Array
  #methods: MeterMethods
  #resolve: (usage: Usage) => void = () => {}
  readonly #child: ChildProcess
  readonly #atExit = () => this.#end()

  /**
   * @param child one that was just started
   * @throws ArgumentError if it is no child process, or could not be started; NotFoundError if it has ended
   */
  constructor(child: ChildProcess, options: ChildMeterOptions = {}) {
    onlyKnown(optionsObject(options, 'options') ?? {}, ['level', 'every', 'after'], 'ChildMeter')
    const pid = (child as ChildProcess | null | undefined)?.pid
    if (pid === undefined || typeof child.once !== 'function') throw refuse('child', 'a child process that was started', child)
    const { level, every = EVERY_MS, after = afterReal } = options
    this.#every = interval(every, 'every')
    callback(after, 'after')
    this.#after = after
    this.#meter = new Meter({ pid }, level === undefined ? {} : { level })
    const { length } = this.#meter
    // Three readings: its start, where all is zero but the time; the last one that there was; and the one at its end.
    this.#buffer = new Float64Array(3 * length)
    this.#child = child
    try {
      this.#meter.read(this.#buffer, length)
      this.#buffer[Counter.Wall] = this.#buffer[length + Counter.Wall]
      this.#methods = this.#meter.methods
      this.#schedule()
    } catch (error) {
      this.#meter.close()
      throw error
    }
    this.ended = new Promise(resolve => {
      this.#resolve = resolve
    })
    child.once('exit', this.#atExit)
  }

  /** What it used so far, or in all. */
  usage(): Usage {
    this.#poll()
    return usageBetween(this.#meter, this.#buffer, 0, this.#meter.length)
  }

  /** How each value of {@link usage} was measured. */
  get methods(): MeterMethods {
    return this.#methods
  }

  /** Reads no more: `ended` resolves with what is known. */
  close(): void {
    this.#child.off('exit', this.#atExit)
    this.#end()
  }

  [dispose](): void {
    this.close()
  }

  #schedule(): void {
    this.#cancel = this.#after(this.#every, () => {
      this.#schedule()
      this.#poll()
    })
  }

  /** Keeps the reading unless there is nothing but time in it, which goes on. */
  #poll(): void {
    const { length } = this.#meter
    if (this.#meter.closed) return
    this.#meter.read(this.#buffer, 2 * length)
    const known = !Number.isNaN(this.#buffer[2 * length + Counter.Cpu])
    this.#buffer.copyWithin(length, 2 * length, known ? 3 * length : 2 * length + 1)
    if (known) this.#methods = this.#meter.methods
  }

  #end(): void {
    if (this.#meter.closed) return
    this.#poll()
    this.#cancel()
    this.#meter.close()
    this.#resolve(usageBetween(this.#meter, this.#buffer, 0, this.#meter.length))
  }
}
