import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Ensemble } from '../../../lib/predict/ensemble.js'
import type { Forecast, Forecaster } from '../../../lib/predict/forecaster.js'
import { Retraining, type RetrainingOptions } from '../../../lib/predict/retraining.js'
import { isCoded, rejection, thrown } from '../support.js'
import { hourly, normal, seeded } from './series.js'

/** Says how many values it was fitted to, plus those that it was told since, and is fitted when it is let. */
class Counting implements Forecaster {
  readonly name = 'counting'
  known = 0
  end!: (error?: Error) => void

  fit(values: ArrayLike<number>, signal?: AbortSignal): Promise<void> {
    this.known = values.length
    return new Promise((resolve, reject) => {
      this.end = error => (error === undefined ? resolve() : reject(error))
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
  }

  update(): void {
    this.known++
  }

  forecast(horizon: number): Forecast {
    return { horizon, point: new Float64Array(horizon).fill(this.known), levels: [], quantiles: [] }
  }
}

function counting(options: RetrainingOptions): { made: Counting[]; retraining: Retraining } {
  const made: Counting[] = []
  const make = () => {
    const one = new Counting()
    made.push(one)
    return one
  }
  return { made, retraining: new Retraining(make, { onDrift: false, ...options }) }
}

const said = (retraining: Retraining) => retraining.forecast(1).point[0]

test('the old one answers until the new one stands, which knows what came meanwhile', async () => {
  const { made, retraining } = counting({ every: 10 })
  const first = retraining.fit(new Array(20).fill(1))
  made[1]?.end()
  await first
  assert.is(said(retraining), 20)
  for (let i = 0; i < 10; i++) retraining.update(1)
  assert.is(retraining.status.fitting, true)
  for (let i = 0; i < 4; i++) retraining.update(1)
  assert.is(made.length, 3)
  ;(made[2] as Counting).known = 1_000
  assert.is(said(retraining), 34)
  made[2]?.end()
  await retraining.settled()
  assert.is(said(retraining), 1_004)
  assert.equal(retraining.status, { fits: 2, late: 0, error: undefined, fitting: false, since: 4 })
})

test('is fitted to the last values only', async () => {
  const { made, retraining } = counting({ window: 16, every: 100 })
  const fitted = retraining.fit(new Array(50).fill(1))
  assert.is(made[1]?.known, 16)
  made[1]?.end()
  await fitted
})

test('a fit that fails leaves the old one, is told, and is tried again when it is time', async () => {
  const { made, retraining } = counting({ every: 5 })
  const first = retraining.fit([1, 2, 3])
  made[1]?.end()
  await first
  for (let i = 0; i < 5; i++) retraining.update(1)
  const warned = once(process, 'warning')
  made[2]?.end(new Error('no memory'))
  await retraining.settled()
  const [warning] = await warned
  assert.match(warning.message, 'no memory')
  assert.is((retraining.status.error as Error).message, 'no memory')
  assert.is(said(retraining), 8)
  for (let i = 0; i < 5; i++) retraining.update(1)
  made[3]?.end()
  await retraining.settled()
  assert.is(retraining.status.error, undefined)
  assert.is(retraining.status.fits, 2)
})

test('whoever asks for a fit is told that it failed', async () => {
  const { made, retraining } = counting({})
  const warned = once(process, 'warning')
  const failed = rejection(retraining.fit([1, 2, 3]))
  made[1]?.end(new Error('no'))
  assert.is((await failed).message, 'no')
  await warned
})

test('a fit that is not over in its time is given up', async () => {
  const { retraining } = counting({ every: 3, budget: 0 })
  for (let i = 0; i < 3; i++) retraining.update(1)
  await retraining.settled()
  assert.is(retraining.status.late, 1)
  assert.is(retraining.status.fits, 0)
  assert.is(said(retraining), 3)
})

test('errors that have become larger call for a fit before it is time', async () => {
  const random = seeded(3)
  const make = (onDrift: boolean) => new Retraining(() => new Ensemble({ horizon: 4 }), { every: 400, onDrift })
  const [watched, blind] = [make(true), make(false)]
  const before = Array.from({ length: 300 }, () => 10 + normal(random))
  for (const one of [watched, blind]) await one.fit(before)
  for (let i = 0; i < 160; i++) {
    const value = i < 80 ? 10 + normal(random) : 60 * normal(random)
    for (const one of [watched, blind]) one.update(value)
  }
  for (const one of [watched, blind]) await one.settled()
  assert.ok(watched.status.fits > 1, `${watched.status.fits}`)
  assert.is(blind.status.fits, 1)
})

test('an ensemble is fitted while the event loop goes on, and ends when it is told to', async () => {
  let turns = 0
  const count = () => {
    turns++
    timer = setImmediate(count)
  }
  let timer = setImmediate(count)
  await new Ensemble().fit(hourly(1_000, 3))
  assert.ok(turns >= 10, `${turns}`)
  clearImmediate(timer)
  const ensemble = new Ensemble()
  await ensemble.fit(hourly(300, 3))
  const { weights } = ensemble
  const reason = new Error('enough')
  assert.is(await rejection(ensemble.fit(hourly(300, 9, 2), AbortSignal.abort(reason))), reason)
  assert.equal(ensemble.weights, weights)
})

test('refuses options that are none', () => {
  for (const options of [{ every: 0 }, { every: 1.5 }, { window: 1 }, { budget: -1 }, { onDrift: 1 }]) {
    isCoded(
      thrown(() => new Retraining(() => new Ensemble(), options as RetrainingOptions)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  isCoded(
    thrown(() => new Retraining(undefined as unknown as () => Forecaster)),
    'ERR_FORELOCK_ARGUMENT'
  )
})

test.run()
