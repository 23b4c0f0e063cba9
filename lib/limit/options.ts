import { callback, count, onlyKnown, optionsObject, refuse } from '../checks.js'
import { ArgumentError } from '../errors/index.js'
import { UNITS_MAX } from '../native/binding.js'
import type { AdaptMode, AdaptReport } from './report.js'

/** How the permits of a semaphore adapt. Each knob has one end: none stands for another. */
export interface AdaptOptions {
  /** what it follows: latency (and drops), or drops only */
  algorithm: 'gradient2' | 'aimd'
  /** default 'shadow' */
  mode?: AdaptMode | undefined
  /** the fewest permits, whole, >= 1; default 1 */
  floor?: number | undefined
  /** the most permits, whole, >= floor; default 200, or the permits at the start where those, or the floor, are more */
  ceiling?: number | undefined
  /** gradient2: how many times the baseline the latency may be before the limit falls, 1 to 100; default 1.5 */
  tolerance?: number | undefined
  /** the part of the way to its target that the limit goes in one window, over 0 to 1; default 0.2 for gradient2, 1 for aimd */
  smoothing?: number | undefined
  /** gradient2: windows that the baseline is averaged over, whole, 1 to 1,000,000; default 600 */
  baseline?: number | undefined
  /** gradient2: windows under load between two probes for the baseline, whole, 0 (none) to 1,000,000; default 60 */
  probe?: number | undefined
  /** aimd: the factor after a drop, 0.5 to below 1; default 0.9 */
  backoff?: number | undefined
  /** aimd: ms; a mean latency of a window above it counts as a drop, > 0; default: none does */
  timeout?: number | undefined
  /** ms that a window lasts at least, 1 to 86,400,000; default 1000 */
  window?: number | undefined
  /** samples that a window has at least, whole, 1 to 1,000,000; default 10. One that has fewer goes on */
  samples?: number | undefined
  /** each window is longer by a random part of up to this, 0 to 1, so that adapting processes do not step in time; default 0.1 */
  jitter?: number | undefined
  /** called with a report when the proposed limit, or the one in force, has changed: in a microtask, so that what it throws meets no caller */
  onChange?: ((report: AdaptReport) => void) | undefined
}

/** The options with their defaults. */
export interface AdaptTerms {
  readonly algorithm: 'gradient2' | 'aimd'
  readonly mode: AdaptMode
  readonly floor: number
  readonly ceiling: number
  readonly tolerance: number
  readonly smoothing: number
  readonly baseline: number
  readonly probe: number
  readonly backoff: number
  readonly timeout: number
  readonly window: number
  readonly samples: number
  readonly jitter: number
  readonly onChange: ((report: AdaptReport) => void) | undefined
}

const COMMON = ['algorithm', 'mode', 'floor', 'ceiling', 'smoothing', 'window', 'samples', 'jitter', 'onChange']
const OWN = { gradient2: ['tolerance', 'baseline', 'probe'], aimd: ['backoff', 'timeout'] }
const CEILING = 200
const COUNT_MAX = 1_000_000
const WINDOW_MAX_MS = 86_400_000

/**
 * @param permits at the start
 * @throws ArgumentError, also for an option of the other algorithm, which would be without effect
 */
export function readAdaptOptions(given: unknown, permits: number): AdaptTerms {
  const options = optionsObject(given, 'adapt')
  if (options === undefined) throw refuse('adapt', 'an object', given)
  const { algorithm: named, mode, floor: least, ceiling: most, onChange, ...knobs } = options as { [K in keyof AdaptOptions]: unknown }
  const algorithm = readAlgorithm(named)
  onlyKnown(options, [...COMMON, ...OWN[algorithm]], `adapt with ${algorithm}`)
  if (onChange !== undefined) callback(onChange, 'adapt.onChange')
  const floor = whole(least, 'floor', 1, 1, UNITS_MAX)
  const ceiling = whole(most, 'ceiling', Math.max(CEILING, floor, permits), 1, UNITS_MAX)
  if (floor > ceiling)
    throw new ArgumentError(`adapt.floor (${floor}) is above adapt.ceiling (${ceiling})`, { option: 'adapt.floor', given: least })
  return {
    algorithm,
    mode: mode === undefined ? 'shadow' : readMode(mode),
    floor,
    ceiling,
    tolerance: number(knobs.tolerance, 'tolerance', 1.5, '1 to 100', value => value >= 1 && value <= 100),
    smoothing: number(knobs.smoothing, 'smoothing', algorithm === 'aimd' ? 1 : 0.2, 'over 0 to 1', value => value > 0 && value <= 1),
    baseline: whole(knobs.baseline, 'baseline', 600, 1, COUNT_MAX),
    probe: whole(knobs.probe, 'probe', 60, 0, COUNT_MAX),
    backoff: number(knobs.backoff, 'backoff', 0.9, '0.5 to below 1', value => value >= 0.5 && value < 1),
    timeout: number(knobs.timeout, 'timeout', Number.POSITIVE_INFINITY, 'over 0, in milliseconds', value => value > 0),
    window: number(knobs.window, 'window', 1000, '1 to 86400000, in milliseconds', value => value >= 1 && value <= WINDOW_MAX_MS),
    samples: whole(knobs.samples, 'samples', 10, 1, COUNT_MAX),
    jitter: number(knobs.jitter, 'jitter', 0.1, '0 to 1', value => value >= 0 && value <= 1),
    onChange: onChange as AdaptTerms['onChange']
  }
}

export function readMode(value: unknown): AdaptMode {
  if (value !== 'shadow' && value !== 'on') throw refuse('adapt.mode', "'shadow' or 'on'", value)
  return value
}

function readAlgorithm(value: unknown): 'gradient2' | 'aimd' {
  if (value !== 'gradient2' && value !== 'aimd') throw refuse('adapt.algorithm', "'gradient2' or 'aimd'", value)
  return value
}

function whole(value: unknown, option: string, unless: number, least: number, most: number): number {
  return value === undefined ? unless : count(value, `adapt.${option}`, least, most)
}

function number(value: unknown, option: string, unless: number, range: string, fits: (value: number) => boolean): number {
  if (value === undefined) return unless
  if (typeof value !== 'number' || !fits(value))
    throw refuse(`adapt.${option}`, `a number from ${range}`.replace('from over', 'over'), value)
  return value
}
