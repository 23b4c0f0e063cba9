import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Asks } from '../../../lib/plan/asks.js'

test('it learns of each thing how often it is asked for at a beginning, and how much', () => {
  const asks = new Asks()
  for (let i = 0; i < 40; i++) {
    asks.turn(true)
    asks.came('pool', 'p', 2, 1)
    asks.came('pool', 'p', 2, 2)
    if (i % 4 === 0) asks.came('lock', 'l', 1, 1)
  }
  asks.turn(false)
  const [pool, lock] = [...asks.usual()]
  assert.equal([pool?.kind, pool?.name, pool?.tier, pool?.amounts.length], ['pool', 'p', 2, 16])
  assert.ok(pool?.amounts.every(amount => amount === 3))
  assert.ok(Math.abs((pool?.share ?? 0) - 1) < 1e-9)
  assert.ok(Math.abs((lock?.share ?? 0) - 0.25) < 0.02)
})

test('a beginning counts when it is over, and what comes after it is none of it', () => {
  const asks = new Asks()
  asks.turn(true)
  asks.came('lock', 'a', 0, 1)
  assert.equal([...asks.usual()], [])
  asks.turn(false)
  asks.came('lock', 'b', 0, 1)
  asks.turn(false)
  assert.equal(
    [...asks.usual()].map(({ name, share }) => [name, share]),
    [['a', 1]]
  )
  assert.is(asks.begun, 1)
})

test('what is asked for no more is forgotten, and of too many things the rarest', () => {
  const asks = new Asks()
  const begin = (...names: string[]) => {
    asks.turn(true)
    for (const name of names) asks.came('lock', name, 0, 1)
  }
  for (let i = 0; i < 50; i++) begin('old')
  for (let i = 0; i < 150; i++) begin('new')
  const shareOf = (wanted: string) => [...asks.usual()].find(({ name }) => name === wanted)?.share ?? 0
  assert.ok(shareOf('old') < 0.05 && shareOf('new') > 0.9)
  for (let i = 0; i < 100; i++) begin('new', `once:${i}`)
  asks.turn(false)
  const usual = [...asks.usual()]
  assert.is(usual.length, 32)
  assert.ok(shareOf('new') > 0.9)
})

test.run()
