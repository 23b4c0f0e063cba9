/** A bound that a value is to keep. */
export type Bound = { readonly atMost: number } | { readonly atLeast: number } | { readonly from: number; readonly to: number }

/** One result, and what it is measured against. */
export interface Measure {
  /** within its suite, as `owa` */
  readonly id: string
  readonly unit: string
  readonly value: number
  /** the same by other methods, in the same run or as published */
  readonly rivals?: Readonly<Record<string, number>> | undefined
  readonly must?: Bound | undefined
  /** better than anybody known */
  readonly beyond?: Bound | undefined
  /** what else there is to say */
  readonly note?: string | undefined
}

/** Something to look at in the report. */
export interface Chart {
  readonly title: string
  readonly x: string
  readonly y: string
  /** points in the order of x; `band`: low and high for each point instead of one value */
  readonly lines: readonly ChartLine[]
  /** x and y are probabilities, and the diagonal is what is right */
  readonly square?: boolean | undefined
  /** x grows by factors, not by steps; what is below a thousandth is drawn there */
  readonly logX?: boolean | undefined
}

export interface ChartLine {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly band?: readonly (readonly [low: number, high: number])[] | undefined
  /** names of the points, which are then marked, and not joined by a line */
  readonly marks?: readonly string[] | undefined
}

export interface SuiteContext {
  /** the folder of the data */
  readonly data: string
  /** whether other libraries are run beside ours, which takes some minutes */
  readonly rivals: boolean
  /** Tells how far it is, from 0 to 1. */
  progress(part: number): void
}

export interface SuiteResult {
  readonly measures: readonly Measure[]
  readonly charts?: readonly Chart[] | undefined
}

/** A backtest: models judged on data that were there before. */
export interface Suite {
  readonly name: string
  /** one line: what is foretold, from what */
  readonly title: string
  /** what its models were set with, and on what */
  readonly settings: string
  /** folders of the data that it reads, below that of all */
  readonly needs: readonly string[]
  /** its measures are times, which a busy machine makes longer */
  readonly timed?: boolean | undefined
  run(context: SuiteContext): Promise<SuiteResult>
}

export function isMet(value: number, bound: Bound | undefined): boolean | undefined {
  if (bound === undefined) return undefined
  if ('atMost' in bound) return value <= bound.atMost
  if ('atLeast' in bound) return value >= bound.atLeast
  return value >= bound.from && value <= bound.to
}

export function boundText(bound: Bound): string {
  if ('atMost' in bound) return `<= ${bound.atMost}`
  if ('atLeast' in bound) return `>= ${bound.atLeast}`
  return `${bound.from} to ${bound.to}`
}
