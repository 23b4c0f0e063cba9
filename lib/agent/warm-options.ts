import { count, duration, onlyKnown, optionsObject, refuse } from '../checks.js'
import type { WarmTerms } from '../plan/warm-planner.js'

export interface WarmOptions {
  /** probability from which on something is warmed up, 0 to 1; default: where it pays, as scores have been right so far */
  threshold?: number | undefined
  /** warm-ups in force at once, at most 1,024; default 64 */
  most?: number | undefined
  /** ms within which a request is to come, at most an hour: no less than a warm-up takes; default 500 */
  within?: number | undefined
  /** ms without a request after which something counts as cold; default 1,000, for which the arena keeps the place of an idle lock anyway */
  cold?: number | undefined
  /**
   * what it costs when a request finds something cold, and when something was warmed up for nobody, in one unit; default: what waiting costs those who ask for
   * it, and what idling does
   */
  costs?: WarmCosts | undefined
}

export interface WarmCosts {
  readonly miss: number
  readonly waste: number
}

const KNOWN = ['threshold', 'most', 'within', 'cold', 'costs'] as const
const MOST = 64
const MOST_MAX = 1_024
const WITHIN_MS = 500
const WITHIN_MAX_MS = 3_600_000
const COLD_MS = 1_000
const COST_MOST = 1e9

/** @returns undefined: nothing is warmed up @throws ArgumentError */
export function readWarm(value: unknown): WarmTerms | undefined {
  if (value === false) return undefined
  if (value === null || (value !== undefined && typeof value !== 'object')) throw refuse('warm', 'an object, or false', value)
  const given = optionsObject(value, 'warm') ?? {}
  onlyKnown(given, KNOWN, 'warm')
  const { threshold, most, within, cold, costs } = given as { [K in keyof WarmOptions]: unknown }
  return {
    threshold: threshold === undefined ? undefined : numberTo(threshold, 'warm.threshold', 1),
    most: most === undefined ? MOST : count(most, 'warm.most', 1, MOST_MAX),
    within: within === undefined ? WITHIN_MS : readWithin(within),
    cold: cold === undefined ? COLD_MS : duration(cold, 'warm.cold'),
    costs: costs === undefined ? undefined : readCosts(costs)
  }
}

function readWithin(value: unknown): number {
  const ms = duration(value, 'warm.within')
  if (!(ms > 0 && ms <= WITHIN_MAX_MS)) throw refuse('warm.within', `ms above 0, at most ${WITHIN_MAX_MS}`, value)
  return ms
}

function readCosts(value: unknown): WarmCosts {
  const given = optionsObject(value, 'warm.costs') as { miss?: unknown; waste?: unknown }
  onlyKnown(given, ['miss', 'waste'], 'warm.costs')
  return { miss: numberTo(given.miss, 'warm.costs.miss', COST_MOST), waste: numberTo(given.waste, 'warm.costs.waste', COST_MOST) }
}

function numberTo(value: unknown, option: string, most: number): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= most)) throw refuse(option, `a number from 0 to ${most}`, value)
  return value
}
