import { AnomalyDetector } from '../predict/anomaly.js'
import type { Scorekeeper } from '../predict/scorekeeper.js'
import { type UsageAmounts, UsageModel, type UsageRequest } from '../predict/usage.js'
import type { UsageInput } from '../predict/usage-input.js'
import type { UsagePrediction } from '../predict/usage-quantity.js'
import { amountsOf } from '../workflow/amounts.js'
import type { ActionsNote } from '../workflow/notes.js'
import type { RunRecord } from '../workflow/record.js'

/** Something that was not as it should have been. */
export interface Anomaly {
  /** ms since the Unix epoch */
  readonly time: number
  readonly workflow: string
  /** of the run; undefined: the run as a whole */
  readonly action: string | undefined
  /** id of the run */
  readonly run: string
  /** cpu (millicores), memory (bytes), disk, network (bytes/s), duration (ms) */
  readonly resource: string
  readonly value: number
  /** what was expected, and 90 % of such runs are between */
  readonly expected: number
  readonly low: number
  readonly high: number
  /** from 0 to 1: .9 is ten times, .99 a hundred times as much against it as against those just before it */
  readonly severity: number
}

/** What took so much, and what was expected of it. */
interface Took {
  readonly request: UsageRequest
  readonly took: UsageAmounts
  readonly time: number
  readonly run: string
}

/** Of 1,000 usual runs some three are told of. */
const ALERT_AT = 0.95
/** Of what is expected: the interval that holds 90 %, and its middle. */
const LEVELS = [0.05, 0.5, 0.95]
/** Each takes some 100 KB. */
const DETECTORS_MAX = 128
/** Of fewer runs nobody can say what is usual. */
const SAMPLES = 20
/** Tenants by whose name it is known which workflows were learnt from their runs. */
const TENANTS_MAX = 16_384
/** What is nothing is as little as this, where amounts are compared by their ratio. */
const LEAST = 1e-3

/** Learns what runs and actions take, from their input, and tells of those that took something else. */
export class UsageWatch {
  readonly model = new UsageModel()
  readonly #detectors = new Map<string, AnomalyDetector>()
  readonly #onAnomaly: (anomaly: Anomaly) => void
  readonly #scores: Scorekeeper
  /** By tenant: the workflows that were learnt from its runs. */
  readonly #learntFrom = new Map<string, Set<string>>()
  /** There are more tenants than are remembered. */
  #isTooMany = false
  #judged = 0

  /** @param scores is told what was expected, and what came */
  constructor(onAnomaly: (anomaly: Anomaly) => void, scores: Scorekeeper) {
    this.#onAnomaly = onAnomaly
    this.#scores = scores
  }

  /** Anybody may leave notes: what is not as it should be is passed over. */
  ended(told: RunRecord | ActionsNote): void {
    const { workflow, start } = told
    const run = 'id' in told ? told.id : told.run
    if (!isName(workflow) || !isName(run) || typeof start !== 'number') return
    if (typeof told.tenant === 'string') this.#remember(told.tenant, workflow)
    const input = 'id' in told ? inputOf(told.input) : {}
    if ('id' in told && told.outcome === 'success') {
      this.#learn({ request: { workflow, input }, took: clean(amountsOf(told)), time: start + told.duration, run })
    }
    for (const action of told.actions) {
      if (action?.outcome !== 'success' || !isName(action.name)) continue
      const time = start + action.offset + action.duration
      this.#learn({ request: { workflow, action: action.name, input }, took: clean(amountsOf(action)), time, run })
    }
  }

  /** Of the workflows that were learnt from a tenant's runs all: a regression does not tell whose values it is of. They are learnt anew. */
  forget(tenant: string): void {
    const workflows = this.#learntFrom.get(tenant)
    this.#learntFrom.delete(tenant)
    if (workflows === undefined && this.#isTooMany) this.model.clear()
    for (const workflow of workflows ?? []) this.model.forget(workflow)
  }

  /** By resource. @throws ArgumentError */
  predict(request: UsageRequest): Readonly<Record<string, UsagePrediction>> {
    return this.model.predict(request)
  }

  #remember(tenant: string, workflow: string): void {
    const workflows = this.#learntFrom.get(tenant)
    if (workflows !== undefined) workflows.add(workflow)
    else if (this.#learntFrom.size < TENANTS_MAX) this.#learntFrom.set(tenant, new Set([workflow]))
    else this.#isTooMany = true
  }

  #learn(one: Took): void {
    const { request, took } = one
    const said = this.model.predict(request)
    for (const [resource, prediction] of Object.entries(said)) {
      const value = took[resource]
      if (value !== undefined) this.#score(request, resource, value, prediction)
      if (value !== undefined && prediction.samples >= SAMPLES) this.#judge(one, resource, value, prediction)
    }
    this.model.learn(request, took, said)
  }

  #score({ workflow, action }: UsageRequest, resource: string, value: number, { low, expected, high }: UsagePrediction): void {
    const source = JSON.stringify([workflow, action, resource])
    const due = this.#judged++
    this.#scores.expect({ model: 'usage', source, due, levels: LEVELS, quantiles: [low, expected, high] })
    this.#scores.came(source, due, value)
  }

  /** By the ratio of what came to what was expected: what is usual is then the same for small and large inputs. */
  #judge({ request: { workflow, action }, time, run }: Took, resource: string, value: number, said: UsagePrediction): void {
    const { expected, low, high } = said
    const { severity } = this.#detector(JSON.stringify([workflow, action, resource])).update(Math.log((value + LEAST) / (expected + LEAST)))
    // A run that took what most take is none, however strange it is that there are so many of them.
    if (severity < ALERT_AT || (value >= low && value <= high)) return
    this.#onAnomaly({ time, workflow, action, run, resource, value, expected, low, high, severity })
  }

  #detector(key: string): AnomalyDetector {
    const known = this.#detectors.get(key)
    const detector = known ?? new AnomalyDetector()
    // The one used last at the end.
    this.#detectors.delete(key)
    if (this.#detectors.size >= DETECTORS_MAX) for (const oldest of this.#detectors.keys()) if (this.#detectors.delete(oldest)) break
    this.#detectors.set(key, detector)
    return detector
  }
}

const isName = (value: unknown) => typeof value === 'string' && value !== ''

/** What is no amount is not known. */
function clean(taken: UsageAmounts): UsageAmounts {
  return Object.fromEntries(
    Object.entries(taken).filter(([, amount]) => typeof amount === 'number' && amount >= 0 && Number.isFinite(amount))
  )
}

function inputOf(input: Readonly<Record<string, unknown>> | undefined): UsageInput {
  return Object.fromEntries(
    Object.entries(input ?? {}).filter(([, value]) => ['number', 'string', 'boolean'].includes(typeof value))
  ) as UsageInput
}
