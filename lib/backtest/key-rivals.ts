/** What simple predictors of arrivals know of a key: recency and frequency, and nothing of what else came. */
export interface Known {
  readonly first: number
  count: number
  /** of the latest arrivals, nine at most, ms */
  readonly times: number[]
  /** decayed counts over {@link SPANS_MS} as of the last arrival */
  readonly counts: number[]
}

const GAPS = 8
const SPANS_MS = [1_000, 10_000, 60_000, 600_000]
const SHORTEST_MS = 0.1
const FEATURES = 9
const STEPS = 12
const RIDGE = 1
/** Bins of the hazard: octaves of ms, from 0.1 ms on. */
const OCTAVES = 26
const LOGIT_MAX = 20

export function remember(known: Map<bigint, Known>, key: bigint, time: number): void {
  const entry = known.get(key) ?? { first: time, count: 0, times: [], counts: SPANS_MS.map(() => 0) }
  const passed = time - (entry.times.at(-1) ?? time)
  for (const [i, span] of SPANS_MS.entries()) entry.counts[i] = (entry.counts[i] as number) * Math.exp(-passed / span) + 1
  entry.count++
  entry.times.push(time)
  if (entry.times.length > GAPS + 1) entry.times.shift()
  known.set(key, entry)
}

/** P(at least one within the time), at its rate since it was first seen. */
export function poisson({ first, count }: Known, now: number, within: number): number {
  return atRate(count / Math.max(now - first, SHORTEST_MS), within)
}

/** The same, at the rate of its last eight gaps and what has passed since. */
export function poissonLately({ times }: Known, now: number, within: number): number {
  return atRate(times.length / Math.max(now - (times[0] as number), SHORTEST_MS), within)
}

function atRate(rate: number, within: number): number {
  return 1 - Math.exp(-rate * within)
}

/** How often keys of that age and that mean gap were asked for: a hazard pooled over all keys. */
export class PooledHazard {
  private readonly seen = new Float64Array(OCTAVES * OCTAVES)
  private readonly came = new Float64Array(OCTAVES * OCTAVES)
  private all = 1
  private allCame = 0

  learn(known: Known, now: number, came: boolean): void {
    const at = this.bin(known, now)
    this.seen[at] = (this.seen[at] as number) + 1
    this.all++
    if (!came) return
    this.came[at] = (this.came[at] as number) + 1
    this.allCame++
  }

  score(known: Known, now: number): number {
    const at = this.bin(known, now)
    return ((this.came[at] as number) + this.allCame / this.all) / ((this.seen[at] as number) + 1)
  }

  private bin({ times }: Known, now: number): number {
    const last = times.at(-1) as number
    const mean = (last - (times[0] as number)) / Math.max(1, times.length - 1)
    return octave(now - last) * OCTAVES + octave(mean)
  }
}

function octave(ms: number): number {
  return Math.min(OCTAVES - 1, Math.floor(log2(ms) - Math.log2(SHORTEST_MS)))
}

function log2(ms: number): number {
  return Math.log2(Math.max(ms, SHORTEST_MS))
}

/** A logistic regression on the logarithms of eight facts of recency and frequency, fitted at once by Newton's method. */
export class PlainLogistic {
  private readonly rows: number[] = []
  private readonly happened: number[] = []
  private readonly weights = new Float64Array(FEATURES)
  private readonly means = new Float64Array(FEATURES)
  private readonly scales = new Float64Array(FEATURES).fill(1)

  learn(known: Known, now: number, came: boolean): void {
    this.rows.push(...facts(known, now))
    this.happened.push(came ? 1 : 0)
  }

  fit(): void {
    this.standardise()
    for (let step = 0; step < STEPS; step++) {
      const gradient = new Float64Array(FEATURES)
      const curvature = Array.from({ length: FEATURES }, (_, i) => Float64Array.from({ length: FEATURES }, (_, j) => (i === j ? RIDGE : 0)))
      for (let row = 0; row < this.happened.length; row++) this.add(row * FEATURES, this.happened[row] as number, gradient, curvature)
      for (let i = 1; i < FEATURES; i++) gradient[i] = (gradient[i] as number) - RIDGE * (this.weights[i] as number)
      const change = solve(curvature, gradient)
      for (let i = 0; i < FEATURES; i++) this.weights[i] = (this.weights[i] as number) + (change[i] as number)
    }
    this.rows.length = 0
  }

  score(known: Known, now: number): number {
    const values = facts(known, now)
    let sum = 0
    for (let i = 0; i < FEATURES; i++) sum += (this.weights[i] as number) * this.scaled(values[i] as number, i)
    return sigmoid(sum)
  }

  private standardise(): void {
    const rows = this.happened.length
    for (let i = 1; i < FEATURES; i++) {
      let [sum, squares] = [0, 0]
      for (let at = i; at < this.rows.length; at += FEATURES) sum += this.rows[at] as number
      const mean = sum / rows
      for (let at = i; at < this.rows.length; at += FEATURES) squares += ((this.rows[at] as number) - mean) ** 2
      this.means[i] = mean
      this.scales[i] = Math.sqrt(squares / rows) || 1
    }
  }

  private scaled(value: number, i: number): number {
    return (value - (this.means[i] as number)) / (this.scales[i] as number)
  }

  private add(from: number, happened: number, gradient: Float64Array, curvature: readonly Float64Array[]): void {
    const values = new Float64Array(FEATURES)
    let sum = 0
    for (let i = 0; i < FEATURES; i++) {
      values[i] = this.scaled(this.rows[from + i] as number, i)
      sum += (this.weights[i] as number) * (values[i] as number)
    }
    const said = sigmoid(sum)
    const spread = said * (1 - said)
    for (let i = 0; i < FEATURES; i++) {
      const value = values[i] as number
      gradient[i] = (gradient[i] as number) + (happened - said) * value
      const row = curvature[i] as Float64Array
      for (let j = 0; j < FEATURES; j++) row[j] = (row[j] as number) + spread * value * (values[j] as number)
    }
  }
}

function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-Math.max(-LOGIT_MAX, Math.min(LOGIT_MAX, logit))))
}

/** 1, and the logarithms of age, last gap, least gap, mean gap, and of decayed counts over 1 s to 10 minutes. */
function facts({ times, counts }: Known, now: number): number[] {
  const last = times.at(-1) as number
  const age = Math.max(0, now - last)
  let least = Number.POSITIVE_INFINITY
  for (let i = 1; i < times.length; i++) least = Math.min(least, (times[i] as number) - (times[i - 1] as number))
  const mean = (last - (times[0] as number)) / Math.max(1, times.length - 1)
  const decayed = counts.map((count, i) => Math.max(-LOGIT_MAX, Math.log2(count) - (age / (SPANS_MS[i] as number)) * Math.LOG2E))
  return [1, log2(age), log2(last - (times.at(-2) ?? last)), log2(least), log2(mean), ...decayed]
}

/** Gaussian elimination; the matrix is positive definite, so no row has to change places. */
function solve(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const n = right.length
  for (let i = 0; i < n; i++) {
    const pivot = matrix[i] as Float64Array
    for (let below = i + 1; below < n; below++) {
      const row = matrix[below] as Float64Array
      const factor = (row[i] as number) / (pivot[i] as number)
      for (let j = i; j < n; j++) row[j] = (row[j] as number) - factor * (pivot[j] as number)
      right[below] = (right[below] as number) - factor * (right[i] as number)
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    const row = matrix[i] as Float64Array
    let sum = right[i] as number
    for (let j = i + 1; j < n; j++) sum -= (row[j] as number) * (right[j] as number)
    right[i] = sum / (row[i] as number)
  }
  return right
}
