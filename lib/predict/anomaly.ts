import { callback, count, onlyKnown, optionsObject, refuse } from '../checks.js'
import { Rarity } from './rarity.js'
import { seasonsOf } from './season.js'
import { SortedWindow } from './sorted-window.js'

/** What is out of the ordinary about a value; each a power of ten: 2 is one of a hundred. */
export interface Evidence {
  /** the value itself, against the smoothed ones before it */
  readonly jump: number
  /** the mean of the last dozen, against the median of all */
  readonly shift: number
  /** the mean of the last four dozen, against the median of all */
  readonly level: number
  /** the mean of the last four dozen, against what the season foretold */
  readonly season: number
  /** how the last four dozen vary */
  readonly spread: number
  /** how little they vary */
  readonly quiet: number
  /** further out than any value was */
  readonly extreme: number
  /** the same value again, more often than ever before */
  readonly flat: number
}

/** How strange a value is. */
export interface Strangeness {
  /** which value, the first is 0 */
  readonly index: number
  readonly value: number
  /** what was to be expected: what came a season ago where there is a season, else the smoothed values before it; 0 before the first one */
  readonly expected: number
  /** from 0 to 1: how much more there is against this value than against those just before it; .9 is ten times, .99 a hundred times */
  readonly severity: number
  readonly evidence: Evidence
}

export interface AnomalyOptions {
  /** severity from which a value is told to `onAnomaly`, between 0 and 1 */
  alertAt?: number | undefined
  /** severity from which `correct` is called, between 0 and 1 */
  correctAt?: number | undefined
  /** Is told of each anomaly, soon after the value came. What it throws is nobody's to catch. */
  onAnomaly?: ((anomaly: Strangeness) => void) | undefined
  /** Puts it right: called soon after the value came, and not again until what it returned has settled. What it throws is nobody's to catch. */
  correct?: ((anomaly: Strangeness) => void | Promise<void>) | undefined
  /** the periods of the series in steps, the shortest first; undefined: found by themselves */
  seasons?: readonly number[] | undefined
}
const OPTIONS = ['alertAt', 'correctAt', 'onAnomaly', 'correct', 'seasons'] as const

const ALERT_AT = 0.9
const CORRECT_AT = 0.99

// All that follows was set on every second file of the Numenta Anomaly Benchmark, by name from the first.
const WINDOW = 4_096
const SHORT = 12
const LONG = 48
const SMOOTHING = 0.2
/** How much a single value and a dozen count, beside what lasts. */
const BRIEF = 0.25
/** Steps in which what is known of an incident falls to a third: what has been told is not told again. */
const INCIDENT = 250
/** A spread below one part of so many of the unit is quiet. */
const QUIET = 4
/** A first search for seasons, and how much longer the history has to be for another. */
const SEARCH_AT = 300
const SEARCH_AGAIN = 1.4
/** Seasons whose median is what to expect. */
const SEASONS = 4
/** What a new extreme says: for being one, and for how far out it is, in parts of the range. */
const EXTREME = 1
const FURTHER = 3
const NEAR = 30
/** Repetitions that may be chance, and what the longest run can say. */
const REPEATED = 4
const FLATTEST = 8
/** Extremes of fewer values say nothing. */
const EXTREMES_FROM = 20
/** Of the range, and of the size of the values: what counts as varying at least. */
const RANGE_PART = 0.02
const SIZE_PART = 1e-6
/** Beyond it squares are not finite; nearer to 0 nothing is told apart. */
const LARGEST = 1e150
const SMALLEST = 1e-150

/**
 * Tells, value by value, how strange a series is: from what is out of the ordinary about the value, the level, the season and the spread. For
 * each there is a forecast (smoothed values, the median, the last seasons), and its errors are judged by how rare they have been ({@link Rarity}), so that
 * every series has its own thresholds and they follow it. The evidence is added up, over windows of some length, as a run of small errors
 * says more than a large one (Lavin and Ahmad, ICMLA 2015), and what had been found just before is taken off: an incident is told
 * of when it begins. Memory is bounded, some 100 KB. Causal: what it says of a value is never changed by later ones.
 */
export class AnomalyDetector {
  private readonly alertAt: number
  private readonly correctAt: number
  private readonly onAnomaly: ((anomaly: Strangeness) => void) | undefined
  private readonly correct: ((anomaly: Strangeness) => void | Promise<void>) | undefined
  private readonly givenSeasons: boolean
  private seasons: readonly number[]
  private readonly values = new SortedWindow(WINDOW)
  private readonly rarities = {
    jump: new Rarity(),
    shift: new Rarity(),
    level: new Rarity(),
    season: new Rarity(),
    spread: new Rarity(),
    quiet: new Rarity()
  }
  /** errors of what the season foretold: the last four dozen */
  private readonly seasonal = new Float64Array(LONG)
  private seasonalSeen = 0
  private smoothed = Number.NaN
  private least = Number.POSITIVE_INFINITY
  private most = Number.NEGATIVE_INFINITY
  private last = Number.NaN
  private run = 0
  private longestRun = REPEATED - 1
  private repeated = 0
  private searchAt = SEARCH_AT
  private seen = 0
  private known = 0
  private told = 0
  private correcting = false

  /** @throws ArgumentError */
  constructor(options: AnomalyOptions = {}) {
    optionsObject(options, 'options')
    onlyKnown(options, OPTIONS, 'an anomaly detector')
    this.alertAt = severityOf(options.alertAt ?? ALERT_AT, 'alertAt')
    this.correctAt = severityOf(options.correctAt ?? CORRECT_AT, 'correctAt')
    if (options.onAnomaly !== undefined) callback(options.onAnomaly, 'onAnomaly')
    if (options.correct !== undefined) callback(options.correct, 'correct')
    this.onAnomaly = options.onAnomaly
    this.correct = options.correct
    this.givenSeasons = options.seasons !== undefined
    this.seasons = options.seasons?.map((period, i) => count(period, `seasons[${i}]`, 2, WINDOW / 2)) ?? []
  }

  /** Takes the next value and judges it by those before. A missing one (NaN or infinite) is not judged and not learnt from: severity 0. */
  update(value: number): Strangeness {
    const index = this.seen++
    if (typeof value !== 'number') throw refuse('value', 'a number', value)
    if (!Number.isFinite(value)) return { index, value, expected: this.expected(), severity: 0, evidence: NONE }
    const expected = this.expected()
    const evidence = this.judge(Math.max(-LARGEST, Math.min(LARGEST, value)), expected)
    const all =
      BRIEF * (evidence.jump + evidence.shift) +
      evidence.level +
      evidence.season +
      evidence.spread +
      evidence.quiet +
      evidence.extreme +
      evidence.flat
    const before = this.told * Math.exp(-1 / INCIDENT)
    this.told = Math.max(all, before)
    const strangeness = { index, value, expected, severity: 1 - 10 ** -Math.max(0, all - before), evidence }
    this.tell(strangeness)
    return strangeness
  }

  private judge(value: number, expected: number): Evidence {
    if (this.known === 0) this.smoothed = value
    const unit = this.unit(value)
    const middle = this.known > 0 ? this.values.quantile(0.5) : value
    const season = this.seasons.length > 0
    const extreme = this.extreme(value, unit)
    const flat = this.flat(value)
    const jump = this.rarity('jump', Math.abs(value - this.smoothed) / unit)
    this.learn(value)
    if (season) this.seasonal[this.seasonalSeen++ % LONG] = (value - expected) / unit
    const short = this.known >= SHORT ? Math.abs(this.mean(SHORT) - middle) / unit : undefined
    const long = this.known >= LONG ? this.mean(LONG) : undefined
    const deviation = long === undefined ? undefined : this.deviation(long) / unit
    return {
      jump,
      extreme,
      flat,
      shift: this.rarity('shift', short),
      level: this.rarity('level', long === undefined ? undefined : Math.abs(long - middle) / unit),
      spread: this.rarity('spread', deviation),
      quiet: this.rarity('quiet', deviation === undefined ? undefined : Math.max(0, 1 - QUIET * deviation)),
      season: this.rarity('season', this.seasonalSeen >= LONG ? Math.abs(mean(this.seasonal)) : undefined)
    }
  }

  /** What the series varies by: between its fifth and its ninety-fifth hundredth, or at least by a part of its range and of its size. */
  private unit(value: number): number {
    const range = this.most > this.least ? this.most - this.least : 0
    const usual = this.known > EXTREMES_FROM ? this.values.quantile(0.95) - this.values.quantile(0.05) : range
    const size = Math.max(Math.abs(this.most), Math.abs(this.least))
    return Math.max(usual, RANGE_PART * range, SIZE_PART * (this.known > 0 ? size : Math.abs(value)), SMALLEST)
  }

  private extreme(value: number, unit: number): number {
    const over = Math.max(value - this.most, this.least - value)
    if (!(over > 0) || this.known < EXTREMES_FROM) return 0
    return EXTREME + FURTHER * Math.log10(1 + (NEAR * over) / Math.max(this.most - this.least, SIZE_PART * unit))
  }

  /** How unlikely so long a run is, if each value repeats the one before as often as values did: a geometric law. */
  private flat(value: number): number {
    if (value !== this.last) {
      this.longestRun = Math.max(this.longestRun, this.run)
      this.last = value
      this.run = 0
      return 0
    }
    const often = (this.repeated - this.run + 1) / (this.known - this.run + 1)
    this.repeated++
    return ++this.run > this.longestRun && this.known >= EXTREMES_FROM ? Math.min(FLATTEST, -this.run * Math.log10(Math.min(1, often))) : 0
  }

  private rarity(kind: keyof AnomalyDetector['rarities'], strangeness: number | undefined): number {
    if (strangeness === undefined) return 0
    const rarity = this.rarities[kind]
    const found = rarity.of(strangeness)
    rarity.add(strangeness)
    return found
  }

  private expected(): number {
    const { seasons, values } = this
    const period = seasons[seasons.length - 1]
    if (this.known === 0) return 0
    if (period === undefined || values.length < period) return this.smoothed
    const past: number[] = []
    for (let i = 1; i <= SEASONS && i * period <= values.length; i++) past.push(values.before(i * period - 1))
    past.sort((a, b) => a - b)
    const half = past.length >> 1
    return past.length % 2 === 1 ? (past[half] as number) : ((past[half - 1] as number) + (past[half] as number)) / 2
  }

  private learn(value: number): void {
    this.values.push(value)
    this.known++
    this.smoothed += SMOOTHING * (value - this.smoothed)
    this.least = Math.min(this.least, value)
    this.most = Math.max(this.most, value)
    if (this.givenSeasons || this.known < this.searchAt) return
    this.searchAt = Math.ceil(SEARCH_AGAIN * this.searchAt)
    this.seasons = seasonsOf(this.values.toArray())
  }

  private mean(length: number): number {
    let sum = 0
    for (let i = 0; i < length; i++) sum += this.values.before(i) / length
    return sum
  }

  private deviation(middle: number): number {
    let sum = 0
    for (let i = 0; i < LONG; i++) sum += (this.values.before(i) - middle) ** 2 / LONG
    return Math.sqrt(sum)
  }

  private tell(anomaly: Strangeness): void {
    const { onAnomaly, correct } = this
    // Not from here: one that throws must not keep the value from being counted.
    if (onAnomaly !== undefined && anomaly.severity >= this.alertAt) queueMicrotask(() => onAnomaly(anomaly))
    if (correct === undefined || this.correcting || anomaly.severity < this.correctAt) return
    this.correcting = true
    queueMicrotask(async () => {
      try {
        await correct(anomaly)
      } finally {
        this.correcting = false
      }
    })
  }
}

const NONE: Evidence = { jump: 0, shift: 0, level: 0, season: 0, spread: 0, quiet: 0, extreme: 0, flat: 0 }

function mean(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value / values.length
  return sum
}

function severityOf(value: number, option: string): number {
  if (typeof value !== 'number' || !(value > 0 && value < 1)) throw refuse(option, 'a number between 0 and 1', value)
  return value
}
