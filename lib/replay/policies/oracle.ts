import type { Arrival, Ended, Policy, View } from '../policy.js'
import { burstOf, firstOf, type TraceRequest, type Workload } from '../trace.js'

/** How far it sees. */
export const AHEAD_MS = 1000

/**
 * Knows who comes within a second, and how much they ask for, but not how long anybody holds anything: the measure of what foresight can bring.
 * It keeps units for those of the top tier that come, tokens for as many, apart and in the bucket, and each lock for the first of them; where amounts are to be found,
 * it asks for what will be used. Of a pool it may keep all.
 */
export function oracle(workload: Workload): Policy {
  return { ...boundedOracle(workload), name: 'oracle', maxReserve: 1 }
}

/** The same within what plans may keep of a pool: the best that a planner can come to. */
export function boundedOracle(workload: Workload): Policy {
  const name = 'oracle-bounded'
  if (workload.sized) return { name, size: arrival => (arrival as TraceRequest).peak }
  const top = workload.tiers.at(-1) as string
  const holds = new Mean()
  const reserves = new Reserves()
  return {
    name,
    ahead: AHEAD_MS,
    lag: 0,
    onPeriod(view) {
      const coming = [...view.coming()].filter(({ who }) => who.tier === top)
      keepUnits(view, top, coming)
      reserves.keep(view, top, coming)
      keepTokens(view, top, coming)
      keepLocks(view, top, coming, holds)
    },
    onEnd({ kind, who, duration }: Ended) {
      if (kind === 'lock' && who.tier !== top) holds.add(duration)
    }
  }
}

function keepUnits(view: View, tier: string, coming: readonly Arrival[]): void {
  for (const { name: pool, capacity } of view.workload.pools) {
    let amount = 0
    for (const { thing, amounts } of coming) if (thing === pool) amount += amounts[0] as number
    view.write({ kind: 'keep', pool, tier, amount: Math.min(1, amount / firstOf(capacity)), until: 2 * view.period })
  }
}

/** For those who come, in the bucket: a reserve has only what a full one discards. */
function keepTokens(view: View, tier: string, coming: readonly Arrival[]): void {
  for (const bucket of view.workload.buckets) {
    let tokens = 0
    for (const { thing, amounts } of coming) if (thing === bucket.name) tokens += amounts[0] as number
    // What is in force ends by itself.
    if (tokens === 0) continue
    view.write({ kind: 'keep', bucket: bucket.name, tier, amount: Math.min(1, tokens / burstOf(bucket)), until: 2 * view.period })
  }
}

/** Reserves that are in force, so that none is written anew while it fills: what is written fills from then on. */
class Reserves {
  private readonly written = new Map<string, { amount: number; until: number }>()

  keep(view: View, tenant: string, coming: readonly Arrival[]): void {
    const wanted = new Map<string, number>()
    for (const { kind, thing, amounts } of coming)
      if (kind === 'bucket') wanted.set(thing, (wanted.get(thing) ?? 0) + (amounts[0] as number))
    for (const [bucket, amount] of wanted) {
      const present = this.written.get(bucket)
      if (present !== undefined && present.until > view.now + view.period && present.amount >= amount) continue
      view.write({ kind: 'reserve', bucket, tenant, amount, until: 2 * AHEAD_MS })
      this.written.set(bucket, { amount, until: view.now + 2 * AHEAD_MS })
    }
  }
}

function keepLocks(view: View, tier: string, coming: readonly Arrival[], holds: Mean): void {
  const planned = new Set<string>()
  for (const { kind, thing, time } of coming) {
    if (kind !== 'lock' || planned.has(thing)) continue
    planned.add(thing)
    const from = Math.max(0, time - view.now)
    view.write({ kind: 'hold', lock: thing, tier, from, until: from + view.period, ...(holds.known && { hold: holds.value }) })
  }
}

class Mean {
  private count = 0
  private sum = 0

  get known(): boolean {
    return this.count > 0
  }

  get value(): number {
    return this.sum / this.count
  }

  add(value: number): void {
    this.count++
    this.sum += value
  }
}
