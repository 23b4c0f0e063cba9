import { count, flag, onlyKnown, optionsObject, refuse, text } from '../checks.js'
import type { PastRecord } from '../workflow/record.js'
import { type RunCurve, runCurve } from './curve-rows.js'
import { pastRuns, type Select } from './past-runs.js'
import { METRICS } from './rollups.js'
import type { EstimateRow } from './rows.js'
import { checkQuantiles, quantilesOf } from './sketch.js'
import { type Dimension, type Group, type Grouping, type GroupNames, type HistoryStore, RESOLUTIONS, type Source } from './store.js'

const HOUR = 3_600_000
const MINUTE = 60_000
const TOP = 10
const CURVES = 100
const RUNS = 256
const QUANTILES = [0.5, 0.9, 0.95, 0.99]
/** The events that end a wait, one way or another. */
const ENDS_OF_WAITS = ['grant', 'refusal', 'abort']

/** Times in ms since the Unix epoch, `to` not included. Roll-ups answer, so both count to the second at best. */
export interface Span {
  readonly from?: number
  readonly to?: number
}

export interface PeaksOptions extends Span {
  /** what is looked at; default runs */
  readonly source?: Source
  /** what is summed up; default how many there were */
  readonly metric?: string
  readonly workflow?: string
  readonly tenant?: string
  /** length of the intervals in ms, a multiple of 1,000; default a minute */
  readonly every?: number
  /** how many; default 10 */
  readonly top?: number
}

export interface Peak {
  /** the interval's begin */
  readonly time: number
  readonly value: number
  /** the value over that of the mean interval, from the first to the last one that had any */
  readonly ratio: number
}

export interface FrequentOptions extends Span {
  /** actions of workflows, in place of workflows */
  readonly actions?: boolean
  readonly tenant?: string
  readonly top?: number
}

export interface Frequent {
  readonly workflow: string
  readonly action?: string
  /** that ended in the span */
  readonly count: number
  /** of all that did */
  readonly share: number
  readonly outcomes: Readonly<Record<string, number>>
  /** ms */
  readonly wall: Summary
}

export interface BottlenecksOptions extends Span {
  readonly tenant?: string
  readonly top?: number
}

export interface Bottleneck {
  readonly kind: string
  readonly element: string
  /** ms that requests waited for it, granted or not, and what share that is of all waiting */
  readonly waited: number
  readonly share: number
  readonly requests: number
  /** of these, those that were refused or aborted */
  readonly unserved: number
  /** of one request, ms */
  readonly wait: Summary
  /** of one grant, ms; absent where none was recorded */
  readonly hold?: Summary
  /** whose requests waited, the longest first, at most 3 */
  readonly workflows: readonly { readonly workflow: string | undefined; readonly waited: number }[]
}

export interface UsageOptions extends Span {
  readonly tenant?: string
  readonly outcome?: string
}

/** Of one metric: quantiles within 1 %, the rest exact. */
export interface Summary {
  readonly count: number
  readonly total: number
  readonly mean: number
  readonly low: number
  readonly p50: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  readonly high: number
}

/** By metric; one that was never measured is absent. */
export type UsageSummaries = Readonly<Record<string, Summary>>

export interface QuantilesOptions extends Span {
  readonly source?: Source
  readonly metric?: string
  readonly where?: Grouping['where']
  /** default by workflow */
  readonly by?: readonly Dimension[]
  /** ms, a multiple of 1,000; default an hour */
  readonly every?: number
  /** default 0.5, 0.9, 0.95 and 0.99 */
  readonly quantiles?: readonly number[]
  /** of the raw rows, for as long as they are kept, instead of within 1 % of the roll-ups */
  readonly exact?: boolean
}

export interface QuantileGroup extends GroupNames {
  /** in the order that was asked for */
  readonly quantiles: readonly number[]
  /** by what: roll-ups, within 1 % and by whole intervals, or every row, exactly */
  readonly answered: 'rollups' | 'rows'
}

export interface PredictionsOptions extends Span {
  /** contention or wait, of shadow requests; course or remaining, of running workflows; collision, remedy:KIND or control:KIND, of remedies; or whatever was appended */
  readonly kind?: string
  /** `kind:element` of a shadow request; the name of a workflow */
  readonly subject?: string
  /** of its runs only */
  readonly workflow?: string
  readonly tenant?: string
}

export interface CurvesOptions extends Span {
  readonly workflow?: string
  readonly outcome?: string
  readonly tenant?: string
  /** the last so many; default 100 */
  readonly limit?: number
}

export interface RunsOptions extends Span {
  readonly workflow?: string
  readonly type?: string
  readonly outcome?: string
  readonly tenant?: string
  /** the last so many; default 256 */
  readonly limit?: number
}

/** How good predictions of one kind about one subject were. */
export interface PredictionScores {
  readonly kind: string
  readonly subject: string
  readonly tier?: string
  /** of whose runs they were */
  readonly workflow?: string
  /** in the span, and how many of them have met their truth */
  readonly made: number
  readonly known: number
  /**
   * mean of the scores, 0 at best: of `contention` and `course` the squared error (Brier), of `wait` and `remaining` the mean pinball loss of the
   * quantiles in ms; absent: none is known
   */
  readonly score?: number
  /** coverage: the share of the truths within what was predicted as low and high, which is to be 0.9 of `remaining`; absent where nothing was */
  readonly within?: number
}

/** Questions to a history. Each definition is in docs/guides/history.md. */
export interface History {
  readonly store: HistoryStore
  /** The intervals of highest load, highest first. */
  peaks(options?: PeaksOptions): Promise<Peak[]>
  /** What ran most often. */
  frequent(options?: FrequentOptions): Promise<Frequent[]>
  /** What was waited for longest, all requests together. */
  bottlenecks(options?: BottlenecksOptions): Promise<Bottleneck[]>
  /** What a workflow, or one of its actions, uses. */
  usage(workflow: string, action?: string, options?: UsageOptions): Promise<UsageSummaries>
  /** Quantiles of one metric, by default by workflow and hour. */
  quantiles(options?: QuantilesOptions): Promise<QuantileGroup[]>
  /** How good predictions made in the span were, by kind, subject, tier and workflow: the most often made first. */
  predictions(options?: PredictionsOptions): Promise<PredictionScores[]>
  /** The last runs with their actions, in the order in which they ended, as {@link Workflow.teach} takes them: of the raw rows, for as long as they are kept. */
  runs(options?: RunsOptions): Promise<PastRecord[]>
  /** What runs that were sampled used over their time, those that ended last first: of the raw rows, for as long as they are kept. */
  curves(options?: CurvesOptions): Promise<RunCurve[]>
}

/** The questions, to a store of any kind. */
export function historyOf(store: HistoryStore): History {
  return new StoreHistory(store)
}

class StoreHistory implements History {
  readonly store: HistoryStore

  constructor(store: HistoryStore) {
    this.store = store
  }

  async peaks(options: PeaksOptions = {}): Promise<Peak[]> {
    known(options, ['source', 'metric', 'workflow', 'tenant', 'every', 'top', 'from', 'to'], 'peaks')
    const { source = 'runs', metric, workflow, tenant, every = MINUTE, top = TOP, from, to } = options
    count(top, 'top', 1, Number.MAX_SAFE_INTEGER)
    const asked = metric ?? everyRow(source)
    mustHave(source, asked)
    const groups = await this.store.grouped({ source, metric: asked, every, ...span(from, to), where: { workflow, tenant } })
    const intervals = groups.map(group => ({ time: group.time as number, value: metric === undefined ? group.count : group.sum }))
    const times = intervals.map(({ time }) => time)
    const total = intervals.reduce((sum, { value }) => sum + value, 0)
    const mean = total / ((max(times) - min(times)) / every + 1)
    return intervals
      .map(interval => ({ ...interval, ratio: mean === 0 ? 0 : interval.value / mean }))
      .sort((a, b) => b.value - a.value || a.time - b.time)
      .slice(0, top)
  }

  async frequent(options: FrequentOptions = {}): Promise<Frequent[]> {
    known(options, ['actions', 'tenant', 'top', 'from', 'to'], 'frequent')
    const { actions = false, tenant, top = TOP, from, to } = options
    count(top, 'top', 1, Number.MAX_SAFE_INTEGER)
    const source = actions ? 'actions' : 'runs'
    const groups = await this.store.grouped({
      source,
      metric: 'wall',
      ...span(from, to),
      where: { tenant },
      by: ['workflow', 'subject', 'outcome']
    })
    const all = groups.reduce((sum, group) => sum + group.count, 0)
    return [...gather(groups, ({ workflow, subject }) => JSON.stringify([workflow, subject])).values()]
      .map(parts => ({
        workflow: parts[0].workflow as string,
        ...(actions ? { action: parts[0].subject as string } : {}),
        count: total(parts, 'count'),
        share: total(parts, 'count') / all,
        outcomes: Object.fromEntries(parts.map(({ outcome, count }) => [outcome as string, count])),
        wall: summary(parts)
      }))
      .sort((a, b) => b.count - a.count || (a.workflow < b.workflow ? -1 : 1))
      .slice(0, top)
  }

  async bottlenecks(options: BottlenecksOptions = {}): Promise<Bottleneck[]> {
    known(options, ['tenant', 'top', 'from', 'to'], 'bottlenecks')
    const { tenant, top = TOP, from, to } = options
    count(top, 'top', 1, Number.MAX_SAFE_INTEGER)
    const asked = { source: 'events', ...span(from, to) } as const
    const waits = await this.store.grouped({
      ...asked,
      metric: 'waited',
      where: { tenant, outcome: ENDS_OF_WAITS },
      by: ['subject', 'workflow', 'outcome']
    })
    const holds = gather(await this.store.grouped({ ...asked, metric: 'held', where: { tenant }, by: ['subject'] }), group => group.subject)
    const all = total(waits, 'sum')
    return [...gather(waits, ({ subject }) => subject)]
      .map(([subject, parts]) => bottleneck(subject as string, parts, holds.get(subject), all))
      .sort((a, b) => b.waited - a.waited || (a.element < b.element ? -1 : 1))
      .slice(0, top)
  }

  async usage(workflow: string, action?: string, options: UsageOptions = {}): Promise<UsageSummaries> {
    text(workflow, 'workflow')
    if (action !== undefined) text(action, 'action')
    known(options, ['tenant', 'outcome', 'from', 'to'], 'usage')
    const { tenant, outcome, from, to } = options
    const source = action === undefined ? 'runs' : 'actions'
    const where = { workflow, subject: action, tenant, outcome }
    const usage: Record<string, Summary> = {}
    for (const metric of METRICS[source]) {
      const groups = await this.store.grouped({ source, metric, ...span(from, to), where })
      if (groups.length > 0) usage[metric] = summary(groups)
    }
    return usage
  }

  async quantiles(options: QuantilesOptions = {}): Promise<QuantileGroup[]> {
    known(options, ['source', 'metric', 'where', 'by', 'every', 'quantiles', 'exact', 'from', 'to'], 'quantiles')
    const {
      source = 'runs',
      metric = everyRow(source),
      where,
      by = ['workflow'],
      every = HOUR,
      quantiles = QUANTILES,
      exact = false,
      from,
      to
    } = options
    mustHave(source, metric)
    checkQuantiles(quantiles)
    if (flag(exact, 'exact')) {
      const groups = await this.store.exact({ source, metric, from, to, where, by, every }, quantiles)
      return inOrder(groups.map(group => ({ ...group, answered: 'rows' })))
    }
    const groups = await this.store.grouped({ source, metric, ...span(from, to), where, by, every })
    return inOrder(
      groups.map(({ buckets, sum, low, high, ...group }) => ({
        ...group,
        quantiles: quantilesOf(new Map(buckets), quantiles, low, high),
        answered: 'rollups'
      }))
    )
  }

  async predictions(options: PredictionsOptions = {}): Promise<PredictionScores[]> {
    known(options, ['kind', 'subject', 'workflow', 'tenant', 'from', 'to'], 'predictions')
    const { kind, subject, workflow, tenant, from, to } = options
    const rows = await this.store.select('estimates', { from, to, where: given({ kind, subject, workflow, tenant }) })
    return [...gather(latest(rows), row => JSON.stringify([row.kind, row.subject, row.tier, row.workflow])).values()]
      .map(scores)
      .sort((a, b) => b.made - a.made || (a.subject < b.subject ? -1 : 1))
  }

  runs(options: RunsOptions = {}): Promise<PastRecord[]> {
    return askRuns((table, selection) => this.store.select(table, selection), options)
  }

  async curves(options: CurvesOptions = {}): Promise<RunCurve[]> {
    known(options, ['workflow', 'outcome', 'tenant', 'limit', 'from', 'to'], 'curves')
    const { workflow, outcome, tenant, limit = CURVES, from, to } = options
    count(limit, 'limit', 0, Number.MAX_SAFE_INTEGER)
    const where = given({ workflow, outcome, tenant })
    return (await this.store.select('runs', { from, to, where, present: ['curve'], order: 'desc', limit })).flatMap(runCurve)
  }
}

/** See {@link History.runs}. @internal */
export async function askRuns(select: Select, options: RunsOptions): Promise<PastRecord[]> {
  known(options, ['workflow', 'type', 'outcome', 'tenant', 'limit', 'from', 'to'], 'runs')
  const { workflow, type, outcome, tenant, limit = RUNS, from, to } = options
  count(limit, 'limit', 0, Number.MAX_SAFE_INTEGER)
  return pastRuns(select, { from, to, where: given({ workflow, type, outcome, tenant }), limit })
}

/** What was said of what is asked for. */
function given<T extends object>(where: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(where).filter(([, value]) => value !== undefined)) as never
}

/** As it was made, and again when its truth was known: the later row has all of the earlier one. */
function latest(rows: readonly EstimateRow[]): EstimateRow[] {
  const byId = new Map<string, EstimateRow>()
  for (const row of rows) if (row.truth !== undefined || !byId.has(row.id)) byId.set(row.id, row)
  return [...byId.values()]
}

function scores(rows: readonly EstimateRow[]): PredictionScores {
  const [{ kind, subject, tier, workflow }] = rows
  const known = rows.filter(({ truth }) => truth !== undefined)
  const scored = known.flatMap(({ score }) => (score === undefined ? [] : [score]))
  const bounded = known.filter(({ low, high }) => low !== undefined && high !== undefined)
  const inside = bounded.filter(({ low, high, truth }) => (truth as number) >= (low as number) && (truth as number) <= (high as number))
  return {
    kind,
    subject,
    ...(tier !== undefined && { tier }),
    ...(workflow !== undefined && { workflow }),
    made: rows.length,
    known: known.length,
    ...(scored.length > 0 && { score: scored.reduce((sum, score) => sum + score, 0) / scored.length }),
    ...(bounded.length > 0 && { within: inside.length / bounded.length })
  }
}

function bottleneck(subject: string, parts: readonly Group[], holds: readonly Group[] | undefined, all: number): Bottleneck {
  const at = subject.indexOf(':')
  const waited = total(parts, 'sum')
  const workflows = [...gather(parts, ({ workflow }) => workflow)].map(([workflow, of]) => ({ workflow, waited: total(of, 'sum') }))
  return {
    kind: subject.slice(0, at),
    element: subject.slice(at + 1),
    waited,
    share: all === 0 ? 0 : waited / all,
    requests: total(parts, 'count'),
    unserved: total(
      parts.filter(({ outcome }) => outcome !== 'grant'),
      'count'
    ),
    wait: summary(parts),
    ...(holds === undefined ? {} : { hold: summary(holds) }),
    workflows: workflows.sort((a, b) => b.waited - a.waited).slice(0, 3)
  }
}

/** Roll-ups know whole seconds. */
function span(from: number | undefined, to: number | undefined): Span {
  const [second] = RESOLUTIONS
  return {
    ...(from === undefined ? {} : { from: Math.floor(from / second) * second }),
    ...(to === undefined ? {} : { to: Math.ceil(to / second) * second })
  }
}

/** A metric that every row of it has, so that its count is that of rows. */
function everyRow(source: Source): string {
  return source === 'runs' || source === 'actions' ? 'wall' : source === 'events' ? 'waited' : 'cpu'
}

function mustHave(source: Source, metric: string): void {
  if (!Object.hasOwn(METRICS, source)) throw refuse('source', `one of ${Object.keys(METRICS).join(', ')}`, source)
  if (!METRICS[source].includes(metric)) throw refuse('metric', `one of ${METRICS[source].join(', ')}`, metric)
}

function known(options: object, names: readonly string[], what: string): void {
  onlyKnown(optionsObject(options, 'options') ?? {}, names, what)
}

function gather<T, K>(groups: readonly T[], keyOf: (group: T) => K): Map<K, T[]> {
  const gathered = new Map<K, T[]>()
  for (const group of groups) {
    const key = keyOf(group)
    const known = gathered.get(key)
    if (known === undefined) gathered.set(key, [group])
    else known.push(group)
  }
  return gathered
}

function total(groups: readonly Group[], what: 'count' | 'sum'): number {
  return groups.reduce((sum, group) => sum + group[what], 0)
}

function summary(groups: readonly Group[]): Summary {
  const buckets = new Map<number, number>()
  for (const group of groups) for (const [bucket, count] of group.buckets) buckets.set(bucket, (buckets.get(bucket) ?? 0) + count)
  const low = min(groups.map(group => group.low))
  const high = max(groups.map(group => group.high))
  const [p50, p90, p95, p99] = quantilesOf(buckets, QUANTILES, low, high)
  const [count, sum] = [total(groups, 'count'), total(groups, 'sum')]
  return { count, total: sum, mean: sum / count, low, p50, p90, p95, p99, high }
}

const min = (values: readonly number[]) => values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
const max = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)

function inOrder(groups: QuantileGroup[]): QuantileGroup[] {
  const name = ({ workflow = '', subject = '', outcome = '', tenant = '' }: QuantileGroup) =>
    JSON.stringify([workflow, subject, outcome, tenant])
  return groups.sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : (a.time ?? 0) - (b.time ?? 0)))
}
