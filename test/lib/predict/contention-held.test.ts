import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HeldUntil } from '../../../lib/predict/contention-held.js'
import { isCoded, thrown } from '../support.js'

const exponential = (mean: number) => (ms: number) => Math.exp(-ms / mean)
const holder = (since: number, survival: (ms: number) => number) => ({
  workflow: 'report',
  tier: 1,
  mode: 'shared' as const,
  since,
  survival
})

test('one holder lets go as its distribution has it, from now on', () => {
  const held = new HeldUntil(1_000, [holder(500, exponential(200))])
  assert.ok(Math.abs(held.probability(1_200) - Math.exp(-1)) < 1e-9)
  assert.is(held.probability(900), 1)
  assert.ok(Math.abs(held.quantile(0.5) - (1_000 + 200 * Math.LN2)) < 2)
  assert.ok(Math.abs(held.mean - 1_200) < 15, String(held.mean))
  assert.equal(held.holders, [{ workflow: 'report', tier: 1, mode: 'shared', since: 500 }])
})

test('what several hold is free when the last one lets go', () => {
  const held = new HeldUntil(0, [holder(0, exponential(200)), holder(0, exponential(200))])
  const free = (1 - Math.exp(-1)) ** 2
  assert.ok(Math.abs(held.probability(200) - (1 - free)) < 1e-9)
  assert.ok(held.quantile(0.5) > 200 * Math.LN2)
})

test('what was held longer than anything seen goes on for a while, and is a number', () => {
  const held = new HeldUntil(1e15, [holder(0, ms => 100 / (100 + ms))])
  assert.ok([held.mean, held.quantile(0.001), held.quantile(0.999), held.probability(1e300)].every(Number.isFinite))
})

test('refuses levels and times that are none', () => {
  const held = new HeldUntil(0, [holder(0, exponential(1))])
  for (const call of [
    () => held.quantile(0),
    () => held.quantile(1),
    () => held.quantile(Number.NaN),
    () => held.probability(Number.NaN)
  ]) {
    isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
  }
})

test.run()
