/** Raised with every change of {@link TABLES}; a column says since which version it is there. */
export const SCHEMA_VERSION = 4

/** `number`: a double. `json`: an object of what JSON can say. `texts`, `numbers`: several, in their order. */
export type ColumnType = 'number' | 'text' | 'json' | 'texts' | 'numbers'

export interface Column {
  readonly type: ColumnType
  readonly optional: boolean
  /** the version of the schema that brought it; later ones are optional, because older rows have none */
  readonly since: number
}

export interface Table {
  /** the column that rows are ordered, kept and partitioned by: ms since the Unix epoch */
  readonly time: string
  /** what rows are found by, besides the time */
  readonly keys: readonly string[]
  readonly columns: Readonly<Record<string, Column>>
}

const must = <T extends ColumnType>(type: T) => ({ type, optional: false, since: 1 }) as const
const may = <T extends ColumnType>(type: T) => ({ type, optional: true, since: 1 }) as const

/** What a run or an action used. Durations in ms, CPU in ms of CPU time, sizes in bytes. Absent is "not measured", never zero. */
const USAGE = {
  wall: may('number'),
  cpu: may('number'),
  memory: may('number'),
  diskRead: may('number'),
  diskWritten: may('number'),
  networkReceived: may('number'),
  networkSent: may('number'),
  contextSwitches: may('number'),
  pageFaults: may('number'),
  instructions: may('number'),
  cycles: may('number'),
  cost: may('number')
} as const

/** Every table and column of a history: the DDL of each store, the types below and the checks of rows are made from this. */
export const TABLES = {
  runs: {
    time: 'end',
    keys: ['workflow', 'type', 'tenant', 'id'],
    columns: {
      id: must('text'),
      workflow: must('text'),
      tenant: may('text'),
      tier: may('text'),
      client: may('text'),
      start: must('number'),
      end: must('number'),
      outcome: must('text'),
      waited: may('number'),
      input: may('json'),
      ...USAGE,
      participant: may('text'),
      curve: { type: 'json', optional: true, since: 3 },
      type: { type: 'text', optional: true, since: 4 },
      parent: { type: 'text', optional: true, since: 4 },
      events: { type: 'texts', optional: true, since: 4 }
    }
  },
  actions: {
    time: 'end',
    keys: ['workflow', 'action', 'tenant', 'run'],
    columns: {
      run: must('text'),
      workflow: must('text'),
      action: must('text'),
      tenant: may('text'),
      position: must('number'),
      start: must('number'),
      end: must('number'),
      outcome: must('text'),
      ...USAGE,
      labels: may('texts'),
      bytes: { type: 'number', optional: true, since: 4 },
      transfers: { type: 'number', optional: true, since: 4 },
      largest: { type: 'number', optional: true, since: 4 },
      pattern: { type: 'text', optional: true, since: 4 }
    }
  },
  events: {
    time: 'time',
    keys: ['workflow', 'element', 'tenant'],
    columns: {
      time: must('number'),
      event: must('text'),
      kind: must('text'),
      element: must('text'),
      tier: may('text'),
      outcome: may('text'),
      workflow: may('text'),
      tenant: may('text'),
      client: may('text'),
      participant: may('text'),
      amount: may('number'),
      waited: may('number'),
      held: may('number')
    }
  },
  host: {
    time: 'time',
    keys: [],
    columns: {
      time: must('number'),
      host: may('text'),
      cpu: may('number'),
      pressureCpu: may('number'),
      pressureMemory: may('number'),
      pressureIo: may('number'),
      memory: may('number'),
      diskRead: may('number'),
      diskWritten: may('number'),
      networkReceived: may('number'),
      networkSent: may('number'),
      eventLoopDelay: may('number')
    }
  },
  estimates: {
    time: 'made',
    keys: ['id', 'tenant', 'kind', 'subject'],
    columns: {
      id: must('text'),
      made: must('number'),
      due: may('number'),
      kind: must('text'),
      subject: must('text'),
      tier: { type: 'text', optional: true, since: 2 },
      workflow: { type: 'text', optional: true, since: 3 },
      run: { type: 'text', optional: true, since: 3 },
      tenant: may('text'),
      value: may('number'),
      low: may('number'),
      high: may('number'),
      truth: may('number'),
      score: may('number')
    }
  },
  losses: {
    time: 'time',
    keys: [],
    columns: {
      time: must('number'),
      until: must('number'),
      table: may('text'),
      reason: must('text'),
      rows: may('number')
    }
  },
  audit: {
    time: 'time',
    keys: ['who'],
    columns: {
      time: must('number'),
      who: must('text'),
      role: must('text'),
      action: must('text'),
      subject: may('text'),
      rows: may('number')
    }
  },
  rollups: {
    time: 'time',
    keys: ['source', 'metric', 'workflow', 'subject', 'tenant'],
    columns: {
      resolution: must('number'),
      time: must('number'),
      source: must('text'),
      metric: must('text'),
      workflow: may('text'),
      subject: may('text'),
      outcome: may('text'),
      tenant: may('text'),
      count: must('number'),
      sum: must('number'),
      low: must('number'),
      high: must('number'),
      buckets: must('numbers'),
      counts: must('numbers')
    }
  }
} as const satisfies Record<string, Table>

export type TableName = keyof typeof TABLES
export const TABLE_NAMES = Object.keys(TABLES) as TableName[]
/** The tables that are written by `append()`; roll-ups are the store's own. */
export type RawTable = Exclude<TableName, 'rollups'>

type Value<T extends ColumnType> = T extends 'number'
  ? number
  : T extends 'text'
    ? string
    : T extends 'texts'
      ? readonly string[]
      : T extends 'numbers'
        ? readonly number[]
        : Readonly<Record<string, unknown>>

type Needed<C> = { [K in keyof C as C[K] extends { optional: false } ? K : never]: C[K] extends Column ? Value<C[K]['type']> : never }
type Allowed<C> = {
  [K in keyof C as C[K] extends { optional: true } ? K : never]?: (C[K] extends Column ? Value<C[K]['type']> : never) | undefined
}

/** A row of a table. What is absent was not measured, or does not apply. */
export type Row<T extends TableName> = Readonly<Needed<(typeof TABLES)[T]['columns']> & Allowed<(typeof TABLES)[T]['columns']>>

/**
 * One run of a workflow. `outcome` is success, ignore or drop; `input` holds the fields of its input that are kept, `curve` a `UsageCurve`, `parent` the run
 * that it was part of, `events` those that it was about.
 */
export type RunRow = Row<'runs'>
/** One action of a run. `labels` are the certifications it needed; `bytes` it moved, in so many `transfers`, as a `pattern`: burst or stream. */
export type ActionRow = Row<'actions'>
/** What the arena's telemetry told of one request. */
export type EventRow = Row<'events'>
/** One sample of the host. Pressures in percent of time (PSI), `eventLoopDelay` in ms. */
export type HostRow = Row<'host'>
/**
 * A shadow estimate, or a prediction of a run. An estimate is appended when made, and again, under the same id, with `truth` and `score` when those
 * are known; a prediction when its run is over.
 */
export type EstimateRow = Row<'estimates'>
/** Rows that are not here: how many of which table (absent: not known) were dropped, when and why. */
export type LossRow = Row<'losses'>
/** Who read what. */
export type AuditRow = Row<'audit'>
/**
 * One quantile sketch: of a `metric` over one interval of `resolution` ms from `time` on, with the numbers of its buckets and what is in each.
 * Rows of the same names add up: counts and sums are added, bucket by bucket, of `low` and `high` the outermost count.
 */
export type RollupRow = Row<'rollups'>

/** The name of a column in SQL. */
export function sqlName(column: string): string {
  return column.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
}
