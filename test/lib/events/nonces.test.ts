import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Nonces } from '../../../lib/events/nonces.js'
import { isCoded, thrown } from '../support.js'

test('none is given up while its signature is fresh, and room is made of those whose is not', () => {
  const nonces = new Nonces(3, 1_000)
  for (const [i, signed] of [0, 400, 800].entries()) nonces.add(`n${i}`, signed, signed)
  isCoded(
    thrown(() => nonces.add('n3', 1_000, 1_000)),
    'ERR_FORELOCK_CAPACITY'
  )
  assert.equal([nonces.size, nonces.has('n0'), nonces.has('n3')], [3, true, false])
  nonces.add('n3', 1_401, 1_401)
  assert.equal(
    ['n0', 'n1', 'n2', 'n3'].map(id => nonces.has(id)),
    [false, false, true, true]
  )
  assert.equal([nonces.remembers(400), nonces.remembers(401)], [false, true])
})

test('what is taken over is kept beside its own, and what finds no room is not fresh any more', () => {
  const nonces = new Nonces(2, 1_000)
  nonces.add('own', 50, 50)
  nonces.take(20, [
    ['a', 10],
    ['b', 90],
    ['c', 30]
  ])
  assert.equal(
    ['own', 'a', 'b', 'c'].map(id => nonces.has(id)),
    [true, false, true, false]
  )
  assert.equal([nonces.remembers(30), nonces.remembers(31)], [false, true])
  assert.equal(JSON.parse(JSON.stringify(new Nonces(1, 1))), { forgotten: null, seen: [] })
})

test.run()
