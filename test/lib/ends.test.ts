import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Ends } from '../../lib/ends.js'

test('what ends first comes first, and of two at once the one with the smaller number', () => {
  const ends = new Ends<{ ends: number; number: number }>()
  let state = 1
  const all = Array.from({ length: 500 }, (_, number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return { ends: state % 60, number }
  })
  for (const one of all) ends.push(one)
  assert.is(ends.size, 500)
  const sorted = [...all].sort((a, b) => a.ends - b.ends || a.number - b.number)
  for (const one of sorted) {
    assert.is(ends.next, one.ends)
    assert.is(ends.pop(), one)
  }
  assert.is(ends.next, Number.POSITIVE_INFINITY)
  assert.is(ends.pop(), undefined)
})

test.run()
