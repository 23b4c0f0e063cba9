/** Who asks. Adapters make one object for each who there is, so that what is known of them is looked up by it. */
export interface Who {
  readonly workflow: string
  readonly tenant: string | undefined
  /** name of a tier */
  readonly tier: string
}

export type ThingKind = 'pool' | 'bucket' | 'lock'

/** One request of a trace. */
export interface TraceRequest {
  /** ms from the start of the trace; no less than that of the one before */
  readonly time: number
  readonly who: Who
  readonly kind: ThingKind
  /** name of the pool, bucket or lock */
  readonly thing: string
  /** what it asks for: units of a pool, by dimension in the order of their names; tokens of a bucket, the first. Nothing of a lock */
  readonly amounts: readonly number[]
  /** of a lock: whether others may share it */
  readonly shared: boolean
  /** ms for which it holds what it is granted, or works on what its tokens are for. Policies are told when it is over */
  readonly duration: number
  /** what is known of it when it comes */
  readonly input: Readonly<Record<string, number | string>> | undefined
  /** what it really uses of each dimension, where that is recorded: with less it fails at its end, and asks for twice as much */
  readonly peak: readonly number[] | undefined
}

export interface PoolTerms {
  readonly name: string
  /** by dimension, in the order of their names */
  readonly capacity: Readonly<Record<string, number>>
  /** how much of the first dimension counts as one unit, where waiting and idling are paid for */
  readonly unit: number
}

export interface BucketTerms {
  readonly name: string
  /** tokens a second */
  readonly rate: number
}

/** What the requests of a trace ask for, and those requests. */
export interface Workload {
  /** as ids have it, before the @ */
  readonly trace: string
  /** as ids have it, behind the @: per cent of what there is that is used on average, or what else was set */
  readonly setting: string
  /** tiers that occur, lowest first */
  readonly tiers: readonly string[]
  /** names of all tiers that there are, lowest first, where they are not those of an arena by default */
  readonly ranks?: readonly string[] | undefined
  readonly pools: readonly PoolTerms[]
  readonly buckets: readonly BucketTerms[]
  /** the locks that the top tier asks for most often, most often first */
  readonly busiest: readonly string[]
  /** how amounts are found: asked for as recorded, or chosen by the policy, who is told what was used */
  readonly sized: boolean
  /** requests that there are, as far as that is known, for the progress */
  readonly count: number | undefined
  /** In the order of time, some at once: the whole need not fit into memory. */
  batches(): AsyncIterable<readonly TraceRequest[]>
}

/** A recorded trace, and how a workload is made of it. */
export interface Trace {
  readonly name: string
  /** one line: what is asked for, and how that was made of what was recorded */
  readonly title: string
  /** whether what there is can be set so that a part of it is used on average */
  readonly scales: boolean
  /**
   * @param utilisation 0 to 1, of a trace that scales
   * @throws TraceError, ArgumentError
   */
  workload(utilisation: number): Promise<Workload>
}

/** Requests that a batch has, of those that adapters cut. */
export const BATCH_REQUESTS = 4096
/** Who can be many where a tenant is a user: then they are forgotten and made anew. */
const KNOWN_MOST = 65_536

/** One object for each who. */
export class Whos {
  /** by workflow, tenant and tier: to look up three names costs less than to make one of them */
  private readonly known = new Map<string, Map<string | undefined, Map<string, Who>>>()
  private count = 0

  of(workflow: string, tenant: string | undefined, tier: string): Who {
    return this.known.get(workflow)?.get(tenant)?.get(tier) ?? this.add({ workflow, tenant, tier })
  }

  private add(who: Who): Who {
    if (this.count++ >= KNOWN_MOST) {
      this.known.clear()
      this.count = 1
    }
    const { workflow, tenant, tier } = who
    const tenants = this.known.get(workflow) ?? new Map<string | undefined, Map<string, Who>>()
    const tiers = tenants.get(tenant) ?? new Map<string, Who>()
    tiers.set(tier, who)
    tenants.set(tenant, tiers)
    this.known.set(workflow, tenants)
    return who
  }
}

/** Cuts what is in memory already. */
export async function* inBatches(requests: readonly TraceRequest[]): AsyncGenerator<readonly TraceRequest[]> {
  for (let at = 0; at < requests.length; at += BATCH_REQUESTS) yield requests.slice(at, at + BATCH_REQUESTS)
}

/** Of what a pool has, the first dimension. */
export function firstOf(capacity: Readonly<Record<string, number>>): number {
  return capacity[Object.keys(capacity).sort()[0] as string] as number
}

/** Tokens of a full bucket, as a face makes it where nobody says otherwise: those of a second. */
export function burstOf({ rate }: BucketTerms): number {
  return Math.max(1, Math.ceil(rate))
}
