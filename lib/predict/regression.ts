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

const ROUNDS = 40
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
 */
export function regression(y: Float64Array, columns: readonly Column[], fixed: readonly (number | undefined)[]): Regression {
  const [n, p] = [y.length, columns.length]
  const { gram, moment, total } = momentsOf(y, columns)
  let variance = total / n || Number.MIN_VALUE
  const spreads = Float64Array.from(fixed, one => one ?? FIRST_SPREAD * variance)
  const least = LEAST_SPREAD * variance
  const most = MOST_SPREAD * variance
  let weights: Float64Array = Float64Array.from(columns, ({ prior }) => prior)
  let covariance: Float64Array = new Float64Array(p * p)
  for (let round = 0; round < ROUNDS; round++) {
    const solved = posterior(gram, moment, columns, spreads, variance)
    if (solved === undefined) break
    ;[weights, covariance] = [solved.weights, solved.covariance]
    // How much of each weight the values have determined, from 0 to 1; and how far it lies from what it was taken for.
    const [sure, far] = [new Float64Array(spreads.length), new Float64Array(spreads.length)]
    for (const [i, { group, prior }] of columns.entries()) {
      sure[group] = at(sure, group) + Math.max(0, 1 - at(covariance, i * p + i) / at(spreads, group))
      far[group] = at(far, group) + (at(weights, i) - prior) ** 2
    }
    for (const [group, one] of fixed.entries()) {
      if (one === undefined) spreads[group] = Math.min(most, Math.max(least, at(far, group) / Math.max(at(sure, group), 1e-12)))
    }
    const left = residual(gram, moment, total, weights)
    const together = sure.reduce((sum, one) => sum + one, 0)
    variance = Math.max(left / Math.max(1, n - together), 1e-12 * (total / n), Number.MIN_VALUE)
  }
  return { weights, covariance, spreads, variance }
}

/** Sums over all places, about the means. */
function momentsOf(y: Float64Array, columns: readonly Column[]): { gram: Float64Array; moment: Float64Array; total: number } {
  const [n, p] = [y.length, columns.length]
  const mean = y.reduce((sum, value) => sum + value / n, 0)
  const means = columns.map(({ x }) => x.reduce((sum, value) => sum + value / n, 0))
  const gram = new Float64Array(p * p)
  const moment = new Float64Array(p)
  const dense = new Float64Array(n)
  for (const [i, { at: places, x }] of columns.entries()) {
    places.forEach((place, k) => {
      dense[place] = x[k] as number
    })
    for (const [j, other] of columns.slice(0, i + 1).entries()) {
      let sum = -n * (means[i] as number) * (means[j] as number)
      other.at.forEach((place, k) => {
        sum += at(dense, place) * (other.x[k] as number)
      })
      gram[i * p + j] = sum
      gram[j * p + i] = sum
    }
    places.forEach((place, k) => {
      moment[i] = at(moment, i) + (x[k] as number) * (at(y, place) - mean)
      dense[place] = 0
    })
  }
  return { gram, moment, total: y.reduce((sum, value) => sum + (value - mean) ** 2, 0) }
}

function posterior(
  gram: Float64Array,
  moment: Float64Array,
  columns: readonly Column[],
  spreads: Float64Array,
  variance: number
): { weights: Float64Array; covariance: Float64Array } | undefined {
  const p = columns.length
  const precision = gram.map(value => value / variance)
  const target = moment.map(value => value / variance)
  for (const [i, { group, prior }] of columns.entries()) {
    const pull = 1 / at(spreads, group)
    precision[i * p + i] = at(precision, i * p + i) + pull
    target[i] = at(target, i) + pull * prior
  }
  const covariance = inverse(precision, p)
  if (covariance === undefined) return undefined
  const weights = target.map((_, i) => {
    let sum = 0
    for (let j = 0; j < p; j++) sum += at(covariance, i * p + j) * at(target, j)
    return sum
  })
  return { weights, covariance }
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

/** Of a symmetric positive definite matrix, by Cholesky's method; undefined: it is none. */
function inverse(matrix: Float64Array, p: number): Float64Array | undefined {
  const root = new Float64Array(p * p)
  for (let i = 0; i < p; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = at(matrix, i * p + j)
      for (let k = 0; k < j; k++) sum -= at(root, i * p + k) * at(root, j * p + k)
      if (i === j && !(sum > 0)) return undefined
      root[i * p + j] = i === j ? Math.sqrt(sum) : sum / at(root, j * p + j)
    }
  }
  const out = new Float64Array(p * p)
  const line = new Float64Array(p)
  for (let column = 0; column < p; column++) {
    for (let i = column; i < p; i++) {
      let sum = i === column ? 1 : 0
      for (let k = column; k < i; k++) sum -= at(root, i * p + k) * at(line, k)
      line[i] = sum / at(root, i * p + i)
    }
    for (let i = p - 1; i >= column; i--) {
      let sum = at(line, i)
      for (let k = i + 1; k < p; k++) sum -= at(root, k * p + i) * at(out, k * p + column)
      out[i * p + column] = sum / at(root, i * p + i)
      out[column * p + i] = at(out, i * p + column)
    }
  }
  return out
}

const at = (array: Float64Array, index: number): number => array[index] as number
