import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MEMBERS, Members } from '../../../lib/predict/usage-members.js'
import { Window } from '../../../lib/predict/usage-window.js'
import { seeded } from './series.js'

type Name = (typeof MEMBERS)[number]

/** Of rows of an amount, numbers and hashes of strings: what each member says of another. */
function taught(rows: readonly [amount: number, numbers: number[], texts?: number[]][]) {
  const window = new Window()
  const members = new Members(window)
  const rowOf = (numbers: number[], texts: number[]) => ({ numbers: Float64Array.from(numbers), texts: Int32Array.from(texts) })
  for (const [amount, numbers, texts = []] of rows) {
    window.add(rowOf(numbers, texts), Math.log1p(amount))
    members.fit()
  }
  const out = new Float64Array(MEMBERS.length)
  return {
    members,
    say(name: Name, numbers: number[], texts: number[] = []) {
      members.predict(rowOf(numbers, texts), out)
      return Math.expm1(out[MEMBERS.indexOf(name)] as number)
    }
  }
}

const near = (value: number, expected: number, part = 0.01) =>
  assert.ok(Math.abs(value / expected - 1) < part, `${value} is not ${expected}`)

test('a line through amounts that grow with the input says how they go on', () => {
  const { say } = taught(Array.from({ length: 30 }, (_, i) => [5_000 + 30 * (i + 1), [i + 1]]))
  near(say('linear', [15.5]), 5_465)
  near(say('linear', [60]), 6_800)
})

test('a line on the log scale says how a power goes on', () => {
  const { say } = taught(Array.from({ length: 30 }, (_, i) => [1e6 * (i + 1) ** 1.5, [1e3 * (i + 1)]]))
  near(say('log-linear', [40_000]), 1e6 * 40 ** 1.5)
})

test('a line does not leave what was seen by far, unless the input does', () => {
  const { say } = taught(Array.from({ length: 30 }, (_, i) => [1_000 + 100 * (i % 10) ** 2, [100 + (i % 10)]]))
  assert.ok(say('linear', [130]) <= 2 * 1.4 * 9_101)
  assert.ok(say('linear', [0]) >= 499)
})

test('the nearest requests are those whose numbers that matter are near', () => {
  const random = seeded(2)
  const { say } = taught(Array.from({ length: 100 }, (_, i) => [i % 2 === 0 ? 100 : 9_000, [i % 2 === 0 ? 10 : 20, 1e6 * random()]]))
  near(say('near', [10, 3e5]), 100)
  near(say('near-max', [20, 3e5]), 9_000)
})

test('strings tell requests apart, and those that are no more alike than any two do not', () => {
  const { members, say } = taught(Array.from({ length: 60 }, (_, i) => [i % 3 === 0 ? 50 : 4_000, [], [1 + (i % 3 === 0 ? 0 : 1)]]))
  near(say('near', [], [1]), 50)
  near(say('near', [], [2]), 4_000)
  near(say('log-linear', [], [1]), 50, 0.6)
  assert.is(members.hasInput, true)
  assert.is(taught(Array.from({ length: 60 }, (_, i) => [i % 2 === 0 ? 50 : 60, [], [1 + (i % 3)]])).members.hasInput, false)
})

test('of requests that are equally near the newest count', () => {
  const { say } = taught(Array.from({ length: 20 }, (_, i) => [i, [5]]))
  assert.is(Math.round(say('near-max', [5])), 19)
})

test('knows the mean, the greatest and the mean of the last eight', () => {
  const { say } = taught(Array.from({ length: 16 }, (_, i) => [i < 8 ? 0 : 99, []]))
  near(say('mean', []), 9)
  near(say('max', []), 99)
  near(say('recent', []), 99)
})

test('what is missing counts as the mean', () => {
  const { say } = taught(Array.from({ length: 31 }, (_, i) => [1_000 + 10 * i, [i]]))
  near(say('linear', [Number.NaN]), 1_150)
})

test('columns that are the same, or say the same, do no harm', () => {
  const { say } = taught(Array.from({ length: 40 }, (_, i) => [1_000 + 10 * i, [i, 7, 2 * i, 1e300]]))
  near(say('linear', [20, 7, 40, 1e300]), 1_200)
  near(say('linear', [20, 8, 40, -1e300]), 1_200)
})

test.run()
