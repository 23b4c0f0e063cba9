import { createHash } from 'node:crypto'
import { count, entry, onlyKnown, optionsObject, refuse } from '../checks.js'
import { ArgumentError, CorruptError } from '../errors/index.js'
import { Fields, readInput, type UsageInput } from './usage-input.js'
import { type Bounds, Quantity, type SavedQuantity, type UsagePrediction } from './usage-quantity.js'
import { type SavedRate, UNDER, UnderRate } from './usage-rate.js'

export interface UsageModelOptions {
  /** the part of the requests that too little may be allocated to, from 0.001 to 0.2; default 0.015 */
  under?: number | undefined
  /** kinds of requests (workflow and action) that are kept at most; of more, those asked about or told of last; default 1,024, of some 25 kB a resource */
  kinds?: number | undefined
  /** names of what requests take; default cpu (millicores), memory (bytes), disk, network (bytes/s), storage (bytes), duration (ms) */
  resources?: readonly string[] | undefined
}

/** A request that is to come, or came. */
export interface UsageRequest {
  readonly workflow: string
  /** one of its actions; undefined: the whole */
  readonly action?: string | undefined
  /** its parameters; default none */
  readonly input?: UsageInput | undefined
}

/** What a request took, by resource. NaN and what is absent were not measured. */
export type UsageAmounts = Readonly<Record<string, number | undefined>>

/** What is known of a resource beforehand: what is expected, and bounds that no prediction leaves. */
export type DeclaredAmount =
  | number
  | { readonly expected?: number | undefined; readonly least?: number | undefined; readonly most?: number | undefined }

const RESOURCES: readonly string[] = ['cpu', 'memory', 'disk', 'network', 'storage', 'duration']
const RESOURCES_MAX = 16
const KINDS = 1024
const KINDS_MAX = 1_000_000
const UNDER_LEAST = 0.001
const UNDER_MOST = 0.2
const COVERAGE = 0.9
const OPTIONS = ['under', 'kinds', 'resources'] as const
const REQUEST = ['workflow', 'action', 'input'] as const
const BOUNDS = ['expected', 'least', 'most'] as const
/** What a saved model begins with. */
const MAGIC = 'forelock usage 1\n'
const DIGEST_BYTES = 32

interface Kind {
  readonly workflow: string
  readonly action: string | undefined
  readonly fields: Fields
  readonly quantities: Map<string, Quantity>
  declared: ReadonlyMap<string, Bounds>
}

interface Saved {
  resources: string[]
  rates: [string, SavedRate][]
  kinds: {
    workflow: string
    action: string | null
    fields: [string[], string[]]
    quantities: [string, SavedQuantity][]
    declared: [string, Bounds][]
  }[]
}

/**
 * What a request will take, from its input, learnt from those that came before: by workflow and action, and by resource.
 *
 * Several models answer at once: the mean and the greatest of the last 128, the mean of the last 8, linear (ridge) regression on the plain and on the
 * log scale, the mean and the greatest of the nearest requests. Each is tried on every request before it learns from it; what is allocated is their
 * mean, each raised by the quantiles of its own errors, and weighted by how little it would have wasted. The rate of allocating
 * too little is kept over all requests together: {@link UnderRate}. Predicting costs some 3 us a resource, learning 10 to 40.
 */
export class UsageModel {
  private readonly under: number
  private readonly most: number
  private readonly resources: readonly string[]
  private rates: Map<string, UnderRate>
  /** by workflow and action, the one used last at the end */
  private kinds = new Map<string, Kind>()

  /** @throws ArgumentError */
  constructor(options: UsageModelOptions = {}) {
    onlyKnown(optionsObject(options, 'options') ?? {}, OPTIONS, 'options')
    const { under = UNDER, kinds = KINDS, resources = RESOURCES } = options
    if (typeof under !== 'number' || !(under >= UNDER_LEAST && under <= UNDER_MOST)) {
      throw refuse('under', `a number from ${UNDER_LEAST} to ${UNDER_MOST}`, under)
    }
    this.under = under
    this.most = count(kinds, 'kinds', 1, KINDS_MAX)
    this.resources = readResources(resources)
    this.rates = this.newRates()
  }

  /** Kinds of requests that something is known of. */
  get size(): number {
    return this.kinds.size
  }

  /**
   * Says what requests of a kind take before any has come. It stands for what is expected until there are five, and no prediction ever leaves its bounds.
   *
   * @throws ArgumentError
   */
  declare(request: UsageRequest, amounts: Readonly<Record<string, DeclaredAmount | undefined>>): void {
    const { workflow, action } = readRequest(request)
    const given = optionsObject(amounts, 'amounts') ?? {}
    onlyKnown(given, this.resources, 'amounts')
    const declared = new Map<string, Bounds>()
    for (const name of this.resources) {
      const value = entry(given, name)
      if (value !== undefined) declared.set(name, readBounds(value, `amounts.${name}`))
    }
    this.kindOf(workflow, action).declared = declared
  }

  /**
   * Takes what a request took, when it is over.
   *
   * @param said what was predicted of it; without it that is judged which would be said now, and where many requests are under way that is too kind
   * @throws ArgumentError, and nothing has changed
   */
  learn(request: UsageRequest, took: UsageAmounts, said: Readonly<Record<string, UsagePrediction>> = {}): void {
    const { workflow, action, input } = readRequest(request)
    const amounts = this.readAmounts(took)
    const allocated = new Map(amounts.map(([name]) => [name, readAllocated(said, name)]))
    const { fields, quantities, declared } = this.kindOf(workflow, action)
    fields.meet(input)
    const row = fields.encode(input)
    for (const [name, amount] of amounts) {
      let quantity = quantities.get(name)
      if (quantity === undefined) {
        quantity = new Quantity(this.rates.get(name) as UnderRate)
        quantities.set(name, quantity)
      }
      quantity.learn(row, amount, isOwn(said[name], declared.get(name)) ? allocated.get(name) : undefined)
    }
  }

  /**
   * What a request will take, by resource; a resource of which nothing is known is absent.
   *
   * @param coverage the part of such requests that the interval is to hold, from 0.5 to 0.99; default 0.9
   * @throws ArgumentError
   */
  predict(request: UsageRequest, coverage = COVERAGE): Readonly<Record<string, UsagePrediction>> {
    const { workflow, action, input } = readRequest(request)
    if (typeof coverage !== 'number' || !(coverage >= 0.5 && coverage <= 0.99))
      throw refuse('coverage', 'a number from 0.5 to 0.99', coverage)
    const found: Record<string, UsagePrediction> = {}
    const kind = this.known(nameOf(workflow, action))
    if (kind === undefined) return found
    const row = kind.fields.encode(input)
    for (const name of this.resources) {
      const bounds = kind.declared.get(name)
      const quantity = kind.quantities.get(name)
      if (quantity === undefined && bounds === undefined) continue
      const said = (quantity ?? new Quantity(this.rates.get(name) as UnderRate)).predict(row, coverage, bounds)
      if (said !== undefined) found[name] = said
    }
    return found
  }

  /** Forgets what is known of all workflows. */
  clear(): void {
    this.kinds.clear()
  }

  /** Forgets what is known of a workflow and its actions. */
  forget(workflow: string): void {
    for (const [name, kind] of this.kinds) if (kind.workflow === workflow) this.kinds.delete(name)
  }

  /** All that was learnt and declared. Strings of inputs are in it as hashes only, names of parameters as they are. */
  save(): Uint8Array {
    const saved: Saved = {
      resources: [...this.resources],
      rates: [...this.rates].map(([name, rate]) => [name, rate.save()]),
      kinds: [...this.kinds.values()].map(({ workflow, action, fields, quantities, declared }) => ({
        workflow,
        action: action ?? null,
        fields: fields.save(),
        quantities: [...quantities].map(([name, quantity]) => [name, quantity.save()]),
        declared: [...declared]
      }))
    }
    const body = Buffer.from(MAGIC + JSON.stringify(saved))
    return Uint8Array.from(Buffer.concat([body, digest(body)]))
  }

  /**
   * Goes on where another one was saved; what this one knew is forgotten.
   *
   * @throws CorruptError if it is not what `save()` gave, ArgumentError if it is about other resources, and nothing has changed
   */
  load(saved: Uint8Array): void {
    const { resources, rates, kinds } = read(saved)
    if (resources.join() !== this.resources.join()) {
      throw new ArgumentError(`the saved model is about ${resources.join(', ')}`, { option: 'saved', given: this.resources.join(', ') })
    }
    const ownRates = this.newRates()
    for (const [name, rate] of rates) ownRates.get(name)?.load(rate)
    const own = new Map<string, Kind>()
    for (const { workflow, action, fields, quantities, declared } of kinds.slice(-this.most)) {
      own.set(nameOf(workflow, action ?? undefined), {
        workflow,
        action: action ?? undefined,
        fields: new Fields(...fields),
        quantities: new Map(quantities.map(([name, one]) => [name, Quantity.load(one, ownRates.get(name) as UnderRate)])),
        declared: new Map(declared)
      })
    }
    this.rates = ownRates
    this.kinds = own
  }

  private newRates(): Map<string, UnderRate> {
    return new Map(this.resources.map(name => [name, new UnderRate(this.under)]))
  }

  /** Moves it to the end, so that the first is the one used least lately. */
  private known(name: string): Kind | undefined {
    const kind = this.kinds.get(name)
    if (kind === undefined) return undefined
    this.kinds.delete(name)
    this.kinds.set(name, kind)
    return kind
  }

  private kindOf(workflow: string, action: string | undefined): Kind {
    const name = nameOf(workflow, action)
    const known = this.known(name)
    if (known !== undefined) return known
    if (this.kinds.size >= this.most) for (const oldest of this.kinds.keys()) if (this.kinds.delete(oldest)) break
    const kind = { workflow, action, fields: new Fields(), quantities: new Map(), declared: new Map() }
    this.kinds.set(name, kind)
    return kind
  }

  private readAmounts(value: unknown): [name: string, amount: number][] {
    const given = optionsObject(value, 'took')
    if (given === undefined) throw refuse('took', 'an object', value)
    onlyKnown(given, this.resources, 'took')
    const amounts: [string, number][] = []
    for (const name of this.resources) {
      const amount = entry(given, name)
      if (amount === undefined || Number.isNaN(amount)) continue
      amounts.push([name, readAmount(amount, `took.${name}`)])
    }
    return amounts
  }
}

/** No two have one. */
function nameOf(workflow: string, action: string | undefined): string {
  return action === undefined ? workflow : `${workflow.length} ${workflow} ${action}`
}

function readRequest(value: unknown): { workflow: string; action: string | undefined; input: UsageInput } {
  const given = optionsObject(value, 'request')
  if (given === undefined) throw refuse('request', 'an object', value)
  onlyKnown(given, REQUEST, 'request')
  const { workflow, action, input } = given as { [K in keyof UsageRequest]: unknown }
  if (typeof workflow !== 'string' || workflow === '') throw refuse('workflow', 'a name', workflow)
  if (action !== undefined && (typeof action !== 'string' || action === '')) throw refuse('action', 'a name', action)
  return { workflow, action, input: readInput(input) }
}

function readResources(value: unknown): readonly string[] {
  const isList = Array.isArray(value) && value.length > 0 && value.length <= RESOURCES_MAX && new Set(value).size === value.length
  if (!isList || value.some(name => typeof name !== 'string' || !/^[\w-]+$/.test(name) || name in Object.prototype)) {
    throw refuse('resources', `1 to ${RESOURCES_MAX} different names of letters, digits, _ and -`, value)
  }
  return [...value] as string[]
}

function readBounds(value: unknown, option: string): Bounds {
  if (typeof value === 'number') return { expected: readAmount(value, option), least: undefined, most: undefined }
  const given = optionsObject(value, option)
  if (given === undefined) throw refuse(option, 'a number, or { expected, least, most }', value)
  onlyKnown(given, BOUNDS, option)
  const read = (name: (typeof BOUNDS)[number]) => {
    const one = (given as { [K in keyof Bounds]: unknown })[name]
    return one === undefined ? undefined : readAmount(one, `${option}.${name}`)
  }
  const bounds = { expected: read('expected'), least: read('least'), most: read('most') }
  const { least = 0, most = Number.POSITIVE_INFINITY } = bounds
  if (least > most) throw refuse(`${option}.least`, `at most ${most}`, least)
  const { expected = least } = bounds
  if (expected < least || expected > most) throw refuse(`${option}.expected`, `from ${least} to ${most}`, expected)
  return bounds
}

/** Whether it was for the model to say: what was declared too low is no fault of it. */
function isOwn(said: UsagePrediction | undefined, bounds: Bounds | undefined): boolean {
  return said !== undefined && said.from !== 'declared' && said.allocate < (bounds?.most ?? Number.POSITIVE_INFINITY)
}

function readAllocated(said: unknown, name: string): number | undefined {
  if (typeof said !== 'object' || said === null) throw refuse('said', 'what predict() gave', said)
  const one = entry(said, name)
  if (one === undefined) return undefined
  return readAmount((one as Partial<UsagePrediction> | null)?.allocate, `said.${name}.allocate`)
}

function readAmount(value: unknown, option: string): number {
  if (typeof value !== 'number' || !(value >= 0) || value === Number.POSITIVE_INFINITY) throw refuse(option, 'a number >= 0', value)
  return value
}

function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function read(saved: unknown): Saved {
  if (!(saved instanceof Uint8Array)) throw refuse('saved', 'a Uint8Array', saved)
  const bytes = Buffer.from(saved)
  const body = bytes.subarray(0, -DIGEST_BYTES)
  const isWhole = body.toString('latin1', 0, MAGIC.length) === MAGIC && digest(body).equals(bytes.subarray(-DIGEST_BYTES))
  if (!isWhole) throw new CorruptError('the saved model of usage is damaged, or of another version', {})
  return JSON.parse(body.toString('utf8', MAGIC.length)) as Saved
}
