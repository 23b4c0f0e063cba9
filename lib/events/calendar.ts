import type ICAL from 'ical.js'
import { count, onlyKnown, optionsObject, refuse, text } from '../checks.js'
import { ArgumentError, CapacityError, isForelockError } from '../errors/index.js'
import { optional } from '../history/optional.js'
import type { TimedEvent } from './event.js'
import { isZone, timeAt } from './wall-time.js'
import { within } from './within.js'

export interface CalendarOptions {
  /** ms since the Unix epoch: what ends before is left out */
  from: number
  /** ms since the Unix epoch, > from: what begins then or later is left out */
  until: number
  /** the zone of days and of times without one, a name of the IANA time zone database; default UTC */
  zone?: string | undefined
  /** the type of an event; undefined leaves it out. Default: its summary */
  type?: ((entry: CalendarEntry) => string | undefined) | undefined
  /** what events are expected to do, as a factor; default: nothing is expected */
  weight?: number | undefined
  /** occurrences that are looked at, those before `from` too; default 100,000 */
  steps?: number | undefined
  /** ms that reading and repeating may take; default 2,000 */
  time?: number | undefined
}

/** An event of a calendar, before it is repeated. */
export interface CalendarEntry {
  readonly uid: string
  readonly summary: string
  readonly categories: readonly string[]
  readonly location: string
  /** it lasts whole days */
  readonly allDay: boolean
}

/** One occurrence. */
export interface CalendarEvent extends TimedEvent {
  readonly id: string
  readonly end: number
}

type Library = typeof ICAL
type Time = InstanceType<Library['Time']>
type Component = InstanceType<Library['Component']>
type Event = InstanceType<Library['Event']>
type Timezone = InstanceType<Library['Timezone']>

interface Occurrence {
  readonly entry: CalendarEntry
  readonly start: number
  readonly end: number
}

interface Terms {
  readonly from: number
  readonly until: number
  readonly zone: string
  readonly type: (entry: CalendarEntry) => string | undefined
  readonly weight: number | undefined
  readonly steps: number
  readonly time: number
}

const KNOWN = ['from', 'until', 'zone', 'type', 'weight', 'steps', 'time'] as const
const TIME_MAX = 8.64e15
const UNITS_MAX = 32 * 1024 * 1024
const STEPS = 100_000
const STEPS_MAX = 10_000_000
const TIME_MS = 2_000
const TIME_MS_MAX = 600_000

/**
 * The occurrences of the events of an iCalendar (RFC 5545) in a time, by when they begin: repeated as their rules say, without what is excluded or
 * cancelled, and as they were changed one by one. An hour of a zone stays that hour when clocks change. Zones are those of the time zone database; one
 * that it does not know is as the calendar defines it.
 *
 * @param ics the text of it
 * @throws ArgumentError if it is no calendar, or names a zone that nobody knows; CapacityError (`calendar.steps`, `calendar.time`) if it repeats too often, or
 *   takes too long; LoadError without the package ical.js
 */
export async function calendar(ics: string, options: CalendarOptions): Promise<CalendarEvent[]> {
  const terms = termsOf(options)
  if (text(ics, 'ics').length > UNITS_MAX) throw refuse('ics', `at most ${UNITS_MAX} UTF-16 code units`, ics.length)
  const library = await optional('ical.js', async () => (await import('ical.js')).default, 'a calendar')
  // Its rules can make the library search for ever for a day that never comes.
  const found = within(terms.time, () => read(library, ics, terms))
  if (found !== undefined) return found.value.flatMap(occurrence => eventOf(occurrence, terms)).sort((a, b) => a.start - b.start)
  throw new CapacityError(`reading the calendar takes longer than ${terms.time} ms`, { option: 'calendar.time', limit: terms.time })
}

function read(library: Library, ics: string, terms: Terms): Occurrence[] {
  try {
    return occurrencesOf(library, ics, terms)
  } catch (error) {
    if (isForelockError(error)) throw error
    // What the library throws are errors of many kinds, of its own code, too.
    throw new ArgumentError('ics must be an iCalendar', { option: 'ics', given: ics.slice(0, 256) }, error)
  }
}

function occurrencesOf(library: Library, ics: string, terms: Terms): Occurrence[] {
  const root = new library.Component(library.parse(ics) as never)
  if (root.name !== 'vcalendar') throw refuse('ics', 'one iCalendar', ics)
  root.getTimeZoneByID = zonesOf(library, root)
  const components = root.getAllSubcomponents('vevent')
  const changes = new Map<unknown, Component[]>()
  for (const component of components.filter(isChange)) changes.set(uidOf(component), [...(changes.get(uidOf(component)) ?? []), component])
  const whole = new Set(components.filter(component => !isChange(component)).map(uidOf))
  const budget = { left: terms.steps }
  return components.flatMap(component => {
    if (!(component.getFirstPropertyValue('dtstart') instanceof library.Time)) {
      throw refuse('ics', 'a calendar whose events have a start', uidOf(component))
    }
    if (!isChange(component)) return repeated(library, component, changes.get(uidOf(component)) ?? [], terms, budget)
    // One whose event is not in the calendar, as an invitation to one of many.
    return whole.has(uidOf(component)) ? [] : repeated(library, component, [], terms, budget)
  })
}

/** It is another occurrence of an event than its rule says. */
function isChange(component: Component): boolean {
  return component.hasProperty('recurrence-id')
}

function uidOf(component: Component): unknown {
  return component.getFirstPropertyValue('uid')
}

function repeated(
  library: Library,
  component: Component,
  changes: readonly Component[],
  terms: Terms,
  budget: { left: number }
): Occurrence[] {
  const event = new library.Event(component, { exceptions: [...changes] })
  if (!event.isRecurring()) return occurrenceOf(event.startDate, event.endDate, event, terms)
  // The library begins with the first date that is listed, but the event's own is one, too (RFC 5545, 3.8.5.2).
  if (!component.hasProperty('rrule')) {
    const first = new library.Property('rdate')
    first.setValue(event.startDate)
    component.addProperty(first)
  }
  const out: Occurrence[] = []
  const iterator = event.iterator()
  // One after the end may have been put to before it.
  const moved = changes.map(change => msOf(change.getFirstPropertyValue('recurrence-id') as Time, terms.zone))
  const last = moved.reduce((latest, time) => Math.max(latest, time), terms.until)
  for (let next = iterator.next(); next !== null && next !== undefined; next = iterator.next()) {
    if (budget.left-- <= 0) {
      const limit = terms.steps
      throw new CapacityError(`the calendar has more than ${limit} occurrences until then`, { option: 'calendar.steps', limit })
    }
    if (msOf(next, terms.zone) > last) break
    const { startDate, endDate, item } = event.getOccurrenceDetails(next)
    out.push(...occurrenceOf(startDate, endDate, item, terms))
  }
  return out
}

function occurrenceOf(first: Time, last: Time, item: Event, { from, until, zone }: Terms): Occurrence[] {
  const start = msOf(first, zone)
  const end = Math.max(start, msOf(last, zone))
  if (!(start < until) || (end > start ? end <= from : start < from)) return []
  if (String(item.component.getFirstPropertyValue('status')).toUpperCase() === 'CANCELLED') return []
  const categories = item.component.getAllProperties('categories').flatMap(property => property.getValues().map(String))
  const entry = { uid: item.uid ?? '', summary: item.summary ?? '', categories, location: item.location ?? '', allDay: first.isDate }
  return [{ entry, start, end }]
}

function eventOf({ entry, start, end }: Occurrence, { type: typeOf, weight }: Terms): CalendarEvent[] {
  const type = typeOf(entry)
  if (type === undefined) return []
  const id = `${entry.uid}@${new Date(start).toISOString()}`
  return [{ id, type: text(type, 'type()'), start, end, ...(weight !== undefined && { weight }) }]
}

/** A day, and a time without a zone, are those of the zone that was asked for. */
function msOf(time: Time, zone: string): number {
  const isLocal = time.isDate || time.zone === undefined || time.zone === null || time.zone.tzid === 'floating'
  if (!isLocal) return 1000 * time.toUnixTime()
  return timeAt(zone, Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second))
}

/** The zones of a calendar: the library itself knows only those that a calendar defines, and calendars often define them for one year. */
function zonesOf(library: Library, root: Component): Component['getTimeZoneByID'] {
  class Named extends library.Timezone {
    override utcOffset(time: Time): number {
      const wall = Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second)
      return (wall - timeAt(this.tzid, wall)) / 1000
    }
  }
  const known = new Map<string, Timezone>()
  return (tzid: string) => {
    let zone = known.get(tzid)
    if (zone !== undefined) return zone
    const component = root.getAllSubcomponents('vtimezone').find(one => one.getFirstPropertyValue('tzid') === tzid)
    if (isZone(tzid)) zone = new Named({ tzid })
    else if (component !== undefined) zone = new library.Timezone({ component, tzid })
    else
      throw new ArgumentError(`the calendar names a zone that it does not define: ${JSON.stringify(tzid)}`, { option: 'ics', given: tzid })
    known.set(tzid, zone)
    return zone
  }
}

function termsOf(options: CalendarOptions): Terms {
  const given = optionsObject(options, 'options') ?? {}
  onlyKnown(given, KNOWN, 'calendar()')
  const { from, until, zone = 'UTC', type = entry => entry.summary, weight, steps = STEPS, time = TIME_MS } = given as CalendarOptions
  for (const [name, ms] of Object.entries({ from, until })) {
    if (typeof ms !== 'number' || !(Math.abs(ms) <= TIME_MAX)) throw refuse(name, 'ms since the Unix epoch', ms)
  }
  if (!(until > from)) throw refuse('until', 'later than from', until)
  if (typeof zone !== 'string' || !isZone(zone)) throw refuse('zone', 'a name of the IANA time zone database', zone)
  if (typeof type !== 'function') throw refuse('type', 'a function', type)
  if (weight !== undefined && (typeof weight !== 'number' || !(weight >= 0 && weight <= 1_000)))
    throw refuse('weight', 'a number from 0 to 1000', weight)
  return { from, until, zone, type, weight, steps: count(steps, 'steps', 1, STEPS_MAX), time: count(time, 'time', 1, TIME_MS_MAX) }
}
