const TERMS_MAX = 500
const ENOUGH = 1e-17
const STIRLING_FROM = 20

/**
 * Natural logarithm of P(at least `count`) of a Poisson distribution: of a tail too thin for a double, too.
 *
 * @param mean > 0
 */
export function logTail(count: number, mean: number): number {
  if (count <= 0) return 0
  if (count <= mean) return Math.log1p(-Math.min(1 - 1e-300, headOf(count - 1, mean)))
  // The first term of the tail, and the others as parts of it.
  let [sum, term] = [1, 1]
  for (let i = 1; i < TERMS_MAX && term > ENOUGH * sum; i++) {
    term *= mean / (count + i)
    sum += term
  }
  return logTerm(count, mean) + Math.log(sum)
}

/** P(at most `count`), of a count below the mean: its last term, and the others as parts of it. */
function headOf(count: number, mean: number): number {
  let [sum, term] = [1, 1]
  for (let i = count; i > 0 && term > ENOUGH * sum; i--) {
    term *= i / mean
    sum += term
  }
  return Math.exp(logTerm(count, mean) + Math.log(sum))
}

function logTerm(count: number, mean: number): number {
  return count * Math.log(mean) - mean - logFactorial(count)
}

function logFactorial(n: number): number {
  if (n >= STIRLING_FROM) return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + 1 / (12 * n) - 1 / (360 * n ** 3)
  let sum = 0
  for (let i = 2; i <= n; i++) sum += Math.log(i)
  return sum
}
