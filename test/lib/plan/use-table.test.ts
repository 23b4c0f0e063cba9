import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { USE_STEPS, UseTable } from '../../../lib/plan/use-table.js'
import { randomsOf } from '../../../lib/randoms.js'

test('as long as nothing is known it is what is in use now', () => {
  const table = new UseTable(5)
  assert.is(table.quantile(0.9), 0)
  table.add(7)
  assert.is(table.quantile(0.9), 7)
})

test('what stays as it is stays so', () => {
  const table = new UseTable(5)
  for (let i = 0; i < 100; i++) table.add(9)
  assert.equal(
    [0, 0.5, 1].map(ratio => table.quantile(ratio)),
    [9, 9, 9]
  )
})

test('the quantile is of the most that came of as much within the horizon', () => {
  const table = new UseTable(2)
  const random = randomsOf(1)
  let highs = 0
  let lows = 0
  for (let i = 0; i < 3000; i++) {
    // From 10 it goes to 30 in one of four, at once or after a period, and back.
    const isHigh = random() < 0.25
    if (isHigh) highs++
    else lows++
    for (const steps of isHigh ? [10, 30, 30, 4, 4, 4] : [10, 10, 10, 4, 4, 4]) table.add(steps)
  }
  assert.ok(highs > 500 && lows > 500)
  table.add(10)
  // Three of six moments at 10 are followed by another, and of those at the beginning of each a quarter by 30.
  assert.is(table.quantile(0.5), 10)
  assert.is(table.quantile(0.99), 30)
})

test('what has changed for good is followed', () => {
  const table = new UseTable(1)
  const play = (after: number, rounds: number) => {
    for (let i = 0; i < rounds; i++) for (const steps of [10, after]) table.add(steps)
    table.add(10)
    return table.quantile(0.5)
  }
  assert.is(play(20, 3000), 20)
  assert.is(play(40, 6000), 40)
})

test('more than there is counts as all, and less than nothing as nothing', () => {
  const table = new UseTable(1)
  for (let i = 0; i < 50; i++) table.add(1e9)
  assert.is(table.quantile(0.5), USE_STEPS)
  for (let i = 0; i < 5000; i++) table.add(-1)
  assert.is(table.quantile(0.5), 0)
})

test.run()
