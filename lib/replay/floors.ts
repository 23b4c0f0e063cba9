import { At } from '../native/binding.js'
import { type Pool, pools } from '../pool.js'
import { numbersOf } from '../pool-terms.js'
import type { Session } from '../session.js'

const TIERS = 4

/**
 * Sets floors of a pool's tiers, in units of its first dimension, many times a second: without reading back what it is made of, which takes a
 * hundred times as long (110 µs and 1 µs on 2 vCPU of an AMD EPYC).
 */
export class Floors {
  private readonly session: Session
  private readonly floors = new Float64Array(TIERS)
  private readonly capacity: readonly number[]

  constructor(private readonly pool: Pool) {
    this.session = pools.sessionOf(pool)
    const { capacity } = pool
    this.capacity = pool.names.map(name => capacity[name] as number)
  }

  /** So many units are the tier's, whether it uses them or not; 0 to the capacity. */
  set(tier: number, units: number): void {
    if (this.floors[tier] === units) return
    this.floors[tier] = units
    const { session, pool, capacity } = this
    const none = capacity.map(() => 0)
    const tiers = Array.from(this.floors, floor => ({
      floor: none.map((_, d) => (d === 0 && floor > 0 ? floor / (capacity[0] as number) : 0)),
      share: none,
      ceiling: none.map(() => Number.POSITIVE_INFINITY)
    }))
    const numbers = numbersOf({ names: pool.names, capacity, tiers, tenants: [], labels: [] })
    session.scratch[At.Index] = pool.element.index
    const code = session.binding.changePool(numbers)
    session.waiting.settle()
    session.check(code, pool.name)
  }
}
