import { availableParallelism, totalmem } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { onlyKnown, optionsObject } from '../checks.js'
import { loadAddon } from '../native/load.js'
import { Counter } from '../native/meter.js'
import { ALL_LENGTH, type Usage } from './counters.js'
import { SAMPLER_OPTIONS, Sampler, type SamplerOptions } from './sampler.js'
import { planOf } from './scope.js'
import { usageBetween } from './usage.js'

/** ms of a sample in which tasks stalled for want of something (PSI, Documentation/accounting/psi.rst of Linux). */
export interface Stalled {
  /** some task */
  some: number
  /** all that were not idle; of the CPU the kernel has it for groups only */
  full?: number
}

/** What the machine did since the sample before. What it does not tell is absent. */
export interface HostSample extends Omit<Usage, 'memoryPeak' | 'instructions' | 'cycles'> {
  /** ms since the Unix epoch */
  time: number
  /** that this process may use */
  cpus: number
  /** bytes of the machine */
  memoryTotal: number
  pressure?: { cpu?: Stalled; memory?: Stalled; io?: Stalled }
  /** ms by which the event loop of this thread came late to its timers; absent when it came to none */
  eventLoopDelay?: { mean: number; p50: number; p99: number; max: number }
}

const EVERY_MS = 1_000
const DELAY_RESOLUTION_MS = 10
const NS_PER_MS = 1e6

/**
 * Samples the machine, every second unless said otherwise, until it is closed. Only one thread of a host has to.
 *
 * @throws ArgumentError for options out of range
 */
export function sampleHost(options: SamplerOptions<HostSample> = {}): Sampler<HostSample> {
  onlyKnown(optionsObject(options, 'options') ?? {}, SAMPLER_OPTIONS, 'sampleHost')
  const source = new HostSource()
  try {
    return new Sampler(source, options, EVERY_MS)
  } catch (error) {
    source.close()
    throw error
  }
}

/** A reading has more than a Meter gives: the stalls. */
const READING_LENGTH = Counter.Life

class HostSource {
  readonly #native = openHost()
  readonly #delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  readonly #readings = new Float64Array(2 * READING_LENGTH)
  #from = 0

  constructor() {
    this.#delay.enable()
    this.#read(0)
  }

  take(): HostSample {
    const from = this.#from
    const to = READING_LENGTH - from
    this.#read(to)
    this.#from = to
    const sample: HostSample = {
      time: Date.now(),
      ...usageBetween({ length: ALL_LENGTH }, this.#readings, from, to),
      cpus: availableParallelism(),
      memoryTotal: totalmem()
    }
    const pressure = pressureBetween(this.#readings, from, to)
    if (pressure !== undefined) sample.pressure = pressure
    const eventLoopDelay = this.#delays()
    if (eventLoopDelay !== undefined) sample.eventLoopDelay = eventLoopDelay
    return sample
  }

  close(): void {
    this.#delay.disable()
    this.#native.close()
  }

  #read(at: number): void {
    this.#native.read()
    this.#readings.set(this.#native.counters.subarray(0, READING_LENGTH), at)
  }

  #delays(): HostSample['eventLoopDelay'] {
    const delay = this.#delay
    if (delay.count === 0) return undefined
    // What it keeps is the time from one of its timers to the next, which is meant to be the resolution.
    const late = (ns: number) => Math.max(0, ns / NS_PER_MS - DELAY_RESOLUTION_MS)
    const found = { mean: late(delay.mean), p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) }
    delay.reset()
    return found
  }
}

function openHost() {
  const addon = loadAddon()
  const { scope, pid, files } = planOf('host', 'all', addon.pageBytes)
  const native = addon.meter(scope, pid, true, files)
  if (native === undefined) throw new TypeError('only another process can be missing')
  return native
}

function pressureBetween(readings: Float64Array, from: number, to: number): HostSample['pressure'] {
  const stalled = (some: Counter, full: Counter): Stalled | undefined => {
    const passed = (at: Counter) => readings[to + at] - readings[from + at]
    if (Number.isNaN(passed(some))) return undefined
    return { some: passed(some), ...(Number.isNaN(passed(full)) ? {} : { full: passed(full) }) }
  }
  const all = {
    cpu: stalled(Counter.StalledCpuSome, Counter.StalledCpuFull),
    memory: stalled(Counter.StalledMemorySome, Counter.StalledMemoryFull),
    io: stalled(Counter.StalledIoSome, Counter.StalledIoFull)
  }
  const there = Object.entries(all).filter(([, of]) => of !== undefined)
  return there.length === 0 ? undefined : Object.fromEntries(there)
}
