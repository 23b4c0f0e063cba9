import { existsSync } from 'node:fs'
import { onlyKnown, optionsObject, refuse, text } from '../checks.js'
import { AccessError, NotFoundError } from '../errors/index.js'
import type { RunCurve } from '../history/curve-rows.js'
import { openDuckDbStore } from '../history/duckdb.js'
import { openPostgresStore } from '../history/postgres.js'
import * as queries from '../history/queries.js'
import { type Row, TABLES, type TableName } from '../history/rows.js'
import type { HistoryStore, Retention, RowCounts, Selection } from '../history/store.js'
import type { PastRecord } from '../workflow/record.js'
import { type AccessAction, type Policy, type Rights, rightsOf } from './policy.js'

export interface OpenHistoryOptions {
  /** the role: one of the policy's */
  as: string
  /** who it is, for the audit; default the role */
  who?: string | undefined
  /** what each role may do; default viewer, operator and admin, see docs/guides/history.md */
  policy?: Policy | undefined
}

/**
 * Opens a history for reading by a role: a file of DuckDB, a database of PostgreSQL (`postgres://…`), or a store that is open. Everything goes
 * through what this returns: the policy is asked, and the audit told, in one place.
 *
 * @returns rejected with an ArgumentError; a NotFoundError if there is no such file, which is made by who writes it; a LoadError, InUseError or VersionError as of the store
 */
export async function openHistory(where: string | HistoryStore, options: OpenHistoryOptions): Promise<GuardedHistory> {
  const given = optionsObject(options, 'options') ?? {}
  onlyKnown(given, ['as', 'who', 'policy'], 'openHistory()')
  const { as, who, policy } = given as { [K in keyof OpenHistoryOptions]: unknown }
  const rights = rightsOf(policy, as)
  const name = who === undefined ? rights.role : text(who, 'who')
  if (typeof where !== 'string') return new GuardedHistory(where, rights, name, false)
  const isFile = !/^postgres(ql)?:\/\//.test(where)
  if (isFile && !existsSync(where)) throw new NotFoundError(`there is no history ${JSON.stringify(where)}`, { resource: where })
  const store = isFile ? await openDuckDbStore(where) : await openPostgresStore(where)
  return new GuardedHistory(store, rights, name, true)
}

/** Without which nothing is a run: by them its actions are found, and how long they took is known. */
const RUN_COLUMNS = ['id', 'start', 'end']

/** A history as a role may use it: see {@link openHistory}. What it may not is an AccessError. Each read, and each refusal, is in the audit. */
export class GuardedHistory {
  readonly #store: HistoryStore
  readonly #history: queries.History
  readonly #rights: Rights
  readonly #who: string
  readonly #owns: boolean

  /** @internal */
  constructor(store: HistoryStore, rights: Rights, who: string, owns: boolean) {
    this.#store = store
    this.#history = queries.historyOf(store)
    this.#rights = rights
    this.#who = who
    this.#owns = owns
  }

  get role(): string {
    return this.#rights.role
  }

  /** As {@link History.peaks}; of the role's one tenant, where it has one. So are the others. */
  peaks(options: queries.PeaksOptions = {}): Promise<queries.Peak[]> {
    return this.#ask('summaries', 'peaks', () => this.#history.peaks(this.#own(options)))
  }

  frequent(options: queries.FrequentOptions = {}): Promise<queries.Frequent[]> {
    return this.#ask('summaries', 'frequent', () => this.#history.frequent(this.#own(options)))
  }

  bottlenecks(options: queries.BottlenecksOptions = {}): Promise<queries.Bottleneck[]> {
    return this.#ask('summaries', 'bottlenecks', () => this.#history.bottlenecks(this.#own(options)))
  }

  usage(workflow: string, action?: string, options: queries.UsageOptions = {}): Promise<queries.UsageSummaries> {
    const ask = () => this.#history.usage(workflow, action, this.#own(options))
    return this.#ask('summaries', `usage ${workflow}`, ask)
  }

  quantiles(options: queries.QuantilesOptions = {}): Promise<queries.QuantileGroup[]> {
    const { hidden } = this.#rights
    return this.#ask(options?.exact === true ? 'exact' : 'summaries', 'quantiles', () => {
      optionsObject(options, 'options')
      optionsObject(options.where, 'where')
      if (options.by !== undefined && !Array.isArray(options.by)) throw refuse('by', 'an array', options.by)
      for (const dimension of options.by ?? []) this.#mustShow(dimension)
      for (const dimension in options.where ?? {}) this.#mustShow(dimension)
      const tenant = options.where?.tenant
      if (tenant !== undefined && hidden.has('tenant')) this.#mustShow('tenant')
      return this.#history.quantiles({ ...options, where: { ...options.where, ...this.#tenancy(tenant) } })
    })
  }

  /** As {@link History.predictions}: it looks at every prediction, so it is for who may see rows. */
  predictions(options: queries.PredictionsOptions = {}): Promise<queries.PredictionScores[]> {
    return this.#ask('exact', 'predictions', () => this.#history.predictions(this.#own(options)))
  }

  /** As {@link History.curves}: of single runs, so it is for who may see their rows. */
  curves(options: queries.CurvesOptions = {}): Promise<RunCurve[]> {
    return this.#ask('select', 'curves', () => {
      if (!this.#rights.tables.has('runs')) throw this.#refused('select', 'runs')
      this.#mustShow('curve')
      return this.#history.curves(this.#own(options))
    })
  }

  /** As {@link History.runs}, without what is hidden from the role; when a run began and ended, and its id, may not be. */
  runs(options: queries.RunsOptions = {}): Promise<PastRecord[]> {
    return this.#ask('select', 'runs', () => {
      for (const column of RUN_COLUMNS) this.#mustShow(column)
      return queries.askRuns((table, selection) => this.#rows(table, selection), this.#own(options))
    })
  }

  /** Rows of a table, without the columns that are hidden from the role. */
  select<T extends TableName>(table: T, selection: Selection<T> = {}): Promise<Partial<Row<T>>[]> {
    return this.#ask(table === 'audit' ? 'audit' : 'select', table, () => this.#rows(table, selection))
  }

  async #rows<T extends TableName>(table: T, selection: Selection<T>): Promise<Partial<Row<T>>[]> {
    const { tables, hidden, tenant } = this.#rights
    if (table !== 'audit' && !tables.has(table)) throw this.#refused('select', table)
    if (tenant !== undefined && !Object.hasOwn(TABLES[table].columns, 'tenant')) throw this.#refused('select', table)
    optionsObject(selection, 'selection')
    optionsObject(selection.where, 'where')
    for (const column in selection.where ?? {}) this.#mustShow(column)
    // What is no list the store refuses.
    if (Array.isArray(selection.present)) for (const column of selection.present) this.#mustShow(String(column))
    if (selection.input !== undefined) this.#mustShow('input')
    const own = tenant === undefined ? selection : { ...selection, where: { ...selection.where, tenant } }
    const rows = await this.#store.select(table, own as Selection<T>)
    return rows.map(row => without(row, hidden))
  }

  /** SQL that changes nothing, as {@link HistoryStore.sql}: who may see everything is in the audit all the same. It is refused to a role of one tenant, and to one that columns are hidden from. */
  sql(query: string, parameters?: readonly (string | number | boolean | null)[]): Promise<Record<string, unknown>[]> {
    const { hidden, tenant } = this.#rights
    return this.#ask('sql', query, () => {
      if (tenant !== undefined || hidden.size !== 0) throw this.#refused('sql', query)
      return this.#store.sql(query, parameters, { readOnly: true })
    })
  }

  prune(retention: Retention): Promise<RowCounts> {
    return this.#ask('prune', undefined, () => this.#store.prune(retention))
  }

  forget(whose: { readonly tenant: string }): Promise<RowCounts> {
    return this.#ask('forget', typeof whose?.tenant === 'string' ? whose.tenant : undefined, () => this.#store.forget(whose))
  }

  exportParquet(folder: string): Promise<RowCounts> {
    return this.#ask('export', folder, () => this.#store.exportParquet(folder))
  }

  importParquet(folder: string): Promise<RowCounts> {
    return this.#ask('import', folder, () => this.#store.importParquet(folder))
  }

  /** Writes the audit, and closes the store if this opened it. */
  async close(): Promise<void> {
    if (this.#owns) await this.#store.close()
    else await this.#store.flush()
  }

  /** The one door. What is refused or fails is in the audit too, before anybody hears of it. */
  async #ask<T>(action: AccessAction, subject: string | undefined, then: () => Promise<T> | T): Promise<T> {
    if (!this.#rights.may.has(action)) {
      this.#note(`refused ${action}`, subject, undefined)
      throw this.#refused(action, subject)
    }
    let answer: T
    try {
      answer = await then()
    } catch (error) {
      this.#note(error instanceof AccessError ? `refused ${action}` : `failed ${action}`, subject, undefined)
      throw error
    }
    this.#note(action, subject, Array.isArray(answer) ? answer.length : undefined)
    return answer
  }

  #note(action: string, subject: string | undefined, rows: number | undefined): void {
    const { role } = this.#rights
    this.#store.append('audit', [
      { time: Date.now(), who: this.#who, role, action, ...(subject !== undefined && { subject }), ...(rows !== undefined && { rows }) }
    ])
  }

  /** These options, of the role's tenant. */
  #own<T extends { readonly tenant?: string }>(options: T): T {
    optionsObject(options, 'options')
    return { ...options, ...this.#tenancy(options.tenant) }
  }

  #tenancy(asked: unknown): { tenant?: string } {
    const { tenant, hidden } = this.#rights
    if (asked !== undefined && asked !== tenant && (tenant !== undefined || hidden.has('tenant')))
      throw this.#refused('select', `tenant ${String(asked)}`)
    return tenant === undefined ? {} : { tenant }
  }

  #mustShow(column: string): void {
    if (this.#rights.hidden.has(column)) throw this.#refused('select', column)
  }

  #refused(action: string, subject: string | undefined): AccessError {
    const { role } = this.#rights
    const what = subject === undefined ? '' : ` (${subject.slice(0, 80)})`
    return new AccessError(`the role ${JSON.stringify(role)} may not ${action}${what} here`, { role, action, subject })
  }
}

function without<T extends object>(row: T, hidden: ReadonlySet<string>): Partial<T> {
  return Object.fromEntries(Object.entries(row).filter(([column]) => !hidden.has(column))) as Partial<T>
}
