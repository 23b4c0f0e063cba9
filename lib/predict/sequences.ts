import { count, objects, optionsOf, refuse, text } from '../checks.js'
import { CorruptError } from '../errors/index.js'
import { type LagQuantiles, Lags } from './lags.js'
import { isObject, sealValue, unsealValue } from './saved.js'

export interface SequencesOptions {
  /** of how many last steps the next one may depend; default 12 */
  order?: number | undefined
  /** contexts that are kept at most; of more, those seen most; default 65,536 */
  contexts?: number | undefined
  /** different items that are known at most; of more, those seen most; default 4,096 */
  items?: number | undefined
  /** runs that are followed at once; of more, those that went on last; default 4,096 */
  runs?: number | undefined
}

/** Something that happened in a run: a span of a trace, an action of a workflow. */
export interface Step {
  readonly run: string
  readonly item: string
  /** ms; those of one run are in order */
  readonly time: number
}

/** What may come next. */
export interface Next {
  readonly item: string
  readonly probability: number
  /** after the step before it, of the times that it followed this one; undefined: it never did */
  readonly lag: LagQuantiles | undefined
}

interface Context {
  readonly hash: number
  readonly order: number
  total: number
  readonly followers: Map<number, number>
}

interface Run {
  /** ids, the latest first, and {@link START} behind the first one */
  readonly recent: number[]
  time: number
}

const ORDER = 12
const ORDER_MAX = 32
const CONTEXTS = 65_536
const CONTEXTS_MAX = 10_000_000
const ITEMS = 4_096
const ITEMS_MAX = 1_000_000
const RUNS = 4_096
const RUNS_MAX = 1_000_000
/** Items that may follow a context. */
const FOLLOWERS = 64
/** Steps behind a context at which half is forgotten, so that what is new counts. */
const FULL = 1_024
/** Of how many places the least used is given up. */
const SAMPLED = 8
const START = 0
/** Hash of the context of no steps. */
const ROOT = 0
const MAGIC = 'forelock sequences 1\n'
/** Counts of counts: of followers seen once to four times. */
const TALLIES = 4
/** Discounts of counts one, two, and three or more, before there is anything to learn them from. */
const DISCOUNTS = [0.5, 0.75, 0.9]
/** Followers seen once, from which on the discounts are learnt. */
const LEARNT_FROM = 20

/**
 * What comes next in a run, from its last steps: an interpolated model of orders 0 to `order` with modified Kneser-Ney smoothing (Chen and
 * Goodman, Computer Speech and Language 13(4), 1999). Its discounts come from what it has seen, and a shorter context counts only what was
 * new to the longer one, so that there is nothing to tune. Learnt online; memory is bounded, old steps fade.
 */
export class Sequences {
  private readonly order: number
  private readonly most: { contexts: number; items: number; runs: number }
  private ids = new Map<string, number>()
  private names = new Map<number, { name: string; seen: number }>()
  private contexts = new Map<number, Context>()
  private places: Context[] = []
  /** by order */
  private tallies: number[][]
  /** between two steps that followed each other */
  private lags = new Map<number, Lags>()
  private readonly runs = new Map<string, Run>()
  private nextId = START + 1
  private state = 1

  /** @throws ArgumentError */
  constructor(options?: SequencesOptions) {
    const {
      order = ORDER,
      contexts = CONTEXTS,
      items = ITEMS,
      runs = RUNS
    } = optionsOf(options, ['order', 'contexts', 'items', 'runs'], 'Sequences')
    this.order = count(order, 'order', 1, ORDER_MAX)
    this.most = {
      contexts: count(contexts, 'contexts', 1, CONTEXTS_MAX),
      items: count(items, 'items', 1, ITEMS_MAX),
      runs: count(runs, 'runs', 1, RUNS_MAX)
    }
    this.tallies = this.untold()
  }

  /** Contexts that are kept. */
  get size(): number {
    return this.contexts.size
  }

  /**
   * Takes what happened.
   *
   * @throws ArgumentError, and what came before is taken
   */
  record(steps: Iterable<Step>): void {
    for (const { run, item, time } of objects(steps, 'steps')) {
      text(run, 'run')
      text(item, 'item')
      if (typeof time !== 'number' || !Number.isFinite(time)) throw refuse('time', 'a number of milliseconds', time)
      this.take(run, this.idOf(item), time)
    }
  }

  /** A run is over: what has its name from now on is another one. */
  end(run: string): void {
    this.runs.delete(text(run, 'run'))
  }

  /**
   * What may come next, the likeliest first.
   *
   * @param context the last steps of a run, oldest first; as many as its whole, or at least the order
   * @param most how many are told
   * @param whole whether the context is all of the run, from its beginning; default: it is shorter than the order
   * @throws ArgumentError
   */
  next(context: readonly string[], most: number, whole?: boolean): Next[] {
    if (!Array.isArray(context)) throw refuse('context', 'an array of strings', context)
    const recent = context.map(item => this.ids.get(text(item, 'context')) ?? -1).reverse()
    if (whole ?? context.length < this.order) recent.push(START)
    return this.likeliest(recent.slice(0, this.order), count(most, 'most', 0, ITEMS_MAX))
  }

  /**
   * What may come next in a run of which steps were recorded; of an unknown one, what begins runs.
   *
   * @throws ArgumentError
   */
  nextOf(run: string, most: number): Next[] {
    return this.likeliest(this.runs.get(text(run, 'run'))?.recent ?? [START], count(most, 'most', 0, ITEMS_MAX))
  }

  /** What was learnt; the runs that are under way are not part of it. */
  save(): Uint8Array {
    const model = {
      order: this.order,
      nextId: this.nextId,
      items: [...this.names].map(([id, { name, seen }]) => [id, name, seen]),
      contexts: this.places.map(({ hash, order, followers }) => [hash, order, [...followers].flat()]),
      lags: [...this.lags]
    }
    return sealValue(MAGIC, model)
  }

  /**
   * Goes on from what was saved, in place of what it knows, with its own bounds.
   *
   * @throws CorruptError if it is not what `save()` gave, or of another order, and nothing has changed
   */
  load(saved: Uint8Array): void {
    const read = unsealValue(MAGIC, saved)
    if (!isSaved(read) || read.order !== this.order) {
      throw new CorruptError('the saved sequences are damaged, or of another version or order', {})
    }
    this.nextId = read.nextId
    this.names = new Map(read.items.slice(0, this.most.items).map(([id, name, seen]) => [id, { name, seen }]))
    this.ids = new Map([...this.names].map(([id, { name }]) => [name, id]))
    this.lags = new Map(read.lags.slice(0, this.most.contexts).map(([pair, bins]) => [pair, new Lags(bins)]))
    this.places = read.contexts.slice(0, this.most.contexts).map(([hash, order, flat]) => {
      const followers = new Map<number, number>()
      for (let i = 0; i + 1 < flat.length; i += 2) followers.set(flat[i] as number, flat[i + 1] as number)
      return { hash, order, followers, total: [...followers.values()].reduce((sum, each) => sum + each, 0) }
    })
    this.contexts = new Map(this.places.map(context => [context.hash, context]))
    this.tallies = this.untold()
    for (const context of this.places) for (const seen of context.followers.values()) this.tally(context.order, seen, 1)
    this.runs.clear()
  }

  private untold(): number[][] {
    return Array.from({ length: this.order + 1 }, () => new Array<number>(TALLIES + 1).fill(0))
  }

  private take(name: string, id: number, time: number): void {
    const run = this.runs.get(name) ?? { recent: [START], time }
    this.learn(run.recent, id)
    const before = run.recent[0] as number
    if (before !== START) this.between(before, id).add(time - run.time)
    run.recent.unshift(id)
    if (run.recent.length > this.order) run.recent.pop()
    run.time = time
    // The last of a map are those that went on last.
    this.runs.delete(name)
    this.runs.set(name, run)
    if (this.runs.size > this.most.runs) this.runs.delete(this.runs.keys().next().value as string)
  }

  /** From the longest context down to the first that knew it. */
  private learn(recent: readonly number[], id: number): void {
    const hashes = hashesOf(recent)
    for (let order = hashes.length - 1; order >= 0; order--) {
      const context = this.contexts.get(hashes[order] as number) ?? this.make(hashes[order] as number, order)
      const seen = context.followers.get(id) ?? 0
      if (seen === 0 && context.followers.size >= FOLLOWERS && order > 0) this.thin(context)
      context.followers.set(id, seen + 1)
      context.total++
      if (seen > 0) this.tally(order, seen, -1)
      this.tally(order, seen + 1, 1)
      if (context.total >= FULL && order > 0) this.thin(context)
      if (seen > 0) return
    }
  }

  private tally(order: number, seen: number, by: number): void {
    const of = this.tallies[order] as number[]
    if (seen <= TALLIES) of[seen] = (of[seen] as number) + by
  }

  /** Half of the counts are forgotten. */
  private thin(context: Context): void {
    context.total = 0
    for (const [id, seen] of context.followers) {
      this.tally(context.order, seen, -1)
      const left = seen >> 1
      if (left === 0) {
        context.followers.delete(id)
        continue
      }
      context.followers.set(id, left)
      context.total += left
      this.tally(context.order, left, 1)
    }
  }

  private make(hash: number, order: number): Context {
    const made = { hash, order, total: 0, followers: new Map<number, number>() }
    this.contexts.set(hash, made)
    if (this.places.length < this.most.contexts) {
      this.places.push(made)
      return made
    }
    // Of some, the one seen least: near to space-saving (Metwally et al., ICDT 2005) without its lists.
    let least = this.drawn(this.places.length)
    for (let i = 1; i < SAMPLED; i++) {
      const other = this.drawn(this.places.length)
      if ((this.places[other] as Context).total < (this.places[least] as Context).total) least = other
    }
    const gone = this.places[least] as Context
    for (const seen of gone.followers.values()) this.tally(gone.order, seen, -1)
    this.contexts.delete(gone.hash)
    this.places[least] = made
    return made
  }

  private idOf(item: string): number {
    const known = this.ids.get(item)
    if (known !== undefined) {
      const entry = this.names.get(known) as { seen: number }
      entry.seen++
      return known
    }
    if (this.ids.size >= this.most.items) this.forget()
    const id = this.nextId++
    this.ids.set(item, id)
    this.names.set(id, { name: item, seen: 1 })
    return id
  }

  /** Of the items that are longest there, the one seen least; the others count as new, with half of what they were seen. */
  private forget(): void {
    const oldest: [id: number, entry: { name: string; seen: number }][] = []
    for (const one of this.names) if (oldest.push(one) === SAMPLED) break
    oldest.sort(([, a], [, b]) => a.seen - b.seen)
    for (const [id, { name, seen }] of oldest.splice(1)) {
      this.names.delete(id)
      this.names.set(id, { name, seen: seen >> 1 })
    }
    const [gone, { name }] = oldest[0] as [number, { name: string }]
    this.names.delete(gone)
    this.ids.delete(name)
    // Elsewhere it fades; here nothing would push it out.
    const root = this.contexts.get(ROOT)
    const seen = root?.followers.get(gone)
    if (root === undefined || seen === undefined) return
    root.followers.delete(gone)
    root.total -= seen
    this.tally(root.order, seen, -1)
  }

  private between(from: number, to: number): Lags {
    const pair = paired(from, to)
    const known = this.lags.get(pair)
    if (known !== undefined) return known
    if (this.lags.size >= this.most.contexts) this.lags.delete(this.lags.keys().next().value as number)
    const made = new Lags()
    this.lags.set(pair, made)
    return made
  }

  private likeliest(recent: readonly number[], most: number): Next[] {
    const hashes = hashesOf(recent)
    const found = new Map<number, number>()
    for (let order = hashes.length - 1; order >= 0 && found.size < most; order--) {
      this.commonest(this.contexts.get(hashes[order] as number), most, found)
    }
    for (const [order, hash] of hashes.entries()) this.refine(order, this.contexts.get(hash), found)
    const best = [...found].sort(([, a], [, b]) => b - a).slice(0, most)
    return best.map(([id, probability]) => ({
      item: this.names.get(id)?.name as string,
      probability,
      lag: this.lags.get(paired(recent[0] as number, id))?.quantiles()
    }))
  }

  /** The followers seen most, each with the chance of an item of which nothing is known. */
  private commonest(context: Context | undefined, most: number, found: Map<number, number>): void {
    if (context === undefined) return
    const known = [...context.followers].filter(([id]) => this.names.has(id))
    if (known.length > most) known.sort(([, a], [, b]) => b - a)
    for (const [id] of known.slice(0, most)) found.set(id, 1 / this.names.size)
  }

  /** Takes what an order says together with what the shorter ones said. */
  private refine(order: number, context: Context | undefined, found: Map<number, number>): void {
    if (context === undefined || context.total === 0) return
    const discounts = this.discounts(order)
    let kept = 0
    for (const seen of context.followers.values()) kept += discounts[Math.min(seen, discounts.length) - 1] as number
    for (const [id, shorter] of found) {
      const seen = context.followers.get(id) ?? 0
      const own = seen === 0 ? 0 : seen - (discounts[Math.min(seen, discounts.length) - 1] as number)
      found.set(id, (own + kept * shorter) / context.total)
    }
  }

  private discounts(order: number): readonly number[] {
    const [, once, twice, thrice, four] = this.tallies[order] as [number, number, number, number, number]
    if (once < LEARNT_FROM || twice === 0 || thrice === 0) return DISCOUNTS
    const base = once / (once + 2 * twice)
    const discount = (at: number, seen: number, more: number) => Math.min(at - 0.01, Math.max(0.01, at - (at + 1) * base * (more / seen)))
    return [discount(1, once, twice), discount(2, twice, thrice), discount(3, thrice, four)]
  }

  private drawn(below: number): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.state / 2 ** 32) * below)
  }
}

interface Saved {
  order: number
  nextId: number
  items: [number, string, number][]
  contexts: [number, number, number[]][]
  lags: [number, number[]][]
}

function isSaved(value: unknown): value is Saved {
  if (!isObject(value)) return false
  const { order, nextId, items, contexts, lags } = value
  const isList = (list: unknown, of: (one: unknown[]) => boolean) =>
    Array.isArray(list) && list.every((one: unknown) => Array.isArray(one) && of(one))
  const isCount = (number: unknown) => Number.isSafeInteger(number) && (number as number) >= 0
  const isOrder = (number: unknown) => isCount(number) && (number as number) <= (order as number)
  return (
    isCount(order) &&
    isCount(nextId) &&
    isList(items, ([id, name, seen]) => isCount(id) && typeof name === 'string' && isCount(seen)) &&
    isList(contexts, ([hash, of, flat]) => isCount(hash) && isOrder(of) && Array.isArray(flat) && flat.every(isCount)) &&
    isList(lags, ([pair, bins]) => isCount(pair) && Array.isArray(bins) && bins.every(isCount))
  )
}

/** Of contexts of no, one, two ... steps: numbers of 53 bits. */
function hashesOf(recent: readonly number[]): number[] {
  const hashes = [ROOT]
  let [high, low] = [0x9e3779b9, 0x85ebca6b]
  for (const id of recent) {
    high = Math.imul(high ^ (id + 0x7f4a7c15), 0xc2b2ae35)
    high ^= high >>> 15
    low = Math.imul(low ^ (id + 0x165667b1), 0x27d4eb2f) + high
    low ^= low >>> 13
    hashes.push((high >>> 0) * 2 ** 21 + (low >>> 11))
  }
  return hashes
}

function paired(from: number, to: number): number {
  return from * 2 ** 26 + to
}
