import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Drift } from '../../../lib/predict/drift.js'
import { normal, seeded } from './series.js'

test('errors that stay as they are rarely alarm', () => {
  let alarms = 0
  for (let round = 0; round < 100; round++) {
    const random = seeded(round)
    const drift = new Drift()
    for (let i = 0; i < 300; i++)
      if (drift.saw(normal(random))) {
        alarms++
        break
      }
  }
  assert.ok(alarms <= 10, `${alarms}`)
})

test('errors three times as large alarm within some values', () => {
  const random = seeded(5)
  const drift = new Drift()
  for (let i = 0; i < 100; i++) assert.is(drift.saw(normal(random)), false)
  let values = 1
  while (!drift.saw(3 * normal(random))) values++
  assert.ok(values < 40, `${values}`)
})

test('a single error alarms nobody, the second after exact ones does, and the largest overflow nothing', () => {
  const exact = new Drift()
  for (let i = 0; i < 100; i++) assert.is(exact.saw(0), false)
  assert.is(exact.saw(1e-9), false)
  assert.is(exact.saw(1e-9), true)
  const huge = new Drift()
  for (let i = 0; i < 100; i++) assert.is(huge.saw(i % 2 === 0 ? Number.MAX_VALUE : Number.NEGATIVE_INFINITY), false)
})

test.run()
