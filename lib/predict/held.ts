/** A stream with what it is taken to go on as: the seasonal naive forecast, where it has a season, else the naive one. */
export class Held {
  readonly values: Float64Array
  private readonly known: number
  /** standard deviation of a step, or of a season */
  private readonly deviation: number
  private readonly isSeasonal: boolean
  private readonly most: number

  /**
   * @param length steps that are needed, known or not
   * @param period of its season, in steps; undefined: it has none
   */
  constructor(known: Float64Array, length: number, period: number | undefined) {
    const first = known.findIndex(value => !Number.isNaN(value))
    const seen = first < 0 ? new Float64Array(0) : known.subarray(first)
    this.isSeasonal = period !== undefined
    this.known = known.length
    this.values = new Float64Array(Math.max(length, known.length))
    this.values.set(known)
    const back = period ?? 1
    for (let at = known.length; at < length; at++) this.values[at] = this.values[at - back] ?? Number.NaN
    this.deviation = rootMeanSquare(
      seen.length > back ? seen.slice(back).map((value, i) => value - (seen[i] as number)) : Float64Array.of(0)
    )
    const mean = seen.reduce((sum, value) => sum + value / seen.length, 0)
    this.most = Math.SQRT2 * rootMeanSquare(seen.map(value => value - mean))
  }

  /** Standard deviation of the error at a step. */
  doubt(at: number): number {
    const ahead = at - this.known + 1
    if (ahead <= 0) return 0
    return this.isSeasonal ? this.deviation : Math.min(this.most, this.deviation * Math.sqrt(ahead))
  }
}

function rootMeanSquare(values: Float64Array): number {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  if (!(largest > 0 && largest < Number.POSITIVE_INFINITY)) return 0
  return largest * Math.sqrt(values.reduce((sum, value) => sum + (value / largest) ** 2 / values.length, 0))
}
