import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { TimedEvent } from '../../../lib/events/event.js'
import { Effects, type Situation } from '../../../lib/predict/effects.js'
import { hourly } from './series.js'

const REACH = { before: 0, after: 0 }

function situation(values: ArrayLike<number>, events: readonly TimedEvent[] = []): Situation {
  return { values: Float64Array.from(values), origin: 0, step: 1, events, streams: new Map(), reach: REACH }
}

function raised(by: (value: number) => number): Situation {
  const values = hourly(700, 3)
  const events = Array.from({ length: 10 }, (_, i) => ({ type: 't', start: 50 + 61 * i, end: 55 + 61 * i }))
  for (const { start, end } of events) for (let i = start; i < end; i++) values[i] = by(values[i] as number)
  return situation(values, events)
}

const effectAt = (effects: Effects, event: TimedEvent, at: number) => effects.at(at, effects.place([event], 0, 1), new Map(), () => 0)

test('what is removed from a value is what is restored to it', () => {
  for (const by of [(value: number) => 2 * value, (value: number) => value + 50]) {
    const effects = Effects.learn(raised(by), undefined, undefined)
    const { effect } = effectAt(effects, { type: 't', start: 900, end: 905 }, 902)
    const usual = effects.remove(by(100), effect)
    assert.ok(Math.abs(usual - 100) < 8, `${usual}`)
    assert.ok(Math.abs(effects.restore(usual, effect) - by(100)) < 1e-9)
  }
})

test('effects are as large as the series is', () => {
  for (const unit of [1e-200, 1e200]) {
    const { values, ...others } = raised(value => value + 50)
    const scaled = { ...others, values: values.map(value => unit * value) }
    const { effect, deviation } = effectAt(Effects.learn(scaled, false, undefined), { type: 't', start: 900, end: 905 }, 902)
    assert.ok(Math.abs(effect / unit - 50) < 6, `${effect}`)
    assert.ok(deviation >= 0 && Number.isFinite(deviation))
  }
})

test('a series that was negative has no factors, whatever is asked for', () => {
  const values = hourly(300, 1).map(value => value - 100)
  for (const way of [undefined, true, false]) assert.is(Effects.learn(situation(values), way, undefined).multiplicative, false)
})

test('a type that is not seen any more is remembered, as long as effects are of the same kind', () => {
  const before = Effects.learn(
    raised(value => value + 50),
    undefined,
    undefined
  )
  const event = { type: 't', start: 302, end: 305 }
  const later = Effects.learn(situation(hourly(300, 3)), undefined, before)
  assert.is(later.multiplicative, false)
  assert.ok(Math.abs(effectAt(later, event, 303).effect - 50) < 6)
  assert.is(effectAt(Effects.learn(situation(hourly(300, 3)), true, before), event, 303).effect, 0)
})

test('a type that is remembered is so in units of what was usual for it', () => {
  const { events, ...others } = raised(value => value + 50)
  const before = Effects.learn({ ...others, events: events.map(event => ({ ...event, value: 1_000 })) }, false, undefined)
  const next = { type: 't', start: 302, end: 305, value: 2_000 }
  const later = Effects.learn(situation(hourly(300, 3), [next]), false, before)
  assert.ok(Math.abs(effectAt(later, next, 303).effect - 100) < 12)
})

test('an event of an unknown type does what is declared, and is as uncertain as that', () => {
  const effects = Effects.learn(situation(hourly(300, 3)), true, undefined)
  const { effect, deviation } = effectAt(effects, { type: 'new', start: 300, weight: 2 }, 300)
  assert.ok(Math.abs(effect - Math.log(2)) < 1e-12 && Math.abs(deviation - Math.log(2) / 2) < 1e-12)
  assert.equal(effectAt(effects, { type: 'new', start: 300 }, 300), { effect: 0, deviation: 0 })
})

test('nothing that comes out is no number, however many types and events there are', () => {
  const events = Array.from({ length: 600 }, (_, i) => ({
    type: `t${i % 90}`,
    start: i,
    end: i + (i % 40),
    weight: i % 3,
    value: (i % 5) - 2
  }))
  for (const values of [hourly(500, 1), new Array(500).fill(0), hourly(500, 1).map(value => 1e300 * value), [1, 2, 3]]) {
    const effects = Effects.learn(situation(values, events), undefined, undefined)
    for (const event of events) {
      const { effect, deviation } = effectAt(effects, event, event.start)
      assert.ok(Number.isFinite(effect) && Number.isFinite(deviation))
      assert.ok(Number.isFinite(effects.restore(1e308, effect)) && Number.isFinite(effects.remove(1e308, effect)))
    }
  }
})

test.run()
