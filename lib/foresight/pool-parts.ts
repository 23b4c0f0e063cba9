import type { TierUnits } from '../plan/pool-world.js'
import type { PoolTerms } from '../pool-terms.js'

/**
 * What each tier of a pool may have, in units. Of several dimensions it is the largest floor and share and the lowest ceiling: a plan of a share is of
 * each of them.
 *
 * @param units of the whole
 * @returns undefined: anything
 */
export function partsOf({ tiers }: PoolTerms, units: number): readonly TierUnits[] | undefined {
  const parts = tiers.map(({ floor, share, ceiling }) => ({
    floor: Math.max(0, ...floor) * units,
    share: Math.max(0, ...share) * units,
    ceiling: Math.min(1, ...ceiling) * units
  }))
  return parts.some(({ floor, share, ceiling }) => floor + share > 0 || ceiling < units) ? parts : undefined
}
