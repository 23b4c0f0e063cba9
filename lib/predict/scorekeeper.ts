import { count, duration, onlyKnown, optionsObject, refuse, text } from '../checks.js'
import { CorruptError } from '../errors/index.js'
import { DriftDetector, type Health, type SavedDrift } from './health.js'
import { sealValue, unsealValue } from './saved.js'

/** What a model said of a time to come. */
export interface ScoredPrediction {
  /** who said it */
  readonly model: string
  /** what it is about: a series, a key */
  readonly source: string
  /** when it comes true, ms since the Unix epoch, or on any other clock, the same for all */
  readonly due: number
  /** of a quantity: levels between 0 and 1, ascending, and the quantile of each */
  readonly levels?: readonly number[] | undefined
  readonly quantiles?: ArrayLike<number> | undefined
  /** or of something that may happen: from 0 to 1 */
  readonly probability?: number | undefined
}

/** How one model did lately on one source. Means are over the last hundred or so. */
export interface ModelScore {
  readonly model: string
  readonly source: string
  readonly kind: 'quantity' | 'probability'
  readonly health: Health
  /** from 0 to 1: how much it is still to be listened to */
  readonly weight: number
  /** predictions that came true or did not */
  readonly scored: number
  /** mean pinball loss over levels; NaN of a probability */
  readonly pinball: number
  /** mean squared error of a probability; NaN of a quantity */
  readonly brier: number
  /** part of the values between the outermost levels, and the part that should be; NaN where levels do not lie about the middle */
  readonly coverage: number
  readonly nominal: number
}

/** What has changed, and what to do about it. */
export interface HealthChange {
  readonly model: string
  readonly source: string
  readonly from: Health
  readonly to: Health
  /** retrain: it is to learn anew, and {@link Scorekeeper.retrained} told; shadow: it is to go on foretelling, unheard; restore: it is as good as before */
  readonly advice: 'retrain' | 'shadow' | 'restore'
}

export interface ScorekeeperOptions {
  /** predictions that wait for what they are about; of more, the oldest are given up. Default 100,000 */
  pending?: number | undefined
  /** pairs of a model and a source; of more, those that were scored longest ago are forgotten. Default 10,000 */
  models?: number | undefined
  /** ms after which what has not come will not come; default an hour */
  patience?: number | undefined
}

interface Pending {
  readonly model: string
  readonly levels: readonly number[] | undefined
  readonly said: Float64Array
}

interface Tracked {
  readonly key: string
  readonly model: string
  readonly source: string
  readonly kind: ModelScore['kind']
  readonly drift: DriftDetector
  readonly loss: DecayedMean
  readonly coverage: DecayedMean
  nominal: number
  scored: number
}

interface SavedTracked extends Pick<Tracked, 'model' | 'source' | 'kind' | 'scored'> {
  readonly drift: SavedDrift
  readonly loss: [number, number]
  readonly coverage: [number, number]
  readonly nominal: number | null
}

const MAGIC = 'forelock scores 1\n'
const PENDING = 100_000
const MODELS = 10_000
const HOUR_MS = 3_600_000
const LEVELS_MAX = 1_000
const MEMORY = 100
/** A hundred of them are a number still. */
const LOSS_MAX = 1e300

/**
 * Keeps what models foretell until it has come, scores it then, and tells which of them have become worse: pinball loss of quantiles (Koenker and
 * Bassett 1978), Brier score of probabilities (Brier 1950). A model that drifts is to learn anew and counts less; one that is out does not count until it has
 * proved, unheard, that it is as good as it was, or as those that are heard. Time is what it is told.
 */
export class Scorekeeper {
  private readonly most: { pending: number; models: number }
  private readonly patience: number
  /** what is said of a source at a time, in the order in which the first of it came */
  private readonly pending = new Map<string, { readonly due: number; readonly said: Pending[] }>()
  private waiting = 0
  private readonly tracked = new Map<string, Tracked>()
  private readonly bySource = new Map<string, Set<Tracked>>()
  private lostCount = 0
  private missedCount = 0

  /** @throws ArgumentError */
  constructor(options: ScorekeeperOptions = {}) {
    const given = optionsObject(options, 'options') ?? {}
    onlyKnown(given, ['pending', 'models', 'patience'], 'Scorekeeper')
    const { pending = PENDING, models = MODELS, patience = HOUR_MS } = given as ScorekeeperOptions
    this.most = { pending: count(pending, 'pending', 1, 10_000_000), models: count(models, 'models', 1, 1_000_000) }
    this.patience = duration(patience, 'patience')
  }

  /** How many predictions wait for what they are about. */
  get size(): number {
    return this.waiting
  }

  /** Predictions that were given up because there were too many. */
  get lost(): number {
    return this.lostCount
  }

  /** Predictions whose time went by and nobody told what came. */
  get missed(): number {
    return this.missedCount
  }

  /**
   * Takes a prediction, to be scored when it is due.
   *
   * @throws ArgumentError
   */
  expect(prediction: ScoredPrediction): void {
    const { model, source, due, levels, said } = readPrediction(prediction)
    const key = keyOf(source, due)
    const there = this.pending.get(key)
    if (there === undefined) this.pending.set(key, { due, said: [{ model, levels, said }] })
    else there.said.push({ model, levels, said })
    if (++this.waiting > this.most.pending) this.dropOldest()
  }

  /**
   * Tells what came at a time, and scores all that was said of it.
   *
   * @param due the same as in the predictions
   * @param truth a quantity; of what may happen whether it did, or a number above 0 if it did; what is no number counts as not known
   * @returns whose health has changed
   * @throws ArgumentError
   */
  came(source: string, due: number, truth: number | boolean): HealthChange[] {
    text(source, 'source')
    readTime(due)
    if (typeof truth !== 'number' && typeof truth !== 'boolean') throw refuse('truth', 'a number, or true or false', truth)
    const key = keyOf(source, due)
    const said = this.pending.get(key)?.said
    if (said === undefined) return []
    this.waiting -= said.length
    this.pending.delete(key)
    const value = Number(truth)
    if (!Number.isFinite(value)) {
      this.missedCount += said.length
      return []
    }
    return this.score(source, said, value)
  }

  /**
   * Tells the time: what was due so long ago that it is past patience is given up.
   *
   * @throws ArgumentError
   */
  advance(now: number): void {
    const before = readTime(now) - this.patience
    for (const [key, { due, said }] of this.pending) {
      if (due >= before) continue
      this.waiting -= said.length
      this.missedCount += said.length
      this.pending.delete(key)
    }
  }

  /** Tells that a model has learnt anew, on one source or on all. */
  retrained(model: string, source?: string): void {
    for (const one of this.tracked.values()) {
      if (one.model === model && (source === undefined || one.source === source)) one.drift.retrained()
    }
  }

  /** How models did, those of one source or all. */
  scores(source?: string): ModelScore[] {
    const tracked = source === undefined ? [...this.tracked.values()] : [...(this.bySource.get(source) ?? [])]
    const heard = new Map(tracked.map(one => [one, this.weightOf(one)]))
    return tracked.map(one => ({
      model: one.model,
      source: one.source,
      kind: one.kind,
      health: one.drift.health,
      weight: heard.get(one) as number,
      scored: one.scored,
      pinball: one.kind === 'quantity' ? one.loss.value : Number.NaN,
      brier: one.kind === 'probability' ? one.loss.value : Number.NaN,
      coverage: one.coverage.value,
      nominal: one.nominal
    }))
  }

  /** How much a model is still to be listened to on a source, from 0 to 1; 1 of one that has not been scored. Where all are out, the best of them counts. */
  weight(model: string, source: string): number {
    const own = [...(this.bySource.get(source) ?? [])].filter(one => one.model === model)
    return own.reduce((least, one) => Math.min(least, this.weightOf(one)), 1)
  }

  /** How models did, and their health; what waits to be scored is not in it. */
  save(): Uint8Array {
    const tracked = [...this.tracked.values()].map(({ model, source, kind, drift, loss, coverage, nominal, scored }) => {
      return { model, source, kind, drift, loss, coverage, nominal: Number.isNaN(nominal) ? null : nominal, scored }
    })
    return sealValue(MAGIC, tracked)
  }

  /**
   * Goes on from what was saved, in place of what it knows of models, with its own bounds.
   *
   * @throws CorruptError if it is not what `save()` gave, and nothing has changed
   */
  load(saved: Uint8Array): void {
    const tracked = unsealValue(MAGIC, saved) as SavedTracked[] | undefined
    if (tracked === undefined) throw new CorruptError('the saved scores are damaged, or of another version', {})
    this.tracked.clear()
    this.bySource.clear()
    for (const { model, source, kind, drift, loss, coverage, nominal, scored } of tracked.slice(-this.most.models)) {
      this.keep({
        key: keyOfTracked(source, model, kind),
        model,
        source,
        kind,
        drift: new DriftDetector(drift),
        loss: new DecayedMean(loss),
        coverage: new DecayedMean(coverage),
        nominal: nominal ?? Number.NaN,
        scored
      })
    }
  }

  private weightOf(one: Tracked): number {
    if (one.drift.health !== 'out') return one.drift.weight
    const peers = this.peersOf(one)
    const isLast = peers.every(({ drift }) => drift.health === 'out')
    return isLast && peers.every(({ drift }) => one.drift.recentLoss <= drift.recentLoss) ? 1 : 0
  }

  private peersOf(one: Tracked): Tracked[] {
    return [...(this.bySource.get(one.source) ?? [])].filter(other => other !== one && other.kind === one.kind)
  }

  /** What a model said of this time earlier and later counts once, as their mean: they are wrong together. */
  private score(source: string, said: readonly Pending[], truth: number): HealthChange[] {
    const losses = new Map<Tracked, number[]>()
    for (const { model, levels, said: values } of said) {
      const one = this.track(source, model, levels === undefined ? 'probability' : 'quantity')
      const loss = levels === undefined ? ((truth > 0 ? 1 : 0) - (values[0] as number)) ** 2 : pinball(levels, values, truth)
      if (!Number.isFinite(loss)) continue
      one.scored++
      one.loss.add(Math.min(loss, LOSS_MAX))
      if (levels !== undefined) cover(one, levels, values, truth)
      const all = losses.get(one)
      if (all === undefined) losses.set(one, [loss])
      else all.push(loss)
    }
    const best = this.bestHeard(losses.keys())
    return [...losses].flatMap(([one, all]) => {
      const from = one.drift.health
      const size = one.kind === 'quantity' ? Math.abs(truth) : 1
      const to = one.drift.see(meanOf(all), size, best.get(one))
      return from === to ? [] : [{ model: one.model, source, from, to, advice: ADVICE[to] }]
    })
  }

  /** For each, the least recent loss of another one that is heard. */
  private bestHeard(tracked: Iterable<Tracked>): Map<Tracked, number | undefined> {
    const best = new Map<Tracked, number | undefined>()
    for (const one of tracked) {
      if (one.drift.health !== 'out') continue
      const heard = this.peersOf(one).filter(({ drift }) => drift.health === 'fine' && !Number.isNaN(drift.recentLoss))
      best.set(one, heard.length === 0 ? undefined : Math.min(...heard.map(({ drift }) => drift.recentLoss)))
    }
    return best
  }

  private track(source: string, model: string, kind: Tracked['kind']): Tracked {
    // Of a source there are few: to look through them takes less than to make the key of one.
    for (const known of this.bySource.get(source) ?? NOBODY) if (known.model === model && known.kind === kind) return this.keep(known)
    const one: Tracked = {
      key: keyOfTracked(source, model, kind),
      model,
      source,
      kind,
      drift: new DriftDetector(),
      loss: new DecayedMean(),
      coverage: new DecayedMean(),
      nominal: Number.NaN,
      scored: 0
    }
    this.keep(one)
    if (this.tracked.size > this.most.models) this.forgetOldest()
    return one
  }

  /** At the end, so that the first is the one that was scored longest ago. */
  private keep(one: Tracked): Tracked {
    this.tracked.delete(one.key)
    this.tracked.set(one.key, one)
    const beside = this.bySource.get(one.source)
    if (beside === undefined) this.bySource.set(one.source, new Set([one]))
    else beside.add(one)
    return one
  }

  private forgetOldest(): void {
    for (const [key, one] of this.tracked) {
      this.drop(key, one)
      return
    }
  }

  private drop(key: string, one: Tracked): void {
    this.tracked.delete(key)
    const beside = this.bySource.get(one.source)
    beside?.delete(one)
    if (beside?.size === 0) this.bySource.delete(one.source)
  }

  /** What a model said of these sources, and how good that was. */
  forget(model: string, isOf: (source: string) => boolean): void {
    for (const [key, one] of [...this.tracked]) if (one.model === model && isOf(one.source)) this.drop(key, one)
    for (const [key, { said }] of [...this.pending]) {
      const left = said.filter(one => one.model !== model || !isOf(sourceOf(key)))
      this.waiting -= said.length - left.length
      if (left.length === 0) this.pending.delete(key)
      else if (left.length < said.length) said.splice(0, said.length, ...left)
    }
  }

  private dropOldest(): void {
    for (const [key, { said }] of this.pending) {
      said.shift()
      this.waiting--
      this.lostCount++
      if (said.length === 0) this.pending.delete(key)
      return
    }
  }
}

const NOBODY: readonly Tracked[] = []
const keyOfTracked = (source: string, model: string, kind: Tracked['kind']): string => JSON.stringify([source, model, kind])
const keyOf = (source: string, due: number): string => `${due} ${source}`
const sourceOf = (key: string): string => key.slice(key.indexOf(' ') + 1)

const ADVICE = { fine: 'restore', drifting: 'retrain', out: 'shadow' } as const

/** A mean in which what is older counts less. */
class DecayedMean {
  private sum = 0
  private together = 0

  constructor(saved?: readonly [sum: number, together: number]) {
    if (saved !== undefined) [this.sum, this.together] = saved
  }

  toJSON(): [sum: number, together: number] {
    return [this.sum, this.together]
  }

  add(value: number): void {
    const kept = 1 - 1 / MEMORY
    this.sum = kept * this.sum + value
    this.together = kept * this.together + 1
  }

  /** NaN of none. */
  get value(): number {
    return this.together === 0 ? Number.NaN : this.sum / this.together
  }
}

function pinball(levels: readonly number[], values: Float64Array, truth: number): number {
  let sum = 0
  for (const [i, level] of levels.entries()) {
    const over = truth - (values[i] as number)
    sum += (over >= 0 ? level * over : (level - 1) * over) / levels.length
  }
  return sum
}

function cover(one: Tracked, levels: readonly number[], values: Float64Array, truth: number): void {
  const [low, high] = [levels[0] as number, levels[levels.length - 1] as number]
  if (levels.length < 2 || Math.abs(low + high - 1) > 1e-9) return
  one.nominal = high - low
  one.coverage.add(truth >= (values[0] as number) && truth <= (values[values.length - 1] as number) ? 1 : 0)
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value / values.length, 0)

function readPrediction(prediction: unknown): Pending & { readonly source: string; readonly due: number } {
  const given = (optionsObject(prediction, 'prediction') ?? {}) as { [K in keyof ScoredPrediction]: unknown }
  const [model, source] = [text(given.model, 'model'), text(given.source, 'source')]
  const due = readTime(given.due)
  const { levels, quantiles, probability } = given
  if ((levels === undefined && quantiles === undefined) === (probability === undefined)) {
    throw refuse('prediction', 'levels with quantiles, or a probability', probability)
  }
  if (probability !== undefined) {
    if (typeof probability !== 'number' || !(probability >= 0 && probability <= 1))
      throw refuse('probability', 'a number from 0 to 1', probability)
    return { model, source, due, levels: undefined, said: Float64Array.of(probability) }
  }
  const expected = `1 to ${LEVELS_MAX} ascending numbers between 0 and 1`
  if (!Array.isArray(levels) || levels.length === 0 || levels.length > LEVELS_MAX) throw refuse('levels', expected, levels)
  for (const [i, level] of levels.entries()) {
    if (typeof level !== 'number' || !(level > 0 && level < 1) || !(i === 0 || level > levels[i - 1]))
      throw refuse('levels', expected, level)
  }
  const isLong = typeof quantiles === 'object' && quantiles !== null && (quantiles as ArrayLike<unknown>).length === levels.length
  const said = Float64Array.from(isLong ? levels : [], (_, i) => numberOf((quantiles as ArrayLike<unknown>)[i]))
  if (said.length !== levels.length || said.some(value => !Number.isFinite(value)))
    throw refuse('quantiles', 'a number for each level', quantiles)
  return { model, source, due, levels: [...(levels as number[])], said }
}

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN)

function readTime(time: unknown): number {
  if (typeof time !== 'number' || !Number.isFinite(time)) throw refuse('due', 'a number of milliseconds', time)
  return time
}
