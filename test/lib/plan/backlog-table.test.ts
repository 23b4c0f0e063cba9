import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BacklogTable } from '../../../lib/plan/backlog-table.js'

const STEPS = 8
const WITHIN = 9
const tableOf = () => new BacklogTable(STEPS, 10, 1, WITHIN)

test('the quantile is that of the backlogs that were seen', () => {
  const table = tableOf()
  assert.is(table.quantile(0.9), 0)
  for (let period = 0; period < 1000; period++) table.tick((period % 10) / 2, true)
  // 0, and up to 4.5 in tenths of the time: of parts of a step all of it counts.
  assert.equal(
    [0.09, 0.49, 0.69, 0.89, 1].map(ratio => table.quantile(ratio)),
    [0, 2, 3, 4, 5]
  )
})

test('only those moments count that are said to', () => {
  const table = tableOf()
  for (let period = 0; period < 1000; period++) table.tick(period % 2 === 0 ? 6 : 0, period % 2 === 0)
  assert.is(table.quantile(0.1), 6)
})

test('more than the steps are is the most', () => {
  const table = tableOf()
  for (let period = 0; period < 100; period++) table.tick(1e9, true)
  assert.is(table.quantile(0.01), STEPS)
})

test('what follows on much is told apart from what follows on little', () => {
  const table = tableOf()
  // A minute of many requests that wait, and a minute of none.
  const minute = (many: boolean) => {
    for (let period = 0; period < 600; period++) {
      if (many) for (let i = 0; i < 5; i++) table.came()
      table.tick(many ? 4 : 0, true)
    }
  }
  for (let times = 0; times < 20; times++) {
    minute(true)
    minute(false)
  }
  assert.is(table.quantile(0.9), 0)
  minute(true)
  assert.is(table.quantile(0.5), 4)
})

test('where such a time was hardly met it goes by those beside it, too', () => {
  const table = tableOf()
  const periods = (count: number, requests: number, backlog: number) => {
    for (let period = 0; period < count; period++) {
      for (let i = 0; i < requests; i++) table.came()
      table.tick(backlog, true)
    }
  }
  periods(600, 1, 3)
  // A little more than ever, and nothing waits yet.
  periods(20, 4, 0)
  assert.is(table.quantile(0.5), 3)
  periods(600, 2, 0)
  assert.is(table.quantile(0.9), 0)
})

test('who comes at regular times is met at all of their phases', () => {
  const table = tableOf()
  for (let period = 0; period < 2000; period++) {
    if (period % 10 === 0) table.came()
    table.tick(period % 10 === 0 ? 5 : 0, true)
    if (period > 600) assert.equal([table.quantile(0.85), table.quantile(0.95)], [0, 5], `period ${period}`)
  }
})

test.run()
