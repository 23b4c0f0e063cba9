import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { TimedEvent } from '../../../lib/events/event.js'
import { Ensemble } from '../../../lib/predict/ensemble.js'
import { EventForecaster, type EventForecasterOptions } from '../../../lib/predict/event-forecaster.js'
import type { Forecast } from '../../../lib/predict/forecaster.js'
import { NumericStream } from '../../../lib/predict/stream.js'
import { isCoded, rejection, thrown } from '../support.js'
import { hourly, normal, seeded } from './series.js'

const HOUR = 3_600_000
const START = Date.UTC(2026, 0, 5)
const LENGTH = 24 * 7 * 6
const HORIZON = 48
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]

/** With all that it can be told, most of it of no use. */
function busy(): EventForecaster {
  const stream = new NumericStream('visits')
  for (let hour = 0; hour < 300; hour++) stream.record(hour * HOUR, (hour * 7) % 11)
  const forecaster = new EventForecaster({ step: HOUR, streams: [stream], before: 2 })
  for (let hour = 5; hour < 400; hour += 17) {
    forecaster.expect({ type: 'sale', start: hour * HOUR, end: (hour + 4) * HOUR, weight: 1.1, value: hour % 3 })
  }
  return forecaster
}

/** Numbers all through, in order. */
function mustBeSound({ horizon, point, quantiles }: Forecast, asked: number): void {
  assert.equal([horizon, point.length], [asked, asked])
  for (let step = 0; step < asked; step++) {
    assert.ok(Number.isFinite(point[step]))
    for (const [i, line] of quantiles.entries()) {
      assert.ok(Number.isFinite(line[step]) && (i === 0 || (line[step] as number) >= (quantiles[i - 1]?.[step] as number)))
    }
  }
}

test('makes a sound forecast of any series, whatever events there are', async () => {
  const random = seeded(42)
  const series: Record<string, number[]> = {
    none: [],
    one: [5],
    three: [1, 2, 3],
    missing: new Array(50).fill(Number.NaN),
    constant: new Array(200).fill(7),
    zeros: new Array(200).fill(0),
    gaps: hourly(300, 1).map((value, i) => (i % 7 === 3 || (i > 100 && i < 130) ? Number.NaN : value)),
    infinite: hourly(200, 1).map((value, i) => (i % 50 === 9 ? Number.POSITIVE_INFINITY : value)),
    huge: hourly(200, 1).map(value => 1e300 * value),
    'from end to end': Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? Number.MAX_VALUE : -Number.MAX_VALUE)),
    tiny: hourly(200, 1).map(value => 1e-310 * value),
    'a step': [...new Array(199).fill(1), 1e300]
  }
  for (let i = 0; i < 40; i++) {
    const scale = 10 ** (40 * random() - 20)
    const length = Math.floor(120 * random())
    series[`random ${i}`] = Array.from({ length }, () => (random() < 0.05 ? Number.NaN : scale * normal(random)))
  }
  for (const values of Object.values(series)) {
    const forecaster = busy()
    await forecaster.fit(values)
    mustBeSound(forecaster.forecast(60), 60)
    for (const value of [1, Number.NaN, 1e300, Number.NEGATIVE_INFINITY, -3]) forecaster.update(value)
    mustBeSound(forecaster.forecast(3, [0.9, 0.1, 0.4]), 3)
  }
})

test('what was never negative is not foretold to be, and a horizon or level that is none is refused', async () => {
  const random = seeded(5)
  const forecaster = busy()
  await forecaster.fit(Array.from({ length: 300 }, () => Math.max(0, normal(random))))
  for (const line of forecaster.forecast(30, [0.001, 0.5]).quantiles) for (const value of line) assert.ok(value >= 0)
  for (const call of [() => forecaster.forecast(0), () => forecaster.forecast(1e9), () => forecaster.forecast(1, [1])]) {
    isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
  }
})

/** Weeks of hours, with campaigns of four to twelve hours now and then, some of them in the time to be foretold. */
function campaigns(seed: number, make: (random: () => number) => (value: number) => number) {
  const random = seeded(seed)
  const values = hourly(LENGTH + HORIZON, 5, seed + 100)
  const events: (TimedEvent & { end: number })[] = []
  for (let at = 20; at < values.length; at += 24 + Math.floor(random() * 90)) {
    const to = at + 4 + Math.floor(random() * 8)
    const act = make(random)
    events.push({ type: 'campaign', start: START + at * HOUR, end: START + to * HOUR })
    for (let i = at; i < Math.min(to, values.length); i++) values[i] = act(values[i] as number)
    at = to
  }
  return { values: values.slice(0, LENGTH), truth: values.slice(LENGTH), events }
}

async function fitted(values: readonly number[], events: readonly TimedEvent[], options: Partial<EventForecasterOptions> = {}) {
  const forecaster = new EventForecaster({ step: HOUR, ...options })
  for (const event of events) forecaster.expect(event)
  await forecaster.fit(values, START)
  return forecaster
}

function pinball(truth: readonly number[], { levels, quantiles }: Forecast): number {
  let sum = 0
  for (const [k, level] of levels.entries()) {
    for (const [i, value] of truth.entries()) {
      const over = value - (quantiles[k]?.[i] as number)
      sum += over >= 0 ? level * over : (level - 1) * over
    }
  }
  return sum / truth.length / levels.length
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value / values.length, 0)
const error = (truth: readonly number[], point: ArrayLike<number>) =>
  meanOf(truth.map((value, i) => Math.abs(value - (point[i] as number))))

/** Pinball loss of the forecast with events, of that without. */
async function compared(seed: number, act: (value: number) => number): Promise<readonly [number, number]> {
  const { values, truth, events } = campaigns(seed, () => act)
  const plain = new Ensemble()
  await plain.fit(values)
  return [pinball(truth, (await fitted(values, events)).forecast(HORIZON)), pinball(truth, plain.forecast(HORIZON))]
}

test('a forecast with its events beats the one without, be they factors or sums', async () => {
  for (const act of [(value: number) => 1.6 * value, (value: number) => value + 40]) {
    const losses = await Promise.all(SEEDS.map(seed => compared(seed, act)))
    assert.ok(meanOf(losses.map(([own]) => own)) < 0.5 * meanOf(losses.map(([, plain]) => plain)), JSON.stringify(losses))
    assert.ok(losses.filter(([own, plain]) => own < plain).length >= SEEDS.length - 1, JSON.stringify(losses))
  }
})

test('events that do nothing hurt by no more than a few per cent', async () => {
  const losses = await Promise.all(SEEDS.map(seed => compared(seed, value => value)))
  const [own, plain] = [meanOf(losses.map(one => one[0])), meanOf(losses.map(one => one[1]))]
  assert.ok(own < 1.03 * plain, `${own} with, ${plain} without`)
})

test('says of an effect what it is: a factor or a sum, and how large', async () => {
  const factor = await fitted(campaigns(3, () => value => 1.6 * value).values, campaigns(3, () => value => value).events)
  const sum = await fitted(campaigns(3, () => value => value + 40).values, campaigns(3, () => value => value).events)
  const [first] = factor.learnt
  assert.equal([first?.type, first?.multiplicative, sum.learnt[0]?.multiplicative], ['campaign', true, false])
  for (const { place, effect } of first?.profile ?? []) {
    const truth = place.startsWith('during') ? 1.6 : 1
    assert.ok(Math.abs(effect - truth) < 0.1, `${place} ${effect}`)
  }
  for (const { place, effect } of sum.learnt[0]?.profile ?? []) {
    assert.ok(Math.abs(effect - (place.startsWith('during') ? 40 : 0)) < 5, `${place} ${effect}`)
  }
})

test('about as many values lie within an interval as it says, while events are going on, too', async () => {
  // Each campaign is another one; and each hour of it.
  const perEvent = (random: () => number) => {
    const factor = 1.4 + 0.5 * random()
    return (value: number) => factor * value
  }
  const perHour = (random: () => number) => (value: number) => (1.4 + 0.5 * random()) * value
  for (const make of [perEvent, perHour]) {
    let [within, together] = [0, 0]
    for (let seed = 1; seed <= 30; seed++) {
      const { values, truth, events } = campaigns(seed, make)
      const { quantiles } = (await fitted(values, events)).forecast(HORIZON, [0.1, 0.9])
      for (const [i, value] of truth.entries()) {
        const time = START + (LENGTH + i) * HOUR
        if (!events.some(({ start, end }) => time >= start && time < end)) continue
        within += value >= (quantiles[0]?.[i] as number) && value <= (quantiles[1]?.[i] as number) ? 1 : 0
        together++
      }
    }
    assert.ok(together > 100, `${together}`)
    assert.ok(within / together > 0.7 && within / together < 0.95, `${within} of ${together} of 80 %`)
  }
})

test('what differs from one time to the next makes the interval wider, and what is always the same does not', async () => {
  const next = { type: 'campaign', start: START + (LENGTH + 2) * HOUR, end: START + (LENGTH + 8) * HOUR }
  const width = async (spread: number) => {
    const random = seeded(1)
    const values = hourly(LENGTH, 2)
    const events: TimedEvent[] = []
    for (let at = 10; at + 6 < LENGTH; at += 60) {
      const factor = 1.5 + spread * normal(random)
      for (let i = at; i < at + 6; i++) values[i] = factor * (values[i] as number)
      events.push({ type: 'campaign', start: START + at * HOUR, end: START + (at + 6) * HOUR })
    }
    const { quantiles } = (await fitted(values, [...events, next], { effect: 'multiplicative' })).forecast(10)
    return (quantiles[6]?.[4] as number) - (quantiles[0]?.[4] as number)
  }
  assert.ok((await width(0.3)) > 2 * (await width(0)))
})

test('what was seen once is believed less than what was seen often', async () => {
  const effectOf = async (times: number) => {
    const values = hourly(LENGTH, 5)
    const events: TimedEvent[] = []
    for (let i = 0; i < times; i++) {
      const at = 100 + 70 * i
      for (let k = at; k < at + 6; k++) values[k] = (values[k] as number) + 60
      events.push({ type: 't', start: START + at * HOUR, end: START + (at + 6) * HOUR })
    }
    return (await fitted(values, events, { effect: 'additive' })).learnt[0]?.profile.find(({ place }) => place === 'during 1')?.effect ?? 0
  }
  const [once, often] = [await effectOf(1), await effectOf(10)]
  assert.ok(once > 5 && once < 45, `once: ${once}`)
  assert.ok(often > 53 && often < 65, `often: ${often}`)
})

test('what is declared is believed until it is seen, and then what is seen', async () => {
  const at = (hour: number, weight?: number) => ({ type: 'launch', start: START + hour * HOUR, end: START + (hour + 6) * HOUR, weight })
  const values = hourly(LENGTH, 2)
  const factor = async (events: readonly TimedEvent[], of: readonly number[]) => {
    const own = await fitted(of, [...events, at(LENGTH + 10, 2)], { effect: 'multiplicative' })
    const plain = await fitted(of, events, { effect: 'multiplicative' })
    return (own.forecast(20).point[12] as number) / (plain.forecast(20).point[12] as number)
  }
  assert.ok(Math.abs((await factor([], values)) - 2) < 0.01)
  const idle = Array.from({ length: 12 }, (_, i) => at(50 + 70 * i, 2))
  assert.ok(Math.abs((await factor(idle, values)) - 1) < 0.1, `${await factor(idle, values)} though it never did anything`)
})

test('an event of twice the value does twice as much', async () => {
  const values = hourly(LENGTH, 2)
  const event = (at: number, value: number) => ({ type: 'match', start: START + at * HOUR, end: START + (at + 5) * HOUR, value })
  const events = Array.from({ length: 12 }, (_, i) => event(40 + 75 * i, 1_000 * (1 + (i % 3))))
  for (const { start, value } of events) {
    const at = (start - START) / HOUR
    for (let i = at; i < at + 5; i++) values[i] = (values[i] as number) + value / 50
  }
  const own = await fitted(values, [...events, event(LENGTH, 1_000), event(LENGTH + 24, 4_000)], { effect: 'additive' })
  const plain = await fitted(values, events, { effect: 'additive' })
  const more = own.forecast(30).point.map((value, i) => value - (plain.forecast(30).point[i] as number))
  assert.ok(Math.abs((more[2] as number) - 20) < 6 && Math.abs((more[26] as number) - 80) < 15, `${more[2]} and ${more[26]}`)
})

test('an event that is told later, moved or cancelled counts at once', async () => {
  const { values, events } = campaigns(5, () => value => 1.6 * value)
  const past = events.filter(({ end }) => end <= START + LENGTH * HOUR)
  const forecaster = await fitted(values, past)
  const before = forecaster.forecast(HORIZON).point
  const at = (hour: number) => ({
    id: 'next',
    type: 'campaign',
    start: START + (LENGTH + hour) * HOUR,
    end: START + (LENGTH + hour + 3) * HOUR
  })
  const raised = () => [...forecaster.forecast(HORIZON).point].map((value, i) => value / (before[i] as number) > 1.3)
  forecaster.expect(at(10))
  assert.equal(
    raised().flatMap((is, i) => (is ? i : [])),
    [10, 11, 12]
  )
  forecaster.expect(at(20))
  assert.equal(
    raised().flatMap((is, i) => (is ? i : [])),
    [20, 21, 22]
  )
  assert.is(forecaster.cancel('next'), true)
  assert.is(forecaster.cancel('next'), false)
  assert.equal(forecaster.forecast(HORIZON).point, before)
})

test('values that come while an event is going on are not taken for the new level', async () => {
  const { values, events } = campaigns(6, () => value => 2 * value)
  const past = events.filter(({ end }) => end <= START + LENGTH * HOUR)
  const now = { type: 'campaign', start: START + LENGTH * HOUR, end: START + (LENGTH + 6) * HOUR }
  const forecaster = await fitted(values, [...past, now])
  const usual = hourly(LENGTH + 12, 0).slice(LENGTH)
  for (let i = 0; i < 6; i++) forecaster.update(2 * (usual[i] as number))
  const { point } = forecaster.forecast(6)
  assert.ok(error(usual.slice(6), point) < 20, `${point} for ${usual.slice(6)}`)
})

test('a stream that goes before the series is found, with its lag', async () => {
  const random = seeded(11)
  const visits = new NumericStream('visits')
  const noise = new NumericStream('noise')
  let level = 0
  const line = Array.from({ length: LENGTH + HORIZON }, () => (level = 0.9 * level + normal(random)))
  const values = hourly(LENGTH + HORIZON, 2).map((value, i) => value + 8 * (line[i - 5] ?? 0))
  for (let i = 0; i < LENGTH; i++) {
    visits.record(START + i * HOUR + 60_000, 500 + 30 * (line[i] as number))
    noise.record(START + i * HOUR, random())
  }
  const [truth, known] = [values.slice(LENGTH), values.slice(0, LENGTH)]
  const forecaster = await fitted(known, [], { streams: [visits, noise] })
  const [first, ...others] = forecaster.leading
  assert.equal([first?.stream, first?.lag, others.length], ['visits', 5 * HOUR, 0])
  const plain = new Ensemble()
  await plain.fit(known)
  const [own, without] = [forecaster.forecast(5).point, plain.forecast(5).point]
  assert.ok(error(truth.slice(0, 5), own) < 0.5 * error(truth.slice(0, 5), without))
  let [sum, sumWithout] = [0, 0]
  for (let i = 0; i < 40; i++) {
    const value = truth[i] as number
    visits.record(START + (LENGTH + i) * HOUR, 500 + 30 * (line[LENGTH + i] as number))
    forecaster.update(value)
    plain.update(value)
    sum += Math.abs((truth[i + 4] as number) - (forecaster.forecast(4).point[3] as number))
    sumWithout += Math.abs((truth[i + 4] as number) - (plain.forecast(4).point[3] as number))
  }
  assert.ok(sum < 0.6 * sumWithout, `${sum} with, ${sumWithout} without`)
})

test('what was saved foretells the same, and remembers what the values do not show any more', async () => {
  const { values, events } = campaigns(2, () => value => 1.6 * value)
  const forecaster = await fitted(values, events)
  const saved = forecaster.save()
  const other = new EventForecaster({ step: HOUR })
  await other.load(saved)
  assert.equal(other.forecast(HORIZON), (await fitted(values, events)).forecast(HORIZON))
  await other.fit(hourly(500, 5, 77), START + 1e4 * HOUR)
  const plain = other.forecast(10).point
  other.expect({ type: 'campaign', start: START + 10_502 * HOUR, end: START + 10_506 * HOUR })
  assert.ok(Math.abs((other.forecast(10).point[3] as number) / (plain[3] as number) - 1.6) < 0.15)
  const broken = saved.slice()
  broken[50] = (broken[50] as number) ^ 1
  for (const bad of [broken, saved.subarray(0, 90), new Uint8Array(0), 'x']) {
    isCoded(await rejection(other.load(bad as Uint8Array)), 'ERR_FORELOCK_CORRUPT')
  }
  isCoded(await rejection(new EventForecaster({ step: 1_000 }).load(saved)), 'ERR_FORELOCK_CORRUPT')
})

test('events are bounded, and those that are long over make room', async () => {
  const forecaster = new EventForecaster({ step: HOUR, events: 10, window: 100 })
  for (let i = 0; i < 10; i++) forecaster.expect({ type: 't', start: START + i * HOUR })
  const error = thrown(() => forecaster.expect({ type: 't', start: START + 10 * HOUR }))
  isCoded(error, 'ERR_FORELOCK_CAPACITY')
  forecaster.expect({ type: 't', start: START + 9 * HOUR })
  await forecaster.fit(hourly(400, 1), START)
  forecaster.expect({ type: 't', start: START + 401 * HOUR })
})

test('refuses options and events that are none', async () => {
  const stream = new NumericStream('a')
  const wrong: unknown[] = [
    undefined,
    {},
    { step: 0 },
    { step: Number.NaN },
    { step: 1, effect: 'both' },
    { step: 1, streams: [{}] },
    { step: 1, streams: [stream, new NumericStream('a')] },
    { step: 1, before: -1 },
    { step: 1, after: 1e9 },
    { step: 1, window: 2 },
    { step: 1, events: 0 },
    { step: 1, steps: 1 }
  ]
  for (const options of wrong) {
    isCoded(
      thrown(() => new EventForecaster(options as EventForecasterOptions)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  const forecaster = new EventForecaster({ step: 1 })
  const good = { type: 't', start: 5 }
  for (const event of [
    undefined,
    { ...good, type: 1 },
    { ...good, start: '5' },
    { ...good, start: 1e300 },
    { ...good, end: 4 },
    { ...good, weight: -1 },
    { ...good, value: Number.NaN },
    { ...good, id: 5 },
    { ...good, wieght: 2 }
  ]) {
    isCoded(
      thrown(() => forecaster.expect(event as TimedEvent)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  isCoded(await rejection(forecaster.fit([1, 2], Number.NaN)), 'ERR_FORELOCK_ARGUMENT')
})

test.run()
