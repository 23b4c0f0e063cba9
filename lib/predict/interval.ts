/** Steps on either side whose errors count for a step as well: of its own there are few. */
const NEIGHBOURS = 6
/**
 * Errors of rolling origins are those of neighbouring days, and the next one differs more: intervals are made wider by this. Set on the last 48
 * training points of the M4 hourly series.
 */
const WIDER = 1.2
/** How fast the widths follow what is seen: a miss at 95 % makes them 5 % wider, a hit 0.3 % narrower. */
const RATE = 0.05
const NARROWEST = 0.2
const WIDEST = 5

/**
 * Intervals around any forecast of the middle: conformal (Vovk et al., Algorithmic Learning in a Random World, 2005) from the absolute
 * errors of rolling origins, each level then kept at its frequency by tracking it online (adaptive conformal inference, Gibbs and Candes 2021; in its
 * multiplicative form, so that a width stays positive).
 */
export class Intervals {
  private constructor(
    private readonly sorted: readonly Float64Array[],
    private readonly tracked: Map<number, number>
  ) {}

  /**
   * @param errors rows of `horizon` errors each
   * @param scales of intervals that go on as these were
   */
  static of(errors: Float64Array, horizon: number, scales: readonly (readonly [coverage: number, scale: number])[] = []): Intervals {
    const columns = columnsOf(errors, horizon)
    const sorted: Float64Array[] = []
    let around: Float64Array = new Float64Array(0)
    for (const column of columns.slice(0, NEIGHBOURS)) around = moved(around, undefined, column)
    for (let step = 0; step < horizon; step++) {
      around = moved(around, columns[step - NEIGHBOURS - 1], columns[step + NEIGHBOURS])
      sorted.push(around)
    }
    return new Intervals(sorted, new Map(scales.map(([coverage, scale]) => [coverage, within(scale)])))
  }

  /** How much wider intervals of each coverage have become since, or narrower. */
  get scales(): [coverage: number, scale: number][] {
    return [...this.tracked]
  }

  /** How far from the middle the quantile of a level lies, by step from 0 on; beyond what was tried it grows as that of a random walk. */
  offset(step: number, level: number): number {
    const { sorted } = this
    const last = sorted.length - 1
    const coverage = Math.abs(2 * level - 1)
    const width = quantile(sorted[Math.min(step, last)] as Float64Array, coverage) * WIDER * this.scale(coverage)
    const grown = step > last ? width * Math.sqrt((step + 1) / (last + 1)) : width
    return level < 0.5 ? -grown : grown
  }

  /** Tells what became of a value for which the two levels around a coverage had been foretold. */
  saw(coverage: number, inside: boolean): void {
    const scale = this.scale(coverage) * Math.exp(RATE * ((inside ? 0 : 1) - (1 - coverage)))
    this.tracked.set(coverage, within(scale))
  }

  private scale(coverage: number): number {
    return this.tracked.get(coverage) ?? 1
  }
}

/** By step, how far off each row was, ascending. */
function columnsOf(errors: Float64Array, horizon: number): Float64Array[] {
  const rows = errors.length / horizon
  return Array.from({ length: horizon }, (_, step) => {
    const column = new Float64Array(rows)
    for (let row = 0; row < rows; row++) column[row] = Math.abs(errors[row * horizon + step] as number)
    return column.sort()
  })
}

/** All in ascending order, without those that go and with those that come, in their own: steps have nearly the same neighbours, and to sort them for each would be most of a fit. */
function moved(before: Float64Array, goes: Float64Array = NONE, comes: Float64Array = NONE): Float64Array {
  const after = new Float64Array(before.length - goes.length + comes.length)
  let [gone, come, at] = [0, 0, 0]
  for (let i = 0; i < before.length; i++) {
    const value = before[i] as number
    if (gone < goes.length && goes[gone] === value) {
      gone++
      continue
    }
    while (come < comes.length && (comes[come] as number) < value) after[at++] = comes[come++] as number
    after[at++] = value
  }
  while (come < comes.length) after[at++] = comes[come++] as number
  return after
}

const NONE = new Float64Array(0)

function within(scale: number): number {
  return Math.min(WIDEST, Math.max(NARROWEST, scale))
}

/** Of sorted values; the one that a new one stays below with this frequency, if all are alike: the ceil((n + 1) q)-th. */
function quantile(sorted: Float64Array, q: number): number {
  if (sorted.length === 0 || q === 0) return 0
  return sorted[Math.min(sorted.length, Math.max(1, Math.ceil((sorted.length + 1) * q))) - 1] as number
}
