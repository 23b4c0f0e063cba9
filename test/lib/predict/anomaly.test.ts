import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AnomalyDetector, type AnomalyOptions, type Strangeness } from '../../../lib/predict/anomaly.js'
import { isCoded, thrown } from '../support.js'
import { hourly, normal, seeded } from './series.js'

const random = seeded(21)
const noise = (length: number, deviation = 1) => Array.from({ length }, () => 50 + deviation * normal(random))

function judged(values: readonly number[], options?: AnomalyOptions): Strangeness[] {
  const detector = new AnomalyDetector(options)
  return values.map(value => detector.update(value))
}

const worst = (all: readonly Strangeness[]) => all.reduce((most, { severity }) => Math.max(most, severity), 0)
const soon = () => new Promise<void>(resolve => setImmediate(resolve))

test('a value far out of the range is an anomaly at once', () => {
  const all = judged([...noise(1_000), 90])
  assert.ok((all[1_000]?.severity as number) > 0.999)
  assert.ok((all[1_000]?.evidence.extreme as number) > 2)
})

test('a level that moves within the range is an anomaly within four dozen values', () => {
  const values = noise(2_000).map((value, i) => (i < 1_500 ? value : value + 2))
  const all = judged(values)
  assert.ok(worst(all.slice(1_500, 1_550)) > 0.99)
})

test('a series that falls silent is an anomaly', () => {
  const all = judged([...noise(1_500), ...new Array(80).fill(50)])
  assert.ok(worst(all.slice(1_500)) > 0.9)
  assert.ok(all.slice(1_500).some(({ evidence }) => evidence.flat > 2))
})

test('a day that is not like the days before is an anomaly, though each of its values is usual', () => {
  const days = Array.from({ length: 60 * 24 }, (_, t) => 100 + 40 * Math.sin((2 * Math.PI * t) / 24) + normal(random))
  const upside = Array.from({ length: 48 }, (_, t) => 100 - 40 * Math.sin((2 * Math.PI * t) / 24) + normal(random))
  const all = judged([...days, ...upside, ...days], { seasons: [24] })
  assert.ok(Math.max(...all.slice(1_440, 1_500).map(({ evidence }) => evidence.season)) > 1)
})

test('noise as before is none, nine times of ten thousand at most', () => {
  const all = judged(noise(12_000)).slice(2_000)
  assert.ok(all.filter(({ severity }) => severity >= 0.99).length <= 9)
})

test('spikes that always came are no anomalies, and the same ones are where there were none', () => {
  const spiky = (from: number) => noise(4_000).map((value, i) => (i >= from && i % 97 === 0 ? value + 30 : value))
  const used = judged(spiky(0)).slice(3_000)
  const first = judged(spiky(3_000)).slice(3_000, 3_100)
  assert.ok(worst(used) < 0.99)
  assert.ok(worst(first) > 0.999)
})

test('an incident is told once, not at each of its values', () => {
  const all = judged([...noise(2_000), ...noise(200).map(value => value + 40)]).slice(2_000)
  const alerts = all.filter(({ severity }) => severity >= 0.9).length
  assert.ok(alerts >= 1 && alerts < 25, `${alerts} alerts`)
})

test('what it says of a value does not depend on those that follow', () => {
  const values = hourly(1_200, 5, 9)
  const [short, long] = [judged(values.slice(0, 900)), judged(values)]
  assert.equal(long.slice(0, 900), short)
})

test('does not depend on the unit', () => {
  // Powers of two, so that nothing is rounded.
  const values = noise(800).map((value, i) => Math.round(64 * (i === 700 ? value + 8 : value)))
  const severities = (of: (value: number) => number) => judged(values.map(of)).map(({ severity }) => severity)
  assert.equal(
    severities(value => 1024 * value),
    severities(value => value)
  )
})

test('makes severities from 0 to 1 of whatever comes', () => {
  const bad = [0, 1e300, -1e300, Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324, 1e-310, Number.NaN, Number.POSITIVE_INFINITY, -0]
  const series = [
    new Array(300).fill(7),
    new Array(300).fill(0),
    [Number.NaN, 3, Number.NaN],
    Array.from({ length: 500 }, (_, i) => (i % 2 === 0 ? Number.MAX_VALUE : -Number.MAX_VALUE)),
    Array.from({ length: 2_000 }, () => bad[Math.floor(bad.length * random())] as number),
    hourly(900, 1).map(value => 1e-310 * value),
    [...new Array(400).fill(1), 1e300, ...new Array(400).fill(1)]
  ]
  for (const values of series) {
    for (const { severity, evidence, index, expected } of judged(values)) {
      assert.ok(Number.isFinite(expected), `${expected} at ${index}`)
      assert.ok(severity >= 0 && severity <= 1, `${severity} at ${index}`)
      for (const found of Object.values(evidence)) assert.ok(found >= 0, `${JSON.stringify(evidence)} at ${index}`)
    }
  }
})

test('a missing value is not judged, and those after it as if it had not been', () => {
  const values = noise(600)
  const gaps = values.flatMap((value, i) => (i % 50 === 49 ? [Number.NaN, value] : [value]))
  const [without, all] = [judged(values), judged(gaps)]
  assert.equal(
    all.filter(({ value }) => !Number.isNaN(value)).map(({ severity }) => severity),
    without.map(({ severity }) => severity)
  )
  assert.ok(all.every(({ value, severity }) => !Number.isNaN(value) || severity === 0))
})

test('alerts are told of, from the severity that was asked for', async () => {
  const told: Strangeness[] = []
  const options = { alertAt: 0.95, onAnomaly: (anomaly: Strangeness) => told.push(anomaly) }
  const all = judged([...noise(900), 80], options)
  assert.is(told.length, 0, 'not before the value has been counted')
  await soon()
  assert.equal(
    told,
    all.filter(({ severity }) => severity >= 0.95)
  )
  assert.is(told.at(-1)?.value, 80)
})

test('corrects what is severe, and not again until that is done', async () => {
  let done: () => void = () => undefined
  const corrected: number[] = []
  const detector = new AnomalyDetector({
    correct: ({ value }) => {
      corrected.push(value)
      return new Promise(resolve => {
        done = resolve
      })
    }
  })
  for (const value of noise(900)) detector.update(value)
  await soon()
  corrected.length = 0
  done()
  await soon()
  detector.update(200)
  await soon()
  detector.update(2_000)
  await soon()
  assert.equal(corrected, [200])
  done()
  await soon()
  detector.update(200_000)
  await soon()
  assert.equal(corrected, [200, 200_000])
})

test('a workflow whose use of memory is made to jump is told of and put right', async () => {
  let leak = 0
  const detector = new AnomalyDetector({
    correct: () => {
      leak = 0
    }
  })
  const use = () => 200 + 10 * normal(random) + leak
  for (let i = 0; i < 1_000; i++) detector.update(use())
  leak = 300
  for (let i = 0; i < 5; i++) {
    detector.update(use())
    await soon()
  }
  assert.is(leak, 0)
})

test('refuses options and values that are none', () => {
  for (const options of [
    { alertAt: 0 },
    { alertAt: 1 },
    { correctAt: Number.NaN },
    { onAnomaly: 3 },
    { correct: 'x' },
    { seasons: [1] },
    { other: 1 },
    5
  ]) {
    isCoded(
      thrown(() => new AnomalyDetector(options as AnomalyOptions)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  isCoded(
    thrown(() => new AnomalyDetector().update('5' as unknown as number)),
    'ERR_FORELOCK_ARGUMENT'
  )
})

test.run()
