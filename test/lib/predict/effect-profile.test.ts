import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { extentOf, placeOf } from '../../../lib/predict/effect-profile.js'

test('an event covers each step that it touches, a moment the one that it lies in', () => {
  const extent = (start: number, end?: number) => extentOf({ type: 't', start, ...(end !== undefined && { end }) }, 1_000, 100)
  assert.equal(extent(1_000, 1_200), { from: 0, to: 2 })
  assert.equal(extent(1_050, 1_201), { from: 0, to: 3 })
  assert.equal(extent(1_250), { from: 2, to: 3 })
  assert.equal(extent(950, 960), { from: -1, to: 0 })
})

test('steps before, during and after an event have places that double', () => {
  const of = (at: number) => placeOf(at, { from: 10, to: 20 }, { before: 3, after: 4 })
  assert.equal([6, 7, 8, 9].map(of), [undefined, 'before 1', 'before 1', 'before 0'])
  assert.equal([10, 11, 12, 13, 16, 17, 19].map(of), ['during 0', 'during 1', 'during 1', 'during 2', 'during 2', 'during 3', 'during 3'])
  assert.equal([20, 21, 22, 23, 24].map(of), ['after 0', 'after 1', 'after 1', 'after 2', undefined])
  assert.is(placeOf(1e6, { from: 0, to: 1e9 }, { before: 0, after: 0 }), 'during 7')
})

test.run()
