import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PoolTrial } from '../../../lib/plan/pool-trial.js'
import { randomsOf } from '../../../lib/randoms.js'

const [LOW, HIGH] = [0, 2]
const trial = (capacity: number) => new PoolTrial({ capacity, waitCosts: [1, 2, 8, 32], ageing: 0 })
const near = (given: number, wanted: number) => assert.ok(Math.abs(given - wanted) < 1e-9, `${given}, not ${wanted}`)

test('what a plan saves the upper tier, less what it costs the lower one', () => {
  const one = trial(1)
  one.kept({ time: 0, tier: HIGH, units: 1, until: 50 })
  one.came(10, LOW, 1)
  one.came(20, HIGH, 1)
  one.ended(10, LOW, 100)
  one.ended(20, HIGH, 10)
  one.advance(1000)
  // Without: the high one waits from 20 to 110, at 8 a second. With: the low one waits from 10 to 50, at 1.
  near(one.saved, 0.09 * 8 - 0.04)
})

test('a plan for nobody costs what lower tiers wait for it', () => {
  const one = trial(1)
  one.kept({ time: 0, tier: HIGH, units: 1, until: 300 })
  one.came(100, LOW, 1)
  one.ended(100, LOW, 10)
  one.advance(1000)
  near(one.saved, -0.2)
})

test('what a plan that made a line longer will have cost when the line is gone is known right after it', () => {
  const one = new PoolTrial({ capacity: 1, waitCosts: [1, 2, 8, 32], ageing: 0, idles: true })
  const came = (time: number) => {
    one.came(time, LOW, 1)
    one.ended(time, LOW, 100)
  }
  for (let time = 0; time < 400_000; time += 110) came(time)
  for (let time = 400_000; time < 400_020; time++) came(time)
  one.kept({ time: 400_300, tier: HIGH, units: 1, until: 400_500 })
  for (let time = 400_030; time < 401_000; time += 110) came(time)
  one.advance(401_000)
  const early = one.saved
  for (let time = 401_060; time < 500_000; time += 110) came(time)
  one.advance(500_000)
  const late = one.saved
  assert.ok(late < -20, String(late))
  assert.ok(Math.abs(early / late - 1) < 0.25, `${early}, and then ${late}`)
  // That it has come is nothing that anybody gained, nor is it lost once more.
  assert.is(one.gained, 0)
  near(one.lost, -late)
})

test('a group has a cost of its own, and what it saves in a higher tier is weighed with what those lose whom it passes', () => {
  const one = new PoolTrial({ capacity: 1, waitCosts: [1, 2, 8, 32], ageing: 0, groupCosts: [16] })
  const GROUP = 4
  one.came(0, LOW, 1)
  one.came(10, 1, 1)
  one.came(20, LOW, 1, GROUP, HIGH)
  for (const [time, group, held] of [[0, LOW, 100] as const, [10, 1, 50] as const, [20, GROUP, 30] as const]) one.ended(time, group, held)
  one.advance(1000)
  // Without: the standard one waits from 10 to 100, the group from 20 to 150. With: the group goes at 100, the standard one at 130.
  near(one.saved, 0.05 * 16 - 0.03 * 2)
  near(one.lowerCost, 0.09 * 2)
})

test('a share that plans raise lets its tier go before one that is within its own', () => {
  const parts = [0.5, 0, 0, 0].map(share => ({ floor: 0, share: 2 * share, ceiling: 2 }))
  const one = new PoolTrial({ capacity: 2, waitCosts: [1, 2, 8, 32], ageing: 0, parts })
  one.shared({ time: 0, tier: HIGH, units: 2, until: 1000 })
  for (const [time, tier, held] of [[0, HIGH, 100] as const, [1, HIGH, 200] as const, [2, HIGH, 10] as const, [3, LOW, 50] as const]) {
    one.came(time, tier, 1)
    one.ended(time, tier, held)
  }
  one.advance(1000)
  // Without: the low one goes at 100, the high one at 150. With: the high one at 100, the low one at 110.
  near(one.saved, 0.05 * 8 - 0.01)
})

test('the budget is of what lower tiers would wait without the plans: of all below the highest that asks', () => {
  const one = trial(1)
  for (const time of [0, 1]) {
    one.came(time, LOW, 1)
    one.ended(time, LOW, 100)
  }
  one.advance(500)
  near(one.lowerCost, 0)
  one.came(1000, HIGH, 1)
  one.ended(1000, HIGH, 1)
  one.advance(2000)
  near(one.lowerCost, 0.099)
})

test('it waits for the end of who came, and after a minute takes the mean of its tier', () => {
  const one = trial(1)
  one.came(0, LOW, 1)
  one.ended(0, LOW, 50)
  one.came(1000, LOW, 1)
  one.came(1010, LOW, 1)
  one.ended(1010, LOW, 50)
  one.came(1020, HIGH, 1)
  one.ended(1020, HIGH, 1)
  one.advance(60_999)
  near(one.lowerCost, 0)
  one.advance(61_000)
  // 1000 to 1050; the high one to 1051, so the low one that came at 1010 waits 41 ms.
  near(one.lowerCost, 0.041)
})

test('no more requests than 65,536 are waited for', () => {
  const one = trial(1)
  one.came(0, LOW, 1)
  one.ended(0, LOW, 1000)
  one.came(1, HIGH, 1)
  one.ended(1, HIGH, 1000)
  for (let i = 0; i < 70_000; i++) one.came(10 + i / 100, LOW, 1)
  one.advance(1000)
  assert.ok(one.lowerCost > 0)
})

test('who ended and is not known, or is known no more, changes nothing', () => {
  const one = trial(1)
  one.came(0, LOW, 1)
  one.ended(3, LOW, 50)
  one.ended(0, HIGH, 50)
  one.ended(0, LOW, 10)
  one.advance(100)
  one.ended(0, LOW, 10)
  one.advance(200)
  near(one.saved, 0)
})

test('thousands at one time, times that jump, and amounts of nothing or too much give numbers', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomsOf(seed)
    const one = trial(4)
    let time = 0
    for (let step = 0; step < 30; step++) {
      time += (random() - 0.3) * 10 ** (random() * 8)
      const count = step === 7 ? 4000 : 5
      const amounts = [0, 1, 2, 1e-9, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE]
      for (let i = 0; i < count; i++) one.came(time, i % 4, amounts[Math.floor(random() * amounts.length)] as number)
      for (let i = 0; i < count; i++) if (random() < 0.8) one.ended(time, i % 4, (random() - 0.1) * 10 ** (random() * 6))
      one.kept({ time, tier: 1 + (step % 3), units: random() * 5, until: time + random() * 1000 })
      one.advance(time + random() * 1000)
      assert.ok(Number.isFinite(one.saved) && Number.isFinite(one.lowerCost))
    }
  }
})

test.run()
