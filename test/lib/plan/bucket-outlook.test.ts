import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BucketOutlook } from '../../../lib/plan/bucket-outlook.js'

const [LOW, STANDARD, HIGH] = [0, 1, 2]

const outlookOf = (more: { rate?: number; burst?: number; reserve?: number } = {}) =>
  new BucketOutlook({ rate: 10, burst: 10, reserve: 25, waitCosts: [1, 2, 8, 32], period: 100, ...more })

/** So many tokens of a tier in each period. */
function steady(outlook: BucketOutlook, tier: number, tokens: number, periods = 500): void {
  for (let period = 0; period < periods; period++) {
    outlook.came(tier, tokens)
    outlook.tick()
  }
}

test('of a tier that has asked for nothing, and of the lowest, nothing is foreseen', () => {
  const outlook = outlookOf()
  steady(outlook, LOW, 5)
  assert.equal(
    [LOW, STANDARD, HIGH].map(tier => outlook.foresees(tier, 0, 0)),
    [undefined, undefined, undefined]
  )
})

test('late is what is asked for beyond what there is and what refills within a second', () => {
  const outlook = outlookOf()
  steady(outlook, HIGH, 1.5)
  const [none, some, all] = [0, 4, 8].map(free => outlook.foresees(HIGH, free, 0))
  assert.ok((none?.probability ?? 0) > 0.99 && (some?.probability ?? 0) > 0.99)
  assert.is(all?.probability, 0)
  assert.equal([none?.within, none?.free, some?.free, none?.capacity], [1000, 10, 14, 20])
  const { expected = 0, usual, gap = 0, held } = none ?? {}
  assert.ok(Math.abs(expected - 15) < 0.7, String(expected))
  assert.ok(Math.abs((usual ?? 0) - 1.5) < 1e-9)
  // Until so many have come that they and one more find theirs; each as many that somebody else takes make them wait for as long as theirs come in.
  assert.ok(Math.abs(gap - (1000 * (expected + 1.5)) / 10) < 1e-6)
  assert.ok(Math.abs((held ?? 0) - 100 * expected) < 1e-6)
})

test('what is kept apart for the tier is there for it besides', () => {
  const outlook = outlookOf()
  steady(outlook, HIGH, 3)
  assert.ok((outlook.foresees(HIGH, 10, 0)?.probability ?? 0) > 0.99)
  const kept = outlook.foresees(HIGH, 10, 12)
  assert.equal([kept?.probability, kept?.kept, kept?.free, kept?.capacity], [0, 12, 32, 32])
})

test('more than there can ever be is foreseen to be late, too, and nothing is divided by a rate of none', () => {
  const outlook = outlookOf()
  steady(outlook, HIGH, 100)
  assert.ok((outlook.foresees(HIGH, 10, 25)?.probability ?? 0) > 0.99)
  const stopped = outlookOf({ rate: 0, burst: 0, reserve: 0 })
  steady(stopped, HIGH, 1)
  for (const number of Object.values(stopped.foresees(HIGH, 0, 0) ?? {})) assert.ok(Number.isFinite(number))
})

test.run()
