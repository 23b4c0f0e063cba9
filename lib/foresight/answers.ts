import { ArgumentError } from '../errors/index.js'
import type { ContentionPrediction } from '../predict/contention.js'
import type { ContentionMap } from '../predict/contention-map.js'
import type { ModelScore } from '../predict/scorekeeper.js'
import type { Trigger, TriggersListOptions } from '../predict/triggers.js'
import type { UsageInput } from '../predict/usage-input.js'
import type { UsagePrediction } from '../predict/usage-quantity.js'
import type { CollisionProfile } from './collisions.js'
import type { Demand, DemandOptions, ModelFactory, ScopedEvent } from './demand.js'
import type { LaneWatch } from './lane-watch.js'
import type { ElementOf, LikelyElement, LikelyOptions, ScoreOptions } from './scores.js'
import type { StewardStatus, StewardTerms } from './steward.js'
import type { Stewards } from './stewards.js'
import type { DemandOf } from './subject.js'
import type { Anomaly } from './usage-watch.js'

/** What it has seen so far. */
export interface ForesightStatus {
  /** it reads the lanes */
  readonly active: boolean
  /** records, and notes of runs, that it was told of */
  readonly events: number
  readonly runs: number
  /** records and notes that were overwritten before it read them */
  readonly lost: number
  /** elements that requests are foretold for, subjects whose demand is, and kinds of work whose use is */
  readonly tracked: { readonly elements: number; readonly subjects: number; readonly usage: number }
}

/** What foresight can be asked, by name. */
export interface Questions {
  status(): ForesightStatus
  demand(of: DemandOf, options: DemandOptions): Promise<Demand>
  score(of: ElementOf, options?: ScoreOptions): number
  likely(options?: LikelyOptions): LikelyElement[]
  usage(workflow: string, action: string | undefined, input: UsageInput | undefined): Readonly<Record<string, UsagePrediction>>
  triggers(options?: TriggersListOptions): Trigger[]
  anomalies(): Anomaly[]
  contention(profile: CollisionProfile): ContentionPrediction
  map(most?: number): ContentionMap
  expect(event: ScopedEvent): void
  cancel(id: string): boolean
  accuracy(): ModelScore[]
  register(model: string | ModelFactory): Promise<void>
  save(): Uint8Array
  load(saved: Uint8Array): void
  /** Begins to plan by it, or goes on with other terms. */
  plan(terms: StewardTerms): Promise<void>
  unplan(): Promise<void>
  /** undefined: nothing is planned */
  planning(): StewardStatus | undefined
  /** Whether it is the one of the arena that writes plans; undefined: nothing is planned. */
  leads(): boolean | undefined
}

export type Question = keyof Questions

/** Answers from what was told until now. */
export function answersOf(watch: LaneWatch, stewards: Stewards): Questions {
  const { outlook } = watch
  return {
    status: () => ({ active: true, events: watch.events, runs: watch.runs, lost: watch.lost, tracked: outlook.tracked }),
    demand: (of, options) => outlook.demand(of, options, watch.now()),
    score: (of, options) => outlook.score(of, options, watch.now()),
    likely: options => outlook.likely(options, watch.now()),
    usage: (workflow, action, input) => outlook.usage({ workflow, action, input }),
    triggers: options => outlook.triggers(options, watch.now()),
    anomalies: () => outlook.anomalies(),
    contention: profile => outlook.contention(profile, watch.now()),
    map: most => outlook.map(most),
    expect: event => outlook.expect(event),
    cancel: id => outlook.cancel(id),
    accuracy: () => outlook.accuracy(),
    register: async model => outlook.register(typeof model === 'function' ? model : await factoryOf(model)),
    save: () => outlook.save(),
    load: saved => outlook.load(saved),
    plan: terms => stewards.begin(terms),
    unplan: () => stewards.end(),
    planning: () => stewards.current?.status(),
    leads: () => stewards.current?.isActive
  }
}

async function factoryOf(url: string): Promise<ModelFactory> {
  const module: { default?: unknown } = await import(url)
  // A module of CommonJS has its exports as the default.
  const found = (module.default as { default?: unknown } | undefined)?.default ?? module.default
  if (typeof found !== 'function') {
    throw new ArgumentError('the default export of the module must be a function that makes a model', { option: 'model', given: url })
  }
  return found as ModelFactory
}
