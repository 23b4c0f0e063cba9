import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ReplayResult, replay } from '../../../lib/replay/engine.js'
import type { Policy } from '../../../lib/replay/policy.js'
import type { TierResult } from '../../../lib/replay/tally.js'
import { inBatches, type Trace, type TraceRequest, Whos, type Workload } from '../../../lib/replay/trace.js'

export const whos = new Whos()

/** What a request of a test says; the rest is plain. */
export interface Said {
  readonly time: number
  readonly duration: number
  readonly tier?: string
  readonly kind?: TraceRequest['kind']
  readonly thing?: string
  readonly amount?: number
  readonly shared?: boolean
  readonly peak?: number
  readonly tenant?: string
  readonly workflow?: string
}

export function request(said: Said): TraceRequest {
  const {
    time,
    duration,
    tier = 'background',
    kind = 'pool',
    thing = 'p',
    amount = 1,
    shared = false,
    peak,
    tenant,
    workflow = `work of ${tier}`
  } = said
  return {
    time,
    duration,
    kind,
    thing,
    shared,
    who: whos.of(workflow, tenant, tier),
    amounts: kind === 'lock' ? [] : [amount],
    input: undefined,
    peak: peak === undefined ? undefined : [peak]
  }
}

/** A workload of a pool with so many slots, unless it says otherwise. */
export function workload(said: readonly Said[], slots = 1, more: Partial<Workload> = {}): Workload {
  const requests = said.map(request)
  return {
    trace: 'test',
    setting: '100',
    tiers: ['background', 'interactive'],
    pools: [{ name: 'p', capacity: { slots }, unit: 1 }],
    buckets: [],
    busiest: [],
    sized: false,
    count: requests.length,
    batches: () => inBatches(requests),
    ...more
  }
}

export function play(work: Workload, policy: Policy = { name: 'reactive' }, period?: number): Promise<ReplayResult> {
  return replay({ workload: work, policy, period })
}

export function tierOf(result: ReplayResult, tier: string): TierResult {
  const found = result.tiers.find(one => one.tier === tier)
  if (found === undefined) throw new Error(`there is no tier ${tier}`)
  return found
}

/** All requests of a trace. */
export async function requestsOf(trace: Trace, utilisation = 1): Promise<TraceRequest[]> {
  const all: TraceRequest[] = []
  for await (const batch of (await trace.workload(utilisation)).batches()) all.push(...batch)
  return all
}

/** The first requests of a workload: a slice that is replayed in no time. */
export function first(work: Workload, count: number): Workload {
  return {
    ...work,
    count,
    async *batches() {
      let left = count
      for await (const batch of work.batches()) {
        yield batch.slice(0, left)
        left -= batch.length
        if (left <= 0) return
      }
    }
  }
}

/** A folder that is gone afterwards. */
export async function inFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'forelock-replay-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Writes a file in a folder of its own, which is gone afterwards. */
export function withFile<T>(name: string, content: string | Buffer, use: (file: string) => Promise<T>): Promise<T> {
  return inFolder(folder => {
    const file = join(folder, name)
    writeFileSync(file, content)
    return use(file)
  })
}
