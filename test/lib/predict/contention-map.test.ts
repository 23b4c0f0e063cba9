import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Collisions } from '../../../lib/predict/contention-map.js'

test('amounts are halved in a half-life, and the costliest comes first', () => {
  const collisions = new Collisions(10, 1_000)
  collisions.collide('a', 'b', 'one', 0, 40, 4)
  collisions.collide('a', 'b', 'one', 1_000, 40, 4)
  collisions.collide('a', 'c', 'one', 1_000, 10, 9)
  const { pairs, time } = collisions.map(2_000, 10)
  assert.equal(
    pairs.map(({ blocker, collisions: count, waited, cost, last }) => [blocker, count, waited, cost, last]),
    [
      ['c', 0.5, 5, 4.5, 1_000],
      ['b', 0.75, 30, 3, 1_000]
    ]
  )
  assert.is(time, 2_000)
})

test('what is counted together is of all, whether listed or not', () => {
  const collisions = new Collisions(1, 1e9)
  for (let i = 0; i < 10; i++) {
    collisions.count(0, 5, 1)
    collisions.collide(`w${i}`, 'b', 'one', 0, 5, 1)
  }
  const map = collisions.map(0, 10)
  assert.equal([map.pairs.length, map.collisions, map.waited, map.cost], [1, 10, 50, 10])
})

test('knows who made whom wait on what, and nothing of those that it gave up', () => {
  const collisions = new Collisions(2, 1e9)
  collisions.collide('a', 'b', 'one', 0, 1, 100)
  collisions.collide('a', 'c', 'one', 0, 1, 200)
  assert.equal(
    collisions.blockersOf('a', 'one', 0).map(({ blocker }) => blocker),
    ['b', 'c']
  )
  collisions.collide('x', 'y', 'two', 0, 1, 300)
  assert.equal(collisions.blockersOf('a', 'one', 0), [{ blocker: 'c', collisions: 1 }])
  assert.equal(collisions.blockersOf('x', 'two', 0), [{ blocker: 'y', collisions: 1 }])
  assert.equal(collisions.blockersOf('x', 'one', 0), [])
})

test('names with blanks do not run into each other', () => {
  const collisions = new Collisions(10, 1e9)
  collisions.collide('a b', 'c', 'one', 0, 1, 1)
  collisions.collide('a', 'c', 'b one', 0, 1, 1)
  collisions.collide('a', 'c', ' bone', 0, 1, 1)
  assert.is(collisions.map(0, 10).pairs.length, 3)
})

test('what is saved is as old as it was, on a clock that begins at 0', () => {
  const collisions = new Collisions(10, 1_000)
  collisions.count(5_000, 8, 2)
  collisions.collide('a', 'b', 'one', 5_000, 8, 2)
  const heir = new Collisions(10, 1_000)
  heir.load(collisions.save(6_000))
  assert.equal([heir.map(0, 1).waited, heir.map(0, 1).pairs[0]?.waited], [4, 4])
  heir.shift(70_000)
  assert.equal([heir.map(70_000, 1).waited, heir.map(71_000, 1).pairs[0]?.waited], [4, 2])
})

test.run()
