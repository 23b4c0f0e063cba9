import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ConformalForecaster } from '../../../lib/predict/conformal.js'
import type { Forecast } from '../../../lib/predict/forecaster.js'
import { isCoded, rejection, thrown } from '../support.js'
import { hourly, normal, seeded } from './series.js'

/** Numbers all through, in order: what any forecast must be, whatever it was made from. */
function mustBeSound({ horizon, point, levels, quantiles }: Forecast, asked: number): void {
  assert.is(horizon, asked)
  assert.is(point.length, asked)
  assert.is(quantiles.length, levels.length)
  for (let step = 0; step < asked; step++) {
    assert.ok(Number.isFinite(point[step]), `the middle of step ${step} is ${point[step]}`)
    for (let i = 0; i < levels.length; i++) {
      const value = quantiles[i]?.[step] as number
      assert.ok(Number.isFinite(value), `quantile ${levels[i]} of step ${step} is ${value}`)
      if (i > 0) assert.ok(value >= (quantiles[i - 1]?.[step] as number), `quantiles cross at step ${step}`)
    }
  }
}

const BAD: Record<string, number[]> = {
  none: [],
  one: [5],
  two: [5, 6],
  three: [1, 2, 3],
  'only missing': [Number.NaN, Number.NaN, Number.NaN],
  'all the same': new Array(200).fill(7),
  zeros: new Array(200).fill(0),
  gaps: hourly(300, 1).map((value, i) => (i % 7 === 3 || (i > 100 && i < 130) ? Number.NaN : value)),
  infinities: hourly(200, 1).map((value, i) =>
    i % 50 === 9 ? Number.POSITIVE_INFINITY : i % 50 === 31 ? Number.NEGATIVE_INFINITY : value
  ),
  huge: hourly(200, 1).map(value => 1e300 * value),
  'from end to end': Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? Number.MAX_VALUE : -Number.MAX_VALUE)),
  tiny: hourly(200, 1).map(value => 1e-310 * value),
  'a step at the end': [...new Array(199).fill(1), 1e300],
  'a step in the middle': Array.from({ length: 200 }, (_, i) => (i < 100 ? 0 : 1e12))
}

/**
 * What holds of any forecaster.
 *
 * @param learns whether it can go on with a season that it finds, or was given
 */
export function conformance(name: string, make: () => ConformalForecaster, learns: { seasons: boolean }): void {
  const test = suite(`${name}: what every forecaster does`)

  for (const [kind, values] of Object.entries(BAD)) {
    test(`makes a sound forecast of a series of ${kind}`, async () => {
      const forecaster = make()
      await forecaster.fit(values)
      mustBeSound(forecaster.forecast(60), 60)
      for (const value of [1, Number.NaN, 1e300, Number.NEGATIVE_INFINITY, -3]) forecaster.update(value)
      mustBeSound(forecaster.forecast(3), 3)
    })
  }

  test('makes a sound forecast of random series of any length', async () => {
    const random = seeded(42)
    for (let round = 0; round < 60; round++) {
      const length = Math.floor(120 * random() ** 2)
      const scale = 10 ** (40 * random() - 20)
      const values = Array.from({ length }, () => (random() < 0.05 ? Number.NaN : scale * normal(random)))
      const forecaster = make()
      await forecaster.fit(values)
      const horizon = 1 + Math.floor(100 * random())
      mustBeSound(forecaster.forecast(horizon, [random(), 0.5, 0.01 + 0.98 * random()].filter(Boolean)), horizon)
    }
  })

  // One that knows no seasons cannot go on with them.
  const seasonal = learns.seasons ? test : test.skip
  seasonal('a series of whole days goes on about as it was', async () => {
    const all = hourly(24 * 60 + 48, 1)
    const forecaster = make()
    await forecaster.fit(all.slice(0, -48))
    const { point } = forecaster.forecast(48)
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length
    const error = (of: (step: number) => number) => all.slice(-48).reduce((sum, value, step) => sum + Math.abs(value - of(step)), 0)
    assert.ok(error(step => point[step] as number) < 0.5 * error(() => mean))
  })

  test('an update is known to the next forecast', async () => {
    const forecaster = make()
    await forecaster.fit(hourly(400, 5))
    for (let i = 0; i < 200; i++) forecaster.update(1000)
    assert.ok((forecaster.forecast(1).point[0] as number) > 300)
  })

  test('the same values give the same forecast', async () => {
    const forecasts: Forecast[] = []
    for (let i = 0; i < 2; i++) {
      const forecaster = make()
      await forecaster.fit(hourly(400, 5))
      forecasts.push(forecaster.forecast(20))
    }
    assert.equal(forecasts[0], forecasts[1])
  })

  test('goes on as it was from what it saved, also after more values', async () => {
    for (const values of [hourly(400, 5), hourly(60, 5), [1, 2, 3], []]) {
      const forecaster = make()
      await forecaster.fit(values)
      for (let i = 0; i < 30; i++) {
        forecaster.forecast(1)
        forecaster.update(90 + (i % 7))
      }
      const other = make()
      other.load(forecaster.save())
      assert.equal(other.forecast(30), forecaster.forecast(30))
      for (const one of [other, forecaster]) for (const value of [3, Number.NaN, 80]) one.update(value)
      assert.equal(other.forecast(60).point, forecaster.forecast(60).point)
    }
  })

  test('refuses what is not what it saved, and goes on as it was', async () => {
    const forecaster = make()
    await forecaster.fit(hourly(200, 5))
    const saved = forecaster.save()
    const before = forecaster.forecast(5)
    const broken = Uint8Array.from(saved)
    broken[100] = (broken[100] as number) ^ 1
    for (const bad of [broken, saved.subarray(1), saved.subarray(0, 50), new Uint8Array(0), 'a', null, undefined]) {
      isCoded(
        thrown(() => forecaster.load(bad as Uint8Array)),
        'ERR_FORELOCK_CORRUPT'
      )
    }
    assert.equal(forecaster.forecast(5), before)
  })

  test('keeps a bounded number of values', async () => {
    const forecaster = make()
    await forecaster.fit(hourly(6_000, 5))
    const size = forecaster.save().length
    for (const value of hourly(9_000, 5, 2)) forecaster.update(value)
    assert.ok(forecaster.save().length < 1.1 * size)
  })

  test('what was never negative is not foretold to be', async () => {
    const random = seeded(5)
    const forecaster = make()
    await forecaster.fit(Array.from({ length: 300 }, () => Math.max(0, normal(random))))
    for (const line of forecaster.forecast(30, [0.001, 0.025, 0.5]).quantiles) for (const value of line) assert.ok(value >= 0)
  })

  test('refuses values that are no array, and goes on as it was', async () => {
    const forecaster = make()
    await forecaster.fit(hourly(200, 5))
    const before = forecaster.forecast(5)
    for (const values of [undefined, null, 5, 'abc', {}, { length: -1 }, { length: Number.NaN }])
      isCoded(await rejection(forecaster.fit(values as never)), 'ERR_FORELOCK_ARGUMENT')
    assert.equal(forecaster.forecast(5), before)
  })

  test('refuses a horizon and levels that are none', async () => {
    const forecaster = make()
    await forecaster.fit([1, 2, 3])
    for (const horizon of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e9, '3', undefined, null]) {
      isCoded(
        thrown(() => forecaster.forecast(horizon as number)),
        'ERR_FORELOCK_ARGUMENT'
      )
    }
    for (const levels of [[0], [1], [-0.1], [Number.NaN], ['a'], 0.5, {}, null]) {
      isCoded(
        thrown(() => forecaster.forecast(1, levels as number[])),
        'ERR_FORELOCK_ARGUMENT'
      )
    }
  })

  test.run()
}
