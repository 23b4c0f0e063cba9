import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Rarity } from '../../../lib/predict/rarity.js'
import { normal, seeded } from './series.js'

const random = seeded(11)

function filled(count: number, next: () => number): Rarity {
  const rarity = new Rarity()
  for (let i = 0; i < count; i++) rarity.add(next())
  return rarity
}

test('is minus the logarithm of how many were so strange', () => {
  const rarity = filled(10_000, random)
  for (const [strangeness, part] of [
    [0.5, 0.5],
    [0.9, 0.1],
    [0.99, 0.01]
  ] as const) {
    assert.ok(Math.abs(rarity.of(strangeness) + Math.log10(part)) < 0.25, `${rarity.of(strangeness)} at ${strangeness}`)
  }
})

test('goes on beyond the largest, the slower the heavier the tail', () => {
  const light = filled(5_000, () => Math.abs(normal(random)))
  const heavy = filled(5_000, () => random() ** -1)
  assert.ok(light.of(4.5) > light.of(3.7) && light.of(3.7) > light.of(3))
  const growth = (rarity: Rarity, from: number) => rarity.of(1.3 * from) - rarity.of(from)
  assert.ok(growth(light, 3) > 2 * growth(heavy, 1_000))
})

test('never falls where strangeness grows', () => {
  const rarity = filled(3_000, () => Math.abs(normal(random)) ** 3)
  let before = 0
  for (let strangeness = 0; strangeness < 200; strangeness += 0.01) {
    const now = rarity.of(strangeness)
    assert.ok(now >= before - 0.06, `${now} after ${before} at ${strangeness}`)
    before = Math.max(before, now)
  }
})

test('says nothing of a few', () => {
  assert.is(filled(10, random).of(1e6), 0)
})

test('what was rare long ago becomes common', () => {
  const rarity = filled(2_000, random)
  const before = rarity.of(5)
  for (let i = 0; i < 40_000; i++) rarity.add(5 + random())
  assert.ok(before > 2 && rarity.of(5) < 0.1)
})

test('is a number from 0 to 4 whatever it is asked', () => {
  for (const rarity of [
    filled(100, () => 0),
    filled(100, () => 1e300),
    filled(500, random),
    filled(50_000, () => Number.POSITIVE_INFINITY)
  ]) {
    for (const strangeness of [0, 1e-300, 1, 1e9, 1e300, Number.POSITIVE_INFINITY]) {
      const found = rarity.of(strangeness)
      assert.ok(found >= 0 && found <= 4, `${found} of ${strangeness}`)
    }
  }
})

test.run()
