/** One unknown of a regression: its entries that are not 0, by place. */
export interface Column {
  /** those of a group have one spread, which is learnt */
  readonly group: number
  /** what it is taken to be before anything is seen */
  readonly prior: number
  readonly at: readonly number[]
  readonly x: readonly number[]
}

/** What was learnt. */
export interface Regression {
  readonly weights: Float64Array
  /** covariances of the weights, row by row, in units of the values squared */
  readonly covariance: Float64Array
  /** by group: variance of its weights about what they were taken for before */
  readonly spreads: Float64Array
  /** of what is left */
  readonly variance: number
}

const ROUNDS = 30
/** Spreads that change by less are found: of themselves, or of what is left, beside which they are nothing. */
const SETTLED = 0.05
const NEGLIGIBLE = 1e-3
/** Spreads begin wide, in units of the variance of the values, so that what is plain to see is not taken for nothing at once. */
const FIRST_SPREAD = 10
const LEAST_SPREAD = 1e-9
const MOST_SPREAD = 1e6

/**
 * Ridge regression (Hoerl and Kennard, Technometrics 12(1), 1970) whose penalty is learnt by group: what is of no use is shrunk to what it was taken to be
 * before, and the fewer times something was seen, the more (evidence maximisation: MacKay, Neural Computation 4(3), 1992; Tipping, "Sparse Bayesian
 * learning and the relevance vector machine", 2001). There is an intercept beside the columns.
 *
 * @param fixed spreads of groups that are not learnt, in units of the weights squared; undefined: it is
 * @param near one of nearly the same values, of the same groups or fewer: from it less is left to learn
 */
export function regression(
  y: Float64Array,
  columns: readonly Column[],
  fixed: readonly (number | undefined)[],
  near?: Regression
): Regression {
  const [n, p] = [y.length, columns.length]
  const { gram, moment, total } = momentsOf(y, columns)
  let variance = total / n || Number.MIN_VALUE
  const spreads = Float64Array.from(fixed, (one, group) => one ?? near?.spreads[group] ?? FIRST_SPREAD * variance)
  const least = LEAST_SPREAD * variance
  const most = MOST_SPREAD * variance
  if (near !== undefined && near.variance > 0) variance = Math.min(variance, near.variance)
  let solved = posterior(gram, moment, columns, spreads, variance)
  for (let round = 0; round < ROUNDS && solved !== undefined; round++) {
    const { weights, root } = solved
    const own = squares(root, p)
    // How much of each weight the values have determined, from 0 to 1; and how far it lies from what it was taken for.
    const [sure, far] = [new Float64Array(spreads.length), new Float64Array(spreads.length)]
    for (const [i, { group, prior }] of columns.entries()) {
      sure[group] = at(sure, group) + Math.max(0, 1 - at(own, i) / at(spreads, group))
      far[group] = at(far, group) + (at(weights, i) - prior) ** 2
    }
    let isSettled = true
    for (const [group, one] of fixed.entries()) {
      if (one !== undefined) continue
      const next = Math.min(most, Math.max(least, at(far, group) / Math.max(at(sure, group), 1e-12)))
      isSettled &&= Math.abs(next - at(spreads, group)) <= SETTLED * next + NEGLIGIBLE * variance
      spreads[group] = next
    }
    const left = residual(gram, moment, total, weights)
    const together = sure.reduce((sum, one) => sum + one, 0)
    variance = Math.max(left / Math.max(1, n - together), 1e-12 * (total / n), Number.MIN_VALUE)
    solved = posterior(gram, moment, columns, spreads, variance) ?? solved
    if (isSettled) break
  }
  const weights = solved?.weights ?? Float64Array.from(columns, ({ prior }) => prior)
  return { weights, covariance: solved === undefined ? new Float64Array(p * p) : product(solved.root, p), spreads, variance }
}

/** Sums over all places, about the means. */
function momentsOf(y: Float64Array, columns: readonly Column[]): { gram: Float64Array; moment: Float64Array; total: number } {
  const [n, p] = [y.length, columns.length]
  const mean = y.reduce((sum, value) => sum + value / n, 0)
  const places = columns.map(({ at }) => Int32Array.from(at))
  const entries = columns.map(({ x }) => Float64Array.from(x))
  const means = entries.map(x => x.reduce((sum, value) => sum + value / n, 0))
  const gram = new Float64Array(p * p)
  const moment = new Float64Array(p)
  const dense = new Float64Array(n)
  for (let i = 0; i < p; i++) {
    const [own, x] = [places[i] as Int32Array, entries[i] as Float64Array]
    for (let k = 0; k < own.length; k++) {
      dense[own[k] as number] = at(x, k)
      moment[i] = at(moment, i) + at(x, k) * (at(y, own[k] as number) - mean)
    }
    for (let j = 0; j <= i; j++) {
      const sum = dot(dense, places[j] as Int32Array, entries[j] as Float64Array) - n * (means[i] as number) * (means[j] as number)
      gram[i * p + j] = sum
      gram[j * p + i] = sum
    }
    for (const place of own) dense[place] = 0
  }
  return { gram, moment, total: y.reduce((sum, value) => sum + (value - mean) ** 2, 0) }
}

function dot(dense: Float64Array, places: Int32Array, entries: Float64Array): number {
  let sum = 0
  for (let k = 0; k < places.length; k++) sum += at(dense, places[k] as number) * at(entries, k)
  return sum
}

/** The weights, and the inverse of the root of their precision: a lower triangle, whose product with itself is the covariance. */
function posterior(
  gram: Float64Array,
  moment: Float64Array,
  columns: readonly Column[],
  spreads: Float64Array,
  variance: number
): { weights: Float64Array; root: Float64Array } | undefined {
  const p = columns.length
  const precision = gram.map(value => value / variance)
  const target = moment.map(value => value / variance)
  for (const [i, { group, prior }] of columns.entries()) {
    const pull = 1 / at(spreads, group)
    precision[i * p + i] = at(precision, i * p + i) + pull
    target[i] = at(target, i) + pull * prior
  }
  const root = inverseRoot(precision, p)
  if (root === undefined) return undefined
  const weights = new Float64Array(p)
  for (let i = 0; i < p; i++) {
    let sum = 0
    for (let k = 0; k <= i; k++) sum += at(root, i * p + k) * at(target, k)
    for (let k = 0; k <= i; k++) weights[k] = at(weights, k) + at(root, i * p + k) * sum
  }
  return { weights, root }
}

function residual(gram: Float64Array, moment: Float64Array, total: number, weights: Float64Array): number {
  const p = weights.length
  let left = total
  for (let i = 0; i < p; i++) {
    let sum = -2 * at(moment, i)
    for (let j = 0; j < p; j++) sum += at(gram, i * p + j) * at(weights, j)
    left += at(weights, i) * sum
  }
  return Math.max(0, left)
}

/** Of a symmetric positive definite matrix, by Cholesky's method; undefined: it is none. Row after row, as they lie in memory. */
function inverseRoot(matrix: Float64Array, p: number): Float64Array | undefined {
  const root = new Float64Array(p * p)
  const inverse = new Float64Array(p * p)
  for (let i = 0; i < p; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = at(matrix, i * p + j)
      for (let k = 0; k < j; k++) sum -= at(root, i * p + k) * at(root, j * p + k)
      if (i === j && !(sum > 0)) return undefined
      root[i * p + j] = i === j ? Math.sqrt(sum) : sum / at(root, j * p + j)
    }
    const pivot = at(root, i * p + i)
    inverse[i * p + i] = 1
    for (let k = 0; k < i; k++) {
      const part = at(root, i * p + k)
      for (let j = 0; j <= k; j++) inverse[i * p + j] = at(inverse, i * p + j) - part * at(inverse, k * p + j)
    }
    for (let j = 0; j <= i; j++) inverse[i * p + j] = at(inverse, i * p + j) / pivot
  }
  return inverse
}

/** The diagonal of the product. */
function squares(root: Float64Array, p: number): Float64Array {
  const sums = new Float64Array(p)
  for (let i = 0; i < p; i++) for (let j = 0; j <= i; j++) sums[j] = at(sums, j) + at(root, i * p + j) ** 2
  return sums
}

/** The transpose of a lower triangle times it. */
function product(root: Float64Array, p: number): Float64Array {
  const out = new Float64Array(p * p)
  for (let k = 0; k < p; k++) {
    for (let i = 0; i <= k; i++) {
      const part = at(root, k * p + i)
      if (part === 0) continue
      for (let j = 0; j <= k; j++) out[i * p + j] = at(out, i * p + j) + part * at(root, k * p + j)
    }
  }
  return out
}

const at = (array: Float64Array, index: number): number => array[index] as number
