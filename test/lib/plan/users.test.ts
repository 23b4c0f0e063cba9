import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Users } from '../../../lib/plan/users.js'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

test('what a workflow asks for in a second is known after some minutes, and fades when it asks no more', () => {
  const users = new Users()
  for (let now = 0; now < 10 * MINUTE_MS; now += 500) users.came(0, 'import', 3, now)
  const now = 10 * MINUTE_MS
  assert.ok(Math.abs((users.rates(0, now).import as number) - 6) < 0.1)
  assert.ok(Math.abs((users.rates(0, now + MINUTE_MS).import as number) - 6 / Math.E) < 0.1)
})

test('of more workflows than are told apart those that asked last stay, and one that has not asked for an hour is none', () => {
  const users = new Users()
  for (let i = 0; i < 10_000; i++) users.came(0, `w${i}`, 1, i)
  for (let i = 9_994; i < 10_000; i++) users.came(0, 'w9993', 1, 10_000)
  assert.equal(Object.keys(users.rates(0, 10_000)), ['w9992', 'w9994', 'w9995', 'w9996', 'w9997', 'w9998', 'w9999', 'w9993'])
  assert.equal(Object.keys(users.rates(0, 10_000 + HOUR_MS - 1)), ['w9993'])
  assert.equal(users.rates(0, 10_000 + HOUR_MS), {})
})

test('of several things each has its own, from whichever on they are told of', () => {
  const users = new Users(1)
  users.came(70, 'import', 60, 0)
  users.came(3, 'report', 120, 0)
  users.came(3, 'import', 60, 0)
  assert.equal(users.rates(70, 0), { import: 1 })
  assert.equal(users.rates(3, 0), { report: 2, import: 1 })
  assert.equal(
    [0, 3, 70, 1_000].map(thing => users.has(thing)),
    [false, true, true, false]
  )
  assert.equal(users.rates(0, 0), {})
  assert.equal(users.rates(1_000, 0), {})
})

test('what is forgotten has no users, nor has who gets its number those of before', () => {
  const users = new Users()
  users.came(1, 'import', 60, 0)
  users.came(2, 'import', 60, 0)
  users.forget(1)
  assert.not.ok(users.has(1))
  users.came(1, 'report', 120, 0)
  assert.equal(users.rates(1, 0), { report: 2 })
  assert.equal(users.rates(2, 0), { import: 1 })
  users.forget(2)
  users.came(2, 'export', 180, 0)
  assert.equal(users.rates(2, 0), { export: 3 })
  assert.equal(users.rates(1, 0), { report: 2 })
})

test.run()
