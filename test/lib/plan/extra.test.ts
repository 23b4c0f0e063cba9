import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ExtraSwitch } from '../../../lib/plan/extra.js'

const HORIZON_MS = 300

/** What it says of probabilities that are looked at every 100 ms. */
const said = (probabilities: readonly number[], threshold = 0.6) => {
  const one = new ExtraSwitch()
  return probabilities.map((probability, i) => one.look(probability, threshold, HORIZON_MS, i * 100))
}

test('it is extra from the threshold on, and not below it', () => {
  assert.equal(said([0, 0.59, 0.6, 1]), [false, false, true, true])
})

test('it goes on while contention is half as likely, however long', () => {
  assert.equal(said([0.6, ...Array(50).fill(0.3)]).at(-1), true)
})

test('it is over when contention has been less than half as likely for as long as is looked ahead', () => {
  assert.equal(said([0.6, 0, 0, 0, 0, 0]), [true, true, true, false, false, false])
  assert.equal(said([0.6, 0, 0, 0.3, 0, 0, 0]), [true, true, true, true, true, true, false])
})

test('a probability that goes up and down around the threshold does not switch it', () => {
  const flapping = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 0.62 : 0.1))
  assert.ok(said(flapping).every(on => on))
})

test.run()
