import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Account } from '../../../lib/plan/account.js'
import { randomsOf } from '../../../lib/randoms.js'

/** How long an account needs to forget nearly all, ms. */
const LONG_MS = 1e8

test('a source may lose a second of the lowest tier, and then no more', () => {
  const account = new Account(2)
  assert.is(account.balance, 2)
  account.settle(1000, -1.5, 0)
  assert.ok(account.isOn)
  account.settle(1001, -2.5, 0)
  assert.ok(Math.abs(account.balance + 0.5) < 0.01, String(account.balance))
  assert.not(account.isOn)
})

test('of what the lower tiers wait anyway it may lose two per cent more', () => {
  const account = new Account(2)
  account.settle(1000, 0, 100)
  assert.is(account.balance, 4)
  account.settle(1001, -3.9, 100)
  assert.ok(account.isOn)
  account.settle(1002, -4.1, 100)
  assert.not(account.isOn)
})

test('what it saved it may lose', () => {
  const account = new Account(1)
  account.settle(1000, 10, 0)
  account.settle(2000, 0, 0)
  assert.ok(account.isOn)
  account.settle(3000, -2, 0)
  assert.not(account.isOn)
})

test('it is never overdrawn by more than what one settlement brought, whatever a source does', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = randomsOf(seed)
    const account = new Account(1 + random())
    let [now, saved, lower] = [0, 0, 0]
    for (let i = 0; i < 300; i++) {
      const wasOn = account.isOn
      const more = (random() - 0.6) * 2 ** (random() * 6 - 3)
      now += 10 ** (random() * 5)
      saved += more
      lower += random()
      account.settle(now, saved, lower)
      if (wasOn) assert.ok(account.balance >= Math.min(0, more) - 1e-9, `seed ${seed}: ${account.balance} after ${more}`)
      assert.is(account.isOn && account.balance < 0, false)
    }
  }
})

test('one that was put out comes back after ten seconds at the earliest, the next time after twenty', () => {
  const account = new Account(1)
  let saved = -2
  let now = 1000
  for (const backOff of [10_000, 20_000, 40_000]) {
    account.settle(now, saved, 0)
    assert.not(account.isOn)
    saved += 6
    account.settle(now + backOff - 1, saved, 0)
    assert.not(account.isOn)
    account.settle(now + backOff, saved, 0)
    assert.ok(account.isOn)
    now += backOff + 1
    saved -= 6
  }
})

test('it does not come back while it is overdrawn', () => {
  const account = new Account(1)
  account.settle(1000, -50, 0)
  account.settle(60_000, -50, 0)
  assert.not(account.isOn)
})

test('what was lost is forgotten, and so is what was saved', () => {
  const loser = new Account(1)
  loser.settle(1000, -50, 0)
  loser.settle(LONG_MS, -50, 0)
  assert.ok(loser.isOn)
  assert.ok(Math.abs(loser.balance - 1) < 1e-6)
  const saver = new Account(1)
  saver.settle(1000, 50, 1000)
  assert.is(saver.balance, 71)
  saver.settle(LONG_MS, 50, 1000)
  assert.ok(Math.abs(saver.balance - 1) < 1e-6)
})

test('it is proven when it saved in so many windows that chance is no explanation', () => {
  const steady = new Account(1)
  const erratic = new Account(1)
  const random = randomsOf(1)
  let [sum, wild] = [0, 0]
  for (let now = 0; now <= 150_000; now += 1000) {
    assert.is(steady.isProven, false, `at ${now} ms`)
    steady.settle(now, sum, 0)
    erratic.settle(now, wild, 0)
    sum += 3 + random()
    wild += (random() - 0.5) * 100
  }
  assert.ok(steady.isProven)
  assert.not(erratic.isProven)
  const { mean, low, high } = steady.benefit()
  assert.ok(mean > 3.3 && mean < 3.7, String(mean))
  assert.ok(low < mean && mean < high && low > 3)
})

test('what is known of too few windows has no bounds', () => {
  const account = new Account(1)
  for (let now = 0; now <= 120_000; now += 1000) account.settle(now, now, 0)
  assert.equal([account.benefit().low, account.benefit().high], [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])
})

test('a window that is settled late counts by how long it was', () => {
  const account = new Account(1)
  for (const minute of [0, 1, 2, 4, 8, 16]) account.settle(60_000 * minute, 120 * minute, 0)
  assert.ok(Math.abs(account.benefit().mean - 2) < 1e-9)
})

test('times that jump give numbers', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = randomsOf(seed)
    const account = new Account(1)
    for (let i = 0; i < 100; i++) {
      account.settle((random() - 0.5) * 10 ** (random() * 15), (random() - 0.5) * 1e12, random() * 1e12)
      const { mean, low, high } = account.benefit()
      for (const number of [account.balance, mean, low, high]) assert.not(Number.isNaN(number))
    }
  }
})

test.run()
