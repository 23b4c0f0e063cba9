import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Quantity, type UsagePrediction } from '../../../lib/predict/usage-quantity.js'
import { UnderRate } from '../../../lib/predict/usage-rate.js'
import { normal, seeded } from './series.js'

const rowOf = (...numbers: number[]) => ({ numbers: Float64Array.from(numbers), texts: new Int32Array(0) })
const make = () => new Quantity(new UnderRate(0.015))

/** The parts of values that lay within the interval, and above what was allocated; and the last prediction. */
function judged(count: number, draw: (i: number) => [x: number, value: number], coverage = 0.9) {
  const quantity = make()
  let [inside, under, asked] = [0, 0, 0]
  let last: UsagePrediction | undefined
  for (let i = 0; i < count; i++) {
    const [x, value] = draw(i)
    if (i >= 20) {
      const said = quantity.predict(rowOf(x), coverage, undefined) as UsagePrediction
      asked++
      if (value >= said.low && value <= said.high) inside++
      if (value > said.allocate) under++
      last = said
    }
    quantity.learn(rowOf(x), value)
  }
  return { inside: inside / asked, under: under / asked, last: last as UsagePrediction }
}

test('an input that tells all leaves a narrow interval, and it is said that it does', () => {
  const random = seeded(1)
  const { inside, under, last } = judged(3_000, () => {
    const x = 100 + 900 * random()
    return [x, 1e6 * x * Math.exp(0.02 * normal(random))]
  })
  assert.ok(Math.abs(inside - 0.9) < 0.02, `${inside}`)
  assert.ok(Math.abs(under - 0.015) < 0.005, `${under}`)
  assert.ok(last.high / last.low < 1.12, `${last.low} to ${last.high}`)
  assert.is(last.from, 'input')
  assert.ok(last.explained > 0.8)
})

test('an input that tells nothing leaves the interval of all, and it is said that it does', () => {
  const random = seeded(1)
  const { inside, under, last } = judged(3_000, () => [random(), 1e6 * Math.exp(normal(random))])
  assert.ok(Math.abs(inside - 0.9) < 0.02, `${inside}`)
  assert.ok(Math.abs(under - 0.015) < 0.005, `${under}`)
  assert.ok(last.high / last.low > Math.exp(2.8), `${last.low} to ${last.high}`)
  assert.is(last.from, 'history')
  assert.ok(last.explained < 0.05)
})

test('intervals keep their coverage when what they are of drifts', () => {
  const random = seeded(3)
  const { inside } = judged(5_000, i => [0, 1_000 * Math.exp(i / 500 + 0.3 * normal(random) * (1 + (i % 1_000) / 500))])
  assert.ok(Math.abs(inside - 0.9) < 0.02, `${inside}`)
})

test('other coverages are kept, too', () => {
  for (const coverage of [0.5, 0.8, 0.95]) {
    const random = seeded(3)
    const { inside } = judged(4_000, () => [0, 1_000 * Math.exp(normal(random))], coverage)
    assert.ok(Math.abs(inside - coverage) < 0.04, `${inside} of ${coverage}`)
  }
})

test('of the same value again and again it says that value, and allocates hardly more', () => {
  const { last } = judged(60, () => [5, 777])
  assert.ok(Math.abs(last.expected - 777) < 1e-6)
  assert.ok(last.allocate >= 777 && last.allocate < 800, `${last.allocate}`)
})

test('what grows with its input beyond what was seen is expected to go on', () => {
  const quantity = make()
  for (let i = 0; i < 50; i++) quantity.learn(rowOf(1_000 + 10 * i), 1e4 * (1_000 + 10 * i))
  const { expected, allocate } = quantity.predict(rowOf(3_000), 0.9, undefined) as UsagePrediction
  assert.ok(expected > 2.7e7 && allocate >= expected, `${expected} ${allocate}`)
})

test('with fewer than five it goes by the greatest, and of none it says nothing', () => {
  const quantity = make()
  assert.is(quantity.predict(rowOf(1), 0.9, undefined), undefined)
  for (const [i, value] of [100, 400, 200].entries()) {
    quantity.learn(rowOf(i), value)
    const said = quantity.predict(rowOf(9), 0.9, undefined) as UsagePrediction
    assert.is(said.from, 'few')
    assert.is(said.samples, i + 1)
    assert.ok(said.allocate > (i === 0 ? 100 : 400) && said.high > (i === 0 ? 100 : 400) && said.low < 100)
  }
})

test('with fewer than five it says what was declared, and no less than what came', () => {
  const quantity = make()
  const declared = { expected: 500, least: 100, most: 900 }
  const none = { expected: 500, low: 100, high: 900, allocate: 900, explained: 0, from: 'declared', samples: 0 }
  assert.equal(quantity.predict(rowOf(1), 0.9, declared), none)
  quantity.learn(rowOf(1), 600)
  const one = quantity.predict(rowOf(1), 0.9, { expected: 500, least: undefined, most: undefined }) as UsagePrediction
  assert.is(one.allocate, 600)
  assert.is(one.from, 'declared')
})

test('never leaves declared bounds', () => {
  const quantity = make()
  for (let i = 0; i < 50; i++) quantity.learn(rowOf(i), 100 * i)
  const said = quantity.predict(rowOf(49), 0.9, { expected: undefined, least: 1_000, most: 2_000 }) as UsagePrediction
  assert.equal([said.expected, said.high, said.allocate], [2_000, 2_000, 2_000])
  assert.is(quantity.predict(rowOf(0), 0.9, { expected: undefined, least: 1_000, most: 2_000 })?.low, 1_000)
})

test('goes on where it was saved', () => {
  const random = seeded(9)
  const rate = new UnderRate(0.015)
  const quantity = new Quantity(rate)
  for (let i = 0; i < 300; i++) quantity.learn(rowOf(random(), i % 5 === 0 ? Number.NaN : random()), 1e6 * random())
  const heir = Quantity.load(JSON.parse(JSON.stringify(quantity.save())), rate)
  for (let i = 0; i < 3; i++) {
    const said = heir.predict(rowOf(0.3, 0.2), 0.9, undefined) as UsagePrediction
    const before = quantity.predict(rowOf(0.3, 0.2), 0.9, undefined) as UsagePrediction
    assert.ok(Math.abs(said.allocate / before.allocate - 1) < 0.05 && Math.abs(said.expected / before.expected - 1) < 0.05)
    assert.is(said.samples, before.samples)
  }
})

test.run()
