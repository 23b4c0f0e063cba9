import { onlyKnown, optionsObject, refuse } from '../checks.js'
import type { Usage, UsageField } from '../metering/counters.js'
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

/** What each price is of. */
const PRICED: readonly (readonly [price: keyof Prices, of: readonly UsageField[]])[] = [
  ['cpu', ['cpu']],
  ['memory', ['memory']],
  ['wall', ['wall']],
  ['disk', ['diskRead', 'diskWritten']],
  ['network', ['networkReceived', 'networkSent']]
]

/** What this use of things costs, as far as it was measured; undefined where there are no prices, or nothing that has one was measured. */
export function costOf(prices: Prices | undefined, usage: Partial<Usage>): number | undefined {
  if (prices === undefined || !isKnown(prices, usage)) return undefined
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

function isKnown(prices: Prices, usage: Partial<Usage>): boolean {
  if (prices.each !== undefined) return true
  const priced = PRICED.filter(([price]) => prices[price] !== undefined)
  return priced.length === 0 || priced.some(([, of]) => of.some(field => usage[field] !== undefined))
}
