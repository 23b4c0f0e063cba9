import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Users } from '../../../lib/plan/users.js'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

test('what a workflow asks for in a second is known after some minutes, and fades when it asks no more', () => {
  const users = new Users()
  for (let now = 0; now < 10 * MINUTE_MS; now += 500) users.came('import', 3, now)
  const now = 10 * MINUTE_MS
  assert.ok(Math.abs((users.rates(now).import as number) - 6) < 0.1)
  assert.ok(Math.abs((users.rates(now + MINUTE_MS).import as number) - 6 / Math.E) < 0.1)
})

test('of more workflows than are told apart those that asked last stay, and one that has not asked for an hour is none', () => {
  const users = new Users()
  for (let i = 0; i < 10_000; i++) users.came(`w${i}`, 1, i)
  for (let i = 9_994; i < 10_000; i++) users.came('w9993', 1, 10_000)
  assert.equal(Object.keys(users.rates(10_000)), ['w9992', 'w9994', 'w9995', 'w9996', 'w9997', 'w9998', 'w9999', 'w9993'])
  assert.equal(Object.keys(users.rates(10_000 + HOUR_MS - 1)), ['w9993'])
  assert.equal(users.rates(10_000 + HOUR_MS), {})
})

test.run()
