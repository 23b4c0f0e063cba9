import type { RollupRow } from './rows.js'
import { bucketOf } from './sketch.js'
import { RESOLUTIONS, type Source } from './store.js'

type AnyRow = Readonly<Record<string, unknown>>

const USED = [
  'cpu',
  'memory',
  'diskRead',
  'diskWritten',
  'networkReceived',
  'networkSent',
  'contextSwitches',
  'pageFaults',
  'instructions',
  'cycles',
  'cost'
]

/** The numbers of each table that are rolled up. `wall` is there in every run and action: where it was not measured, it is `end - start`. */
export const METRICS: Readonly<Record<Source, readonly string[]>> = {
  runs: ['wall', 'waited', ...USED],
  actions: ['wall', ...USED],
  events: ['waited', 'held'],
  host: [
    'cpu',
    'pressureCpu',
    'pressureMemory',
    'pressureIo',
    'memory',
    'diskRead',
    'diskWritten',
    'networkReceived',
    'networkSent',
    'eventLoopDelay'
  ]
}

interface Sketch {
  count: number
  sum: number
  low: number
  high: number
  readonly buckets: Map<number, number>
}

interface SeriesNames {
  readonly resolution: number
  readonly time: number
  readonly source: Source
  readonly workflow: string | undefined
  readonly subject: string | undefined
  readonly outcome: string | undefined
  readonly tenant: string | undefined
}

interface Series extends SeriesNames {
  readonly metrics: Map<string, Sketch>
}

const FINEST = RESOLUTIONS[0]
/** Subjects beyond the bound are counted together under this. */
export const OTHERS = '*'

const isRolled = (table: string): table is Source => Object.hasOwn(METRICS, table)

/** The roll-ups of rows that are not written yet. */
export class RollUps {
  /** of rows that came since the last drain, by the finest resolution only */
  readonly #fresh: SeriesMap
  /** of every resolution, drained before and given back */
  readonly #waiting = new SeriesMap(Number.POSITIVE_INFINITY)
  readonly #most: number

  /** @param most series (interval and names) to keep apart: past that, subjects and tenants are counted as {@link OTHERS} */
  constructor(most: number) {
    this.#most = most
    this.#fresh = new SeriesMap(most)
  }

  get size(): number {
    return this.#fresh.size + this.#waiting.size
  }

  add(table: string, rows: readonly AnyRow[]): void {
    if (!isRolled(table)) return
    for (const row of rows) this.#addRow(table, row)
  }

  #addRow(source: Source, row: AnyRow): void {
    const at = (source === 'runs' || source === 'actions' ? row.end : row.time) as number
    const { metrics } = this.#fresh.of({
      resolution: FINEST,
      time: Math.floor(at / FINEST) * FINEST,
      source,
      workflow: row.workflow as string | undefined,
      subject: subjectOf(source, row),
      outcome: (source === 'events' ? row.event : row.outcome) as string | undefined,
      tenant: row.tenant as string | undefined
    })
    for (const metric of METRICS[source]) {
      const value = metric === 'wall' ? (row.wall ?? (row.end as number) - (row.start as number)) : row[metric]
      if (typeof value === 'number') add(sketchOf(metrics, metric), bucketOf(value), value)
    }
  }

  /** All of it as rows, of every resolution; nothing is left here. */
  drain(): RollupRow[] {
    const fine = this.#fresh.drain()
    const coarse = new SeriesMap(Number.POSITIVE_INFINITY)
    for (const resolution of RESOLUTIONS) {
      if (resolution === FINEST) continue
      for (const row of fine) coarse.put({ ...row, resolution, time: Math.floor(row.time / resolution) * resolution })
    }
    return [...this.#waiting.drain(), ...fine, ...coarse.drain()]
  }

  /** Takes drained rows that could not be written. Where they become too many, the finest are given up: says how many. */
  giveBack(rows: readonly RollupRow[]): number {
    for (const row of rows) this.#waiting.put(row)
    let dropped = 0
    for (const resolution of RESOLUTIONS) if (this.#waiting.size > this.#most) dropped += this.#waiting.drop(resolution)
    return dropped
  }

  forget(tenant: string): void {
    this.#fresh.forget(tenant)
    this.#waiting.forget(tenant)
  }
}

class SeriesMap {
  readonly #series = new Map<string, Series>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#series.size
  }

  of(named: SeriesNames): Series {
    const { resolution, time, source, workflow, subject, outcome, tenant } = named
    const key = `${resolution}|${time}|${source}|${part(workflow)}|${part(subject)}|${part(outcome)}|${part(tenant)}`
    const known = this.#series.get(key)
    if (known !== undefined) return known
    const isOther = subject === OTHERS && tenant === OTHERS
    if (this.#series.size >= this.#most && !isOther) return this.of({ ...named, subject: OTHERS, tenant: OTHERS })
    const series = { resolution, time, source, workflow, subject, outcome, tenant, metrics: new Map() }
    this.#series.set(key, series)
    return series
  }

  put(row: RollupRow): void {
    merge(sketchOf(this.of(row as SeriesNames & RollupRow).metrics, row.metric), row)
  }

  drain(): RollupRow[] {
    const rows: RollupRow[] = []
    for (const series of this.#series.values()) rowsOf(series, rows)
    this.#series.clear()
    return rows
  }

  /** @returns the rows that it would have been */
  drop(resolution: number): number {
    const dropped: RollupRow[] = []
    for (const [key, series] of this.#series) {
      if (series.resolution !== resolution) continue
      rowsOf(series, dropped)
      this.#series.delete(key)
    }
    return dropped.length
  }

  forget(tenant: string): void {
    for (const [key, series] of this.#series) if (series.tenant === tenant) this.#series.delete(key)
  }
}

/** With its length before it, no name can look like two, nor like none. */
function part(name: string | undefined): string {
  return name === undefined ? '' : `${name.length}:${name}`
}

/** What a row is about, beside its workflow. */
export function subjectOf(source: Source, row: AnyRow): string | undefined {
  if (source === 'actions') return row.action as string
  if (source === 'events') return `${row.kind}:${row.element}`
  return source === 'host' ? (row.host as string | undefined) : undefined
}

function sketchOf(metrics: Series['metrics'], metric: string): Sketch {
  const known = metrics.get(metric)
  if (known !== undefined) return known
  const sketch = { count: 0, sum: 0, low: Number.POSITIVE_INFINITY, high: Number.NEGATIVE_INFINITY, buckets: new Map() }
  metrics.set(metric, sketch)
  return sketch
}

function add(sketch: Sketch, bucket: number, value: number): void {
  sketch.count++
  sketch.sum += value
  if (value < sketch.low) sketch.low = value
  if (value > sketch.high) sketch.high = value
  sketch.buckets.set(bucket, (sketch.buckets.get(bucket) ?? 0) + 1)
}

function merge(sketch: Sketch, { count, sum, low, high, buckets, counts }: RollupRow): void {
  sketch.count += count
  sketch.sum += sum
  sketch.low = Math.min(sketch.low, low)
  sketch.high = Math.max(sketch.high, high)
  for (let at = 0; at < buckets.length; at++) sketch.buckets.set(buckets[at], (sketch.buckets.get(buckets[at]) ?? 0) + counts[at])
}

function rowsOf({ metrics, ...names }: Series, rows: RollupRow[]): void {
  for (const [metric, { buckets, ...numbers }] of metrics) {
    rows.push({ ...names, metric, ...numbers, buckets: [...buckets.keys()], counts: [...buckets.values()] })
  }
}

/** Roll-ups of the same names as one. */
export function packed(rows: readonly RollupRow[]): RollupRow[] {
  const together = new SeriesMap(Number.POSITIVE_INFINITY)
  for (const row of rows) together.put(row)
  return together.drain()
}
