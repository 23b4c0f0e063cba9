import { UsageModel, type UsageRequest } from './usage.js'
import type { UsageInput } from './usage-input.js'
import { FEW } from './usage-quantity.js'

/** What bounds the size of a request, by dimension. */
export interface SizeBounds {
  /** what is asked for where nothing is known */
  readonly first: readonly number[]
  /** more is never asked for */
  readonly most: readonly number[]
  /** sizes are whole multiples of it */
  readonly step: readonly number[]
}

export interface SizerOptions {
  readonly dimensions: number
  /** the part of the requests that may have too little, 0.001 to 0.2; default that of a {@link UsageModel} */
  readonly under?: number | undefined
}

/** Workflows of which the first few are remembered beside the model. */
const STARTS_MAX = 1024
/** Finer steps of what there is save nothing, and what is a hair above a size that fits so exactly would go short. */
const STEPS = 1024

/** Of a workflow of which little is known. */
interface Start {
  count: number
  readonly greatest: number[]
}

/**
 * Says how much a request is to be granted before it begins, from its input, by those that are over: by a {@link UsageModel}; and of fewer requests than
 * that wants, the greatest so far and its n-th part, which is where the greatest of all is expected after n of them (the German tank problem:
 * Goodman, "Serial Number Analysis", 1952). Amounts are by dimension, in any unit.
 */
export class Sizer {
  private readonly model: UsageModel
  private readonly resources: readonly string[]
  private readonly starts = new Map<string, Start>()

  constructor({ dimensions, under }: SizerOptions) {
    this.resources = Array.from({ length: dimensions }, (_, d) => `d${d}`)
    this.model = new UsageModel({ resources: this.resources, ...(under !== undefined && { under }) })
  }

  /** By dimension. */
  size(workflow: string, input: UsageInput, { first, most, step }: SizeBounds): number[] {
    const said = this.model.predict({ workflow, input })
    const start = this.starts.get(workflow)
    return this.resources.map((resource, d) => {
      const one = said[resource]
      const top = most[d] as number
      if (one === undefined) return Math.min(top, first[d] as number)
      const fromFew = one.samples < FEW && start !== undefined ? (start.greatest[d] as number) * (1 + 1 / one.samples) : 0
      return upTo(Math.max(one.allocate, fromFew), step[d] as number, top)
    })
  }

  /** @param used by dimension; NaN: not known */
  learn(workflow: string, input: UsageInput, used: readonly number[]): void {
    const took = Object.fromEntries(this.resources.map((resource, d) => [resource, used[d] ?? Number.NaN]))
    const request: UsageRequest = { workflow, input }
    // Without what was said of it: of those that were granted by the same few lessons many go short at once, and that would be counted against
    // the rate as often, long after the model knows better.
    this.model.learn(request, took)
    this.note(workflow, used)
  }

  forget(workflow: string): void {
    this.model.forget(workflow)
    this.starts.delete(workflow)
  }

  private note(workflow: string, used: readonly number[]): void {
    let start = this.starts.get(workflow)
    if (start === undefined) {
      if (this.starts.size >= STARTS_MAX) for (const oldest of this.starts.keys()) if (this.starts.delete(oldest)) break
      start = { count: 0, greatest: this.resources.map(() => 0) }
      this.starts.set(workflow, start)
    }
    if (start.count >= FEW) return
    start.count++
    for (const [d, amount] of used.entries()) if (amount > (start.greatest[d] ?? 0)) start.greatest[d] = amount
  }
}

/** A thousandth of what there is, or a whole unit. */
export function stepsOf(capacity: readonly number[]): number[] {
  return capacity.map(amount => Math.max(1, Math.floor(amount / STEPS)))
}

/** Twice as much, and no more than there may be; undefined: it has that already. */
export function doubled(amounts: readonly number[], most: readonly number[]): number[] | undefined {
  const twice = amounts.map((amount, d) => Math.max(amount, Math.min(2 * amount, most[d] as number)))
  return twice.some((amount, d) => amount > (amounts[d] as number)) ? twice : undefined
}

/** The next step, from one step up to the most. */
function upTo(amount: number, step: number, most: number): number {
  return Math.min(most, Math.max(step, step * Math.ceil(amount / step)))
}
