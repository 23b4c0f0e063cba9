import { onlyKnown, optionsObject, refuse } from '../checks.js'
import type { Usage } from './counters.js'
import { Meter } from './meter.js'
import { SAMPLER_OPTIONS, Sampler, type SamplerOptions } from './sampler.js'
import { usageBetween } from './usage.js'

export interface UsageSample extends Usage {
  /** ms since the Unix epoch at the end of what it covers */
  time: number
}

export interface UsageSamplerOptions extends SamplerOptions<UsageSample> {
  /** ms between samples */
  every: number
}

/**
 * What a scope uses, every so many ms: each sample is what was used since the one before, or since it was made. Closes itself when the
 * meter is closed.
 *
 * @throws ArgumentError; ClosedError of a closed meter
 */
export function sampleUsage(meter: Meter, options: UsageSamplerOptions): Sampler<UsageSample> {
  if (!(meter instanceof Meter)) throw refuse('meter', 'a Meter', meter)
  const given = optionsObject(options, 'options')
  if (given === undefined) throw refuse('options', 'an object with every', options)
  onlyKnown(given, SAMPLER_OPTIONS, 'sampleUsage')
  if (options.every === undefined) throw refuse('every', 'a number of milliseconds', undefined)
  const buffer = new Float64Array(2 * meter.length)
  meter.read(buffer, 0)
  let from = 0
  const take = (): UsageSample | undefined => {
    if (meter.closed) return undefined
    const to = meter.length - from
    meter.read(buffer, to)
    const sample = { time: Date.now(), ...usageBetween(meter, buffer, from, to) }
    from = to
    return sample
  }
  return new Sampler({ take, close() {} }, options, options.every)
}
