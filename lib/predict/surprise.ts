import type { Model } from './forecaster.js'
import type { Origins } from './rolling.js'

/** The last steps that are looked at, as parts of the horizon, and how many they are at least. */
const SPANS = [
  { part: 1 / 8, least: 3 },
  { part: 1 / 4, least: 6 }
]
/** Of fewer origins nobody knows what has never been. */
const ORIGINS_LEAST = 16
/** So much further off than ever counts; and no more than this. Set on the first 60 % of the AWS series of NAB. */
const BEYOND = 2
const MOST = 10

/**
 * How many times further off a model was in the last steps than it ever was at so short a lead: where a level has moved, that tells before a whole horizon has
 * come by which the model could be judged. By the median of its absolute errors, so that spikes do not count; over two spans, both of which have to say
 * so. 1: nothing has changed.
 *
 * @param model fitted to what is before the first origin
 * @param rows what it said from each
 */
export function surpriseOf(model: Model, values: Float64Array, origins: Origins, rows: Float64Array): number {
  const { horizon, count } = origins
  const spans = SPANS.map(({ part, least }) => Math.max(least, Math.ceil(part * horizon)))
  if (count < ORIGINS_LEAST || spans.some(span => span > horizon)) return 1
  let times = MOST
  for (const span of spans) {
    times = Math.min(times, timesAsFar(model, values, origins, rows, span))
    if (times <= BEYOND) return 1
  }
  return times
}

/** At most {@link BEYOND}: no more than that. */
function timesAsFar(
  model: Model,
  values: Float64Array,
  { first, every, count, horizon }: Origins,
  rows: Float64Array,
  span: number
): number {
  const said = new Float64Array(span)
  const from = values.length - span
  if (!model.predict(values, from, said, from - first)) return 1
  const last = medianError(values, from, said)
  // Who says now what is no number was never as far off; and what is no number would be the weight of all.
  if (Number.isNaN(last)) return MOST
  let most = 0
  for (let row = 0; row < count; row++) {
    most = Math.max(most, medianError(values, first + row * every, rows.subarray(row * horizon, row * horizon + span)))
    // Nearly always one of the first origins was as bad, and there is nothing more to look for.
    if (last <= BEYOND * most) return 1
  }
  return last / most
}

/** Of what was said of the values from one on. */
function medianError(values: Float64Array, from: number, said: Float64Array): number {
  return said.map((value, step) => Math.abs((values[from + step] as number) - value)).sort()[said.length >> 1] as number
}
