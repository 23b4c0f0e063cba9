import type { Estimate } from '../shadow/estimate.js'
import { scoreEstimate } from '../shadow/estimates.js'
import type { EventBlock } from './event-block.js'
import type { EstimateRow } from './rows.js'

/** ms after an estimate's time within which the request that it was about must come. */
const WINDOW_MS = 1_000
/** Clocks of estimates and of records are one, but numbers of ms since 1970 are told apart by a quarter of a microsecond. */
const ROUNDING_MS = 0.001
/** Estimates that wait for their truth; beyond that the oldest are left without. */
const MOST = 10_000

/** The ends of a wait: the last two say only that it was not granted at once. */
const DECIDED = ['grant', 'refusal', 'abort']

/**
 * Estimates of shadow requests, until their truth is known: the first request of that tier at that element which is made at their time, or within a
 * second after it, by whomever.
 */
export class Predictions {
  /** by what they are about, in the order in which they came */
  readonly #pending = new Map<string, Estimate[]>()
  #count = 0

  /** Remembers it, and says what is to be written. */
  add(estimate: Estimate): EstimateRow[] {
    const key = keyOf(estimate.kind, estimate.name, estimate.tier)
    const waiting = this.#pending.get(key)
    if (waiting === undefined) this.#pending.set(key, [estimate])
    else waiting.push(estimate)
    this.#count++
    if (this.#count > MOST) this.#expire(estimate.made - WINDOW_MS)
    while (this.#count > MOST) this.#dropOldest()
    return estimateRows(estimate)
  }

  /** What events tell the truth of: the rows again, with it. */
  scored(block: EventBlock): EstimateRow[] {
    if (this.#count === 0) return []
    const rows: EstimateRow[] = []
    const { texts } = block.words
    for (let at = 0; at < block.length; at++) {
      const event = texts[block.event[at]]
      if (!DECIDED.includes(event)) continue
      const key = keyOf(texts[block.kind[at]], texts[block.element[at]], texts[block.tier[at]])
      const waiting = this.#pending.get(key)
      if (waiting !== undefined) this.#score(key, waiting, event === 'grant', block.time[at], block.waited[at], rows)
    }
    return rows
  }

  #score(key: string, waiting: Estimate[], isGranted: boolean, time: number, waited: number, into: EstimateRow[]): void {
    const asked = time - waited + ROUNDING_MS
    const still: Estimate[] = []
    for (const estimate of waiting) {
      if (asked < estimate.due) still.push(estimate)
      else if (asked <= estimate.due + WINDOW_MS) into.push(...scoredRows(estimate, isGranted, waited))
    }
    this.#count -= waiting.length - still.length
    if (still.length === 0) this.#pending.delete(key)
    else this.#pending.set(key, still)
  }

  #expire(before: number): void {
    for (const [key, waiting] of this.#pending) {
      const still = waiting.filter(({ due }) => due >= before)
      this.#count -= waiting.length - still.length
      if (still.length === 0) this.#pending.delete(key)
      else this.#pending.set(key, still)
    }
  }

  #dropOldest(): void {
    for (const [key, waiting] of this.#pending) {
      waiting.shift()
      this.#count--
      if (waiting.length === 0) this.#pending.delete(key)
      return
    }
  }
}

const keyOf = (kind: string, name: string, tier: string) => `${kind}:${tier}:${name}`

/** Two quantities, so two rows: whether it would have to wait, and how long. */
export function estimateRows({ id, made, due, kind, name, tier, value }: Estimate): EstimateRow[] {
  const about = { made, due, subject: `${kind}:${name}`, tier }
  const rows: EstimateRow[] = [{ id: `${id}:contention`, kind: 'contention', ...about, value: value.contention }]
  // What was not known is no prediction.
  if (value.p50 !== undefined) rows.push({ id: `${id}:wait`, kind: 'wait', ...about, value: value.p50, low: 0, high: value.p95 })
  return rows
}

function scoredRows(estimate: Estimate, isGranted: boolean, waited: number): EstimateRow[] {
  const { brier, p50, p95 } = scoreEstimate(estimate, isGranted ? waited : Math.max(waited, Number.MIN_VALUE))
  const [contention, wait] = estimateRows(estimate)
  const rows = [{ ...contention, truth: isGranted && waited === 0 ? 0 : 1, score: brier }]
  // How long it would have gone on waiting nobody knows.
  if (wait !== undefined && isGranted && p50 !== undefined) rows.push({ ...wait, truth: waited, score: (p50 + (p95 ?? p50)) / 2 })
  return rows
}
