/** That so much will be asked for, or nothing. */
export interface Expectation {
  /** that it comes */
  readonly probability: number
  /** how much came at other times, each as likely as the others */
  readonly amounts: readonly number[]
}

/**
 * The distribution of what comes anyway and of what is expected besides, which come independently: their convolution (the individual risk model of a
 * portfolio; Klugman, Panjer and Willmot, Loss Models, 2012).
 *
 * @param anyway how often each number of units came, not necessarily adding up to 1; undefined: nothing is known, and nothing is taken to come
 * @param bins numbers of units that are told apart; more count as the most
 * @param unit by which amounts are rounded up
 */
export function withExpected(
  anyway: ArrayLike<number> | undefined,
  expected: readonly Expectation[],
  bins: number,
  unit: number
): Float64Array {
  let sum = anyway === undefined ? Float64Array.from({ length: bins }, (_, bin) => (bin === 0 ? 1 : 0)) : Float64Array.from(anyway)
  for (const { probability, amounts } of expected) {
    if (!(probability > 0) || amounts.length === 0) continue
    const come = Math.min(1, probability)
    const next = sum.map(count => count * (1 - come))
    for (const amount of amounts) addShifted(next, sum, Math.ceil(amount / unit - ROUNDING), come / amounts.length)
    sum = next
  }
  return sum
}

/** What sums of parts lose. */
const ROUNDING = 1e-6

function addShifted(into: Float64Array, from: Float64Array, shift: number, weight: number): void {
  const last = into.length - 1
  for (let bin = 0; bin < from.length; bin++) {
    const at = Math.min(last, bin + Math.max(0, shift))
    into[at] = (into[at] as number) + weight * (from[bin] as number)
  }
}
