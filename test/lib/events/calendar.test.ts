import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type CalendarOptions, calendar } from '../../../lib/events/calendar.js'
import { isForelockError } from '../../../lib/index.js'
import { seeded } from '../predict/series.js'
import { isCoded, rejection } from '../support.js'

/** What a busy machine takes is no subject here, but where `time` is. */
const YEAR = { from: Date.UTC(2026, 0, 1), until: Date.UTC(2027, 0, 1), time: 60_000 }

function ics(...events: string[]): string {
  const lines = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN']
  for (const event of events) lines.push(event.includes('BEGIN:') ? event : `BEGIN:VEVENT\nUID:u\nSUMMARY:standup\n${event}\nEND:VEVENT`)
  return [...lines, 'END:VCALENDAR'].join('\n').replaceAll('\n', '\r\n')
}

const starts = async (text: string, options: Partial<CalendarOptions> = {}) =>
  (await calendar(text, { ...YEAR, ...options })).map(({ start }) => new Date(start).toISOString().slice(0, 16))

test('an event of a zone keeps its hour when clocks change', async () => {
  const weekly = 'DTSTART;TZID=Europe/Berlin:20260302T090000\nDTEND;TZID=Europe/Berlin:20260302T091500\nRRULE:FREQ=WEEKLY'
  const events = await calendar(ics(weekly), YEAR)
  assert.is(events.length, 44)
  const hourAt = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' })
  for (const { start, end, type } of events) {
    assert.is(hourAt.format(start), '09:00')
    assert.is(end - start, 900_000)
    assert.is(type, 'standup')
  }
  const days = events.map(({ start }) => new Date(start).toISOString())
  assert.ok(days.includes('2026-03-23T08:00:00.000Z') && days.includes('2026-03-30T07:00:00.000Z'))
  assert.ok(days.includes('2026-10-19T07:00:00.000Z') && days.includes('2026-10-26T08:00:00.000Z'))
  assert.is(new Set(events.map(({ id }) => id)).size, 44)
})

test('a night across a change of clocks ends when the clocks say so', async () => {
  const night = 'DTSTART;TZID=America/New_York:20260307T230000\nDURATION:PT2H'
  assert.equal(await starts(ics(night)), ['2026-03-08T04:00'])
})

test('an hour that the clocks leap over, and one that they show twice', async () => {
  const daily = (day: string) => `DTSTART;TZID=Europe/Berlin:${day}T023000\nRRULE:FREQ=DAILY;COUNT=3`
  assert.equal(await starts(ics(daily('20260328'))), ['2026-03-28T01:30', '2026-03-29T01:30', '2026-03-30T00:30'])
  assert.equal(await starts(ics(daily('20261024'))), ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30'])
})

test('a zone that only the calendar knows is as it defines it', async () => {
  const zone = [
    'BEGIN:VTIMEZONE',
    'TZID:Our Office',
    'BEGIN:STANDARD',
    'DTSTART:20001029T030000',
    'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10',
    'TZOFFSETFROM:+0500',
    'TZOFFSETTO:+0400',
    'END:STANDARD',
    'BEGIN:DAYLIGHT',
    'DTSTART:20000326T020000',
    'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3',
    'TZOFFSETFROM:+0400',
    'TZOFFSETTO:+0500',
    'END:DAYLIGHT',
    'END:VTIMEZONE'
  ].join('\n')
  const event = 'DTSTART;TZID=Our Office:20260328T090000\nRRULE:FREQ=DAILY;COUNT=2'
  assert.equal(await starts(ics(zone, event)), ['2026-03-28T05:00', '2026-03-29T04:00'])
  assert.match((await rejection(calendar(ics(event), YEAR))).message, 'Our Office')
})

test('a name of the time zone database goes before what a calendar says of it for one year', async () => {
  const stale = [
    'BEGIN:VTIMEZONE',
    'TZID:Europe/Berlin',
    'BEGIN:STANDARD',
    'DTSTART:20101031T030000',
    'TZOFFSETFROM:+0200',
    'TZOFFSETTO:+0100',
    'END:STANDARD',
    'END:VTIMEZONE'
  ].join('\n')
  assert.equal(await starts(ics(stale, 'DTSTART;TZID=Europe/Berlin:20260701T090000')), ['2026-07-01T07:00'])
})

test('days, and times without a zone, are those of the zone asked for', async () => {
  const day = 'DTSTART;VALUE=DATE:20260329\nDTEND;VALUE=DATE:20260330'
  const [event] = await calendar(ics(day), { ...YEAR, zone: 'Europe/Berlin', type: ({ allDay }) => (allDay ? 'day' : 'time') })
  assert.equal([event?.type, event?.start, event?.end], ['day', Date.UTC(2026, 2, 28, 23), Date.UTC(2026, 2, 29, 22)])
  const yearly = 'DTSTART;VALUE=DATE:20200704\nRRULE:FREQ=YEARLY'
  assert.equal(await starts(ics(yearly)), ['2026-07-04T00:00'])
  assert.equal(await starts(ics('DTSTART:20260701T090000'), { zone: 'Asia/Tokyo' }), ['2026-07-01T00:00'])
  assert.equal(await starts(ics('DTSTART:20260701T090000Z'), { zone: 'Asia/Tokyo' }), ['2026-07-01T09:00'])
})

test('leaves out what is excluded, and has changed occurrences as they were changed', async () => {
  const event = [
    'DTSTART;TZID=Europe/Berlin:20260105T090000',
    'DTEND;TZID=Europe/Berlin:20260105T100000',
    'RRULE:FREQ=WEEKLY;COUNT=5',
    'EXDATE;TZID=Europe/Berlin:20260112T090000'
  ].join('\n')
  const changed = (line: string) => `BEGIN:VEVENT\nUID:u\nSUMMARY:moved\n${line}\nEND:VEVENT`
  const moved = changed('RECURRENCE-ID;TZID=Europe/Berlin:20260119T090000\nDTSTART;TZID=Europe/Berlin:20260120T110000')
  const gone = changed('RECURRENCE-ID:20260126T080000Z\nDTSTART:20260126T080000Z\nSTATUS:CANCELLED')
  const found = await calendar(ics(event, moved, gone), YEAR)
  assert.equal(
    found.map(({ type, start }) => [type, new Date(start).toISOString().slice(0, 16)]),
    [
      ['standup', '2026-01-05T08:00'],
      ['moved', '2026-01-20T10:00'],
      ['standup', '2026-02-02T08:00']
    ]
  )
})

test('a changed occurrence is of its own event only', async () => {
  const other = 'BEGIN:VEVENT\nUID:other\nSUMMARY:other\nDTSTART:20260105T090000Z\nRRULE:FREQ=WEEKLY;COUNT=2\nEND:VEVENT'
  const moved = 'BEGIN:VEVENT\nUID:other\nRECURRENCE-ID:20260105T090000Z\nDTSTART:20260106T090000Z\nEND:VEVENT'
  const own = 'DTSTART:20260105T090000Z\nRRULE:FREQ=WEEKLY;COUNT=1'
  assert.equal(await starts(ics(own, other, moved)), ['2026-01-05T09:00', '2026-01-06T09:00', '2026-01-12T09:00'])
})

test('changed occurrences whose event is not there are events of their own', async () => {
  const one = (day: number) => `BEGIN:VEVENT\nUID:x\nRECURRENCE-ID:2026010${day}T090000Z\nDTSTART:2026010${day}T100000Z\nEND:VEVENT`
  assert.equal(await starts(ics(one(5), one(6))), ['2026-01-05T10:00', '2026-01-06T10:00'])
})

test('all that follows one occurrence is changed with it, where the calendar says so', async () => {
  const event = 'DTSTART:20260105T090000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=4'
  const later =
    'BEGIN:VEVENT\nUID:u\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260119T090000Z\nDTSTART:20260119T110000Z\nDURATION:PT2H\nEND:VEVENT'
  const found = await calendar(ics(event, later), YEAR)
  assert.equal(
    found.map(({ start, end }) => [new Date(start).getUTCHours(), (end - start) / 3_600_000]),
    [
      [9, 1],
      [9, 1],
      [11, 2],
      [11, 2]
    ]
  )
})

test('dates that are listed one by one are in', async () => {
  const event = 'DTSTART;TZID=Europe/Berlin:20260105T090000\nRDATE;TZID=Europe/Berlin:20260704T090000,20260905T120000'
  assert.equal(await starts(ics(event)), ['2026-01-05T08:00', '2026-07-04T07:00', '2026-09-05T10:00'])
  assert.equal(await starts(ics(`${event}\nEXDATE;TZID=Europe/Berlin:20260105T090000`)), ['2026-07-04T07:00', '2026-09-05T10:00'])
  assert.equal(await starts(ics('DTSTART;VALUE=DATE:20260105\nRDATE;VALUE=DATE:20260106,20260105')), [
    '2026-01-05T00:00',
    '2026-01-06T00:00'
  ])
})

test('a calendar of thousands of events is read in one go', async () => {
  const events = Array.from({ length: 3_000 }, (_, i) => `BEGIN:VEVENT\nUID:e${i}\nDTSTART:20260105T090000Z\nEND:VEVENT`)
  assert.is((await calendar(ics(...events), YEAR)).length, 3_000)
})

test('an occurrence that was put from after the end to before it is in', async () => {
  const event = 'DTSTART:20260105T090000Z\nRRULE:FREQ=MONTHLY'
  const moved = 'BEGIN:VEVENT\nUID:u\nRECURRENCE-ID:20260405T090000Z\nDTSTART:20260201T090000Z\nEND:VEVENT'
  const until = Date.UTC(2026, 1, 3)
  assert.equal(await starts(ics(event, moved), { until }), ['2026-01-05T09:00', '2026-02-01T09:00'])
})

test('a rule that ends at a time ends there by the clocks of its zone', async () => {
  const event = 'DTSTART;TZID=America/New_York:20260101T220000\nRRULE:FREQ=DAILY;UNTIL=20260104T030000Z'
  assert.equal(await starts(ics(event)), ['2026-01-02T03:00', '2026-01-03T03:00', '2026-01-04T03:00'])
})

test('what overlaps the time asked for is in, and what ends before or begins after is not', async () => {
  const event = 'DTSTART:20260101T000000Z\nDTEND:20260101T120000Z\nRRULE:FREQ=DAILY'
  const at = (day: number, hour: number) => Date.UTC(2026, 0, day, hour)
  assert.equal(await starts(ics(event), { from: at(2, 6), until: at(4, 0) }), ['2026-01-02T00:00', '2026-01-03T00:00'])
  assert.equal(await starts(ics(event), { from: at(2, 12), until: at(4, 1) }), ['2026-01-03T00:00', '2026-01-04T00:00'])
})

test('an event without a name for its type is left out, and a weight is handed on', async () => {
  const events = await calendar(ics('DTSTART:20260101T000000Z\nCATEGORIES:sale,big', 'DTSTART:20260102T000000Z'), {
    ...YEAR,
    weight: 2,
    type: ({ categories }) => categories[1]
  })
  assert.equal(
    events.map(({ type, weight }) => [type, weight]),
    [['big', 2]]
  )
})

test('rules without an end, or of every second, end all the same', async () => {
  const rules = ['FREQ=SECONDLY', 'FREQ=MINUTELY', 'FREQ=DAILY;INTERVAL=0', 'FREQ=HOURLY;BYHOUR=0,1;BYMINUTE=0,1,2,3;BYSECOND=0,1,2,3']
  for (const rule of rules) {
    const event = `DTSTART:19700101T000000Z\nRRULE:${rule}`
    const result = await calendar(ics(event), { ...YEAR, steps: 1_000 }).catch(error => error)
    if (!Array.isArray(result)) assert.match(result.code, /CAPACITY|ARGUMENT/, rule)
    else assert.ok(result.length <= 1_000)
  }
  const short = { from: 0, until: 10_000 }
  assert.is((await calendar(ics('DTSTART:19700101T000000Z\nRRULE:FREQ=SECONDLY'), short)).length, 10)
})

test('a rule for a day that never comes is given up', async () => {
  const never = 'DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30'
  const error = await rejection(calendar(ics(never), { ...YEAR, time: 100 }))
  isCoded(error, 'ERR_FORELOCK_CAPACITY')
  assert.is(error.option, 'calendar.time')
})

test('a calendar that is damaged anywhere is read, or refused, and nothing else', async () => {
  const whole = ics(
    'DTSTART;TZID=Europe/Berlin:20260105T090000\nDTEND;TZID=Europe/Berlin:20260105T100000\nRRULE:FREQ=WEEKLY;COUNT=5;BYDAY=MO,-1TU',
    'DTSTART;VALUE=DATE:20260105\nRDATE;VALUE=PERIOD:20260106T000000Z/PT1H\nEXDATE;VALUE=DATE:20260107\nDURATION:P1D',
    'BEGIN:VEVENT\nUID:u\nRECURRENCE-ID;TZID=Europe/Berlin:20260112T090000\nDTSTART:20260112T100000Z\nEND:VEVENT'
  )
  const random = seeded(8)
  const below = (most: number) => Math.floor(most * random())
  let read = 0
  for (let round = 0; round < 600; round++) {
    let text = whole
    for (let change = 0; change < 1 + below(3); change++) {
      const [at, length] = [below(text.length), below(6)]
      const put = ['', '-', '9', '\r\n', ';', ':', '=', ',', 'X', '999999999', 'FREQ=SECONDLY', '\u0000'][below(12)] as string
      text = text.slice(0, at) + put + text.slice(at + length)
    }
    const found = await calendar(text, { ...YEAR, steps: 2_000, time: 5_000 }).catch(error => error)
    if (!Array.isArray(found)) assert.ok(isForelockError(found), `${found} of ${JSON.stringify(text)}`)
    else {
      read++
      for (const { start, end } of found) assert.ok(Number.isFinite(start) && end >= start && start < YEAR.until)
    }
  }
  assert.ok(read > 100, `${read} were read`)
})

test('what is no calendar is refused', async () => {
  const bad = [
    '',
    'hello',
    'BEGIN:VCALENDAR\r\nBEGIN:VEVENT',
    'BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT',
    ics('DESCRIPTION:no start'),
    ics('DTSTART:2026-99-99'),
    ics('DTSTART:garbage'),
    ics('DTSTART:20260101T000000Z\nRRULE:FREQ=SOMETIMES'),
    ics('DTSTART:20260101T000000Z\nRRULE:FREQ=MONTHLY;BYDAY=9XX'),
    `${ics('DTSTART:20260101T000000Z')}\r\n${ics('DTSTART:20260101T000000Z')}`
  ]
  for (const text of bad) isCoded(await rejection(calendar(text, YEAR)), 'ERR_FORELOCK_ARGUMENT')
})

test('refuses options that are none', async () => {
  const { from, until } = YEAR
  for (const options of [undefined, {}, { from }, { from, until: from }, { from, until: Number.NaN }, { from: '2026', until }]) {
    isCoded(await rejection(calendar(ics(), options as CalendarOptions)), 'ERR_FORELOCK_ARGUMENT')
  }
  for (const more of [{ zone: 'Mars/Phobos' }, { type: 'x' }, { weight: -1 }, { steps: 0 }, { time: 0 }, { zones: 1 }]) {
    isCoded(await rejection(calendar(ics(), { ...YEAR, ...more } as CalendarOptions)), 'ERR_FORELOCK_ARGUMENT')
  }
  isCoded(await rejection(calendar(5 as never, YEAR)), 'ERR_FORELOCK_ARGUMENT')
})

test.run()
