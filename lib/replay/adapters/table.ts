import { basename } from 'node:path'
import { ArgumentError } from '../../errors/index.js'
import { DEFAULT_TIERS } from '../settings.js'
import { type ThingKind, type Trace, type TraceRequest, type Who, Whos, type Workload } from '../trace.js'
import { Busiest } from './busiest.js'
import { badLine, cellsOf, linesIn, numberIn, type Placed, type Row, recordIn } from './lines.js'
import { type Column, inferMapping, type Mapping, TIME_UNITS } from './mapping.js'
import { parquetRows } from './parquet.js'

export interface TableOptions {
  readonly mapping?: Mapping | undefined
  /** workflows that count as interactive, and all others as background, where no column says so */
  readonly interactive?: readonly string[] | undefined
  /** names of tiers, lowest first, where they are not those of an arena by default */
  readonly tiers?: readonly string[] | undefined
}

const POOL = 'pool'
const LOOK_ROWS = 200
const TIER = 'standard'
const NONE: readonly number[] = []
const SHARED = /^(s|sh|shared|r|read|reader|get|select|true|1)$/i

/** Rows of a CSV, JSONL or Parquet file, whose columns say who asked for what, and when. */
export function table(file: string, options: TableOptions = {}): Trace {
  const name = basename(file).replace(/(\.(csv|jsonl|ndjson|parquet|gz))+$/i, '')
  let known: Summary | undefined
  return {
    name,
    title: `rows of ${basename(file)}, as their columns say`,
    scales: true,
    async workload(utilisation): Promise<Workload> {
      const mapping = options.mapping ?? (await inferred(file))
      known ??= await summaryOf(file, mapping, options)
      return workloadOf(name, file, mapping, options, known, utilisation)
    }
  }
}

/** The mapping that the first rows suggest. @throws ArgumentError when none looks like a time */
export async function inferred(file: string): Promise<Mapping> {
  const rows: Row[] = []
  for await (const placed of rowsOf(file)) {
    for (const { row } of placed) if (rows.length < LOOK_ROWS) rows.push(row)
    if (rows.length >= LOOK_ROWS) break
  }
  const names = Object.keys(rows[0] ?? {})
  const mapping = inferMapping(names, rows)
  if (mapping !== undefined) return mapping
  const columns = names.length === 0 ? 'it has no rows' : `its columns are ${names.join(', ')}`
  throw new ArgumentError(`${file}: none of its columns looks like a time (${columns}): say which by --map time=COLUMN`, {
    option: 'map',
    given: undefined
  })
}

interface Summary {
  readonly count: number
  readonly start: number
  /** ms from the first one to the last one */
  readonly length: number
  readonly tiers: ReadonlySet<string>
  /** of each pool: what is held on average, and the most that one asks for */
  readonly loads: ReadonlyMap<string, { held: number; most: number }>
  readonly tokens: ReadonlyMap<string, { asked: number; most: number }>
  /** by tier */
  readonly locks: ReadonlyMap<string, Busiest>
}

async function summaryOf(file: string, mapping: Mapping, options: TableOptions): Promise<Summary> {
  const loads = new Map<string, { held: number; most: number }>()
  const tokens = new Map<string, { asked: number; most: number }>()
  const locks = new Map<string, Busiest>()
  const tiers = new Set<string>()
  let [count, start, last] = [0, Number.NaN, 0]
  for await (const batch of read(file, mapping, options, 0)) {
    for (const { time, who, kind, thing, amounts, duration } of batch) {
      if (count++ === 0) start = time
      last = time
      tiers.add(who.tier)
      const amount = amounts[0] ?? 0
      if (kind === 'lock') {
        const ofTier = locks.get(who.tier) ?? new Busiest()
        ofTier.add(thing)
        locks.set(who.tier, ofTier)
      }
      if (kind === 'pool') {
        const load = loads.get(thing) ?? { held: 0, most: 0 }
        loads.set(thing, { held: load.held + amount * duration, most: Math.max(load.most, amount) })
      }
      if (kind === 'bucket') {
        const asked = tokens.get(thing) ?? { asked: 0, most: 0 }
        tokens.set(thing, { asked: asked.asked + amount, most: Math.max(asked.most, amount) })
      }
    }
  }
  if (count === 0) throw badLine(file, 1, 'there is no request in it')
  return { count, start, length: Math.max(1, last - start), tiers, loads, tokens, locks }
}

function workloadOf(
  trace: string,
  file: string,
  mapping: Mapping,
  options: TableOptions,
  { count, start, length, tiers, loads, tokens, locks }: Summary,
  utilisation: number
): Workload {
  const { tiers: ranks = DEFAULT_TIERS } = options
  const present = ranks.filter(tier => tiers.has(tier))
  return {
    trace,
    // Locks have no capacity that could be set: they are as they were.
    setting: String(loads.size + tokens.size === 0 ? 100 : Math.round(100 * utilisation)),
    tiers: present,
    ...(options.tiers !== undefined && { ranks: options.tiers }),
    pools: [...loads].map(([name, { held, most }]) => ({
      name,
      capacity: { units: Math.max(most, Math.round(held / length / utilisation), 1) },
      unit: 1
    })),
    buckets: [...tokens].map(([name, { asked, most }]) => ({ name, rate: Math.max(most, asked / (length / 1000) / utilisation) })),
    busiest: locks.get(present.at(-1) ?? '')?.names ?? [],
    sized: false,
    count,
    batches: () => read(file, mapping, options, start)
  }
}

async function* read(file: string, mapping: Mapping, options: TableOptions, start: number): AsyncGenerator<readonly TraceRequest[]> {
  const reader = new RowReader(file, mapping, options, start)
  for await (const placed of rowsOf(file)) yield placed.map(one => reader.read(one))
}

/** Makes requests of rows. */
class RowReader {
  private readonly whos = new Whos()
  private readonly ranks: readonly string[]
  private readonly interactive: ReadonlySet<string> | undefined
  private last = Number.NEGATIVE_INFINITY

  constructor(
    private readonly file: string,
    private readonly mapping: Mapping,
    { interactive, tiers = DEFAULT_TIERS }: TableOptions,
    private readonly start: number
  ) {
    this.ranks = tiers
    this.interactive = interactive === undefined ? undefined : new Set(interactive)
  }

  read({ line, row }: Placed): TraceRequest {
    const { columns, inputs } = this.mapping
    const time = this.timeOf(line, row, columns.time as Column)
    if (time < this.last) throw badLine(this.file, line, `${columns.time?.name} is earlier than in the row before: sort the trace by it`)
    this.last = time
    const { kind, column } = this.askedFor(row)
    const thing = this.text(line, row, column) ?? POOL
    return {
      time: time - this.start,
      who: this.whoOf(line, row, kind),
      kind,
      thing,
      amounts:
        kind === 'lock'
          ? NONE
          : [kind === 'pool' ? Math.ceil(this.amountOf(line, row, columns.units)) : this.amountOf(line, row, columns.tokens)],
      shared: kind === 'lock' && SHARED.test(this.text(line, row, columns.mode) ?? ''),
      duration: this.durationOf(line, row, time),
      input: inputs.length === 0 ? undefined : this.inputOf(line, row),
      peak: undefined
    }
  }

  /** What of several things a row is about is the one that it names. */
  private askedFor(row: Row): { kind: ThingKind; column: Column | undefined } {
    const { columns } = this.mapping
    const named = (['lock', 'bucket'] as const).find(field => columns[field] !== undefined && row[columns[field].name] !== null)
    return { kind: named ?? 'pool', column: columns[named ?? 'pool'] }
  }

  private timeOf(line: number, row: Row, { name, unit }: Column): number {
    const cell = this.cell(line, row, name)
    if (cell instanceof Date) return cell.getTime()
    if (unit !== 'iso') return numberIn(this.file, line, name, cell) * (TIME_UNITS[unit] as number)
    // Without a zone it is taken as UTC, so that a replay does not depend on where it runs.
    const text = String(cell).trim().replace(' ', 'T')
    const time = Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(text) || text.length <= 'YYYY-MM-DD'.length ? text : `${text}Z`)
    if (Number.isNaN(time)) throw badLine(this.file, line, `${name} is ${JSON.stringify(String(cell))}, which is no date`)
    return time
  }

  private durationOf(line: number, row: Row, began: number): number {
    const { duration, end } = this.mapping.columns
    if (duration === undefined && end === undefined) return 0
    const ms = duration !== undefined ? this.timeOf(line, row, duration) : this.timeOf(line, row, end as Column) - began
    if (!(ms >= 0)) throw badLine(this.file, line, `it takes ${ms} ms, which is less than no time`)
    return ms
  }

  private amountOf(line: number, row: Row, column: Column | undefined): number {
    if (column === undefined || row[column.name] === null) return 1
    const amount = numberIn(this.file, line, column.name, this.cell(line, row, column.name))
    if (!(amount > 0)) throw badLine(this.file, line, `${column.name} is ${amount}, and nobody asks for less than something`)
    return amount
  }

  private whoOf(line: number, row: Row, kind: ThingKind): Who {
    const { columns } = this.mapping
    const workflow = this.text(line, row, columns.workflow) ?? ''
    const tier = this.tierOf(line, row, workflow)
    // A reserve of tokens is for a workflow or a tenant: where no column says, those of a tier are one tenant.
    return this.whos.of(
      workflow === '' ? 'trace' : workflow,
      this.text(line, row, columns.tenant) ?? (kind === 'bucket' ? tier : undefined),
      tier
    )
  }

  private tierOf(line: number, row: Row, workflow: string): string {
    const tier = this.text(line, row, this.mapping.columns.tier)
    if (tier !== undefined) {
      if (this.ranks.includes(tier)) return tier
      throw badLine(
        this.file,
        line,
        `the tier is ${JSON.stringify(tier)}: there are ${this.ranks.join(', ')} (--tiers names others, lowest first)`
      )
    }
    if (this.interactive !== undefined) return this.interactive.has(workflow) ? 'interactive' : 'background'
    return this.ranks.includes(TIER) ? TIER : (this.ranks[0] as string)
  }

  private inputOf(line: number, row: Row): Record<string, number | string> {
    return Object.fromEntries(
      this.mapping.inputs.map(name => {
        const cell = this.cell(line, row, name)
        const isNumber =
          typeof cell === 'number' ||
          typeof cell === 'bigint' ||
          (typeof cell === 'string' && cell.trim() !== '' && Number.isFinite(Number(cell)))
        return [name, isNumber ? Number(cell) : String(cell)]
      })
    )
  }

  private text(line: number, row: Row, column: Column | undefined): string | undefined {
    return column === undefined || row[column.name] === null ? undefined : String(this.cell(line, row, column.name))
  }

  private cell(line: number, row: Row, name: string): unknown {
    const cell = row[name]
    // What any object has is none of these, so that most need not be asked whether it is their own.
    if (typeof cell === 'string' || typeof cell === 'number') return cell
    if (!Object.hasOwn(row, name) || cell === null || cell === undefined) throw badLine(this.file, line, `there is no ${name}`)
    return cell
  }
}

function rowsOf(file: string): AsyncIterable<readonly Placed[]> {
  if (/\.parquet$/i.test(file)) return parquetRows(file)
  return /\.(jsonl|ndjson)(\.gz)?$/i.test(file) ? jsonRows(file) : csvRows(file)
}

async function* jsonRows(file: string): AsyncGenerator<readonly Placed[]> {
  let line = 0
  for await (const lines of linesIn(file)) {
    const rows: Placed[] = []
    for (const text of lines) {
      line++
      if (text.trim() !== '') rows.push({ line, row: recordIn(file, line, text) })
    }
    yield rows
  }
}

async function* csvRows(file: string): AsyncGenerator<readonly Placed[]> {
  let line = 0
  let names: readonly string[] | undefined
  for await (const lines of linesIn(file)) {
    const rows: Placed[] = []
    for (const text of lines) {
      line++
      if (text === '') continue
      const cells = cellsOf(text)
      if (names === undefined) {
        names = cells.map(name => name.trim().replace(/^\uFEFF/, ''))
        continue
      }
      if (cells.length !== names.length) throw badLine(file, line, `it has ${cells.length} cells, and the heading ${names.length}`)
      const row: Record<string, unknown> = {}
      for (let i = 0; i < cells.length; i++) row[names[i] as string] = cells[i]
      rows.push({ line, row })
    }
    yield rows
  }
}
