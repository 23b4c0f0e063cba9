import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Model } from '../../../lib/predict/forecaster.js'
import { Median, PhaseMean } from '../../../lib/predict/naive.js'
import { RidgeAutoregression } from '../../../lib/predict/ridge.js'
import { Single } from '../../../lib/predict/single.js'
import { Smoothing } from '../../../lib/predict/smoothing.js'
import { isCoded, thrown } from '../support.js'
import { conformance } from './forecaster.suite.js'
import { hourly } from './series.js'

const LAGS = [1, 2, 3, 23, 24, 25, 168]

conformance('naive', () => new Single(new PhaseMean(1, 1)), { seasons: false })
conformance('seasonal naive', () => new Single(new PhaseMean(168, 1)), { seasons: true })
conformance('median', () => new Single(new Median(13)), { seasons: false })
conformance('EWMA', () => new Single(new Smoothing(0, false)), { seasons: false })
conformance('Holt', () => new Single(new Smoothing(0, true)), { seasons: false })
conformance('Holt-Winters', () => new Single(new Smoothing(168, false)), { seasons: true })
conformance('ridge', () => new Single(new RidgeAutoregression('ridge', LAGS, 0)), { seasons: true })
conformance('ridge of differences', () => new Single(new RidgeAutoregression('ridge-differences', LAGS, 24)), { seasons: true })

/** Says the same whatever it is asked. */
const always = (value: number): Model => ({ name: 'always', fit: () => true, predict: (_, __, out) => out.fill(value).length > 0 })

test('says what its model says, with intervals of the errors of that', async () => {
  const single = new Single(always(7))
  await single.fit(Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 5 : 9)))
  const { point, quantiles } = single.forecast(4, [0.1, 0.9])
  assert.equal([...point], [7, 7, 7, 7])
  assert.ok((quantiles[0]?.[0] as number) <= 5 && (quantiles[1]?.[0] as number) >= 9)
  assert.is(single.name, 'always')
})

test('the last value stands for a model that cannot say, or says what is no number', async () => {
  for (const model of [always(Number.NaN), always(Number.POSITIVE_INFINITY), new Median(1_001)]) {
    const single = new Single(model)
    await single.fit(hourly(300, 2))
    single.update(42)
    assert.equal([...single.forecast(3).point], [42, 42, 42])
  }
})

test('refuses what is no model', () => {
  for (const model of [undefined, null, 5, {}, { name: 'a', fit: () => true }])
    isCoded(
      thrown(() => new Single(model as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
})

test('refuses what another model saved', async () => {
  const ridge = new Single(new RidgeAutoregression('ridge', LAGS, 0))
  await ridge.fit(hourly(300, 2))
  for (const other of [new PhaseMean(1, 1), new RidgeAutoregression('ridge', [1, 2], 0)]) {
    isCoded(
      thrown(() => new Single(other).load(ridge.save())),
      'ERR_FORELOCK_CORRUPT'
    )
  }
})

test.run()
