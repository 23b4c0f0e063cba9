import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { belowHull, hullAt, hullCurve, lowerHull, type Point } from '../../../lib/replay/hull.js'

const STATICS: Point[] = [
  [10, 100],
  [20, 60],
  [30, 50],
  [40, 20],
  [50, 90]
]

test('the lower hull leaves out what a mixture of others is better than', () => {
  assert.equal(lowerHull(STATICS), [
    [10, 100],
    [20, 60],
    [40, 20],
    [50, 90]
  ])
})

test('its order is that of x, whatever the order given; of two above each other the lower one counts', () => {
  assert.equal(
    lowerHull([
      [2, 1],
      [1, 5],
      [1, 3]
    ]),
    [
      [1, 3],
      [2, 1]
    ]
  )
})

test('between two settings it is as high as their mixture, and beyond the last as that', () => {
  const hull = lowerHull(STATICS)
  assert.is(hullAt(hull, 15), 80)
  assert.is(hullAt(hull, 30), 40)
  assert.is(hullAt(hull, 60), 90)
  assert.is(hullAt(hull, 5), undefined)
})

test('a point is below the hull where it is better than every mixture that costs as much', () => {
  assert.is(belowHull([30, 39], STATICS), true)
  assert.is(belowHull([30, 40], STATICS), false)
  assert.is(belowHull([30, 45], STATICS), false)
})

test('what costs less than all settings has to be as good as the cheapest of them', () => {
  assert.is(belowHull([5, 99], STATICS), true)
  assert.is(belowHull([5, 101], STATICS), false)
})

test('there is nothing to be below where there are no settings', () => {
  assert.is(belowHull([1, 1], []), false)
  assert.equal(hullCurve([]), [])
})

test('its curve runs through its corners, and on the edges between them', () => {
  const curve = hullCurve(STATICS)
  const hull = lowerHull(STATICS)
  for (const corner of hull) assert.ok(curve.some(([x, y]) => x === corner[0] && y === corner[1]))
  for (const [x, y] of curve) assert.is(y, hullAt(hull, x))
})

test.run()
