import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Residuals } from '../../../lib/predict/residuals.js'
import { UnderRate } from '../../../lib/predict/usage-rate.js'
import { normal, seeded } from './series.js'

/** How often errors exceed what they are raised by, each foretold from those before it. */
function rateOf(under: number, kinds: number, error: (kind: number, i: number) => number): number {
  const rate = new UnderRate(under)
  const past = Array.from({ length: kinds }, () => new Residuals())
  let missed = 0
  const rounds = 20_000
  for (let i = 0; i < rounds; i++) {
    const residuals = past[i % kinds] as Residuals
    const value = error(i % kinds, i)
    const isUnder = value > rate.raise(residuals.upper, residuals.length)
    if (isUnder) missed++
    rate.saw(isUnder, residuals.upper)
    residuals.add(value)
  }
  return missed / rounds
}

test('too little is foretold as often as is said, of any distribution, of few kinds and of many', () => {
  const random = seeded(5)
  const distributions: Record<string, (kind: number, i: number) => number> = {
    normal: () => 0.1 * normal(random),
    'heavy-tailed': () => 0.1 * Math.tan(Math.PI * (random() - 0.5)),
    'of two sizes': () => (random() < 0.1 ? 2 : 0.01 * random()),
    'ever growing': (_, i) => i / 1_000,
    'different in each kind': kind => (kind + 1) * 0.02 * normal(random)
  }
  for (const [name, error] of Object.entries(distributions)) {
    for (const kinds of [1, 200]) {
      for (const under of [0.015, 0.1]) {
        const part = rateOf(under, kinds, error)
        assert.ok(Math.abs(part - under) < 0.3 * under, `${name}, ${kinds} kinds: ${part} of ${under}`)
      }
    }
  }
})

test('going short raises it, and not going short lowers it by less', () => {
  const rate = new UnderRate(0.02)
  const tail = { base: 0.2, count: 8, excess: 0.8 }
  const before = rate.raise(tail, 32)
  rate.saw(true, tail)
  const after = rate.raise(tail, 32)
  rate.saw(false, tail)
  assert.ok(after > before)
  assert.ok(rate.raise(tail, 32) < after && rate.raise(tail, 32) > before)
})

test('neither luck nor misfortune carries it off', () => {
  const rate = new UnderRate(0.02)
  const tail = { base: 0.2, count: 8, excess: 0.8 }
  for (let i = 0; i < 1e5; i++) rate.saw(true, tail)
  assert.ok(rate.raise(tail, 32) < 5)
  for (let i = 0; i < 1e5; i++) rate.saw(false, tail)
  assert.ok(rate.raise(tail, 32) >= -1 && rate.reach >= 0 && rate.blind >= 0)
})

test('an amount whose errors reach far may go short more often than one whose do not', () => {
  const rate = new UnderRate(0.02)
  const steps = (excess: number) => rate.raise({ base: 0, count: 8, excess }, 8) / rate.scaleOf({ base: 0, count: 8, excess })
  assert.ok(steps(4) < steps(0.4) && steps(0.4) < steps(0.04))
})

test('goes on where it was saved', () => {
  const [rate, heir] = [new UnderRate(0.02), new UnderRate(0.02)]
  for (let i = 0; i < 100; i++) rate.saw(i % 9 === 0, { base: 0, count: 3, excess: i / 10 })
  heir.load(rate.save())
  const tail = { base: 0.2, count: 8, excess: 0.8 }
  assert.is(heir.raise(tail, 32), rate.raise(tail, 32))
  assert.is(heir.reach, rate.reach)
})

test.run()
