import { onlyKnown, optionsObject, refuse } from '../checks.js'
import type { Usage } from '../metering/counters.js'
import { GiB } from '../units.js'

/** What things cost, in a currency of the user's; what is not said costs nothing. */
export interface Prices {
  /** of a run, or of an action, whatever it uses */
  each?: number | undefined
  /** of a second of CPU time */
  cpu?: number | undefined
  /** of a GiB held for a second */
  memory?: number | undefined
  /** of a second of wall time */
  wall?: number | undefined
  /** of a GiB read from or written to disk */
  disk?: number | undefined
  /** of a GiB sent or received */
  network?: number | undefined
}

const KNOWN = ['each', 'cpu', 'memory', 'wall', 'disk', 'network'] as const
const MS_PER_S = 1000

/** @throws ArgumentError */
export function readPrices(value: unknown): Prices | undefined {
  const given = optionsObject(value, 'prices')
  if (given === undefined) return undefined
  onlyKnown(given, KNOWN, 'prices')
  const prices: Prices = {}
  for (const key of KNOWN) {
    const price = (given as { [K in keyof Prices]: unknown })[key]
    if (price === undefined) continue
    if (typeof price !== 'number' || !(price >= 0) || price === Number.POSITIVE_INFINITY)
      throw refuse(`prices.${key}`, 'a number >= 0', price)
    prices[key] = price
  }
  return prices
}

/** What this use of things costs; undefined where there are no prices. */
export function costOf(prices: Prices | undefined, usage: Partial<Usage>): number | undefined {
  if (prices === undefined) return undefined
  const { each = 0, cpu = 0, memory = 0, wall = 0, disk = 0, network = 0 } = prices
  const seconds = (usage.wall ?? 0) / MS_PER_S
  return (
    each +
    (cpu * (usage.cpu ?? 0)) / MS_PER_S +
    (memory * (usage.memory ?? 0) * seconds) / GiB +
    wall * seconds +
    (disk * ((usage.diskRead ?? 0) + (usage.diskWritten ?? 0))) / GiB +
    (network * ((usage.networkReceived ?? 0) + (usage.networkSent ?? 0))) / GiB
  )
}
