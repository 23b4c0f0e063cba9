import { LAG_BINS } from './lags.js'
import { isNumber, isObject, sealValue, unsealValue } from './saved.js'

/** What saved triggers begin with. */
const MAGIC = 'forelock triggers 1\n'
const LARGEST_BIN = 65_535

/** How often one followed another. */
export interface SavedTally {
  readonly to: string
  readonly since: number
  readonly followed: number
  readonly hits: number
  readonly chance: number
  readonly most: number
  readonly lags: readonly number[]
}

export interface SavedStream {
  readonly name: string
  /** ms, in order */
  readonly times: readonly number[]
  /** null: never */
  readonly trimmed: number | null
  readonly led: number
  readonly ran: number
  /** null: never */
  readonly lastLed: number | null
  readonly ranBehind: number
  readonly across: readonly SavedTally[]
  readonly inside: readonly SavedTally[]
}

/** Triggers as they are saved; each number is finite. */
export interface SavedTriggers {
  readonly within: number
  /** null: nothing ever came */
  readonly began: number | null
  readonly now: number | null
  readonly ran: number
  readonly isFull: boolean
  readonly refused: number
  /** those that came last are the last */
  readonly streams: readonly SavedStream[]
  readonly due: readonly (readonly [stream: string, time: number])[]
}

export function writeTriggers(saved: SavedTriggers): Uint8Array {
  return sealValue(MAGIC, saved)
}

/** What {@link writeTriggers} wrote; undefined: it is damaged, of another version, or holds what no triggers have. */
export function readTriggers(bytes: Uint8Array): SavedTriggers | undefined {
  const saved = unsealValue(MAGIC, bytes)
  return areTriggers(saved) ? saved : undefined
}

function areTriggers(saved: unknown): saved is SavedTriggers {
  if (!isObject(saved)) return false
  const { within, began, now, ran, isFull, refused, streams, due } = saved
  if (!isNumber(within) || !isTime(began) || !isTime(now) || !isTally(ran) || !isTally(refused) || typeof isFull !== 'boolean') return false
  if (!Array.isArray(due) || !due.every(one => Array.isArray(one) && typeof one[0] === 'string' && isNumber(one[1]))) return false
  return Array.isArray(streams) && streams.every(isStream)
}

function isStream(stream: unknown): boolean {
  if (!isObject(stream)) return false
  const { name, times, trimmed, led, ran, lastLed, ranBehind, across, inside } = stream
  if (typeof name !== 'string' || !isTime(trimmed) || !isTime(lastLed) || ![led, ran, ranBehind].every(isTally)) return false
  if (!Array.isArray(times) || !times.every((time, i) => isNumber(time) && (i === 0 || time >= times[i - 1]))) return false
  return [across, inside].every(all => Array.isArray(all) && all.every(isFollower))
}

function isFollower(tally: unknown): boolean {
  if (!isObject(tally)) return false
  const { to, since, followed, hits, chance, most, lags } = tally
  if (typeof to !== 'string' || ![since, followed, hits, chance, most].every(isTally)) return false
  return Array.isArray(lags) && lags.length === LAG_BINS && lags.every(bin => isTally(bin) && bin <= LARGEST_BIN)
}

function isTime(value: unknown): boolean {
  return value === null || isNumber(value)
}

function isTally(value: unknown): boolean {
  return isNumber(value) && value >= 0
}
