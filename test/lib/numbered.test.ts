import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hintOf, Numbered } from '../../lib/numbered.js'

const [LOCK, POOL] = [0, 2]

test('a name of a kind has one number, with a hint and without', () => {
  const numbered = new Numbered<'lock' | 'pool'>()
  const hint = hintOf(7, LOCK, 1)
  assert.is(numbered.find('lock', 'a', hint), -1)
  const a = numbered.add('lock', 'a', hint)
  const other = numbered.add('pool', 'a')
  assert.is(numbered.find('lock', 'a', hint), a)
  assert.is(numbered.find('lock', 'a'), a)
  assert.is(numbered.find('lock', 'a', 0), a, 'no hint')
  assert.is(numbered.find('pool', 'a', hintOf(7, POOL, 1)), other, 'of another kind')
  assert.is(numbered.find('lock', 'a', hint), a)
  assert.equal([a, other, numbered.size], [0, 1, 2])
  assert.equal([numbered.kindOf(other), numbered.nameOf(other)], ['pool', 'a'])
})

test('hints of other times and kinds are other hints', () => {
  const hints = [hintOf(7, LOCK, 1), hintOf(7, LOCK, 2), hintOf(7, POOL, 1), hintOf(8, LOCK, 1), hintOf(7, LOCK, 2 ** 33 - 1)]
  assert.is(new Set(hints).size, hints.length)
  for (const hint of hints) assert.ok(Number.isSafeInteger(hint) && hint > 0)
})

test('whose place another one got is not taken for that one, nor is who has another hint now', () => {
  const numbered = new Numbered()
  const a = numbered.add('lock', 'a', hintOf(0, LOCK, 1))
  assert.is(numbered.find('lock', 'b', hintOf(0, LOCK, 2)), -1)
  const b = numbered.add('lock', 'b', hintOf(0, LOCK, 2))
  assert.is(numbered.find('lock', 'a', hintOf(0, LOCK, 1)), a)
  assert.is(numbered.find('lock', 'b', hintOf(0, LOCK, 2)), b)
  assert.is(numbered.find('lock', 'a', hintOf(65_535, LOCK, 3)), a)
  assert.is(numbered.find('lock', 'a', hintOf(65_535, LOCK, 3)), a)
  assert.is(numbered.find('lock', 'c', hintOf(65_535, LOCK, 4)), -1)
})

test('of each kind half is forgotten, those that came first, and their numbers are given to others', () => {
  const numbered = new Numbered<'lock' | 'pool'>()
  const hint = (i: number) => hintOf(i, LOCK, 1)
  for (let i = 0; i < 10; i++) numbered.add('lock', `l${i}`, hint(i))
  numbered.add('pool', 'p')
  const forgotten: number[] = []
  numbered.forgetHalf(number => forgotten.push(number))
  assert.equal(forgotten, [0, 1, 2, 3, 4, 10])
  assert.is(numbered.size, 5)
  assert.is(numbered.find('lock', 'l0', hint(0)), -1)
  assert.is(numbered.find('lock', 'l9', hint(9)), 9)
  const again = numbered.add('lock', 'new', hint(0))
  assert.ok(forgotten.includes(again))
  assert.is(numbered.find('lock', 'new', hint(0)), again)
  assert.is(numbered.find('lock', 'l4', hint(4)), -1)
})

test.run()
