import type { AdmitParts } from '../admit.js'
import { NotFoundError } from '../errors/index.js'
import { type Pool, pools } from '../pool.js'
import type { AmountsByName } from '../pool-terms.js'
import type { Session } from '../session.js'
import { runningOf } from '../shadow/running.js'
import type { ProfileLearner } from './profile.js'
import type { RemedySubject } from './remedies.js'

type PoolPart = readonly [pool: Pool, amounts: AmountsByName]

/** What the remedies of a workflow know of it. */
export class KnownWorkflow implements RemedySubject {
  constructor(
    private readonly session: Session,
    readonly name: string,
    readonly tierIndex: number,
    private readonly learner: ProfileLearner,
    /** what the last run was admitted with, or the next one would be; undefined: it says nothing of that */
    private readonly parts: () => AdmitParts | undefined
  ) {}

  needOf(name: string): number | undefined {
    const parts = this.parts()
    if (parts === undefined) return undefined
    const wanted = poolParts(parts).filter(([pool]) => pool.name === name)
    return whereFound(() => wanted.reduce((most, [{ capacity }, amounts]) => Math.max(most, partOf(amounts, capacity)), 0))
  }

  tokensOf(name: string): number | undefined {
    const wanted = (this.parts()?.tokens ?? []).filter(([bucket]) => bucket.name === name)
    return wanted.length === 0 ? undefined : wanted.reduce((all, [, n]) => all + n, 0)
  }

  roomOf(name: string, tier: number): number | undefined {
    const parts = this.parts()
    const [pool] = parts === undefined ? [] : poolParts(parts).flatMap(([one]) => (one.name === name ? [one] : []))
    return pool === undefined ? undefined : whereFound(() => this.room(pool, tier))
  }

  duration(): number | undefined {
    return this.learner.workflowProfile().duration?.expected
  }

  running(): number {
    let count = 0
    for (const { workflow } of runningOf(this.session)) if (workflow === this.name) count++
    return count
  }

  private room(pool: Pool, tier: number): number {
    const { capacity, tiers } = pool.usage()
    const used = tiers[this.session.tiers[tier] as string]?.used ?? {}
    const most = pools.mostOf(pool, tier)
    return Math.min(
      ...pool.names.map((dimension, d) => Math.max(0, (most[d] as number) - (used[dimension] ?? 0)) / (capacity[dimension] || 1))
    )
  }
}

/** Undefined where the pool's place in the arena has been given to another since. */
function whereFound<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error
    return undefined
  }
}

function partOf(amounts: AmountsByName, capacity: AmountsByName): number {
  return Math.max(0, ...Object.entries(amounts).map(([dimension, amount]) => (amount ?? 0) / (capacity[dimension] || 1)))
}

/** The pools of what is admitted, and what is wanted of each. */
export function poolParts({ pool }: AdmitParts): readonly PoolPart[] {
  if (pool === undefined) return []
  return (Array.isArray(pool[0]) ? pool : [pool]) as readonly PoolPart[]
}
