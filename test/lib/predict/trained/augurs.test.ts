import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Ensemble } from '../../../../lib/predict/ensemble.js'
import type { Model } from '../../../../lib/predict/forecaster.js'
import { Single } from '../../../../lib/predict/single.js'
import { type AugursOptions, augursMembers } from '../../../../lib/predict/trained/augurs.js'
import { isCoded, thrown } from '../../support.js'
import { conformance } from '../forecaster.suite.js'
import { hourly, seeded } from '../series.js'

/** Time enough on any machine. */
const BUDGET = 600_000
const member = (kind: 'mstl' | 'ets' | 'prophet', options?: AugursOptions) =>
  augursMembers({ models: [kind], budget: BUDGET, ...options })[0] as Model

conformance('MSTL', () => new Single(member('mstl', { seasons: [24, 168] })), { seasons: true })
conformance('ETS', () => new Single(member('ets')), { seasons: false })
// Of two seasons its engine takes now one, now the other first, and the forecasts differ in the fourth place.
conformance('Prophet', () => new Single(member('prophet', { seasons: [168] })), { seasons: true })

test('each goes on with what it knows', async () => {
  const wave = Float64Array.from({ length: 400 }, (_, i) => 50 + 9 * Math.sin((2 * Math.PI * i) / 24))
  const said = new Float64Array(48)
  for (const kind of ['mstl', 'prophet'] as const) {
    const model = member(kind)
    assert.ok(await model.fit(wave, 352))
    assert.ok(model.predict(wave, 352, said, 0))
    said.forEach((value, i) => {
      assert.ok(Math.abs(value - (wave[352 + i] as number)) < 0.5, `${kind}: ${value}, ${wave[352 + i]}`)
    })
  }
  const line = Float64Array.from({ length: 60 }, (_, i) => 3 * i)
  const ets = member('ets')
  assert.ok(await ets.fit(line, 60))
  assert.ok(ets.predict(line, 60, said, 0))
  assert.ok(Math.abs((said[9] as number) - 207) < 1, `${said[9]}`)
})

test('a line is moved by how much it errs, and goes on beyond its end', async () => {
  const model = member('mstl', { seasons: [12], horizon: 24 })
  const values = Float64Array.from({ length: 900 }, (_, i) => (i < 300 ? 0 : 40) + Math.sin((2 * Math.PI * i) / 12))
  assert.ok(await model.fit(values.slice(0, 300), 300))
  const said = new Float64Array(24)
  assert.ok(model.predict(values, 876, said, 576))
  said.forEach((value, i) => {
    assert.ok(Math.abs(value - (values[876 + i] as number)) < 1, `${value}, ${values[876 + i]}`)
  })
  // As where the oldest of many values are gone: what came later is told.
  const same = new Float64Array(24)
  assert.ok(model.predict(values.slice(200), 676, same, 576))
  assert.equal(same, said)
})

test('is of no use where there is no season, or too little of it, or no time', async () => {
  const values = Float64Array.from(hourly(300, 1))
  const noise = Float64Array.from({ length: 300 }, seeded(3))
  assert.is(await member('mstl').fit(noise, 300), false)
  assert.is(await member('mstl', { seasons: [200] }).fit(values, 300), false)
  assert.is(await member('ets').fit(new Float64Array(300), 300), false)
  const late = member('prophet', { budget: 0 })
  assert.is(await late.fit(values, 300), false)
  assert.is(late.predict(values, 300, new Float64Array(1), 0), false)
  // And the next fit has a thread again.
  assert.is(await member('ets').fit(values, 300), true)
})

test('they are members of an ensemble like any other, and are carried over with it', async () => {
  const members = () => augursMembers({ budget: BUDGET })
  const ensemble = new Ensemble({ members: members() })
  await ensemble.fit(hourly(700, 3))
  assert.ok(ensemble.weights.some(({ name, error }) => name === 'mstl' && error > 0))
  const other = new Ensemble({ members: members() })
  other.load(ensemble.save())
  assert.equal(other.forecast(48), ensemble.forecast(48))
})

test('refuses what is not what it saved', async () => {
  const model = member('ets')
  await model.fit(Float64Array.from(hourly(100, 1)), 100)
  const saved = model.save?.() as object
  for (const bad of [{ ...saved, line: [] }, { ...saved, line: ['1'] }, { ...saved, period: 0 }, { ...saved, period: 1e9 }, 5, undefined]) {
    assert.is(model.load?.(bad), false)
  }
  assert.equal(model.save?.(), saved)
  assert.is(model.load?.(null), true)
})

test('refuses options that are none', () => {
  for (const options of [
    { models: ['arima'] },
    { models: 'ets' },
    { horizon: 0 },
    { budget: -1 },
    { seasons: [1] },
    { seasons: 5 },
    { model: [] },
    null
  ]) {
    isCoded(
      thrown(() => augursMembers(options as AugursOptions)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test.run()
