import type { EventBlock, Words } from './event-block.js'
import type { RollupRow } from './rows.js'
import { merge, type Names, NamesBook, type Series, SeriesMap } from './series.js'
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

const FINEST = RESOLUTIONS[0]

const isRolled = (table: string): table is Source => Object.hasOwn(METRICS, table)

/** The roll-ups of rows that are not written yet. */
export class RollUps {
  readonly #names = new NamesBook()
  /** of rows that came since the last drain, by the finest resolution only */
  readonly #fresh: SeriesMap
  /** of every resolution, drained before and given back */
  readonly #waiting = new SeriesMap(Number.POSITIVE_INFINITY)
  readonly #most: number
  readonly #lately = new LatelyUsed()

  /** @param most series (interval and names) to keep apart: past that, subjects and tenants are counted as `*` */
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
    const names = this.#names.of(
      source,
      row.workflow as string | undefined,
      subjectOf(source, row),
      (source === 'events' ? row.event : row.outcome) as string | undefined,
      row.tenant as string | undefined
    )
    const series = this.#fresh.of(FINEST, at, names, this.#names)
    for (const metric of METRICS[source]) {
      const value = metric === 'wall' ? (row.wall ?? (row.end as number) - (row.start as number)) : row[metric]
      if (typeof value === 'number') series.add(metric, value)
    }
  }

  addBlock(block: EventBlock): void {
    const { texts } = block.words
    const word = (code: number) => (code === 0 ? undefined : texts[code])
    const lately = this.#lately
    lately.of(block.words)
    for (let at = 0; at < block.length; at++) {
      let names = lately.get(block, at)
      if (names === undefined) {
        const subject = `${texts[block.kind[at]]}:${texts[block.element[at]]}`
        names = this.#names.of('events', word(block.workflow[at]), subject, texts[block.event[at]], word(block.tenant[at]))
        lately.set(block, at, names)
      }
      const series = this.#fresh.of(FINEST, block.time[at], names, this.#names)
      series.addUnlessNaN('waited', block.waited[at])
      series.addUnlessNaN('held', block.held[at])
    }
  }

  /** All of it as rows, of every resolution; nothing is left here. */
  drain(): RollupRow[] {
    const rows: RollupRow[] = []
    this.#waiting.drain(rows)
    const coarse = new SeriesMap(Number.POSITIVE_INFINITY)
    for (const series of this.#fresh.all()) {
      for (const resolution of RESOLUTIONS) {
        if (resolution !== FINEST) mergeAll(coarse.of(resolution, series.time, series.names, this.#names), series)
      }
    }
    this.#fresh.drain(rows)
    coarse.drain(rows)
    return rows
  }

  /** Takes drained rows that could not be written. Where they become too many, the finest are given up: says how many. */
  giveBack(rows: readonly RollupRow[]): number {
    for (const row of rows) put(this.#waiting, row, this.#names)
    let dropped = 0
    for (const resolution of RESOLUTIONS) if (this.#waiting.size > this.#most) dropped += this.#waiting.drop(resolution)
    return dropped
  }

  forget(tenant: string): void {
    this.#lately.clear()
    this.#names.clear()
    this.#fresh.forget(tenant)
    this.#waiting.forget(tenant)
  }
}

/** A power of two. */
const LATELY = 8192
const LATELY_BITS = 13
const KEY_WORDS = 5

/** By what names rows of blocks went of late, by the numbers of their words: without making the texts of the key anew for each row. */
class LatelyUsed {
  #words: Words | undefined
  readonly #keys = new Int32Array(LATELY * KEY_WORDS)
  readonly #names: (Names | undefined)[] = new Array(LATELY).fill(undefined)

  of(words: Words): void {
    if (words !== this.#words) this.clear()
    this.#words = words
  }

  clear(): void {
    this.#names.fill(undefined)
  }

  get({ event, kind, element, workflow, tenant }: EventBlock, at: number): Names | undefined {
    const place = placeOf(event[at], kind[at], element[at], workflow[at], tenant[at])
    const key = place * KEY_WORDS
    const keys = this.#keys
    const isIt =
      keys[key] === event[at] &&
      keys[key + 1] === kind[at] &&
      keys[key + 2] === element[at] &&
      keys[key + 3] === workflow[at] &&
      keys[key + 4] === tenant[at]
    return isIt ? this.#names[place] : undefined
  }

  set({ event, kind, element, workflow, tenant }: EventBlock, at: number, names: Names): void {
    const place = placeOf(event[at], kind[at], element[at], workflow[at], tenant[at])
    this.#keys.set([event[at], kind[at], element[at], workflow[at], tenant[at]], place * KEY_WORDS)
    this.#names[place] = names
  }
}

/** Multiplied by odd numbers without a pattern, of which the upper bits count (Knuth, The Art of Computer Programming 3, 6.4). */
function placeOf(event: number, kind: number, element: number, workflow: number, tenant: number): number {
  const mixed =
    Math.imul(event, 0x9e3779b1) ^
    Math.imul(kind, 0x85ebca6b) ^
    Math.imul(element, 0xc2b2ae35) ^
    Math.imul(workflow, 0x27d4eb2f) ^
    Math.imul(tenant, 0x165667b1)
  return Math.imul(mixed ^ (mixed >>> 15), 0x9e3779b1) >>> (32 - LATELY_BITS)
}

/** What a row is about, beside its workflow. */
export function subjectOf(source: Source, row: AnyRow): string | undefined {
  if (source === 'actions') return row.action as string
  if (source === 'events') return `${row.kind}:${row.element}`
  return source === 'host' ? (row.host as string | undefined) : undefined
}

function mergeAll(into: Series, from: Series): void {
  for (const [metric, { count, sum, low, high, buckets }] of from.metrics) merge(into.sketch(metric), count, sum, low, high, buckets)
}

function put(map: SeriesMap, row: RollupRow, book: NamesBook): void {
  const { resolution, time, metric, count, sum, low, high, buckets, counts } = row
  const names = book.of(row.source as Source, row.workflow, row.subject, row.outcome, row.tenant)
  merge(
    map.of(resolution, time, names, book).sketch(metric),
    count,
    sum,
    low,
    high,
    buckets.map((bucket, at) => [bucket, counts[at]])
  )
}

/** Roll-ups of the same names as one. */
export function packed(rows: readonly RollupRow[]): RollupRow[] {
  const book = new NamesBook()
  const together = new SeriesMap(Number.POSITIVE_INFINITY)
  for (const row of rows) put(together, row, book)
  const all: RollupRow[] = []
  together.drain(all)
  return all
}
