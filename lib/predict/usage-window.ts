import type { Row } from './usage-input.js'

/** Requests that models are made from: of the first third of the sizey traces 64, 128 and 256 waste the same. */
export const WINDOW = 128

/** The last requests of one kind, with what they took of one resource. Amounts are kept as ln(1 + amount), so that models speak of ratios. */
export class Window {
  /** by slot */
  readonly amounts = new Float64Array(WINDOW)
  /** by field, then by slot; NaN: missing */
  readonly numbers: Float64Array[] = []
  /** the same as sign(x) ln(1 + |x|) */
  readonly logs: Float64Array[] = []
  /** by field, then by slot; 0: missing */
  readonly texts: Int32Array[] = []
  private added = 0

  get length(): number {
    return Math.min(this.added, WINDOW)
  }

  /** The slot of the i-th, the oldest being 0. */
  slot(i: number): number {
    return (this.added - this.length + i) % WINDOW
  }

  add({ numbers, texts }: Row, amount: number): void {
    const at = this.added % WINDOW
    while (this.numbers.length < numbers.length) {
      this.numbers.push(new Float64Array(WINDOW).fill(Number.NaN))
      this.logs.push(new Float64Array(WINDOW).fill(Number.NaN))
    }
    while (this.texts.length < texts.length) this.texts.push(new Int32Array(WINDOW))
    for (const [field, column] of this.numbers.entries()) {
      column[at] = numbers[field] ?? Number.NaN
      ;(this.logs[field] as Float64Array)[at] = logOf(numbers[field] ?? Number.NaN)
    }
    for (const [field, column] of this.texts.entries()) column[at] = texts[field] ?? 0
    this.amounts[at] = amount
    this.added++
  }

  /** Rows, oldest first: the amount, the numbers, the texts. */
  save(): [amount: number, numbers: (number | null)[], texts: number[]][] {
    return Array.from({ length: this.length }, (_, i) => {
      const at = this.slot(i)
      const numbers = this.numbers.map(column => column[at] as number)
      return [this.amounts[at] as number, numbers.map(x => (Number.isNaN(x) ? null : x)), this.texts.map(column => column[at] as number)]
    })
  }
}

export function logOf(x: number): number {
  return x < 0 ? -Math.log1p(-x) : Math.log1p(x)
}
