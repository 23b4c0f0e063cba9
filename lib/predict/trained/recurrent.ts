import { count, duration, optionsOf, refuse } from '../../checks.js'
import { loadAddon } from '../../native/load.js'
import { type Model, SEASON_MAX } from '../forecaster.js'
import { seasonsOf } from '../season.js'
import { fitThread } from './fit-thread.js'
import { Scale } from './scaled.js'

export interface RecurrentOptions {
  /** default `'lstm'` */
  cell?: 'lstm' | 'gru' | undefined
  /** width of the layer; default 16 */
  units?: number | undefined
  /** steps that it looks back; default 48 */
  window?: number | undefined
  /** steps that it foretells at once, and one after the other beyond; default 48 */
  horizon?: number | undefined
  /** passes through the values; default 5 */
  epochs?: number | undefined
  /** ms that one fit may take; what is learnt until then stands; default 10,000 */
  budget?: number | undefined
  /** of its first weights and the order of training; default 1 */
  seed?: number | undefined
  /** the period in steps; default: found by itself, 1 if there is none */
  season?: number | undefined
}

const UNITS = 16
const UNITS_MAX = 256
const STEPS = 48
const STEPS_MAX = 10_000
const EPOCHS = 5
const EPOCHS_MAX = 10_000
const BUDGET_MS = 10_000
const SEED_MAX = 2 ** 31
/** Fewer windows teach nothing. */
const WINDOWS_LEAST = 64
/** In standard deviations: what differs by more is taken for that. */
const FARTHEST = 6

interface Learnt {
  readonly weights: Float32Array
  readonly scale: Scale
  readonly season: number
  /** standard deviation of the differences */
  readonly spread: number
}

/**
 * A recurrent net of one layer, long short-term memory (Hochreiter and Schmidhuber, Neural Computation 9(8), 1997) or gated recurrent units (Cho et
 * al., EMNLP 2014), of the differences from a season before. It is trained with TensorFlow in a thread of its own and runs in the addon, some
 * 20 us a forecast. The first fit needs the packages `@tensorflow/tfjs` and `@tensorflow/tfjs-backend-wasm`, or `@tensorflow/tfjs-node`.
 */
export class Recurrent implements Model {
  readonly name: string
  private readonly kernels = loadAddon().predict
  private readonly cell: 'lstm' | 'gru'
  private readonly units: number
  private readonly window: number
  private readonly horizon: number
  private readonly epochs: number
  private readonly budget: number
  private readonly seed: number
  private readonly season: number | undefined
  private readonly shape: Uint32Array
  private learnt: Learnt | undefined = undefined

  /** @throws ArgumentError */
  constructor(options?: RecurrentOptions) {
    const given = optionsOf(options, ['cell', 'units', 'window', 'horizon', 'epochs', 'budget', 'seed', 'season'], 'Recurrent')
    const { cell = 'lstm', units = UNITS, window = STEPS, horizon = STEPS, epochs = EPOCHS, budget = BUDGET_MS, seed = 1, season } = given
    if (cell !== 'lstm' && cell !== 'gru') throw refuse('cell', "'lstm' or 'gru'", cell)
    this.cell = cell
    this.units = count(units, 'units', 1, UNITS_MAX)
    this.window = count(window, 'window', 1, STEPS_MAX)
    this.horizon = count(horizon, 'horizon', 1, STEPS_MAX)
    this.epochs = count(epochs, 'epochs', 1, EPOCHS_MAX)
    this.budget = Math.min(duration(budget, 'budget'), SEED_MAX / 4)
    this.seed = count(seed, 'seed', 0, SEED_MAX)
    this.season = season === undefined ? undefined : count(season, 'season', 1, SEASON_MAX)
    this.name = `${cell}(${units})`
    this.shape = Uint32Array.of(cell === 'lstm' ? 0 : 1, this.units, this.horizon)
  }

  /** @throws LoadError if TensorFlow is not installed */
  async fit(values: Float64Array, length: number): Promise<boolean> {
    const all = values.slice(0, length)
    const scale = Scale.of(all)
    const season = this.season ?? seasonsOf(all)[0] ?? 1
    if (scale === undefined || length - season - this.window - this.horizon + 1 < WINDOWS_LEAST) return false
    const differences = differencesOf(all, season, scale)
    const spread = Math.sqrt(differences.reduce((sum, each) => sum + each * each, 0) / differences.length)
    // What repeats exactly needs no net.
    if (!(spread > 1e-9)) return false
    const { cell, units, window, horizon, epochs, seed, budget } = this
    const weights = await fitThread.fit({
      kind: 'recurrent',
      cell,
      units,
      window,
      outputs: horizon,
      epochs,
      seed,
      budget,
      values: differences.map(each => clipped(each / spread))
    })
    if (weights === undefined) return false
    this.learnt = { weights, scale, season, spread }
    return true
  }

  predict(values: Float64Array, length: number, out: Float64Array): boolean {
    const { learnt, window } = this
    if (learnt === undefined || length < learnt.season + window) return false
    const { season, scale, spread, weights } = learnt
    const last = values.subarray(length - season - window, length)
    const line = new Float64Array(last.length + out.length)
    last.forEach((value, i) => {
      line[i] = scale.into(value)
    })
    const state = new Float64Array((this.cell === 'lstm' ? 2 : 1) * this.units)
    const said = new Float64Array(this.horizon)
    let inputs = differencesOf(last, season, scale).map(each => clipped(each / spread))
    for (let from = last.length; from < line.length; from += this.horizon) {
      // Beyond what it says at once it goes on from what it said.
      if (!this.kernels.recurrentRun(this.shape, weights, state, inputs, said)) return false
      for (let at = from; at < Math.min(line.length, from + this.horizon); at++) {
        line[at] = (line[at - season] as number) + spread * (said[at - from] as number)
      }
      inputs = said.map(clipped)
    }
    const range = Scale.of(values.subarray(0, length)) ?? scale
    for (let step = 0; step < out.length; step++) out[step] = range.near(scale.back(line[last.length + step] as number))
    return true
  }

  save(): unknown {
    if (this.learnt === undefined) return null
    const { weights, scale, season, spread } = this.learnt
    return { weights: [...weights], middle: scale.middle, half: scale.half, season, spread }
  }

  load(saved: unknown): boolean {
    if (saved === null) {
      this.learnt = undefined
      return true
    }
    if (typeof saved !== 'object') return false
    const { weights, middle, half, season, spread } = saved as Record<string, unknown>
    const scale = Scale.from(middle, half)
    const isSeason = Number.isInteger(season) && (season as number) >= 1 && (season as number) <= SEASON_MAX
    const isSpread = Number.isFinite(spread) && (spread as number) > 0
    if (scale === undefined || !isSeason || !isSpread || !Array.isArray(weights) || weights.length !== this.weights) return false
    const numbers = Float32Array.from(weights as number[])
    if (!weights.every(Number.isFinite) || !numbers.every(Number.isFinite)) return false
    this.learnt = { weights: numbers, scale, season: season as number, spread: spread as number }
    return true
  }

  /** How many there are: RecurrentShape::weights(). */
  private get weights(): number {
    const { units, horizon } = this
    return (2 + units) * (this.cell === 'lstm' ? 4 : 3) * units + (units + 1) * horizon
  }
}

function differencesOf(values: Float64Array, season: number, scale: Scale): Float64Array {
  const scaled = values.map(value => scale.into(value))
  return scaled.slice(season).map((value, i) => value - (scaled[i] as number))
}

function clipped(value: number): number {
  return Math.min(FARTHEST, Math.max(-FARTHEST, value))
}
