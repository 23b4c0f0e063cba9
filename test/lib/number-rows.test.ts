import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { NumberRows } from '../../lib/number-rows.js'

test('rows keep what is in them while others are made, and one that is made anew is empty', () => {
  const rows = new NumberRows(3)
  for (const row of [0, 1, 500]) {
    const at = rows.clear(row)
    assert.is(at, 3 * row)
    rows.numbers.set([row + 1, row + 2, row + 3], at)
  }
  assert.equal([...rows.numbers.subarray(0, 6)], [1, 2, 3, 2, 3, 4])
  assert.equal([...rows.numbers.subarray(1500, 1503)], [501, 502, 503])
  rows.clear(1)
  assert.equal([...rows.numbers.subarray(0, 6)], [1, 2, 3, 0, 0, 0])
})

test.run()
