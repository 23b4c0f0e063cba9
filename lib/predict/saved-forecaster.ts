import { HORIZON_MAX, SEASON_MAX, WINDOW_MAX } from './forecaster.js'
import { isNumber, isObject, sealValue, unsealValue } from './saved.js'

/** What a saved forecaster begins with. */
const MAGIC = 'forelock forecaster 1\n'

/** A forecaster as it is saved; each number is finite. */
export interface SavedForecaster {
  readonly name: string
  readonly values: readonly number[]
  /** how many of the values came since it was fitted, or more: those that are gone since */
  readonly later: number
  /** the least value ever; null: there was none */
  readonly least: number | null
  /** null: it was never fitted */
  readonly learnt: {
    readonly periods: readonly number[]
    readonly length: number
    /** `error`: null where it was not tried */
    readonly members: readonly { readonly name: string; readonly weight: number; readonly error: number | null; readonly state: unknown }[]
    readonly by: 'mean' | 'median'
    readonly errors: readonly number[]
    readonly reach: number
    readonly scales: readonly (readonly [coverage: number, scale: number])[]
  } | null
}

export function writeForecaster(saved: SavedForecaster): Uint8Array {
  return sealValue(MAGIC, saved)
}

/** What {@link writeForecaster} wrote; undefined: it is damaged, of another version, or holds what no forecaster has. */
export function readForecaster(bytes: Uint8Array): SavedForecaster | undefined {
  const saved = unsealValue(MAGIC, bytes)
  return isForecaster(saved) ? saved : undefined
}

function isForecaster(saved: unknown): saved is SavedForecaster {
  if (!isObject(saved)) return false
  const { name, values, later, least, learnt } = saved
  if (!isCount(later, 0, Number.MAX_SAFE_INTEGER)) return false
  return (
    typeof name === 'string' &&
    areNumbers(values, WINDOW_MAX) &&
    (least === null || isNumber(least)) &&
    (learnt === null || isLearnt(learnt))
  )
}

function isLearnt(learnt: unknown): boolean {
  if (!isObject(learnt)) return false
  const { periods, length, members, by, errors, reach, scales } = learnt
  if (!Array.isArray(periods) || !periods.every(period => isCount(period, 2, SEASON_MAX)) || !isCount(length, 0, WINDOW_MAX)) return false
  if (by !== 'mean' && by !== 'median') return false
  if (!isCount(reach, 1, HORIZON_MAX) || !areNumbers(errors, Number.POSITIVE_INFINITY)) return false
  if (errors.length === 0 || errors.length % reach !== 0) return false
  if (!Array.isArray(scales) || !scales.every(isScale)) return false
  return Array.isArray(members) && members.every(isMember)
}

function isScale(pair: unknown): boolean {
  return areNumbers(pair, 2) && pair.length === 2 && isPart(pair[0]) && (pair[1] as number) > 0
}

function isMember(member: unknown): boolean {
  if (!isObject(member)) return false
  const { name, weight, error } = member
  return typeof name === 'string' && isPart(weight) && weight > 0 && (error === null || (isNumber(error) && error >= 0))
}

function isCount(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most
}

function isPart(value: unknown): value is number {
  return isNumber(value) && value >= 0 && value <= 1
}

function areNumbers(value: unknown, most: number): value is number[] {
  return Array.isArray(value) && value.length <= most && value.every(isNumber)
}
