import { onlyKnown, optionsObject, refuse } from '../checks.js'
import { ClosedError, NotFoundError } from '../errors/index.js'
import { dispose } from '../grant.js'
import { loadAddon } from '../native/load.js'
import { Counter, Life, type NativeMeter } from '../native/meter.js'
import { ALL_LENGTH, COUNTERS, TIME_LENGTH, type UsageField } from './counters.js'
import { type MeterLevel, type MeterScopeOption, planOf, type ScopePlan } from './scope.js'
import { mustFit } from './usage.js'

export interface MeterOptions {
  /** `time`: wall and CPU time alone, which is cheap; `all`: every counter that the scope has */
  level?: MeterLevel
}

/** How each value is measured, in words; what cannot be measured is absent. */
export type MeterMethods = Partial<Record<UsageField, string>>

/**
 * Reads what a scope has used so far: cumulative counters, by the kernel's own accounts. Two readings make a `Usage`, by `usageBetween()`.
 *
 * A thread's are those of the thread that reads: work that Node gives to its pool (file system, crypto, zlib, DNS) is not among it, but
 * is in those of the process. Another process's are its own without its children, while it is there. See docs/guides/metering.md.
 */
export class Meter {
  readonly scope: MeterScopeOption
  readonly level: MeterLevel
  /** Numbers that a reading takes in a buffer. */
  readonly length: number
  readonly #native: NativeMeter
  readonly #plan: ScopePlan
  readonly #counters: Float64Array
  #closed = false

  /**
   * @throws ArgumentError for what is no scope or level; NotFoundError if there is no such process or cgroup; LoadError
   */
  constructor(scope: MeterScopeOption, options?: MeterOptions) {
    const { level = 'all' } = (optionsObject(options, 'options') ?? {}) as MeterOptions
    if (options !== undefined) onlyKnown(options, ['level'], 'Meter')
    if (level !== 'time' && level !== 'all') throw refuse('level', "'time' or 'all'", level)
    const addon = loadAddon()
    this.scope = scope
    this.level = level
    this.length = level === 'time' ? TIME_LENGTH : ALL_LENGTH
    this.#plan = planOf(scope, level, addon.pageBytes)
    const native = addon.meter(this.#plan.scope, this.#plan.pid, level === 'all', this.#plan.files)
    if (native === undefined) throw new NotFoundError(`there is no process ${this.#plan.pid}`, { resource: String(this.#plan.pid) })
    this.#native = native
    this.#counters = native.counters
  }

  /**
   * Writes the counters into the buffer, `length` numbers from `at` on; NaN for those that are absent. Level `time` takes two clocks.
   *
   * @throws ArgumentError if there is no room for them; ClosedError
   */
  read(into: Float64Array, at: number): void {
    const { length } = this
    mustFit(into, at, length, 'at')
    if (this.#closed) throw closed()
    this.#native.read()
    const counters = this.#counters
    for (let i = 0; i < length; i++) into[at + i] = counters[i]
  }

  /**
   * As {@link read}, by whoever asks again and again where little or nothing was done in between: neighbouring actions. What was read within the
   * last 5 µs is not read again; only the wall time, and with it the CPU time of the thread or process that reads, and so runs. A CPU time
   * is off by 5 µs at most then, because no thread spends more of it than time passes.
   *
   * @internal the buffer is not checked; of a closed meter all is NaN
   */
  readAgain(into: Float64Array, at: number): void {
    this.#native.readAgain()
    const counters = this.#counters
    const { length } = this
    for (let i = 0; i < length; i++) into[at + i] = counters[i]
  }

  /**
   * How each value is measured, by a reading made now.
   *
   * @throws ClosedError
   */
  get methods(): MeterMethods {
    this.#look()
    const { methods, endMethods } = this.#plan
    const words = this.#counters[Counter.Life] === Life.Runs ? methods : endMethods
    const there: MeterMethods = {}
    for (const [field, at] of COUNTERS.slice(0, this.length)) {
      if (!Number.isNaN(this.#counters[at])) there[field] = this.#wording(field, words[field] as string)
    }
    return there
  }

  /**
   * Of another process: whether it is no more. What is read then is the kernel's last account of it, where it is a child and that could be
   * had before Node asked for its exit code, with what its own children used; else nothing but the wall time.
   *
   * @throws ClosedError
   */
  get ended(): boolean {
    this.#look()
    return this.#counters[Counter.Life] !== Life.Runs
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Closes its files. No more readings; a second call does nothing. */
  close(): void {
    this.#closed = true
    this.#native.close()
  }

  [dispose](): void {
    this.close()
  }

  #look(): void {
    if (this.#closed) throw closed()
    this.#native.read()
  }

  #wording(field: UsageField, word: string): string {
    return this.#native.userOnly && (field === 'instructions' || field === 'cycles') ? `${word}, without the kernel's` : word
  }
}

const closed = () => new ClosedError('the meter is closed', { resource: undefined })
