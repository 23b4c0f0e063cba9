import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HoldTimes } from '../../../lib/shadow/hold-times.js'

const NONE = [0, 0]
const of = (own: number[][], rest: number[][] = [NONE, NONE, NONE, NONE]) => new HoldTimes({ tier: 1, ageing: 0, own, rest })
/** So many grants that did not wait, and holds of these lengths. */
const counts = (...pairs: number[]) => [10, 0, ...pairs]

test('what is left of a hold is taken from those that lasted longer than it has', () => {
  const times = of([NONE, counts(10, 8, 100, 2), NONE, NONE]).of(1, 0)
  assert.equal([times.basis, times.left(0, 0.5), times.left(0, 0.95)], ['element', 10, 100])
  assert.equal([times.left(20, 0.05), times.left(20, 0.95)], [80, 80])
  assert.is(times.left(100, 0.5), undefined)
})

test('a declared hold is believed for as long as it was declared', () => {
  const times = of([NONE, counts(100, 8), NONE, NONE])
  assert.equal([times.of(1, 30).basis, times.of(1, 30).left(10, 0.99)], ['declared', 20])
  assert.is(times.of(1, 30).left(40, 0.5), 60)
  assert.is(of([]).of(1, 30).left(40, 0.5), undefined)
})

test('the narrowest with enough is asked: the tier of the element, the element, the tier of the kind, the kind', () => {
  const few = counts(1, 3)
  const many = counts(2, 20)
  const basis = (own: number[][], rest: number[][]) => {
    const time = of(own, rest).of(1, 0)
    return [time.basis, time.left(0, 0.5)]
  }
  const kind = [NONE, counts(5, 20), NONE, counts(7, 20)]
  assert.equal(basis([many, counts(3, 20), NONE, NONE], kind), ['element', 3])
  assert.equal(basis([many, few, NONE, NONE], kind), ['element', 2])
  assert.equal(basis([NONE, few, NONE, NONE], kind), ['kind', 5])
  assert.equal(basis([NONE, NONE, NONE, NONE], [NONE, NONE, NONE, counts(7, 20)]), ['kind', 7])
  assert.equal(basis([NONE, few, NONE, NONE], [NONE, NONE, NONE, NONE]), ['element', 1])
  assert.equal(basis([], [NONE, NONE, NONE, NONE]), [undefined, undefined])
})

test('how many had to wait is told where grants were counted that did not', () => {
  assert.is(of([NONE, [10, 4, 1, 10], NONE, NONE]).waited(1), 0.4)
  assert.is(of([NONE, [10, 10], NONE, NONE]).waited(1), undefined)
})

test.run()
