import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Turns } from '../../../lib/plan/turns.js'

/** Who of them had a turn in a period. */
const served = (turns: Turns, keys: readonly string[]) => {
  turns.begin()
  return keys.filter(key => {
    const isFor = turns.isFor(key)
    if (isFor) turns.took(key)
    return isFor
  })
}

test('who was put off is before others in the next period, in the order of asking', () => {
  const turns = new Turns(2)
  assert.equal(served(turns, ['a', 'b', 'c', 'd', 'e']), ['a', 'b'])
  assert.equal(served(turns, ['x', 'e', 'd', 'c']), ['d', 'c'])
  assert.equal(served(turns, ['y', 'x', 'e']), ['x', 'e'])
})

test('who was put off and asks no more is not waited for longer than one period', () => {
  const turns = new Turns(1)
  assert.equal(served(turns, ['a', 'b']), ['a'])
  assert.equal(served(turns, ['a']), [])
  assert.equal(served(turns, ['a']), ['a'])
})

test('who has his turn and does not take it leaves it to nobody, and has it still', () => {
  const turns = new Turns(1)
  turns.begin()
  assert.ok(turns.isFor('a'))
  assert.ok(turns.isFor('b'))
  turns.took('b')
  assert.not(turns.isFor('a'))
})

test('nobody is remembered who stays away', () => {
  const turns = new Turns(1)
  for (let period = 0; period < 100; period++) served(turns, [`a${period}`, `b${period}`])
  turns.begin()
  turns.begin()
  assert.ok(turns.isFor('anybody'))
})

test.run()
