import { refuse } from '../checks.js'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const OFFSET = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/
const FORMATS_MAX = 1_000
const formats = new Map<string, Intl.DateTimeFormat | undefined>()

/** Whether the time zone database of this Node knows a zone by this name. */
export function isZone(name: string): boolean {
  return formatOf(name) !== undefined
}

/**
 * How far the clocks of a zone are ahead of UTC, in ms.
 *
 * @param zone a name of the IANA time zone database
 * @param time ms since the Unix epoch
 * @throws ArgumentError if there is no such zone
 */
export function offsetAt(zone: string, time: number): number {
  const format = formatOf(zone)
  if (format === undefined) throw refuse('zone', 'a name of the IANA time zone database', zone)
  const [, sign, hours = 0, minutes = 0, seconds = 0] = OFFSET.exec(format.format(time)) ?? []
  const size = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS + Number(seconds) * 1000
  return sign === '-' ? -size : size
}

/**
 * When the clocks of a zone show a time. One that they show twice is the first; one that they leap over is counted by the clocks as they were
 * before (RFC 5545, 3.3.5).
 *
 * @param wall what the clocks show, as if it were UTC: ms since the Unix epoch
 * @throws ArgumentError
 */
export function timeAt(zone: string, wall: number): number {
  // Clocks change once in two days at most, so one of these offsets holds, or both.
  const [before, after] = [offsetAt(zone, wall - DAY_MS), offsetAt(zone, wall + DAY_MS)]
  const early = wall - before
  if (before === after || offsetAt(zone, early) === before) return early
  const late = wall - after
  return offsetAt(zone, late) === after ? late : early
}

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  if (!formats.has(zone)) {
    if (formats.size >= FORMATS_MAX) formats.clear()
    formats.set(zone, made(zone))
  }
  return formats.get(zone)
}

function made(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset', year: 'numeric' })
  } catch {
    // How Intl says that it knows no such zone.
    return undefined
  }
}
