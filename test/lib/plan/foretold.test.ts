import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Foretold } from '../../../lib/plan/foretold.js'
import { randomsOf } from '../../../lib/randoms.js'

const [STANDARD, HIGH, TOP] = [1, 2, 3]

/** One that has learnt that A raises B 300 ms later in nine of ten times, and the moment at which A has begun again. */
function taught(): { foretold: Foretold; now: number } {
  const foretold = new Foretold()
  const random = randomsOf(3)
  let now = 0
  for (let round = 0; round < 200; round++) {
    now += 2000 + 6000 * random()
    foretold.advance(now)
    foretold.came('A', now)
    if (random() >= 0.9) continue
    foretold.came('B', now + 300, { kind: 'pool', thing: 'p', tier: HIGH, amount: 2 })
    foretold.came('B', now + 310, { kind: 'lock', thing: 'l', tier: HIGH, amount: 1 })
  }
  now += 10_000
  foretold.came('A', now)
  foretold.advance(now)
  return { foretold, now }
}

test('a pool is told how much, of which tier, and how likely within the time', () => {
  const { foretold } = taught()
  const [one, ...others] = foretold.expected('p', HIGH, 1000)
  assert.equal([one?.amounts[0], others.length], [2, 0])
  assert.ok((one?.probability ?? 0) > 0.8)
  assert.ok((foretold.expected('p', HIGH, 100)[0]?.probability ?? 1) < 0.01)
  assert.equal([foretold.expected('p', STANDARD, 1000), foretold.expected('other', HIGH, 1000)], [[], []])
})

test('a lock is likely for its tier and those below, by the workflow that comes, when it is near enough', () => {
  const { foretold, now } = taught()
  const [one] = foretold.locks(STANDARD, 500, 0.3)
  assert.equal([one?.name, one?.workflow], ['l', 'B'])
  assert.ok((one?.from ?? 0) > 100 && (one?.score ?? 0) > 0.8)
  assert.equal([foretold.locks(TOP, 500, 0.3), foretold.locks(HIGH, 500, 0.99), foretold.locks(HIGH, 100, 0.3)], [[], [], []])
  foretold.advance(now + 2000)
  assert.equal(foretold.locks(HIGH, 500, 0.01), [])
})

test('the workflow, and what it asks for, are likely until it can come no more', () => {
  const { foretold, now } = taught()
  assert.equal(
    foretold.likely(500).map(({ kind, name, workflow }) => [kind, name, workflow]),
    [
      ['workflow', 'B', 'B'],
      ['pool', 'p', 'B'],
      ['lock', 'l', 'B']
    ]
  )
  assert.equal(foretold.likely(100), [], 'it may come from some 200 ms on')
  foretold.came('B', now + 300)
  foretold.advance(now + 300)
  assert.equal(foretold.likely(500), [])
  assert.is(foretold.status().known, 1)
})

test.run()
