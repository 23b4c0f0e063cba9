import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ShareGuard } from '../../../lib/plan/share-guard.js'
import type { SharePlan } from '../../../lib/plans.js'

const TIERS = ['background', 'standard', 'interactive', 'critical']
const [LOW, HIGH] = [0, 2]
const PERIOD_MS = 100
const CAPACITY = 2
const PARTS = [1, 0, 0.5, 0].map(share => ({ floor: 0, share, ceiling: CAPACITY }))

const guardOf = (waitCosts: readonly number[], control = 0) =>
  new ShareGuard({ capacity: CAPACITY, waitCosts, ageing: 0, tiers: TIERS, lag: 0, control, seed: 1, parts: PARTS })
const share: SharePlan = { kind: 'share', pool: 'p', tier: 'interactive', amount: 1, until: 10 * PERIOD_MS }

/** A pool of two, of which the higher tier has one; who waits is of either, and the lower one is within its share. */
function run(guard: ShareGuard, from: number, until: number): SharePlan[] {
  const written: SharePlan[] = []
  for (let now = from; now < until; now += PERIOD_MS) {
    if (now % 1000 === 500) {
      for (const [i, [tier, held]] of (
        [
          [HIGH, 200],
          [HIGH, 300],
          [LOW, 100],
          [HIGH, 100]
        ] as const
      ).entries()) {
        guard.came(now + i, tier, 1)
        guard.ended(now + i, tier, 0, held)
      }
    }
    written.push(...guard.pass(now % 700 === 0 ? [share] : [], now))
  }
  return written
}

test('a larger share for those for whom waiting is dearer passes, and is proven', () => {
  const guard = guardOf([1, 2, 8, 32])
  assert.ok(run(guard, 0, 300_000).length > 400)
  const { on, proven, benefit } = guard.status()
  assert.ok(on && proven)
  // Each second the one waits 100 ms less, and the other 100 ms more.
  assert.ok(Math.abs(benefit.mean - 0.1 * (8 - 1)) < 0.02, String(benefit.mean))
})

test('one that costs more than it saves is put out, and taken back as it was configured', () => {
  const guard = guardOf([8, 2, 1, 1])
  const written = run(guard, 0, 120_000)
  assert.not(guard.status().on)
  const back = written.at(-1)
  assert.equal([back?.tier, back?.amount, back?.until], ['interactive', 0.25, 1])
})

test('in windows that are left alone the shares are as configured', () => {
  const back = run(guardOf([1, 2, 8, 32], 0.3), 0, 300_000).filter(({ until }) => until === 1)
  assert.ok(back.length > 3)
  for (const { amount } of back) assert.is(amount, 0.25)
})

test.run()
