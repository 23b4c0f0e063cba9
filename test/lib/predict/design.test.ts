import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Columns, isDeclared, isOccasion, placed, sizesOf, termsOf, typeOfKey } from '../../../lib/predict/design.js'

const REACH = { before: 1, after: 1 }
const none = new Map<string, number>()

test('an event is a sum of what its type, its place, itself and its declaration say', () => {
  const event = placed({ type: 'sale', start: 20, end: 40, weight: 2, id: 'a\nb' }, 0, 10, none, factor => factor - 1)
  const terms = termsOf(2, event, REACH)
  assert.equal(
    terms.map(({ key }) => [typeOfKey(key), isOccasion(key), isDeclared(key)]),
    [
      ['sale', false, false],
      ['sale', false, false],
      ['sale', true, false],
      ['sale', false, true]
    ]
  )
  assert.equal(
    terms.map(({ x }) => x),
    [1, 1, 1, 1]
  )
  assert.is(termsOf(1, event, REACH).length, 1)
  assert.is(termsOf(4, event, REACH).length, 1)
  assert.equal(termsOf(5, event, REACH), [])
})

test('a value is told in units of what is usual for its type', () => {
  const events = [10, 20, -30].map(value => ({ type: 't', start: 0, value }))
  const sizes = sizesOf([...events, { type: 'zero', start: 0, value: 0 }, { type: 'none', start: 0 }])
  assert.equal(
    [...sizes],
    [
      ['t', 20],
      ['zero', 1]
    ]
  )
  const size = (type: string, value?: number) =>
    placed({ type, start: 0, ...(value !== undefined && { value }) }, 0, 1, sizes, () => 0).size
  assert.equal([size('t', 40), size('t', -30), size('t'), size('new', 7), size('new', -7), size('zero', 0)], [2, -1.5, 1, 1, -1, 0])
})

test('columns gather what lies on one step', () => {
  const columns = new Columns()
  for (const at of [3, 3, 4]) columns.add({ key: 'level\nt', group: 'level\nt', x: 1 }, at)
  columns.add({ key: 'declared\nt', group: 'declared\nt', x: 0.5 }, 3)
  assert.equal(columns.all, [
    { group: 0, prior: 0, at: [3, 4], x: [2, 1] },
    { group: 1, prior: 1, at: [3], x: [0.5] }
  ])
})

test.run()
