import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DriftDetector, type Health } from '../../../lib/predict/health.js'
import { normal, seeded } from './series.js'

const random = seeded(21)
const loss = () => Math.abs(normal(random))

/** After so many losses that are as ever. */
function settled(losses = 300): DriftDetector {
  const drift = new DriftDetector()
  for (let i = 0; i < losses; i++) drift.see(loss(), 10)
  return drift
}

function until(drift: DriftDetector, health: Health, next: () => number, others?: number): number {
  for (let i = 1; i <= 2_000; i++) if (drift.see(next(), 10, others) === health) return i
  return Number.POSITIVE_INFINITY
}

test('while nothing changes nothing is said, whatever the losses are like', () => {
  const kinds = [loss, () => -Math.log(1 - random()), () => (1 - random()) ** -0.4, () => (random() < 0.1 ? 0.81 : 0.01), () => 5]
  for (const draw of kinds) {
    let alarms = 0
    for (let run = 0; run < 10; run++) {
      const drift = new DriftDetector()
      for (let i = 0; i < 3_000; i++) if (drift.see(draw(), 1) !== 'fine') alarms++
    }
    assert.ok(alarms < 50, `${alarms} of 30,000 losses`)
  }
})

test('a model whose losses become three times as large drifts, counts less, and is then out', () => {
  const drift = settled()
  const first = until(drift, 'drifting', () => 3 * loss())
  assert.ok(first > 3 && first < 40, `after ${first}`)
  assert.ok(drift.weight < 0.5 && drift.weight > 0, `${drift.weight}`)
  const second = until(drift, 'out', () => 3 * loss())
  assert.ok(second > 10 && second < 120, `after ${second}`)
  assert.is(drift.weight, 0)
})

test('one that drifts and becomes better is fine again', () => {
  const drift = settled()
  until(drift, 'drifting', () => 3 * loss())
  assert.ok(until(drift, 'fine', () => 0.8 * loss()) < 100)
  assert.is(drift.weight, 1)
})

test('one that is out proves itself before it is let back, and does not while it is bad', () => {
  const drift = settled()
  until(drift, 'out', () => 4 * loss())
  assert.is(
    until(drift, 'fine', () => 4 * loss()),
    Number.POSITIVE_INFINITY
  )
  const back = until(drift, 'fine', () => 0.9 * loss())
  assert.ok(back < 100, `after ${back}`)
  const again = settled()
  until(again, 'out', () => 4 * loss())
  assert.ok(until(again, 'fine', () => 0.9 * loss()) >= 48)
})

test('where all became worse, one that is as good as those that are heard is let back', () => {
  const drift = settled()
  until(drift, 'out', () => 4 * loss())
  assert.is(
    until(drift, 'fine', () => 4 * loss(), 1),
    Number.POSITIVE_INFINITY
  )
  assert.ok(until(drift, 'fine', () => 4 * loss(), 4) < 100)
})

test('what was held against a model is forgotten when it has learnt anew, but for one that is out', () => {
  const drift = settled()
  until(drift, 'drifting', () => 3 * loss())
  drift.retrained()
  assert.is(drift.health, 'fine')
  until(drift, 'out', () => 4 * loss())
  drift.retrained()
  assert.is(drift.health, 'out')
})

test('what is off by a millionth of its size is not off', () => {
  const drift = new DriftDetector()
  for (let i = 0; i < 200; i++) drift.see(0, 1_000)
  for (let i = 0; i < 500; i++) assert.is(drift.see(1e-3, 1_000), 'fine')
})

test('losses of any size leave it able to judge', () => {
  const drift = new DriftDetector()
  for (let i = 0; i < 200; i++) drift.see(i % 2 === 0 ? Number.POSITIVE_INFINITY : 0, Number.MAX_VALUE)
  assert.ok(Number.isFinite(drift.recentLoss) && Number.isFinite(drift.usualLoss))
  const plain = settled()
  assert.ok(until(plain, 'out', () => Number.MAX_VALUE) < 100)
  assert.is(plain.weight, 0)
})

test('of nothing it knows nothing', () => {
  const { recentLoss, usualLoss, weight, health } = new DriftDetector()
  assert.ok(Number.isNaN(recentLoss) && Number.isNaN(usualLoss))
  assert.equal([weight, health], [1, 'fine'])
})

test.run()
