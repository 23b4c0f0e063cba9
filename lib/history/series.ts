import type { RollupRow } from './rows.js'
import { bucketOf } from './sketch.js'
import { RESOLUTIONS, type Resolution, type Source } from './store.js'

/** Subjects and tenants beyond the bound are counted together under this. */
const OTHERS = '*'
/** Names that are remembered; they come again and again, or are of no use here. */
const NAMES_MAX = 100_000

/** What a series is of: one object for the same names, so that it can be looked up by being the same. */
export interface Names {
  readonly source: Source
  readonly workflow: string | undefined
  readonly subject: string | undefined
  readonly outcome: string | undefined
  readonly tenant: string | undefined
}

export class NamesBook {
  readonly #known = new Map<string, Names>()

  of(
    source: Source,
    workflow: string | undefined,
    subject: string | undefined,
    outcome: string | undefined,
    tenant: string | undefined
  ): Names {
    const key = `${source}|${part(workflow)}|${part(subject)}|${part(outcome)}|${part(tenant)}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const names = { source, workflow, subject, outcome, tenant }
    // Names that are made a second time are two series, which add up as the pieces of any other do.
    if (this.#known.size >= NAMES_MAX) this.#known.clear()
    this.#known.set(key, names)
    return names
  }

  clear(): void {
    this.#known.clear()
  }
}

/** With its length before it, no name can look like two, nor like none. */
function part(name: string | undefined): string {
  return name === undefined ? '' : `${name.length}:${name}`
}

interface Sketch {
  count: number
  sum: number
  low: number
  high: number
  readonly buckets: Map<number, number>
}

/** Sketches of one interval and one set of names, by metric. */
export class Series {
  readonly metrics = new Map<string, Sketch>()

  constructor(
    readonly resolution: number,
    readonly time: number,
    readonly names: Names
  ) {}

  add(metric: string, value: number): void {
    const sketch = this.sketch(metric)
    const bucket = bucketOf(value)
    sketch.count++
    sketch.sum += value
    if (value < sketch.low) sketch.low = value
    if (value > sketch.high) sketch.high = value
    sketch.buckets.set(bucket, (sketch.buckets.get(bucket) ?? 0) + 1)
  }

  addUnlessNaN(metric: string, value: number): void {
    if (!Number.isNaN(value)) this.add(metric, value)
  }

  sketch(metric: string): Sketch {
    const known = this.metrics.get(metric)
    if (known !== undefined) return known
    const sketch = { count: 0, sum: 0, low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY, buckets: new Map() }
    this.metrics.set(metric, sketch)
    return sketch
  }

  rows(into: RollupRow[]): void {
    const { resolution, time, names } = this
    const { source, workflow, subject, outcome, tenant } = names
    for (const [metric, { count, sum, low, high, buckets }] of this.metrics) {
      into.push({
        resolution,
        time,
        source,
        metric,
        workflow,
        subject,
        outcome,
        tenant,
        count,
        sum,
        low,
        high,
        buckets: [...buckets.keys()],
        counts: [...buckets.values()]
      })
    }
  }
}

export function merge(
  sketch: Sketch,
  count: number,
  sum: number,
  low: number,
  high: number,
  buckets: Iterable<readonly [number, number]>
): void {
  sketch.count += count
  sketch.sum += sum
  sketch.low = Math.min(sketch.low, low)
  sketch.high = Math.max(sketch.high, high)
  for (const [bucket, n] of buckets) sketch.buckets.set(bucket, (sketch.buckets.get(bucket) ?? 0) + n)
}

/** Series by interval and names. */
export class SeriesMap {
  readonly #intervals = new Map<number, Map<Names, Series>>()
  readonly #most: number
  #size = 0
  /** the interval that was asked for last: most rows are of the same */
  #last: Map<Names, Series> | undefined
  #lastInterval = Number.NaN

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#size
  }

  of(resolution: number, at: number, names: Names, book: NamesBook): Series {
    const time = Math.floor(at / resolution) * resolution
    const all = this.#at(time, resolution)
    const known = all.get(names)
    if (known !== undefined) return known
    const { source, workflow, subject, outcome, tenant } = names
    if (this.#size >= this.#most && !(subject === OTHERS && tenant === OTHERS)) {
      return this.of(resolution, at, book.of(source, workflow, OTHERS, outcome, OTHERS), book)
    }
    const series = new Series(resolution, time, names)
    all.set(names, series)
    this.#size++
    return series
  }

  #at(time: number, resolution: number): Map<Names, Series> {
    // Times are whole seconds: what is left of one tells the resolutions apart.
    const interval = time + RESOLUTIONS.indexOf(resolution as Resolution)
    if (interval === this.#lastInterval && this.#last !== undefined) return this.#last
    const all = this.#intervals.get(interval) ?? new Map()
    this.#intervals.set(interval, all)
    this.#last = all
    this.#lastInterval = interval
    return all
  }

  *all(): Generator<Series> {
    for (const series of this.#intervals.values()) yield* series.values()
  }

  drain(into: RollupRow[]): void {
    for (const series of this.all()) series.rows(into)
    this.#clear()
  }

  #clear(): void {
    this.#intervals.clear()
    this.#size = 0
    this.#last = undefined
  }

  /** @returns the rows that it would have been */
  drop(resolution: number): number {
    const dropped: RollupRow[] = []
    this.#keep(series => {
      if (series.resolution !== resolution) return true
      series.rows(dropped)
      return false
    })
    return dropped.length
  }

  forget(tenant: string): void {
    this.#keep(({ names }) => names.tenant !== tenant)
  }

  #keep(isKept: (series: Series) => boolean): void {
    for (const all of this.#intervals.values()) {
      for (const [names, series] of all) {
        if (isKept(series)) continue
        all.delete(names)
        this.#size--
      }
    }
  }
}
