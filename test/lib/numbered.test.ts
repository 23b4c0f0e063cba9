import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Numbered } from '../../lib/numbered.js'

test('a name of a kind has one number, with a hint and without', () => {
  const numbered = new Numbered<'lock' | 'pool'>()
  assert.is(numbered.find('lock', 'a', 7), -1)
  const a = numbered.add('lock', 'a', 7)
  const other = numbered.add('pool', 'a')
  assert.is(numbered.find('lock', 'a', 7), a)
  assert.is(numbered.find('lock', 'a'), a)
  assert.is(numbered.find('pool', 'a', 7), other, 'of another kind')
  assert.equal([a, other, numbered.size], [0, 1, 2])
  assert.equal([numbered.kindOf(other), numbered.nameOf(other)], ['pool', 'a'])
})

test('a hint that is wrong, or given to another name, is no more than a look-up', () => {
  const numbered = new Numbered()
  const [a, b] = [numbered.add('lock', 'a', 0), numbered.add('lock', 'b', 1)]
  assert.is(numbered.find('lock', 'b', 0), b)
  assert.is(numbered.find('lock', 'a', 0), a)
  assert.is(numbered.find('lock', 'a', 5), a)
  assert.is(numbered.find('lock', 'a', 2 ** 31), a)
  assert.is(numbered.find('lock', 'c', 0), -1)
})

test('of each kind half is forgotten, those that came first, and their numbers are given to others', () => {
  const numbered = new Numbered<'lock' | 'pool'>()
  for (let i = 0; i < 10; i++) numbered.add('lock', `l${i}`, i)
  numbered.add('pool', 'p')
  const forgotten: number[] = []
  numbered.forgetHalf(number => forgotten.push(number))
  assert.equal(forgotten, [0, 1, 2, 3, 4, 10])
  assert.is(numbered.size, 5)
  assert.is(numbered.find('lock', 'l0', 0), -1)
  assert.is(numbered.find('lock', 'l9', 9), 9)
  const again = numbered.add('lock', 'new', 0)
  assert.ok(forgotten.includes(again))
  assert.is(numbered.find('lock', 'new', 0), again)
  assert.is(numbered.find('lock', 'l4', 4), -1)
})

test.run()
