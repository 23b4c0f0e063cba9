import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { randomsOf } from '../../lib/randoms.js'

const numbers = (seed: number, count: number) => {
  const random = randomsOf(seed)
  return Array.from({ length: count }, random)
}

test('the same numbers come each time for a seed, and others for another', () => {
  assert.equal(numbers(7, 100), numbers(7, 100))
  const others = numbers(8, 100)
  assert.ok(numbers(7, 100).every((number, i) => number !== others[i]))
})

test('numbers are from 0 to 1, in each tenth as often as in any other', () => {
  const tenths = new Array<number>(10).fill(0)
  for (const number of numbers(1, 100_000)) {
    assert.ok(number >= 0 && number < 1)
    tenths[Math.floor(number * 10)]++
  }
  // Four standard deviations of a count of 10,000.
  for (const count of tenths) assert.ok(Math.abs(count - 10_000) < 4 * Math.sqrt(9_000), String(count))
})

test('the first numbers of seeds beside each other have nothing to do with each other', () => {
  const firsts = Array.from({ length: 10_000 }, (_, seed) => numbers(seed, 1)[0] as number)
  const mean = firsts.reduce((all, number) => all + number, 0) / firsts.length
  let product = 0
  for (let i = 1; i < firsts.length; i++) product += ((firsts[i] as number) - mean) * ((firsts[i - 1] as number) - mean)
  // The correlation, of which four standard deviations are 0.04.
  assert.ok(Math.abs(product / firsts.length) * 12 < 0.04)
})

test.run()
