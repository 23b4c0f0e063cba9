import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type GridOptions, gridOf, type Point } from '../../../lib/predict/grid.js'
import { isCoded, thrown } from '../support.js'
import { seeded } from './series.js'

const at = (...pairs: (readonly [time: number, value: number])[]): Point[] => pairs.map(([time, value]) => ({ time, value }))

test('what lies in one step becomes one value, and where nothing does none is known', () => {
  const points = at([10, 1], [15, 3], [40, 7])
  const values = (take: GridOptions['take']) => [...gridOf(points, { step: 10, take }).values]
  assert.equal(values('mean'), [2, Number.NaN, Number.NaN, 7])
  assert.equal(values('max'), [3, Number.NaN, Number.NaN, 7])
  assert.equal(values('last'), [3, Number.NaN, Number.NaN, 7])
  assert.equal(values('sum'), [4, 0, 0, 7])
  assert.is(gridOf(points, { step: 10 }).start, 10)
})

test('the order makes no difference, nor does it for times that come twice', () => {
  const points = at([30, 5], [10, 1], [30, 9], [20, 2])
  assert.equal([...gridOf(points, { step: 10 }).values], [1, 2, 7])
  assert.equal([...gridOf([...points].reverse(), { step: 10 }).values], [1, 2, 7])
})

test('a clock that leaps leaves what is too far back behind', () => {
  const { start, values } = gridOf(at([0, 1], [1e12, 2], [1e12 + 10, 3]), { step: 10, window: 5 })
  assert.is(start, 1e12 - 30)
  assert.equal([...values], [Number.NaN, Number.NaN, Number.NaN, 2, 3])
})

test('a value that is no number is not seen, and nothing seen is an empty grid', () => {
  assert.equal([...gridOf(at([0, Number.NaN], [10, 4], [20, Number.POSITIVE_INFINITY]), { step: 10 }).values], [4])
  assert.is(gridOf([], { step: 10 }).values.length, 0)
})

test('of any finite values the mean and the sum are finite', () => {
  const random = seeded(3)
  for (const take of ['mean', 'sum', 'max', 'last'] as const) {
    const points = Array.from({ length: 500 }, () => ({ time: 1e5 * random(), value: (random() - 0.5) * 2 * Number.MAX_VALUE }))
    for (const value of gridOf(points, { step: 1e3, take }).values)
      assert.ok(take === 'sum' ? Number.isFinite(value) : value <= Number.MAX_VALUE || Number.isNaN(value))
  }
})

test('refuses steps, windows and times that are none', () => {
  const calls = [
    () => gridOf([], { step: 0 }),
    () => gridOf([], { step: Number.NaN }),
    () => gridOf([], { step: 1, window: 0 }),
    () => gridOf([], { step: 1, take: 'median' as 'mean' }),
    () => gridOf(at([Number.NaN, 1]), { step: 1 }),
    () => gridOf(at([1e300, 1]), { step: 1 }),
    () => gridOf([{ time: 0, value: '1' as unknown as number }], { step: 1 })
  ]
  for (const call of calls) isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
})

test.run()
