import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Ensemble, type EnsembleOptions } from '../../../lib/predict/ensemble.js'
import type { Model } from '../../../lib/predict/forecaster.js'
import { isCoded, thrown } from '../support.js'
import { conformance } from './forecaster.suite.js'
import { hourly, normal, seeded } from './series.js'

conformance('ensemble', () => new Ensemble(), { seasons: true })

async function fitted(values: readonly number[], options?: EnsembleOptions): Promise<Ensemble> {
  const ensemble = new Ensemble(options)
  await ensemble.fit(values)
  return ensemble
}

/** Says the same whatever it is asked. */
const always = (value: number, name = 'always'): Model => ({ name, fit: () => true, predict: (_, __, out) => out.fill(value).length > 0 })

test('what does well on a series says most there', async () => {
  const random = seeded(9)
  const seasonal = await fitted(hourly(700, 1))
  let level = 0
  const walk = await fitted(Array.from({ length: 700 }, () => (level += normal(random))))
  const most = ({ weights }: Ensemble) => [...weights].sort((a, b) => b.weight - a.weight)[0]?.name as string
  assert.match(most(seasonal), /ridge|phase-mean/)
  assert.match(most(walk), /ewma|mean\(1\)|holt|ridge/)
  for (const { weights } of [seasonal, walk]) {
    assert.ok(Math.abs(weights.reduce((sum, { weight }) => sum + weight, 0) - 1) < 1e-9)
  }
})

test('a member that is right all along is not drowned by one that is wrong', async () => {
  const random = seeded(4)
  const values = Array.from({ length: 400 }, (_, i) => (i < 20 ? normal(random) : 12.5))
  const { weights } = await fitted(values, { members: [always(12.5), always(99, 'wrong')] })
  const of = (name: string) => weights.find(one => one.name === name)
  assert.is(of('always')?.error, 0)
  assert.ok((of('always')?.weight as number) > 1e6 * (of('wrong')?.weight ?? 0))
})

test('a member that cannot say, or fails to learn, is left out', async () => {
  const { weights } = await fitted(hourly(300, 2), {
    members: [
      { name: 'mute', fit: () => true, predict: () => false },
      { name: 'fit for nothing', fit: () => Promise.resolve(false), predict: () => true }
    ]
  })
  assert.is(weights.filter(({ name }) => name === 'mute' || name === 'fit for nothing').length, 0)
})

test('about as many values lie within an interval as it says', async () => {
  const values = hourly(4_000, 8, 3)
  const ensemble = await fitted(values.slice(0, 1_000), { horizon: 12 })
  let within = 0
  for (let at = 1_000; at < values.length; at++) {
    const { quantiles } = ensemble.forecast(1, [0.05, 0.95])
    const value = values[at] as number
    within += value >= (quantiles[0]?.[0] as number) && value <= (quantiles[1]?.[0] as number) ? 1 : 0
    ensemble.update(value)
  }
  const coverage = within / 3_000
  assert.ok(coverage > 0.88 && coverage < 0.92, `${coverage} of 90 %`)
})

test('intervals follow noise that becomes three times as large', async () => {
  const random = seeded(12)
  const ensemble = await fitted(Array.from({ length: 500 }, () => normal(random)))
  const width = () => {
    const { quantiles } = ensemble.forecast(1, [0.05, 0.95])
    return (quantiles[1]?.[0] as number) - (quantiles[0]?.[0] as number)
  }
  const before = width()
  for (let i = 0; i < 400; i++) {
    ensemble.forecast(1, [0.05, 0.95])
    ensemble.update(3 * normal(random))
  }
  assert.ok(width() > 2 * before)
})

test('intervals grow with the horizon, and go on growing beyond what was tried', async () => {
  const random = seeded(2)
  let level = 0
  const walk = Array.from({ length: 600 }, () => (level += normal(random)))
  const { quantiles } = (await fitted(walk, { horizon: 20 })).forecast(400, [0.1, 0.9])
  const width = (step: number) => (quantiles[1]?.[step] as number) - (quantiles[0]?.[step] as number)
  assert.ok(width(19) > 1.5 * width(0))
  assert.ok(width(399) > 3 * width(19))
})

test('goes by the seasons that it is given', async () => {
  assert.equal((await fitted(hourly(700, 1), { seasons: [12] })).seasons, [12])
  assert.equal((await fitted(hourly(700, 1))).seasons[0], 24)
})

test('only the last values count where there are more than it keeps', async () => {
  const long = await fitted([...new Array(5_000).fill(1e6), ...hourly(500, 1)], { window: 500 })
  const short = await fitted(hourly(500, 1), { window: 500 })
  assert.equal(long.forecast(5), short.forecast(5))
})

test('refuses options that are none', () => {
  for (const options of [
    { horizon: 0 },
    { horizon: 1.5 },
    { window: 3 },
    { window: Number.NaN },
    { seasons: [1] },
    { seasons: [2.5] },
    { seasons: 24 },
    { members: 5 },
    { members: [5] },
    { members: [{ name: 'a' }] },
    { horizons: 5 },
    null,
    5
  ]) {
    isCoded(
      thrown(() => new Ensemble(options as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test('carries over the members that it was given, and refuses to where they cannot be', async () => {
  const drift = (): Model & { slope: number } => ({
    name: 'drift',
    slope: 0,
    fit(values, length) {
      this.slope = ((values[length - 1] as number) - (values[0] as number)) / (length - 1)
      return true
    },
    predict(values, length, out) {
      for (let step = 0; step < out.length; step++) out[step] = (values[length - 1] as number) + (step + 1) * this.slope
      return true
    },
    save() {
      return this.slope
    },
    load(saved) {
      if (!Number.isFinite(saved)) return false
      this.slope = saved as number
      return true
    }
  })
  const values = Array.from({ length: 300 }, (_, i) => 3 * i)
  const ensemble = await fitted(values, { members: [drift()] })
  const saved = ensemble.save()
  const other = new Ensemble({ members: [drift()] })
  other.load(saved)
  assert.equal(other.forecast(9), ensemble.forecast(9))
  assert.equal(other.weights, ensemble.weights)
  isCoded(
    thrown(() => new Ensemble().load(saved)),
    'ERR_FORELOCK_ARGUMENT'
  )
  const mute = await fitted(values, { members: [always(900)] })
  isCoded(
    thrown(() => mute.save()),
    'ERR_FORELOCK_ARGUMENT'
  )
})

test('of two fits at the same time the one that began last stands', async () => {
  let open = () => {}
  const gate = new Promise<void>(resolve => {
    open = resolve
  })
  let fits = 0
  const late: Model = {
    name: 'late',
    async fit() {
      if (fits++ === 0) await gate
      return false
    },
    predict: () => false
  }
  const ensemble = new Ensemble({ members: [late] })
  const first = ensemble.fit(new Array(300).fill(7))
  await ensemble.fit(hourly(300, 2))
  open()
  await first
  assert.equal(ensemble.forecast(24), (await fitted(hourly(300, 2))).forecast(24))
})

test.run()
