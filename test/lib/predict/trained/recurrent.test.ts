import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Ensemble } from '../../../../lib/predict/ensemble.js'
import { Single } from '../../../../lib/predict/single.js'
import { Recurrent, type RecurrentOptions } from '../../../../lib/predict/trained/recurrent.js'
import { isCoded, thrown } from '../../support.js'
import { conformance } from '../forecaster.suite.js'
import { hourly } from '../series.js'

/** Small, and with time enough on any machine, so that it always learns the same. */
const SMALL: RecurrentOptions = { units: 4, window: 8, horizon: 8, epochs: 1, budget: 600_000 }

conformance('LSTM', () => new Single(new Recurrent({ ...SMALL, season: 24 })), { seasons: false })
conformance('GRU', () => new Single(new Recurrent({ ...SMALL, season: 168, cell: 'gru' })), { seasons: true })

/** Two values before say the next one, and no season does: a wave of changing length. */
const chirp = Float64Array.from({ length: 400 }, (_, i) => Math.sin(0.25 * i + 2 * Math.sin(i / 19)))

test('learns what follows from the last values', async () => {
  for (const cell of ['lstm', 'gru'] as const) {
    const model = new Recurrent({ cell, units: 12, window: 8, horizon: 1, epochs: 25, season: 1, budget: 600_000 })
    assert.ok(await model.fit(chirp, 300))
    const said = new Float64Array(1)
    let [error, naive] = [0, 0]
    for (let at = 300; at < 400; at++) {
      assert.ok(model.predict(chirp, at, said))
      error += Math.abs((said[0] as number) - (chirp[at] as number))
      naive += Math.abs((chirp[at - 1] as number) - (chirp[at] as number))
    }
    assert.ok(error < 0.5 * naive, `${cell}: ${error} against ${naive}`)
  }
})

test('goes on from what it said, beyond what it says at once', async () => {
  const model = new Recurrent({ ...SMALL, season: 24 })
  const values = Float64Array.from(hourly(300, 1))
  assert.ok(await model.fit(values, 300))
  const [short, long] = [new Float64Array(8), new Float64Array(100)]
  assert.ok(model.predict(values, 300, short) && model.predict(values, 300, long))
  assert.equal(long.subarray(0, 8), short)
  assert.ok(long.every(Number.isFinite))
})

test('is of no use where there are too few values, or none that differ, and starts nothing', async () => {
  const model = new Recurrent(SMALL)
  assert.is(await model.fit(Float64Array.from(hourly(60, 1)), 60), false)
  assert.is(await model.fit(new Float64Array(500).fill(3), 500), false)
  assert.is(model.predict(new Float64Array(500), 500, new Float64Array(1)), false)
})

test('a budget of nothing leaves the net as it began, and another seed begins elsewhere', async () => {
  const values = Float64Array.from(hourly(300, 1))
  const of = async (options: RecurrentOptions) => {
    const model = new Recurrent({ ...SMALL, season: 24, ...options })
    assert.ok(await model.fit(values, 300))
    return JSON.stringify(model.save())
  }
  const first = await of({ budget: 0 })
  assert.is(await of({ budget: 0, epochs: 9 }), first)
  assert.is.not(await of({}), first)
  assert.is.not(await of({ budget: 0, seed: 2 }), first)
})

test('is a member of an ensemble like any other', async () => {
  const ensemble = new Ensemble({ horizon: 8, members: [new Recurrent({ ...SMALL, epochs: 6 })] })
  await ensemble.fit(hourly(600, 5))
  assert.ok(ensemble.weights.some(({ name, error }) => name === 'lstm(4)' && error > 0))
})

test('refuses what is not what it saved', async () => {
  const model = new Recurrent({ ...SMALL, season: 24 })
  await model.fit(Float64Array.from(hourly(300, 1)), 300)
  const saved = model.save() as Record<string, unknown>
  const other = new Recurrent(SMALL)
  const weights = saved.weights as number[]
  const bad = [
    { ...saved, weights: weights.slice(1) },
    { ...saved, weights: weights.map(() => null) },
    { ...saved, weights: weights.map(() => 1e300) },
    { ...saved, season: 0 },
    { ...saved, season: 1.5 },
    { ...saved, spread: 0 },
    { ...saved, half: -1 },
    { ...saved, middle: null },
    undefined,
    7
  ]
  for (const one of bad) assert.is(other.load(one), false)
  assert.is(other.save(), null)
  assert.is(other.load(JSON.parse(JSON.stringify(saved))), true)
  assert.equal(other.save(), saved)
})

test('refuses options that are none', () => {
  const bad: Record<string, unknown>[] = [
    { cell: 'rnn' },
    { cells: 'gru' },
    { units: 0 },
    { units: 1e6 },
    { window: 0 },
    { horizon: 0.5 },
    { epochs: 0 },
    { budget: -1 },
    { budget: '1' },
    { seed: -1 },
    { season: 0 }
  ]
  for (const options of bad) {
    isCoded(
      thrown(() => new Recurrent(options as RecurrentOptions)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test.run()
