import type { Policy, View } from '../policy.js'
import { firstOf, type Workload } from '../trace.js'

/** The most that is looked at: as much as plans may keep. */
const MOST_PART = 0.25
/** Settings of a search. */
const STEPS = 12
const PERCENT = 100
const SIZES = [20, 30, 40, 50, 60, 70, 80, 90, 100]
const LOCKS = [1, 4, 16, 64]
/** Of the tokens of a second. */
const TOKENS = [25, 50, 100, 250]
/** A hold is renewed twice as often as this. */
const HOLD_MS = 10_000
/** The whole trace. */
const ALWAYS_MS = 1e10

/** The fixed settings that are worth trying on a workload: each is the k of a `static-k`. */
export function staticsOf({ pools, buckets, sized }: Workload): readonly number[] {
  if (sized) return SIZES
  if (buckets.length > 0) return TOKENS
  if (pools.length === 0) return LOCKS
  const most = pools.reduce((units, { capacity, unit }) => Math.max(units, firstOf(capacity) / unit), 0) * MOST_PART
  const all = Array.from({ length: Math.max(1, Math.floor(most)) }, (_, i) => i + 1)
  return all.length <= STEPS ? all : Array.from({ length: STEPS }, (_, i) => all[Math.floor(((i + 1) * all.length) / STEPS) - 1] as number)
}

/**
 * The same reserve all the time, for the top tier: k units of each pool; or k per cent of the tokens of a second, of what a full bucket would
 * discard; or a hold on each of the k locks that it asks for most. Where amounts are to be found: k per cent of what is asked for.
 */
export function fixed(k: number, workload: Workload): Policy {
  const name = `static-${k}`
  if (workload.sized) return { name, size: ({ amounts }) => amounts.map(amount => Math.max(1, Math.ceil((amount * k) / PERCENT))) }
  const top = workload.tiers.at(-1) as string
  if (workload.buckets.length > 0) return { name, lag: 0, onPeriod: once(view => keepTokens(view, top, k)) }
  if (workload.pools.length > 0) {
    return { name, maxReserve: 1, reserves: ({ pools }) => new Map(pools.map(({ name, unit }) => [name, k * unit])) }
  }
  return holding(name, top, workload.busiest.slice(0, k))
}

/** A hold that is used is over, so it is written again when the one who used it is done. */
function holding(name: string, tier: string, locks: readonly string[]): Policy {
  const kept = new Set(locks)
  const write = (view: View, lock: string) => view.write({ kind: 'hold', lock, tier, until: HOLD_MS })
  let renewAt = 0
  return {
    name,
    lag: 0,
    onPeriod(view) {
      if (view.now < renewAt) return
      renewAt = view.now + HOLD_MS / 2
      for (const lock of locks) write(view, lock)
    },
    onEnd({ kind, thing, who }, view) {
      if (kind === 'lock' && who.tier === tier && kept.has(thing)) write(view, thing)
    }
  }
}

function keepTokens(view: View, tenant: string, k: number): void {
  for (const { name, rate } of view.workload.buckets) {
    view.write({ kind: 'reserve', bucket: name, tenant, amount: (rate * k) / PERCENT, until: ALWAYS_MS })
  }
}

function once(call: (view: View) => void): (view: View) => void {
  let called = false
  return view => {
    if (!called) call(view)
    called = true
  }
}
