import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BucketTrial } from '../../../lib/plan/bucket-trial.js'

const [LOW, HIGH] = [0, 2]
const FULL = { free: 10, reserved: 0 }
const asleep = () => new BucketTrial({ rate: 10, burst: 10, reserve: 0, waitCosts: [1, 2, 8, 32], ageing: 0 })
const trialOf = () => {
  const trial = asleep()
  trial.look(0, FULL)
  return trial
}
const came = (trial: BucketTrial, time: number, tier: number, tokens: number) => trial.came({ time, tier, tokens, isReserved: false })
const near = (given: number, wanted: number) => assert.ok(Math.abs(given - wanted) < 1e-9, `${given}, not ${wanted}`)

test('what a keep saves the upper tier, less what it costs the lower one', () => {
  const trial = trialOf()
  trial.kept({ time: 0, tier: HIGH, tokens: 1, until: 10_000 })
  came(trial, 0, LOW, 9)
  came(trial, 0, LOW, 1)
  came(trial, 0, HIGH, 1)
  trial.advance(5000)
  // With: the upper one has the kept token at once, and the lower one waits until there are two. Without: the lower one had it, and the upper one waits for the next.
  near(trial.saved, 8 * 0.1 - 0.2)
  assert.equal([trial.tried, trial.lowerCost], [5000, 0])
  near(trial.gained, 0.8)
  near(trial.lost, 0.2)
})

test('a keep for nobody costs what lower tiers wait for it, as long as they do', () => {
  const trial = trialOf()
  trial.kept({ time: 0, tier: HIGH, tokens: 2, until: 150 })
  came(trial, 0, HIGH, 5)
  came(trial, 0, LOW, 5)
  trial.advance(100)
  near(trial.saved, -0.1)
  trial.advance(5000)
  // It ends before there are seven.
  near(trial.saved, -0.15)
})

test('what lower tiers would have waited without any plan is told of, as soon as somebody above them asks', () => {
  const trial = trialOf()
  trial.kept({ time: 5000, tier: HIGH, tokens: 1, until: 6000 })
  came(trial, 0, LOW, 10)
  came(trial, 0, LOW, 5)
  trial.advance(1000)
  assert.is(trial.lowerCost, 0)
  came(trial, 1000, HIGH, 1)
  trial.advance(2000)
  near(trial.lowerCost, 0.5)
})

test('one that is told of late is tried in its order, and not at all after what came later was tried', () => {
  const [early, late, never] = [trialOf(), trialOf(), trialOf()]
  for (const trial of [early, late, never]) trial.kept({ time: 0, tier: HIGH, tokens: 2, until: 10_000 })
  came(early, 0, HIGH, 2)
  for (const trial of [early, late, never]) came(trial, 10, LOW, 8)
  came(late, 0, HIGH, 2)
  for (const trial of [early, late, never]) trial.advance(1000)
  came(never, 0, HIGH, 2)
  for (const trial of [early, late, never]) trial.advance(2000)
  assert.ok(early.saved < 0)
  assert.is(late.saved, early.saved)
  assert.is(never.saved, 0)
})

test('nothing is tried before something is to be kept, nor when nothing is left of what was', () => {
  const trial = asleep()
  const storm = (time: number) => {
    came(trial, time, LOW, 10)
    came(trial, time, LOW, 5)
    came(trial, time, HIGH, 1)
  }
  storm(0)
  trial.advance(5000)
  assert.equal([trial.lowerCost, trial.tried], [0, 5000])
  trial.look(5000, FULL)
  trial.kept({ time: 5000, tier: HIGH, tokens: 2, until: 6000 })
  storm(5000)
  trial.advance(20_000)
  const { lowerCost, saved } = trial
  assert.ok(lowerCost > 0)
  storm(20_000)
  trial.advance(30_000)
  assert.equal([trial.lowerCost, trial.saved], [lowerCost, saved])
})

test('it begins with the tokens that there are: who has waited before goes first', () => {
  const trial = asleep()
  trial.look(0, { free: -5, reserved: 0 })
  trial.kept({ time: 0, tier: HIGH, tokens: 2, until: 10_000 })
  came(trial, 0, LOW, 1)
  trial.advance(10_000)
  // At 600, and at 800 with the keep.
  near(trial.saved, -0.2)
})

test('nothing that asks for nothing, or for what is no number, is tried', () => {
  const trial = trialOf()
  trial.kept({ time: 5000, tier: HIGH, tokens: 1, until: 6000 })
  for (const tokens of [0, -1, Number.NaN]) came(trial, 0, LOW, tokens)
  came(trial, Number.NaN, LOW, 1)
  came(trial, 0, LOW, 10)
  trial.advance(1000)
  assert.equal([trial.saved, trial.lowerCost], [0, 0])
})

test.run()
