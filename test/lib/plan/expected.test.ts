import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { withExpected } from '../../../lib/plan/expected.js'
import { randomsOf } from '../../../lib/randoms.js'

const near = (found: Float64Array, expected: readonly number[]) => {
  assert.is(found.length, expected.length)
  for (const [i, one] of expected.entries()) assert.ok(Math.abs((found[i] as number) - one) < 1e-12, `${found}`)
}

test('what comes with a probability is added to what comes anyway', () => {
  near(withExpected([0.5, 0.5, 0, 0], [{ probability: 0.8, amounts: [2] }], 4, 1), [0.1, 0.1, 0.4, 0.4])
})

test('where nothing is known of the rest, there is only that', () => {
  near(withExpected(undefined, [{ probability: 0.9, amounts: [1] }], 3, 1), [0.1, 0.9, 0])
  near(withExpected(undefined, [], 3, 1), [1, 0, 0])
})

test('each amount that came is as likely as the others, in whole units, and more than is told apart counts as the most', () => {
  near(withExpected([1, 0, 0, 0], [{ probability: 1, amounts: [0.5, 2, 9, 1] }], 4, 1), [0, 0.5, 0.25, 0.25])
  near(withExpected([1, 0, 0, 0], [{ probability: 1, amounts: [2] }], 4, 2), [0, 1, 0, 0])
})

test('what does not come, or of which nothing is known, changes nothing, and a probability is no more than 1', () => {
  const counts = [3, 2, 1]
  for (const one of [
    { probability: 0, amounts: [1] },
    { probability: Number.NaN, amounts: [1] },
    { probability: 1, amounts: [] }
  ])
    near(withExpected(counts, [one], 3, 1), counts)
  near(withExpected([1, 0], [{ probability: 2, amounts: [1] }], 2, 1), [0, 1])
})

test('nothing is lost, whatever is expected', () => {
  const random = randomsOf(1)
  for (let i = 0; i < 200; i++) {
    const counts = Array.from({ length: 64 }, () => Math.floor(random() * 10))
    const expected = Array.from({ length: Math.floor(random() * 9) }, () => ({
      probability: random(),
      amounts: Array.from({ length: Math.floor(random() * 16) }, () => random() * 100)
    }))
    const sum = (all: ArrayLike<number>) => Array.from(all).reduce((a, b) => a + b, 0)
    assert.ok(Math.abs(sum(withExpected(counts, expected, 64, 1 + random())) - sum(counts)) < 1e-6)
  }
})

test.run()
