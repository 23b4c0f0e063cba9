import type { Row } from './usage-input.js'
import { logOf, WINDOW, type Window } from './usage-window.js'

/** The models of what a request takes, and which of them look at its input. */
export const MEMBERS = ['mean', 'max', 'recent', 'linear', 'log-linear', 'near', 'near-max'] as const
export const INFORMED: readonly boolean[] = [false, false, false, true, true, true, true]
export const MAX_AT = 1

const RECENT = 8
const NEAR = 5
const NEAR_MAX = 3
/** Numbers that models look at, those that go with the amount most: of a few requests fewer, lest they follow chance. */
const USED_MAX = 4
const ROWS_PER_USED = 3
/** Lines and weights are learnt anew when the window has changed by this part: of 32 and fewer rows with each. */
const ROWS_PER_FIT = 32
/** In units of the variance: only against columns that say the same. */
const RIDGE = 1e-3
/** As many requests like the mean are added to those of a string. */
const TEXT_PRIOR = 2
/** Strings whose means lie apart by less, against what lies within, are apart by chance (an F test, at 1 to 5 % for most numbers of strings). */
const CHANCE = 2
/** A line may leave what was seen by this factor, and by as much as the input leaves what was seen. */
const BEYOND = Math.LN2
const GROWTH_MAX = Math.log(1000)

/** A column of numbers that models look at. */
interface Used {
  readonly field: number
  readonly mean: number
  readonly spread: number
  /** of the raw values, as parts of the greatest */
  readonly greatest: number
  readonly rawMean: number
  readonly rawSpread: number
  /** |correlation| with the amount, on log scales */
  readonly weight: number
  /** slopes by standard deviation */
  slope: number
  rawSlope: number
}

/** A column of strings, or of their parts. */
interface Text {
  readonly field: number
  /** square root of the part of the variance that lies between the strings, adjusted for their number */
  readonly weight: number
  /** what each adds to the line */
  readonly effects: ReadonlyMap<number, number>
}

/** Point models of one window. All speak of ln(1 + amount). */
export class Members {
  private mean = 0
  private least = 0
  private recent = 0
  /** of the rows that lines were drawn through */
  private lineMean = 0
  private unit = 0
  private rawMean = 0
  /** rows since lines were drawn; the first are drawn at once */
  private stale = ROWS_PER_FIT
  private used: Used[] = []
  private texts: Text[] = []
  private readonly distances = new Float64Array(WINDOW)
  private readonly nearest = new Float64Array(NEAR)
  private readonly nearAmounts = new Float64Array(NEAR)
  /** The greatest of the window. */
  max = 0

  constructor(private readonly window: Window) {}

  /** Whether any of the inputs could say anything. */
  get hasInput(): boolean {
    return this.used.length > 0 || this.texts.length > 0
  }

  /** Learns from the window, which has a row at least, when one was added to it. */
  fit(): void {
    this.fitLevels()
    const { length } = this.window
    if (++this.stale < length / ROWS_PER_FIT) return
    this.stale = 0
    this.lineMean = this.mean
    this.unit = this.max
    let raw = 0
    for (let at = 0; at < length; at++) raw += this.rawAmount(at)
    this.rawMean = raw / length
    this.used = this.choose()
    this.solve()
    this.texts = this.tell()
  }

  private fitLevels(): void {
    const { window } = this
    const n = window.length
    let [sum, least, max, recent] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
    for (let i = 0; i < n; i++) {
      const amount = window.amounts[window.slot(i)] as number
      sum += amount
      if (amount < least) least = amount
      if (amount > max) max = amount
      if (i >= n - RECENT) recent += amount
    }
    this.mean = sum / n
    this.least = least
    this.max = max
    this.recent = recent / Math.min(RECENT, n)
  }

  /** @param out one for each of {@link MEMBERS} */
  predict(row: Row, out: Float64Array): void {
    let [line, rawLine, growth] = [this.lineMean, this.rawMean, 0]
    for (const one of this.used) {
      const x = row.numbers[one.field] ?? Number.NaN
      if (Number.isNaN(x)) continue
      line += (one.slope * (logOf(x) - one.mean)) / one.spread
      rawLine += (one.rawSlope * (x / one.greatest - one.rawMean)) / one.rawSpread
      growth = Math.max(growth, Math.min(GROWTH_MAX, Math.log1p(Math.abs(x)) - Math.log1p(one.greatest)))
    }
    for (const { field, effects } of this.texts) line += effects.get(row.texts[field] ?? 0) ?? 0
    const [lowest, highest] = [this.least - BEYOND, this.max + BEYOND + growth]
    out[0] = this.mean
    out[1] = this.max
    out[2] = this.recent
    out[3] = clamp(rawLine > 0 ? Math.log(rawLine) + this.unit : lowest, lowest, highest)
    out[4] = clamp(line, lowest, highest)
    this.lookAround(row, out)
  }

  /** Parts of the greatest amount, so that neither sums nor squares overflow. */
  private rawAmount(at: number): number {
    return Math.exp((this.window.amounts[at] as number) - this.unit)
  }

  private choose(): Used[] {
    const found = this.window.numbers.map((_, field) => this.usedOf(field)).filter(one => one !== undefined)
    const most = Math.min(USED_MAX, Math.max(1, Math.floor(this.window.length / ROWS_PER_USED)))
    return found.sort((a, b) => b.weight - a.weight).slice(0, most)
  }

  /** Undefined: it is always the same, or missing. */
  private usedOf(field: number): Used | undefined {
    const { window, mean } = this
    const [raw, logs] = [window.numbers[field] as Float64Array, window.logs[field] as Float64Array]
    let [known, sum, greatest] = [0, 0, 0]
    for (let at = 0; at < window.length; at++) {
      const x = logs[at] as number
      if (Number.isNaN(x)) continue
      known++
      sum += x
      greatest = Math.max(greatest, Math.abs(raw[at] as number))
    }
    if (known < 2 || greatest === 0) return undefined
    const logMean = sum / known
    let rawMean = 0
    for (let at = 0; at < window.length; at++) if (!Number.isNaN(raw[at])) rawMean += (raw[at] as number) / greatest / known
    let [squares, rawSquares, products, amounts] = [0, 0, 0, 0]
    for (let at = 0; at < window.length; at++) {
      if (Number.isNaN(raw[at])) continue
      const x = (logs[at] as number) - logMean
      const y = (window.amounts[at] as number) - mean
      squares += x * x
      rawSquares += ((raw[at] as number) / greatest - rawMean) ** 2
      products += x * y
      amounts += y * y
    }
    const [spread, rawSpread] = [Math.sqrt(squares / known), Math.sqrt(rawSquares / known)]
    // What differs only by rounding has no spread to divide by.
    if (!(spread > 1e-12 * (1 + Math.abs(logMean)) && rawSpread > 1e-12)) return undefined
    const weight = amounts > 0 ? Math.min(1, Math.abs(products) / Math.sqrt(squares * amounts)) : 0
    return { field, mean: logMean, spread, greatest, rawMean, rawSpread, weight, slope: 0, rawSlope: 0 }
  }

  /** Ridge regression (Hoerl and Kennard 1970) on both scales. What is missing counts as the mean. */
  private solve(): void {
    const { window, used } = this
    const count = used.length
    if (count === 0) return
    const n = window.length
    const [x, raw] = [new Float64Array(count), new Float64Array(count)]
    const logs = new Float64Array(count * (count + 1))
    const raws = new Float64Array(count * (count + 1))
    for (let at = 0; at < n; at++) {
      for (let j = 0; j < count; j++) {
        const one = used[j] as Used
        const value = (window.numbers[one.field] as Float64Array)[at] as number
        const isKnown = !Number.isNaN(value)
        x[j] = isKnown ? (((window.logs[one.field] as Float64Array)[at] as number) - one.mean) / one.spread : 0
        raw[j] = isKnown ? (value / one.greatest - one.rawMean) / one.rawSpread : 0
      }
      gather(logs, x, (window.amounts[at] as number) - this.mean, n)
      gather(raws, raw, this.rawAmount(at) - this.rawMean, n)
    }
    const [slopes, rawSlopes] = [solved(logs, count), solved(raws, count)]
    for (const [j, one] of used.entries()) {
      one.slope = slopes[j] as number
      one.rawSlope = rawSlopes[j] as number
    }
  }

  /** Which columns of strings go with the amount, and what each string adds to what the columns before it leave. */
  private tell(): Text[] {
    const { window, mean } = this
    const n = window.length
    const [off, left] = [new Float64Array(n), new Float64Array(n)]
    let total = 0
    for (let at = 0; at < n; at++) {
      off[at] = (window.amounts[at] as number) - mean
      left[at] = (off[at] as number) - this.slopes(at)
      total += (off[at] as number) ** 2
    }
    const found: Text[] = []
    if (total === 0) return found
    for (const [field, column] of window.texts.entries()) {
      const groups = groupsOf(column, off, n)
      const g = groups.size
      if (g < 2 || n <= g) continue
      let between = 0
      for (const { count, sum } of groups.values()) between += sum ** 2 / count
      const within = Math.max(0, total - between) / (n - g)
      if (between < CHANCE * (g - 1) * within) continue
      const effects = new Map<number, number>()
      for (const [key, { count, sum }] of groupsOf(column, left, n)) effects.set(key, sum / (count + TEXT_PRIOR))
      for (let at = 0; at < n; at++) left[at] = (left[at] as number) - (effects.get(column[at] as number) ?? 0)
      found.push({ field, weight: Math.sqrt(Math.max(0, 1 - within * ((n - 1) / total))), effects })
    }
    return found
  }

  /** What the numbers of a row of the window add to the mean. */
  private slopes(at: number): number {
    let sum = 0
    for (const { field, slope, mean, spread } of this.used) {
      const x = (this.window.logs[field] as Float64Array)[at] as number
      if (!Number.isNaN(x)) sum += (slope * (x - mean)) / spread
    }
    return sum
  }

  /** The mean of the nearest requests, and the greatest of the very nearest; of equally near ones the newest (Cover and Hart 1967). */
  private lookAround(row: Row, out: Float64Array): void {
    const { window, nearest, nearAmounts, distances } = this
    this.measure(row)
    const n = window.length
    const most = Math.min(NEAR, n)
    const newest = window.slot(n - 1)
    let held = 0
    let farthest = Number.POSITIVE_INFINITY
    for (let i = 0, at = newest; i < n; i++, at = at === 0 ? n - 1 : at - 1) {
      const distance = distances[at] as number
      if (distance >= farthest) continue
      let to = held < most ? held++ : held - 1
      for (; to > 0 && (nearest[to - 1] as number) > distance; to--) {
        nearest[to] = nearest[to - 1] as number
        nearAmounts[to] = nearAmounts[to - 1] as number
      }
      nearest[to] = distance
      nearAmounts[to] = window.amounts[at] as number
      if (held === most) farthest = nearest[most - 1] as number
    }
    let [sum, greatest] = [0, Number.NEGATIVE_INFINITY]
    for (let i = 0; i < held; i++) {
      const amount = nearAmounts[i] as number
      sum += amount
      if (i < NEAR_MAX && amount > greatest) greatest = amount
    }
    out[5] = sum / held
    out[6] = greatest
  }

  /** How far a request is from each of the window. A missing number is one standard deviation from any other. */
  private measure(row: Row): void {
    const { window, distances } = this
    const n = window.length
    distances.fill(0, 0, n)
    for (const { field, weight, spread } of this.used) {
      const column = window.logs[field] as Float64Array
      const x = logOf(row.numbers[field] ?? Number.NaN)
      const isKnown = !Number.isNaN(x)
      const scale = weight / spread
      for (let at = 0; at < n; at++) {
        const apart = scale * Math.abs(x - (column[at] as number))
        // NaN: one of the two is missing, or both are.
        if (apart >= 0) distances[at] = (distances[at] as number) + apart
        else if (isKnown || !Number.isNaN(column[at])) distances[at] = (distances[at] as number) + weight
      }
    }
    for (const { field, weight } of this.texts) {
      const column = window.texts[field] as Int32Array
      const x = row.texts[field] ?? 0
      for (let at = 0; at < n; at++) if (column[at] !== x) distances[at] = (distances[at] as number) + weight
    }
  }
}

/** Adds a row to the normal equations, a row of which ends with its right side. */
function gather(equations: Float64Array, x: Float64Array, y: number, n: number): void {
  const count = x.length
  for (let i = 0; i < count; i++) {
    const xi = (x[i] as number) / n
    for (let j = 0; j < count; j++) equations[i * (count + 1) + j] = (equations[i * (count + 1) + j] as number) + xi * (x[j] as number)
    equations[i * (count + 1) + count] = (equations[i * (count + 1) + count] as number) + xi * y
  }
}

/** Gauss without pivots: the ridge makes the matrix positive definite. */
function solved(equations: Float64Array, count: number): Float64Array {
  const width = count + 1
  for (let i = 0; i < count; i++) equations[i * width + i] = (equations[i * width + i] as number) + RIDGE
  for (let i = 0; i < count; i++) {
    const pivot = equations[i * width + i] as number
    for (let row = 0; row < count; row++) {
      if (row === i) continue
      const factor = (equations[row * width + i] as number) / pivot
      for (let j = i; j < width; j++)
        equations[row * width + j] = (equations[row * width + j] as number) - factor * (equations[i * width + j] as number)
    }
  }
  return Float64Array.from({ length: count }, (_, i) => (equations[i * width + count] as number) / (equations[i * width + i] as number))
}

function groupsOf(column: Int32Array, values: Float64Array, n: number): Map<number, { count: number; sum: number }> {
  const groups = new Map<number, { count: number; sum: number }>()
  for (let at = 0; at < n; at++) {
    const key = column[at] as number
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { count: 1, sum: values[at] as number })
    else {
      group.count++
      group.sum += values[at] as number
    }
  }
  return groups
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
